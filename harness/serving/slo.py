"""Service levels in words: `ttft_ms=500,tpot_ms=50` -> limits that a request must keep, all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.errors import UserMistake
from harness.profile_types import Workload

# Limit -> (column of the simulated requests, seconds a unit).
LIMITS = {
    "ttft_ms": ("ttft_s", 1e-3), "tpot_ms": ("tpot_s", 1e-3), "e2e_ms": ("e2e_s", 1e-3), "ttft_s": ("ttft_s", 1.0),
    "tpot_s": ("tpot_s", 1.0), "e2e_s": ("e2e_s", 1.0), "queue_s": ("queue_s", 1.0),
}  # fmt: skip


def parse_slo(text: str | None) -> dict[str, float]:
    """The limits by name; none where nothing is said. Raises UserMistake in one line."""
    out: dict[str, float] = {}
    for part in (text or "").split(",") if text else ():
        name, _, value = (x.strip() for x in part.partition("="))
        if name not in LIMITS:
            raise UserMistake(f"service level {text!r}: {name!r} is none of {', '.join(LIMITS)}")
        if name in out:
            raise UserMistake(f"service level {text!r}: {name} is given twice")
        try:
            out[name] = float(value)
        except ValueError:
            out[name] = math.nan
        if not out[name] > 0:
            raise UserMistake(f"service level {text!r}: {name}={value!r} is not a number above 0")
    return out


def own_limits(workload: Workload) -> dict[str, float]:
    """The service level that a workload's file names; empty where it names none."""
    return {f"{k}_ms": workload.get(f"slo.{k}").point * 1e3 for k in ("ttft", "tpot") if workload.has(f"slo.{k}")}


def meets(requests: pd.DataFrame, slo: Mapping[str, float]) -> np.ndarray:
    """Which simulated requests were answered and kept every limit; a blank TPOT (one token) breaks none."""
    ok = (requests["status"] == "ok").to_numpy().copy()
    for name, limit in slo.items():
        column, unit = LIMITS[name]
        ok &= ~(requests[column].to_numpy(float) > limit * unit)
    return ok
