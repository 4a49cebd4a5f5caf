"""The scales that fit measured rows best: least squares of log time with a soft-L1 loss, every scale held to its prior.

What a sweep's first tokens have in common beyond the model (how its client sent, how its server let in) is a value of
the sweep's own, drawn around nothing and estimated with the scales (a mixed model: Laird and Ware, Biometrics 38:4,
1982), so that one large sweep does not bend what is everyone's. A prediction takes none of it. The time a token has no
such value: how fast kernels are differs between sweeps, and is to be learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.errors import UserMistake
from harness.roofline.scales import SCALES

# By what rows in the middle miss by, as standard deviations: the time a token 0.11, throughput 0.17, the first token
# within its sweep 0.22. Throughput counts where a row has no time a token.
WEIGHTS = {"tpot": 1.0, "ttft": 0.5, "throughput": 0.7}
# A prior's pull, in rows that miss by the loss's scale: rows of one sweep repeat one another's errors. The scale is
# about what a row in the middle misses by; a row that misses by more counts by its size and not by its square.
PRIOR_PULL, LOSS_SCALE = 64.0, 0.1
# Standard deviation (log) of what a sweep's first tokens have in common; weighs as one row.
SWEEP_SPREAD = 0.4
MIN_ROWS = 50
_WIDEST = 6  # spreads of the prior that a scale may be away from its centre
_STEP = 1e-6  # of a scale's logarithm, for the slopes
_NAMES = tuple(SCALES)
_CENTRE = np.log([s.centre for s in SCALES.values()])
_SPREAD = np.array([s.spread for s in SCALES.values()])

Errors = Callable[[Mapping[str, float]], Mapping[str, np.ndarray]]


def solve(
    errors: Errors,
    counts: Mapping[str, np.ndarray],
    sweeps: Mapping[str, np.ndarray],
    start: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """The scales by name.

    errors: log(predicted / measured) by figure [rows] from scales; counts: which rows count for a figure (bool);
    sweeps: of figures whose sweeps have a value of their own, the number of each row's; start: scales to start from.
    Raises UserMistake with fewer than MIN_ROWS figures, or without scipy.
    """
    try:
        from scipy.optimize import least_squares
    except ImportError as error:
        raise UserMistake("the fit needs scipy: pip install 'stackline[calibrate]'") from error
    if (n := sum(int(c.sum()) for c in counts.values())) < MIN_ROWS:
        raise UserMistake(f"{n} measured figures can be modelled; a fit needs {MIN_ROWS}")
    problem = _Problem(errors, counts, _members(counts, sweeps))
    none = np.zeros(problem.members.shape[1])
    first = _CENTRE if start is None else np.log([start[name] for name in _NAMES])
    bounds = tuple(np.append(_CENTRE + side * _WIDEST * _SPREAD, none + side * np.inf) for side in (-1, 1))
    best = least_squares(
        problem.residuals, np.append(first, none), problem.slopes, bounds=bounds, loss=problem.loss,
        f_scale=LOSS_SCALE, x_scale=np.append(_SPREAD, none + SWEEP_SPREAD), max_nfev=60,
    ).x  # fmt: skip
    return {name: float(f"{value:.5g}") for name, value in zip(_NAMES, np.exp(best[: len(_NAMES)]), strict=True)}


@dataclass(frozen=True)
class _Problem:
    """Residuals and their slopes at a point: the scales' logarithms and, after them, the sweeps' values."""

    errors: Errors
    counts: Mapping[str, np.ndarray]
    members: np.ndarray  # [figures, sweeps]

    def residuals(self, point: np.ndarray) -> np.ndarray:
        """Weighted errors of the figures, then the pulls of the priors."""
        scales, own = np.split(point, [len(_NAMES)])
        return np.concatenate([self._missed(scales) + self.members @ own, self._pulls @ (point - self._centre)])

    def slopes(self, point: np.ndarray) -> np.ndarray:
        """Of the residuals [residuals, point], by forward differences where they are not known."""
        scales = point[: len(_NAMES)]
        here = self._missed(scales)
        each = [(self._missed(scales + _STEP * one) - here) / _STEP for one in np.eye(len(_NAMES))]
        return np.vstack([np.hstack([np.stack(each, axis=1), self.members]), self._pulls])

    def loss(self, squares: np.ndarray) -> np.ndarray:
        """Soft L1 of the figures' squares; the priors are normal, so theirs stay as they are. [value, slope, curve]"""
        root = np.sqrt(1 + squares)
        rho = np.stack([2 * (root - 1), 1 / root, -0.5 / root**3])
        priors = squares[len(self.members) :]
        rho[:, len(self.members) :] = np.stack([priors, np.ones(len(priors)), np.zeros(len(priors))])
        return rho

    def _missed(self, scales: np.ndarray) -> np.ndarray:
        found = self.errors(dict(zip(_NAMES, np.exp(scales), strict=True)))
        return np.concatenate([WEIGHTS[t] * found[t][c] for t, c in self.counts.items()])

    @cached_property
    def _centre(self) -> np.ndarray:
        return np.append(_CENTRE, np.zeros(self.members.shape[1]))

    @cached_property
    def _pulls(self) -> np.ndarray:
        """What each prior pulls with, a row each: a scale to its centre or to another scale, a sweep's value to 0."""
        scales = np.diag(1 / _SPREAD)
        for i, scale in enumerate(SCALES.values()):
            if scale.around:
                scales[i, _NAMES.index(scale.around)] = -1 / _SPREAD[i]
        sweeps = np.eye(self.members.shape[1]) / SWEEP_SPREAD
        out = np.zeros((len(scales) + len(sweeps),) * 2)
        out[: len(scales), : len(scales)] = np.sqrt(PRIOR_PULL) * scales
        out[len(scales) :, len(scales) :] = sweeps
        return LOSS_SCALE * out


def _members(counts: Mapping[str, np.ndarray], sweeps: Mapping[str, np.ndarray]) -> np.ndarray:
    """What a sweep's own value adds to each figure that counts [figures, sweeps of all figures]."""
    parts = []
    for target, which in counts.items():
        sweep = sweeps[target][which] if target in sweeps else np.zeros(int(which.sum()), int)
        known = np.unique(sweep) if target in sweeps else np.zeros(0, int)
        parts.append(WEIGHTS[target] * (sweep[:, None] == known))
    rows, columns = (np.cumsum([0, *(p.shape[i] for p in parts)]) for i in (0, 1))
    out = np.zeros((rows[-1], columns[-1]))
    for part, row, column in zip(parts, rows[:-1], columns[:-1], strict=True):
        out[row : row + len(part), column : column + part.shape[1]] = part
    return out
