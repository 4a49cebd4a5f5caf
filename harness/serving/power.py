"""Time at work and board power of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.roofline.energy import board_power_w
from harness.serving.arrivals import NS

if TYPE_CHECKING:
    from harness.serving.simulate import Run


def energy_figures(done: Run, end_s: float) -> dict[str, float]:
    """Batch, share of the time at work, board power of a chip (W) and energy of all (J) from 0 to `end_s`.

    By `roofline.energy`: a chip between steps is idle, at work busy for the share of a mean decode step in which its
    kernels read or multiply.
    Left out: prefill steps, which multiply more of their time than decode steps do.
    """
    j, d = done.journal, done.deployment
    busy = min(j.busy_ns / NS / (d.replicas * end_s), 1.0) if end_s else 0.0
    batch = j.decoded / max(j.decode_steps, 1)
    out = {"busy_share": busy, "restored_tokens": float(j.restored_tokens)}
    if j.decode_steps:
        out["mean_batch"] = batch
    if d.chip.has("power.tdp"):
        working = done.table.busy_at(batch, j.twice_context / 2 / max(j.decoded, 1))
        nothing = np.zeros(1)  # of the limit's own range
        watts = float(board_power_w(d.steps.view(1), np.array([working * busy]), (nothing, nothing))[0][0])
        out |= {"power_w_per_chip": watts, "energy_j": watts * d.stack.chips * end_s}
    return out
