"""How many requests a run of the saturated rate has where nothing is said (`constants/saturated.toml`).

A run that is over after two waves of requests never is as fast as one that goes on, so the number matters: it is the
published practice of the benchmark that most saturated rates come from.
"""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np

from harness.roofline import laws


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    table = tomllib.loads((laws.FOLDER / "saturated.toml").read_text("utf-8"))["saturated"]
    return np.log(table["tokens"]), np.log(table["requests"])


def usual_requests(tokens: np.ndarray) -> np.ndarray:
    """Requests a replica is given, for requests of so many tokens, input and output together [rows]."""
    return np.exp(np.interp(np.log(tokens), *_table()))
