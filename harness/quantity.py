"""A number is a claim with a source: `Cited` holds value, range, kind and where it was read.

Uncertainty travels by sampling. `Cited.sample(n, seed)` draws from the value's own distribution with a
generator seeded by (seed, id), so a number used by two stacks is the same draw in both and cancels in
their ratio, whatever the order of calls.

Distributions (low and high are the 5 % and 95 % points):
- a value with a range: split log-normal, median = value, each side with its own width;
- a range without a value: log-uniform; its median is printed, labelled so;
- conflicting published values: an even mixture of them and, where low..high reaches beyond them, of that range;
- a link whose direction the source does not state: an even mixture of both readings (v and v/2).
A value that is a fixed multiple of another (`follows`) shares its draws, so the two move together.
Left out: any other correlation between ids. What several chips share is one entry in `_shared.toml`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist

import numpy as np

from harness.units import from_si

KINDS = ("exact", "measured", "datasheet", "derived", "estimated", "assumed")  # strongest first
_Z95 = NormalDist().inv_cdf(0.95)


def weakest(kinds: Sequence[str]) -> str:
    """The weakest of some kinds: a result is no better than its worst input. Empty -> "exact"."""
    return max(kinds, key=KINDS.index, default="exact")


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator that depends on `seed` and `name` alone, the same on every machine."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])


@dataclass(frozen=True)
class Reading:
    """One published value of a quantity, in SI, with its own source."""

    value: float
    kind: str
    source: str
    note: str = ""


@dataclass(frozen=True)
class Cited:
    """A sourced quantity in SI units.

    value is None where only a range is known; low and high are None where the source gives a bare figure.
    `readings` holds conflicting published values; `direction` is "one", "both" or "unknown" for links,
    whose numbers are already one direction here except where `direction` is "unknown".
    Raises TypeError when built without a source or without any number.
    """

    id: str
    value: float | None
    low: float | None
    high: float | None
    dimension: str
    kind: str
    source: str
    unit: str
    note: str = ""
    direction: str = ""
    readings: tuple[Reading, ...] = ()
    date: str = ""
    of: str = ""  # key of the value that this one is `times` of
    times: float = 1.0
    follows: str = ""  # id whose draws this one shares: that of the value at the root of its multiples
    extra: dict[str, str] = field(default_factory=dict, hash=False, compare=False)

    def __post_init__(self) -> None:
        if not self.source:
            raise TypeError(f"{self.id}: a value needs a source")
        if self.value is None and (self.low is None or self.high is None):
            raise TypeError(f"{self.id}: neither a value nor a range")
        if self.kind not in KINDS:
            raise TypeError(f"{self.id}: unknown kind '{self.kind}'")

    @property
    def is_median(self) -> bool:
        """True where no single value is published and `point` is the median of what is."""
        return self.value is None or self.direction == "unknown"

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source the value rests on: its own, those of its readings, that of the exchange rate."""
        rate = (self.extra["exchange_source"],) if "exchange_source" in self.extra else ()
        return tuple(dict.fromkeys((self.source, *(r.source for r in self.readings), *rate)))

    @cached_property
    def point(self) -> float:
        """The value, or the median of its distribution where there is none (log-mean of the middle two)."""
        return float(self.value) if not self.is_median else self.quantile(0.5)

    @cached_property
    def _branches(self) -> tuple[tuple[float | None, float | None, float | None], ...]:
        """The components of the mixture, as (value, low, high)."""
        whole, values = (self.value, self.low, self.high), [r.value for r in self.readings]
        readings = tuple((value, None, None) for value in values)
        beyond = self.low is not None and bool(values) and (self.low < min(values) or self.high > max(values))
        readings += (whole,) if beyond or not values else ()
        if self.direction != "unknown":
            return readings
        half = tuple(tuple(None if x is None else x / 2 for x in r) for r in readings)
        return tuple(sorted(half + readings, key=lambda r: r[0] or r[1] or 0.0))

    def quantile(self, p: float) -> float:
        """The p-quantile of the distribution (exact for one component, by a dense draw for a mixture)."""
        if len(self._branches) == 1:
            return float(_ppf(np.array([p]), *self._branches[0])[0])
        grid = (np.arange(200) + 0.5) / 200
        values = np.sort(np.concatenate([_ppf(grid, *b) for b in self._branches]))
        rank = p * (len(values) - 1)
        lower, upper = values[int(np.floor(rank))], values[int(np.ceil(rank))]
        return float(np.sqrt(lower * upper)) if lower > 0 else float((lower + upper) / 2)

    @property
    def range(self) -> tuple[float, float]:
        """The 5 % and 95 % points; equal where the source gives a bare figure."""
        if len(self._branches) == 1 and self.low is not None and self.high is not None:
            return self.low, self.high
        return self.quantile(0.05), self.quantile(0.95)

    @property
    def is_uncertain(self) -> bool:
        low, high = self.range
        return high > low

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """n draws, [n] float64 in SI; the same for the same (id, seed), whatever the order of calls."""
        rng = stream(seed, self.follows or self.id)
        uniform = rng.random(n)
        if len(self._branches) == 1:
            return _ppf(uniform, *self._branches[0])
        chosen = rng.integers(len(self._branches), size=n)
        draws = np.stack([_ppf(uniform, *b) for b in self._branches])
        return draws[chosen, np.arange(n)]

    def shown(self, x: float, digits: int = 4) -> str:
        """An SI number of this quantity's dimension in the source's own unit, such as "3.35 TB/s"."""
        number = f"{from_si(x, self.unit):.{digits}g}"
        if "e+" in number:
            number = f"{from_si(x, self.unit):,.0f}"
        return number if self.unit in ("1", "count") else f"{number} {self.unit}"


def _ppf(u: np.ndarray, value: float | None, low: float | None, high: float | None) -> np.ndarray:
    """Quantile function of one component; u in (0, 1)."""
    if value is not None and (low is None or high is None):
        return np.full(u.shape, value)
    if value is None:
        width = np.log(high / low) / 0.9  # low and high are 5 % and 95 % points, so the support is wider
        return np.exp(np.log(low) + (u - 0.05) * width)
    z = normal_ppf(u)
    up, down = np.log(high / value) / _Z95, np.log(value / low) / _Z95
    return value * np.exp(z * np.where(z > 0, up, down))


def normal_ppf(u: np.ndarray) -> np.ndarray:
    """Standard normal quantiles by table (4,096 points): ample for p10..p90 of a modelled figure."""
    return np.interp(u, _GRID, _GRID_Z)


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """The inverse of `normal_ppf`, by the same table."""
    return np.interp(z, _GRID_Z, _GRID)


_GRID = np.concatenate([[1e-6], (np.arange(4096) + 0.5) / 4096, [1 - 1e-6]])
_GRID_Z = np.array([NormalDist().inv_cdf(p) for p in _GRID])
