"""Chips as columns: what a step's time needs of many chips at once, one element a chip, and one a row (`View`).

Points of the profiles' values; a value that a profile does not have is NaN and refuses the rows that need it.
Kernel-law constants are a chip's own where its kernels were measured, else the centre of the prior (priors.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness import profiles
from harness.profiles import Chip
from harness.roofline import laws, priors

# Whose software runs on a chip, by its vendor or (of vendors with several kinds of chips) its family: those that rows
# measured, and any other.
SOFTWARE = ("cuda", "rocm", "ascend", "gaudi", "tpu", "other")
_MAKERS = {"NVIDIA": "cuda", "AMD": "rocm"}
_FAMILIES = {"Ascend": "ascend", "Gaudi": "gaudi", "TPU": "tpu"}
# Of these, chips enough were measured to say how far one more is from its prediction.
WELL_KNOWN = ("cuda", "rocm")


def software(chip: Chip) -> str:
    """The software of a chip."""
    return _MAKERS.get(chip.texts["vendor"]) or _FAMILIES.get(chip.family, "other")


def software_code(chip: Chip) -> int:
    """Its index in SOFTWARE."""
    return SOFTWARE.index(software(chip))


def how_known(chip: Chip) -> str:
    """How well its software is known: its name where that is WELL_KNOWN, else other."""
    known = software(chip)
    return known if known in WELL_KNOWN else "other"


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
            measured = [c for c in table.get("chips", {}) if c not in self.left_out]
            usual = usual_peak_per_watt(measured) if name in _CLOCKS else None
            of_chips = [own.get(c.id) or placed(name, centre, c, usual) for c in self.chips]
            self._columns[key] = {p: np.array([one[p] for one in of_chips]) for p in centre}
        return self._columns[key]


# Share of the printed peak that products reach, over the chips' peak a watt: a chip that is dense in arithmetic for its
# power lowers its clocks under it. Measured products in bf16 give it (A100 0.88 at 0.8 TFLOP/s a watt, H100 0.81 at
# 1.4, B200 0.71 at 2.3); the two chips with products in fp8 show none.
_CLOCKS = {"gemm.bf16": -0.2}
# Share of the bandwidth that products reach on cards with GDDR over that of the measured chips, whose memory is HBM:
# five cards that decode one stream of an 8B model in fp16 (llama.cpp) spend 1.05 times less than HBM's share makes it.
_GDDR = 1.06


def placed(name: str, centre: Mapping[str, float], chip: Chip, usual: float | None) -> dict[str, float]:
    """Constants of a chip that was not measured: the measured ones' centre, moved by what its profile says.

    e_fl by its peak a watt over the `usual` one (classes with a trend), e_bw of products by its kind of memory; shares
    at most 1.
    """
    out = dict(centre)
    own = _peak_per_watt(chip)
    if name in _CLOCKS and own is not None and usual is not None:
        out["e_fl"] = min(centre["e_fl"] * (own / usual) ** _CLOCKS[name], 1.0)
    if name.startswith("gemm.") and has_gddr(chip):
        out["e_bw"] = min(centre["e_bw"] * _GDDR, 1.0)
    return out


def has_gddr(chip: Chip) -> bool:
    """Whether a chip's memory is GDDR: a card."""
    return (chip.fact("memory.type") or "").startswith("GDDR")


def usual_peak_per_watt(measured: Sequence[str]) -> float | None:
    """The chips' peak in bf16 a watt of their power, FLOP/s a watt, in the geometric mean; None where none has both."""
    known = [x for c in measured if (x := _peak_per_watt(profiles.chip(c))) is not None]
    return float(np.exp(np.mean(np.log(known)))) if known else None


def _peak_per_watt(chip: Chip) -> float | None:
    key = chip.peak_key("bf16")
    if key is None or not chip.has("power.tdp"):
        return None
    return chip.get(key).point / chip.get("power.tdp").point


@dataclass(frozen=True)
class View:
    """The chips of rows: `index` [rows] into the hardware's columns."""

    hardware: Hardware
    index: np.ndarray
    _laws: dict = field(default_factory=dict, repr=False, compare=False)

    def part(self, rows: np.ndarray) -> View:
        """Some of the rows."""
        return View(self.hardware, self.index[rows])

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
