"""Plot of a simulation over time: KV memory in use and kept, requests running and waiting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

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
    d, samples = found.run.deployment, np.array(found.run.journal.samples, float).reshape(-1, 7)
    unit_s, unit = next((s, name) for over, s, name in _UNITS if samples[:, 1].max(initial=1.0) / NS > over)
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
        whole = "one replica" if d.replicas == 1 else f"all {d.replicas} replicas together"
        note = f"Modelled; {whole}; means over {_POINTS} equal parts of the time."
        style.heading(figure, f"{d.stack}: memory and queue", note)
        style.save(figure, path)


def _whole(samples: np.ndarray, replicas: int) -> tuple[np.ndarray, np.ndarray]:
    """(where each part begins, means of the state over it, summed over the replicas)."""
    end = samples[:, 1].max(initial=1.0)
    edges = np.linspace(0, end, _POINTS + 1)
    total = np.zeros((_POINTS, 4))
    for replica in range(replicas):
        own = samples[samples[:, 2] == replica]
        if len(own):
            total += _means(own, edges)
    return edges[:-1], total


def _means(own: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Means of a replica's state over parts of the time: of the samples that touch a part, by how long they do."""
    weight, held = np.zeros(len(edges) - 1), np.zeros((len(edges) - 1, 4))
    first = np.searchsorted(edges, own[:, 0], side="right") - 1
    last = np.minimum(np.searchsorted(edges, own[:, 1], side="left"), len(edges) - 1)
    for sample, a, b in zip(own, first, last, strict=True):
        touched = np.minimum(edges[a + 1 : b + 1], sample[1]) - np.maximum(edges[a:b], sample[0])
        weight[a:b] += touched
        held[a:b] += touched[:, None] * sample[3:]
    means = held / np.maximum(weight, 1e-9)[:, None]
    known = np.flatnonzero(weight > 0)
    if len(known):  # a part without a sample is as the one before it
        means = means[known[np.maximum(np.searchsorted(known, np.arange(len(weight)), side="right") - 1, 0)]]
    return means
