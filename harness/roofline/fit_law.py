"""Least squares of one law on one chip's measured rows: constants and how well they fit.

The loss is soft-L1 in the logarithm of time, so that a few odd kernels do not bend the law. The fit calls the very
formula that predictions use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import UserMistake
from harness.roofline import links, shapes
from harness.roofline.fit_kernels import Kernels, Messages

# (lowest, highest, start) of each constant. No dense product of the data passes 88 % of its chip's peak, and no
# memory streams at more than 95 % of its datasheet; the lowest values stand for nothing, in logarithms.
RANGES = {
    "t0_s": (1e-7, 1e-3, 1e-5),
    "e_bw": (0.02, 0.95, 0.7),
    "e_fl": (0.02, 0.9, 0.5),
    "k_s": (1e-12, 1e-8, 3e-10),
    "quantise": (0.01, 30.0, 1.0),
    "overlap": (0.01, 0.95, 0.1),
    "context_s": (1e-10, 1e-6, 5e-9),
    "pad": (0.1, 1e3, 30.0),
    "per_row": (0.1, 100.0, 3.0),
    "hop_s": (1e-9, 1e-4, 1e-6),
    "ramp_s": (1e-10, 1e-3, 1e-6),
    "own": (1e-3, 2.0, 0.3),
    "barrier_s": (1e-8, 1e-4, 3e-6),
}
# A second start, where the first one's efficiencies would be far off.
SECOND = {"t0_s": 5e-5, "e_bw": 0.8, "e_fl": 0.2}
# An efficiency that decides fewer than this share of the kernels is not identified by them: the nominal one stands
# in its place, in the chip's law and in the prior alike (0.5: half of the peak, as likely too high as too low).
IDENTIFIED, NOMINAL = 0.03, 0.5
# Decode attention hides its arithmetic behind the cache: e_fl is not identified on any chip.
FIXED = {"attention_decode": {"e_fl": NOMINAL}}


@dataclass(frozen=True)
class Fit:
    """Constants of one class on one chip, and how well they fit."""

    constants: dict[str, float]
    sigma: float  # standard deviation of log(predicted / measured)
    median_error: float
    mape: float
    rows: int

    def row(self) -> dict[str, float]:
        """As a constants file has it: the constants, then the statistics."""
        own = {k: v for k, v in vars(self).items() if k != "constants"}
        return {k: v if k == "rows" else float(f"{v:.5g}") for k, v in {**self.constants, **own}.items()}


def parts_of(family: str) -> tuple[str, ...]:
    """The constants of a family of kernels or a kind of collective."""
    return shapes.PARTS[family] if family in shapes.PARTS else links.PARTS[family]


def fit_law(rows: Kernels | Messages) -> Fit:
    """The law of one class on one chip. Raises UserMistake without scipy."""
    try:
        from scipy.optimize import least_squares
    except ImportError as error:
        raise UserMistake("the fit needs scipy: pip install 'stackline[calibrate]'") from error
    fixed = FIXED.get(rows.family, {})
    free = [p for p in parts_of(rows.family) if p not in fixed]
    bounds = tuple(np.log([RANGES[p][i] for p in free]) for i in (0, 1))
    measured = np.log(rows.time_s)

    def constants(logs: np.ndarray) -> dict[str, float]:
        return {**dict(zip(free, np.exp(logs).tolist(), strict=True)), **fixed}

    def residual(logs: np.ndarray) -> np.ndarray:
        return np.log(rows.predict(constants(logs))) - measured

    first = {p: RANGES[p][2] for p in free}
    tries = [
        least_squares(residual, np.log([start[p] for p in free]), bounds=bounds, loss="soft_l1", f_scale=0.1)
        for start in (first, {**first, **{p: v for p, v in SECOND.items() if p in free}})
    ]
    best = constants(min(tries, key=lambda r: r.cost).x)
    error = np.log(rows.predict(best)) - measured
    miss = np.abs(np.expm1(error))
    ordered = {p: best[p] for p in parts_of(rows.family)}
    return Fit(_identified(rows, ordered), float(error.std()), float(np.median(miss)), float(miss.mean()), len(error))


def errors(rows: Kernels | Messages, constants: dict[str, float]) -> tuple[float, float]:
    """(median, mean) of |predicted / measured - 1| under given constants."""
    miss = np.abs(rows.predict(constants) / rows.time_s - 1)
    return float(np.median(miss)), float(miss.mean())


def _identified(rows: Kernels | Messages, found: dict[str, float]) -> dict[str, float]:
    """The constants, with the nominal efficiency where hardly a kernel depends on the fitted one."""
    if isinstance(rows, Messages):
        return found
    by_compute = float(np.mean(rows.compute_bound(found)))
    kept = {"e_bw": 1 - by_compute >= IDENTIFIED, "e_fl": by_compute >= IDENTIFIED}
    return {p: v if kept.get(p, True) else NOMINAL for p, v in found.items()}
