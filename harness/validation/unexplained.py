"""What a fit leaves unexplained on chips that it did not see: the intervals of every chip to come.

Split conformal (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005): 10 % and 90 % points of
log(measured / predicted), by how well the chip's software is known. Rows of one chip, model and engine repeat one
another's errors, so they count by the root of their number. Left out: that errors differ between figures of one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.profiles import chip
from harness.roofline.constants import DISTANCES, TARGETS
from harness.roofline.hardware import how_known

# Fewer chips than this at a distance do not say on which side one more will lie: their interval is made even.
_TELLING_CHIPS = 3
# Rows of an inferred layout, where none are left to learn from: beyond NVIDIA's errors, how many of the chips decode
# is not known, half of them or all. Assumed.
_INFERRED_BEYOND = float(np.log(2))


@dataclass(frozen=True)
class Missed:
    """log(measured / predicted) of some rows of a chip, and what each counts."""

    errors: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, errors: np.ndarray, kinds: np.ndarray) -> Missed:
        """kinds: a number for each row's model and engine."""
        _, kind, size = np.unique(kinds, return_inverse=True, return_counts=True)
        return cls(errors, size[kind] ** -0.5)

    def __neg__(self) -> Missed:
        return Missed(-self.errors, self.weights)


Unexplained = Mapping[tuple[str, str], Missed]  # of a chip, by (distance, figure)


def by_distance(
    chip_id: str, errors: Mapping[str, np.ndarray], kinds: np.ndarray, left: np.ndarray, inferred: np.ndarray
) -> Unexplained:
    """A left-out chip's rows (`left`), apart where their layout is inferred.

    errors: log(predicted / measured) of all rows, by figure; kinds as in `Missed.of`.
    """
    known = how_known(chip(chip_id))
    out = {}
    for target, e in errors.items():
        for distance, rows in ((known, left & ~inferred), ("inferred", left & inferred)):
            some = rows & np.isfinite(e)
            out[distance, target] = Missed.of(-e[some], kinds[some])
    return out


def quantiles(missed: Mapping[str, Unexplained]) -> dict[str, list[float]]:
    """10 % and 90 % points over the chips that were left out, {"figure.distance": [low, high]}.

    Where a figure was never measured on other software, the times a token and the throughputs of it stand in.
    """

    def pool(distance: str, target: str) -> list[Missed]:
        found = [of.get((distance, target)) for of in missed.values()]
        return [m for m in found if m is not None and len(m.errors)]

    def chips(distance: str) -> int:
        """How many chips measured anything at a distance."""
        return sum(any(d == distance and len(m.errors) for (d, _), m in of.items()) for of in missed.values())

    out = {}
    for distance in DISTANCES:
        for target in TARGETS:
            parts, beyond = pool(distance, target), 0.0
            if distance == "other":
                slower = [*pool("other", "tpot"), *(-m for m in pool("other", "throughput"))]
                parts = [-m for m in slower] if target == "throughput" else slower
                parts += pool("cuda", "ttft") if target == "ttft" else []
            elif not parts:
                parts, beyond = pool("cuda", target), _INFERRED_BEYOND
            low, high = _tails(parts) if parts else (-1.0, 1.0)
            if chips(distance) < _TELLING_CHIPS:
                high = max(abs(low), abs(high))
                low = -high
            out[f"{target}.{distance}"] = [
                float(f"{min(low, 0.0) - beyond:.4g}"),
                float(f"{max(high, 0.0) + beyond:.4g}"),
            ]
    return out


def _tails(parts: Sequence[Missed]) -> tuple[float, float]:
    errors, weights = (np.concatenate([getattr(m, k) for m in parts]) for k in ("errors", "weights"))
    low, high = np.quantile(errors, (0.1, 0.9), weights=weights, method="inverted_cdf")
    return float(low), float(high)
