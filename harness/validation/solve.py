"""The scales that fit measured rows best: least squares of log time with a soft-L1 loss, every scale held to its prior.

What a sweep's first tokens have in common beyond the model (how its client sent, how its server let in) is a value of
the sweep's own, drawn around nothing and estimated with the scales (a mixed model: Laird and Ware, Biometrics 38:4,
1982), so that one large sweep does not bend what is everyone's. A prediction takes none of it. The time a token has no
such value: how fast kernels are differs between sweeps, and is to be learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    member = _members(counts, sweeps)
    pulls, of_sweeps = _pulls(), np.eye(member.shape[1]) * LOSS_SCALE / SWEEP_SPREAD
    scales_end, rows_end = len(_NAMES), n

    def missed(p: np.ndarray) -> np.ndarray:
        found = errors(dict(zip(_NAMES, np.exp(p), strict=True)))
        return np.concatenate([WEIGHTS[t] * found[t][c] for t, c in counts.items()])

    def cost(z: np.ndarray) -> np.ndarray:
        p, own = z[:scales_end], z[scales_end:]
        return np.concatenate([missed(p) + member @ own, pulls @ (p - _CENTRE), of_sweeps @ own])

    def slopes(z: np.ndarray) -> np.ndarray:
        p = z[:scales_end]
        here = missed(p)
        each = [(missed(p + _STEP * one) - here) / _STEP for one in np.eye(scales_end)]
        priors = np.zeros((len(pulls) + len(of_sweeps), len(z)))
        priors[: len(pulls), :scales_end], priors[len(pulls) :, scales_end:] = pulls, of_sweeps
        return np.vstack([np.hstack([np.stack(each, axis=1), member]), priors])

    def loss(z: np.ndarray) -> np.ndarray:
        """Soft L1 of the rows' squares z; the priors are normal, so theirs stay as they are. [value, slope, curve]"""
        root = np.sqrt(1 + z)
        rho = np.stack([2 * (root - 1), 1 / root, -0.5 / root**3])
        rest = z[rows_end:]
        rho[:, rows_end:] = np.stack([rest, np.ones(len(rest)), np.zeros(len(rest))])
        return rho

    none = np.zeros(member.shape[1])
    first = _CENTRE if start is None else np.log([start[name] for name in _NAMES])
    bounds = tuple(np.append(_CENTRE + side * _WIDEST * _SPREAD, none + side * np.inf) for side in (-1, 1))
    best = least_squares(
        cost, np.append(first, none), slopes, bounds=bounds, loss=loss, f_scale=LOSS_SCALE,
        x_scale=np.append(_SPREAD, none + SWEEP_SPREAD), max_nfev=60,
    ).x  # fmt: skip
    return {name: float(f"{value:.5g}") for name, value in zip(_NAMES, np.exp(best[:scales_end]), strict=True)}


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


def _pulls() -> np.ndarray:
    """How each scale's logarithm, less its centre's, is pulled [scales, scales]: to nothing, or to another scale's."""
    out = np.diag(1 / _SPREAD)
    for i, scale in enumerate(SCALES.values()):
        if scale.around:
            out[i, _NAMES.index(scale.around)] = -1 / _SPREAD[i]
    return np.sqrt(PRIOR_PULL) * LOSS_SCALE * out
