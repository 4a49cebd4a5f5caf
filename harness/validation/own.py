"""A chip's owner narrows its constants: measured operating points of one chip -> a file of the user's own.

Bayesian update of one factor a figure (time a token, time to the first, throughput): the prior is what the fit leaves
unexplained on chips it did not see, log-normal; each run says log(measured / predicted) with the scatter of the runs
among themselves, and runs of one chip share half of their scatter, so ten of them count for about two. Every fifth
run, drawn by a seed, is kept out and tells what the update is worth. Shipped constants are not changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import UserMistake
from harness.profiles import chip
from harness.results import write_whole
from harness.roofline import constants as fitted
from harness.roofline.constants import TARGETS, Own
from harness.roofline.hardware import how_known
from harness.validation.fit import Points

MIN_RUNS = 5
_KEPT_OUT, _SHARED, _Z90, _LEAST_SCATTER = 5, 0.5, 1.2816, 0.03


@dataclass(frozen=True)
class Narrowed:
    """What an update did to one figure: runs used and kept out, and the median |error| on those kept out."""

    own: Own
    used: int
    kept_out: int
    before: float
    after: float


def narrow(frame: pd.DataFrame, chip_id: str, seed: int = 0) -> dict[str, Narrowed]:
    """Update every figure that a chip's runs measure. frame: rows of `scored.read`.

    Raises UserMistake where fewer than five runs of the chip can be predicted.
    """
    shipped = fitted.load()
    mine = frame[frame["chip"] == chip_id].reset_index(drop=True)
    if len(mine) < MIN_RUNS:
        raise UserMistake(f"{len(mine)} rows of {chip_id}; an update needs {MIN_RUNS}")
    points = Points.of(mine)
    errors = points.errors(shipped.scales)
    known = how_known(chip(chip_id))
    out = {}
    for target in TARGETS:
        e = -errors[target][np.isfinite(errors[target])]  # log(measured / predicted)
        if len(e) >= MIN_RUNS:
            out[target] = _update(e, shipped.errors[f"{target}.{known}"], seed)
    if not out:
        raise UserMistake(f"no figure of {chip_id} has {MIN_RUNS} runs that can be predicted")
    return out


def _update(e: np.ndarray, prior: tuple[float, float], seed: int) -> Narrowed:
    kept = np.zeros(len(e), bool)
    kept[np.random.default_rng(seed).permutation(len(e))[: max(1, len(e) // _KEPT_OUT)]] = True
    used = e[~kept]
    scatter = max(float(np.std(used, ddof=1)), _LEAST_SCATTER)
    spread = (prior[1] - prior[0]) / 2 / _Z90
    # Runs of one chip share part of their error: the variance of their mean does not fall to nothing.
    noise = scatter**2 * (_SHARED + (1 - _SHARED) / len(used))
    weight = spread**2 / (spread**2 + noise)
    mean = weight * float(np.median(used))
    width = _Z90 * float(np.sqrt(weight * noise + scatter**2))
    miss = [float(np.median(np.abs(np.expm1(e[kept] - shift)))) for shift in (0.0, mean)]
    own = Own(float(f"{np.exp(mean):.5g}"), float(f"{-width:.4g}"), float(f"{width:.4g}"))
    return Narrowed(own, len(used), int(kept.sum()), *miss)


def write(found: dict[str, Narrowed], chip_id: str, source: str, out: Path) -> None:
    """The user's file: read by `predict --constants`."""
    import tomli_w

    table = {t: {**vars(n.own), "runs": n.used} for t, n in found.items()}
    head = f"# Written by `stackline calibrate {source} --chip {chip_id}`: factors on figures, and what remains.\n"
    write_whole(out, head + tomli_w.dumps({"own": {chip_id: table}}))
