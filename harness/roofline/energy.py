"""Board power of a chip while serving; server share and PUE are apart.

power = limit x (idle + (utilisation - idle) x busy): busy is the share of a token's time in which kernels read memory
or multiply, the two shares of the limit are shared ranges over published measurements. Left out: clocks under a power
limit, the difference between reading and multiplying, chips that wait for a replica without requests.
"""

from __future__ import annotations

import numpy as np

from harness.profiles import Chip, shared_value
from harness.quantity import Cited
from harness.roofline.hardware import View

_RANGE = (0.1, 0.5, 0.9)


def board_power_w(view: View, busy: np.ndarray, spread: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
    """(power, how far down, how far up in logarithms 10..90 % reach) of one chip [rows], W, never above its limit.

    spread: how far down and up (log) the limit itself reaches.
    """
    idle, full = (np.array([shared_value(f"power.{k}").quantile(p) for p in _RANGE]) for k in ("idle", "utilisation"))
    shares = np.minimum(idle[:, None] + np.maximum(full - idle, 0)[:, None] * busy, 1.0)
    down, up = np.log(shares[1] / shares[0]), np.log(shares[2] / shares[1])
    return view.value("power.tdp") * shares[1], np.hypot(down, spread[0]), np.hypot(up, spread[1])


def rests_on(chip: Chip) -> dict[str, Cited]:
    """The values that a chip's power rests on."""
    shared = {f"power.{k}": shared_value(f"power.{k}") for k in ("idle", "utilisation")}
    return {"power.tdp": chip.get("power.tdp"), **shared}
