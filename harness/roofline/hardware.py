"""Chips as columns: what a step's time needs of many chips at once, one array element a row.

Points of the profiles' values; a value that a profile does not have is NaN and refuses the rows that need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.profiles import Chip
from harness.roofline import laws

KEYS = (
    "memory.capacity", "memory.bandwidth", "scaleup.bandwidth", "scaleup.domain", "scaleout.bandwidth", "power.tdp",
    "server.chips",
)  # fmt: skip


@dataclass(frozen=True)
class Hardware:
    """Columns [chips] of profile values (SI, NaN where a profile has none) and of kernel-law constants."""

    chips: tuple[Chip, ...]
    values: Mapping[str, np.ndarray]
    constants: laws.Kernels

    @classmethod
    def of(cls, chips: Sequence[Chip], constants: laws.Kernels) -> Hardware:
        values = {key: np.array([c.get(key).point if c.has(key) else np.nan for c in chips]) for key in KEYS}
        return cls(tuple(chips), values, constants)

    def peak(self, dtype: str) -> np.ndarray:
        """Dense peak that runs `dtype` on each chip, FLOP/s [chips]; NaN where nothing runs it."""
        if (key := f"peak.{dtype}") not in self.values:
            keys = [c.peak_key(dtype) for c in self.chips]
            points = [np.nan if k is None else c.get(k).point for c, k in zip(self.chips, keys, strict=True)]
            self.values[key] = np.array(points)
        return self.values[key]
