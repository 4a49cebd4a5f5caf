"""When an engine lets an arriving request in: how many decode steps pass between two looks at the queue.

Launch settings that were read on public pages (`constants/admission.toml`), none of them fitted. A request arrives
anywhere between two looks, so it waits for half of the steps between them, at the mean and at the median alike.
Left out: settings of an engine that no page gives, which are taken as 1 (a look at every step).
"""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np

from harness.profiles import Chip
from harness.roofline import laws
from harness.roofline.hardware import View


@cache
def rules() -> tuple[dict, ...]:
    """The settings as read: engine, steps, reason, and where they hold (family, concurrency, data_parallel)."""
    return tuple(tomllib.loads((laws.FOLDER / "admission.toml").read_text("utf-8"))["admission"])


def steps_between_looks(engine: np.ndarray, view: View, asked: np.ndarray, data_parallel: bool) -> np.ndarray:
    """Decode steps between two looks at the queue [rows], 1 and more.

    engine: family names; asked: requests at once on a replica; data_parallel: attention runs so.
    """
    out = np.ones(len(asked))
    for rule in rules():
        applies = (engine == rule["engine"]) & (asked >= rule.get("concurrency", 1))
        if "family" in rule:
            applies &= view.column(f"family.{rule['family']}", _of_family(rule["family"]))
        if not rule.get("data_parallel", False) or data_parallel:
            out[applies] = rule["steps"]
    return out


def _of_family(name: str):
    def of(chip: Chip) -> bool:
        return chip.family == name

    return of
