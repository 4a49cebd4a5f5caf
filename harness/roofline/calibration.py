"""Fit of the scales on published operating points, and the fits that leave something out.

Rows are made ready once (`operate.prepare`), their blocks laid end to end (`Flat`); the fit then varies the scales
alone. Least squares of log time with a soft-L1 loss, each scale held to its prior: TPOT weighs 1, TTFT, which
varies several-fold with scheduling that nobody publishes, less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.roofline.blocks import GROUPS, Block
from harness.roofline.operate import Asked, Work, pace
from harness.roofline.scales import SCALES
from harness.roofline.serve import Demand, latency
from harness.roofline.step import _SMALL_SHARE, Pace

_ALL = (*GROUPS, "link", "exchange")


@dataclass(frozen=True)
class Flat:
    """Blocks of many rows, end to end: one element an operator and row."""

    rows: int
    row: np.ndarray
    group: np.ndarray  # index into GROUPS + link, exchange
    longer: np.ndarray  # count x (max + overlap min)
    fixed: np.ndarray  # count x fixed
    count: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[tuple[np.ndarray, list[Block]]], rows: int) -> Flat:
        """parts: (row numbers [r], blocks over those rows)."""
        out: dict[str, list] = {k: [] for k in ("row", "group", "longer", "fixed", "count")}
        for number, blocks in parts:
            for b in blocks:
                shape = (len(b.count), len(number))
                longer = np.maximum(b.memory, b.compute) + b.overlap * np.minimum(b.memory, b.compute)
                for key, value in (("row", np.broadcast_to(number, shape)), ("group", np.full(shape, _ALL.index(b.group))),
                                   ("longer", b.count * longer), ("fixed", b.count * b.fixed),
                                   ("count", np.broadcast_to(b.count, shape))):  # fmt: skip
                    out[key].append(np.broadcast_to(value, shape).ravel())
        return cls(rows, **{k: np.concatenate(v) for k, v in out.items()})

    def seconds(self, scales: Mapping[str, float], pace: Pace) -> np.ndarray:
        """The step's time [rows]: the sum that `step.step` makes, in one pass."""
        work = np.array([scales[f"work.{g}"] for g in _ALL])
        work[_ALL.index("small")] /= _SMALL_SHARE
        fixed = np.array([_fixed(g, scales) for g in _ALL])
        layer = np.array([scales["moe_layer_s"] if g.startswith("moe") else 0.0 for g in _ALL])
        kernels = np.bincount(self.row, self.longer * (work * (np.arange(len(_ALL)) < len(GROUPS)))[self.group], self.rows)
        network = np.bincount(self.row, np.where(self.group >= len(GROUPS), self.longer * work[self.group]
                              + self.fixed * fixed[self.group], 0.0), self.rows)  # fmt: skip
        inside = np.where(self.group < len(GROUPS), self.fixed * fixed[self.group] + self.count * layer[self.group], 0.0)
        return kernels * pace.kernels + np.bincount(self.row, inside, self.rows) * pace.fixed + network


def _fixed(group: str, scales: Mapping[str, float]) -> float:
    if group == "small":
        return scales["launch_s"]
    if group.startswith("moe"):
        return scales["fixed.moe"]
    return scales[f"fixed.{group}"] if f"fixed.{group}" in scales else scales["fixed.attention"]
