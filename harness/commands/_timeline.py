"""Plot of a simulation over time: KV memory in use and kept, requests running and waiting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import CannotWrite
from harness.report import style
from harness.serving.arrivals import NS

if TYPE_CHECKING:
    from harness.serving.summary import Simulated

_POINTS = 600  # across the plot: means over its equal parts
_UNITS = (
    (3600.0 * 48, 86400.0, "days"),
    (3600.0 * 2, 3600.0, "hours"),
    (120.0, 60.0, "minutes"),
    (0.0, 1.0, "seconds"),
)


def draw(found: Simulated, path: Path) -> None:
    """Raises CannotWrite."""
    d, samples = found.run.deployment, np.array(found.run.journal.samples, float).reshape(-1, 6)
    unit_s, unit = next((s, name) for over, s, name in _UNITS if samples[:, 0].max(initial=1.0) / NS > over)
    with style.figure() as figure:
        figure.set_size_inches(12, 7.5)
        top, below = figure.subplots(2, 1, sharex=True)
        at, state = _whole(samples, d.replicas)
        capacity = d.engine.capacity * d.replicas
        in_use, kept = state[:, 0] / capacity * 100, state[:, 1] / capacity * 100
        hours = at / NS / unit_s
        top.stackplot(hours, in_use, kept, step="post", colors=[style.PALETTE[0], style.PALETTE[5]],
                      labels=["of running requests", "kept for later turns"])  # fmt: skip
        top.set(ylabel="KV memory, % of capacity", ylim=(0, 100))
        top.legend(loc="upper left", bbox_to_anchor=(0, 1.12), ncols=2)
        below.step(hours, state[:, 2], where="post", color=style.PALETTE[0], label="decoding")
        below.step(hours, state[:, 3], where="post", color=style.PALETTE[1], label="waiting")
        below.set(ylabel="requests", xlabel=f"simulated time, {unit}", xlim=(0, hours[-1] if len(hours) else 1))
        below.set_ylim(bottom=0)
        below.legend(loc="upper left", bbox_to_anchor=(0, 1.12), ncols=2)
        note = f"All {d.replicas} replicas together. Modelled. Samples at the ends of steps, at most {_POINTS} points."
        style.heading(figure, f"{d.stack}: memory and queue", note)
        try:
            figure.savefig(path, dpi=style.DPI)
        except OSError as error:
            raise CannotWrite(path, error.strerror or str(error)) from error


def _whole(samples: np.ndarray, replicas: int) -> tuple[np.ndarray, np.ndarray]:
    """(times, state summed over the replicas): each replica's last sample stands until its next."""
    if not len(samples):
        return np.zeros(1), np.zeros((1, 4))
    samples = samples[np.argsort(samples[:, 0], kind="stable")]
    at = np.linspace(0, samples[-1, 0], _POINTS)
    total = np.zeros((_POINTS, 4))
    for replica in range(replicas):
        own = samples[samples[:, 1] == replica]
        if len(own):
            place = np.searchsorted(own[:, 0], at, side="right") - 1
            total += np.where((place >= 0)[:, None], own[np.maximum(place, 0), 2:], 0.0)
    return at, total
