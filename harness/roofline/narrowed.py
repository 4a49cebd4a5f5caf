"""All-reduces that an engine sends in fewer bits than their tensors have (`constants/narrowed.toml`).

Launch settings that were read on public pages, none of them fitted. Left out: the time of narrowing and widening,
which passes over memory at many times the link's speed.
"""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np

from harness.profiles import Chip
from harness.roofline import laws
from harness.roofline.hardware import View

_TENSOR_BITS = 16


@cache
def rules() -> tuple[dict, ...]:
    """The settings as read: engine, chip, bits a value, least_bytes of the tensor, reason."""
    return tuple(tomllib.loads((laws.FOLDER / "narrowed.toml").read_text("utf-8"))["narrowed"])


def settings(engine: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """(share of a tensor's bytes that is sent, from which size on), [rows] each; 1 and 0 without a setting."""
    share, least = np.ones(len(engine)), np.zeros(len(engine))
    for rule in rules():
        here = view.column(f"is.{rule['chip']}", _is(rule["chip"]))
        if here.any():
            applies = here & (engine == rule["engine"])
            share[applies], least[applies] = rule["bits"] / _TENSOR_BITS, rule["least_bytes"]
    return share, least


def sent_bytes(tensor_bytes: np.ndarray, share: np.ndarray, least: np.ndarray) -> np.ndarray:
    """What stands for a tensor's bytes on the link; a larger one never sends less."""
    return np.maximum(np.minimum(tensor_bytes, least), share * tensor_bytes)


def _is(name: str):
    def of(chip: Chip) -> bool:
        return chip.id == name

    return of
