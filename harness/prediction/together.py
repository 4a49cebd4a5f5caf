"""Rows of several plans as one: their steps were timed plan by plan, what follows is the same for all of them.

A table of everything mixed has a handful of rows a plan; figures, intervals and what stood in for blanks are then made
for thousands of rows at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from harness.prediction.plans import Plan
from harness.roofline.evaluate import Timed
from harness.roofline.hardware import View
from harness.roofline.operate import Asked, Work


@dataclass(frozen=True)
class Part:
    """Rows (numbers) of one plan, timed; `work` without the blocks of its steps, which have been timed."""

    plan: Plan
    rows: np.ndarray
    asked: Asked
    work: Work
    timed: Timed


@dataclass(frozen=True)
class Together:
    """Rows of several plans whose activations have one format; `sizes` are the rows of each plan, in turn."""

    plans: Sequence[Plan]
    sizes: np.ndarray
    rows: np.ndarray
    asked: Asked
    work: Work
    timed: Timed

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Together:
        """The parts end to end."""
        sizes = np.array([len(p.rows) for p in parts])
        joined = (_joined([getattr(p, name) for p in parts], sizes) for name in ("rows", "asked", "work", "timed"))
        return cls([p.plan for p in parts], sizes, *joined)

    def of_plan(self, values: Sequence) -> np.ndarray:
        """A value a plan -> a value a row."""
        return np.repeat(values, self.sizes)


def _joined(values: Sequence[Any], sizes: np.ndarray) -> Any:
    """Values of several plans as one: arrays [rows] end to end, numbers that differ spread over their rows."""
    first = values[0]
    if len(values) == 1:
        return first
    if isinstance(first, np.ndarray):
        return np.concatenate(values)
    if isinstance(first, dict):
        return {key: _joined([v[key] for v in values], sizes) for key in first}
    if isinstance(first, View):
        return View(first.hardware, np.concatenate([v.index for v in values]))
    if is_dataclass(first):
        return type(first)(**{f.name: _joined([getattr(v, f.name) for v in values], sizes) for f in fields(first)})
    if isinstance(first, int | float) and any(v != first for v in values):
        return np.repeat(values, sizes)
    return first
