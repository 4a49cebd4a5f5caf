"""Chips as columns: what a step's time needs of many chips at once, one element a chip, and one a row (`View`).

Points of the profiles' values; a value that a profile does not have is NaN and refuses the rows that need it.
Kernel-law constants are a chip's own where its kernels were measured, else the centre of the prior (priors.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.profiles import Chip
from harness.roofline import laws, priors

# Whose software runs on a chip: NVIDIA's and AMD's were fitted, any other takes the prior.
SOFTWARE = ("cuda", "rocm", "other")
_MAKERS = {"NVIDIA": "cuda", "AMD": "rocm"}


def software(chip: Chip) -> str:
    """The software of a chip, by its vendor."""
    return _MAKERS.get(chip.texts["vendor"], "other")


def software_code(chip: Chip) -> int:
    """Its index in SOFTWARE."""
    return SOFTWARE.index(software(chip))


@dataclass(frozen=True)
class Hardware:
    """Columns [chips] of profile values (SI, NaN where a profile has none) and of kernel-law constants.

    left_out: chips whose own measured kernels are ignored, in their laws and in every prior (validation).
    own_laws: a user's constants over the shipped ones, {chip: {kernel class: {constant: value}}}.
    """

    chips: tuple[Chip, ...]
    left_out: frozenset[str] = frozenset()
    _columns: dict = field(default_factory=dict, repr=False, compare=False)
    own_laws: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, chips: Sequence[Chip], left_out: Collection[str] = (), own_laws: Mapping | None = None) -> Hardware:
        return cls(tuple(chips), frozenset(left_out), own_laws=own_laws or {})

    def column(self, name: str, make) -> np.ndarray:
        """A column made once."""
        if name not in self._columns:
            self._columns[name] = np.array([make(c) for c in self.chips])
        return self._columns[name]

    def value(self, key: str) -> np.ndarray:
        return self.column(key, lambda c: c.get(key).point if c.has(key) else np.nan)

    def peak(self, dtype: str) -> np.ndarray:
        """Dense peak that runs `dtype`, FLOP/s; NaN where nothing runs it."""

        def of(c: Chip) -> float:
            key = c.peak_key(dtype)
            return np.nan if key is None else c.get(key).point

        return self.column(f"peak.{dtype}", of)

    def law(self, name: str) -> dict[str, np.ndarray]:
        """Constants of a kernel class by part, [chips] each."""
        if (key := f"law.{name}") not in self._columns:
            table = laws.tables()[name]
            own = {c: v for c, v in table.get("chips", {}).items() if c not in self.left_out}
            own |= {c: by[name] for c, by in self.own_laws.items() if name in by}
            centre = {p: v[0] for p, v in priors.prior_of(laws.tables(), name, self.left_out).items()}
            self._columns[key] = {p: np.array([own.get(c.id, centre)[p] for c in self.chips]) for p in centre}
        return self._columns[key]


@dataclass(frozen=True)
class View:
    """The chips of rows: `index` [rows] into the hardware's columns."""

    hardware: Hardware
    index: np.ndarray
    _laws: dict = field(default_factory=dict, repr=False, compare=False)

    def value(self, key: str) -> np.ndarray:
        return self.hardware.value(key)[self.index]

    def column(self, name: str, make) -> np.ndarray:
        return self.hardware.column(name, make)[self.index]

    def peak(self, dtype: str) -> np.ndarray:
        return self.hardware.peak(dtype)[self.index]

    def law(self, name: str) -> dict[str, np.ndarray]:
        if name not in self._laws:
            self._laws[name] = {p: v[self.index] for p, v in self.hardware.law(name).items()}
        return self._laws[name]
