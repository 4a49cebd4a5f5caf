"""Small statistics, each with its source: intervals of shares and means, clustered where items share a source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from harness.quantity import stream


@dataclass(frozen=True)
class Estimate:
    """A value with an interval at `level`; low and high are None where n is too small for one."""

    value: float
    low: float | None
    high: float | None
    n: int
    level: float = 0.95


def share(right: Sequence[float], level: float = 0.95, clusters: Sequence[str] | None = None) -> Estimate:
    """Share of items scored 1.0, with Wilson's interval (Wilson 1927, JASA 22:209-212).

    With clusters (items from one template are alike), the sample size is divided by the design effect
    estimated from them (Kish 1965, section 8.2; never below 1), as evaluation practice advises
    (Miller 2024, arXiv 2411.00640). No interval from fewer than two items or two clusters. Scores between
    0 and 1 are treated as shares of one item. Raises ValueError for no items.
    """
    n = len(right)
    if n == 0:
        raise ValueError("no items, no share")
    p = sum(right) / n
    groups = len(set(clusters)) if clusters is not None else n
    if n < 2 or groups < 2:
        return Estimate(p, None, None, n, level)
    effective = n / design_effect(right, clusters) if clusters is not None else float(n)
    low, high = wilson(p, effective, level)
    return Estimate(p, low, high, n, level)


def wilson(p: float, n: float, level: float) -> tuple[float, float]:
    """Wilson's score interval of a share p of n trials."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = centre - half, centre + half
    # At p = 0 and p = 1 the ends are exact; rounding would leave 1e-17 instead.
    return (0.0 if p == 0 else max(0.0, low)), (1.0 if p == 1 else min(1.0, high))


def design_effect(x: Sequence[float], clusters: Sequence[str]) -> float:
    """Variance of the mean with clusters over that without; at least 1, at most the mean cluster size's bound n."""
    n, mean = len(x), sum(x) / len(x)
    plain = sum((v - mean) ** 2 for v in x)
    if plain == 0:
        return 1.0
    sums: dict[str, float] = {}
    for v, c in zip(x, clusters, strict=True):
        sums[c] = sums.get(c, 0.0) + (v - mean)
    return min(float(n), max(1.0, sum(s * s for s in sums.values()) / plain * len(sums) / (len(sums) - 1)))


def mean(x: Sequence[float], level: float = 0.95, clusters: Sequence[str] | None = None) -> Estimate:
    """Mean with a Student-t interval; clustered standard error where clusters are given (Miller 2024)."""
    n = len(x)
    if n == 0:
        raise ValueError("no values, no mean")
    centre = sum(x) / n
    groups = len(set(clusters)) if clusters is not None else n
    if n < 2 or groups < 2:
        return Estimate(centre, None, None, n, level)
    error = math.sqrt(sum((v - centre) ** 2 for v in x) / (n - 1) / n)
    if clusters is not None:
        error *= math.sqrt(design_effect(x, clusters))
    half = student_t((1 + level) / 2, groups - 1) * error
    return Estimate(centre, centre - half, centre + half, n, level)


def share_change(
    pairs: Sequence[tuple[float, float]], level: float = 0.95, clusters: Sequence[str] | None = None
) -> Estimate:
    """Change of a share between two runs of the same items, (before, after) scores of each: after minus before.

    Adjusted Wald interval of paired shares (Bonett and Price 2012, J. Educ. Behav. Stat. 37:479-488): one item more
    gained and one more lost, so that no change in a few items is not certainty. With clusters the number of items is
    divided by the design effect of the differences. Raises ValueError for no items.
    """
    n = len(pairs)
    if n == 0:
        raise ValueError("no items, no change")
    changes = [after - before for before, after in pairs]
    groups = len(set(clusters)) if clusters is not None else n
    value = sum(changes) / n
    if n < 2 or groups < 2:
        return Estimate(value, None, None, n, level)
    effective = n / design_effect(changes, clusters) if clusters is not None else float(n)
    gained, lost = (sum(max(0.0, sign * c) for c in changes) / n * effective for sign in (1, -1))
    up, down = (gained + 1) / (effective + 2), (lost + 1) / (effective + 2)
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt((up + down - (up - down) ** 2) / (effective + 2))
    return Estimate(value, max(-1.0, up - down - half), min(1.0, up - down + half), n, level)


def student_t(p: float, df: int) -> float:
    """Quantile of Student's t: exact for df 1 and 2, else the normal expansion (Abramowitz and Stegun 26.7.5).

    For df >= 3 the expansion is low by at most 0.15 % up to the 97.5 % point and 0.8 % at the 99.5 % point.
    """
    z = NormalDist().inv_cdf(p)
    if df == 1:
        return math.tan(math.pi * (p - 0.5))
    if df == 2:
        q = 2 * p - 1
        return q * math.sqrt(2 / (1 - q * q))
    g = [
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    ]
    return z + sum(term / df ** (i + 1) for i, term in enumerate(g))


def pass_at_k(n: int, right: int, k: int) -> float:
    """Chance that one of k answers is right, unbiased from n answers of which `right` are (Chen et al. 2021, arXiv
    2107.03374, equation 1): 1 - C(n - right, k) / C(n, k). Raises ValueError for k > n."""
    _within(n, right, k)
    return 1.0 - math.comb(n - right, k) / math.comb(n, k)


def pass_hat_k(n: int, right: int, k: int) -> float:
    """Chance that all of k answers are right, unbiased from n answers of which `right` are (Yao et al. 2024, arXiv
    2406.12045, section 3): C(right, k) / C(n, k). Raises ValueError for k > n."""
    _within(n, right, k)
    return math.comb(right, k) / math.comb(n, k)


def _within(n: int, right: int, k: int) -> None:
    if not (1 <= k <= n and 0 <= right <= n):
        raise ValueError(f"{right} right of {n}, asked for {k} at once")


def binomial_tail(right: int, n: int, p: float) -> float:
    """P(X >= right) for X ~ Binomial(n, p): the exact one-sided test against a chance level."""
    if right <= 0 or p >= 1:
        return 1.0 if right <= n else 0.0
    if p <= 0:
        return 0.0
    # In logarithms: a binomial coefficient of some thousand items is past the largest float.
    whole, yes, no = math.lgamma(n + 1), math.log(p), math.log1p(-p)
    terms = (
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no)
        for k in range(right, n + 1)
    )
    return min(1.0, math.fsum(terms))


def calibration_error(
    confidence: Sequence[float], right: Sequence[float], level: float = 0.95, resamples: int = 1000
) -> Estimate:
    """RMS calibration error of stated confidences (0..1), as Humanity's Last Exam reports it (Phan et al. 2025,
    arXiv 2501.14249), after Hendrycks et al. 2019 (arXiv 1812.04606): the answers sorted by confidence, in bins of
    `bin_size`; the root of the mean, weighted by items, of (mean confidence - share right)² of the bins.

    The interval holds the middle `level` of seeded resamples of the items (Efron 1979, Annals of Statistics 7:1-26);
    none from fewer than two items. Noise alone makes the error of few items large: a bin of 12 coin tosses stated at
    50 % is off by 0.14. Equal confidences are ordered by score, so that the order of the items does not count, but a
    bin's edge may then part right from wrong. Raises ValueError for no items.
    """
    n = len(confidence)
    if n == 0:
        raise ValueError("no items, no calibration error")
    pairs = np.array([confidence, right], dtype=float).T  # [n, 2]
    value = float(_binned_gap(pairs[None])[0])
    if n < 2:
        return Estimate(value, None, None, n, level)
    drawn = stream(0, "calibration-error").integers(n, size=(resamples, n))
    low, high = np.quantile(_binned_gap(pairs[drawn]), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), n, level)


def bin_size(n: int) -> int:
    """Items a bin of `calibration_error`: 100 as in the original, where that leaves five bins; else a fifth of the
    items, and not below 10."""
    return min(100, max(10, n // 5))


def _binned_gap(pairs: np.ndarray) -> np.ndarray:
    """[samples, n, (confidence, right)] -> [samples]. The last bin takes what is left over, as in the original."""
    n, size = pairs.shape[1], bin_size(pairs.shape[1])
    order = np.lexsort((pairs[..., 1], pairs[..., 0]))  # [samples, n]
    ordered = np.take_along_axis(pairs, order[..., None], axis=1)
    starts = np.arange(max(1, n // size)) * size
    counts = np.diff([*starts, n])
    gaps = np.add.reduceat(ordered[..., 0] - ordered[..., 1], starts, axis=1) / counts  # [samples, bins]
    return np.sqrt((gaps**2 * counts).sum(axis=1) / n)
