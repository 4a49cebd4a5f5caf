"""What a row's time a token is made of, operator by operator: for looking at one row, not at a million."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.prediction.plans import sort
from harness.prediction.rows import read
from harness.roofline import constants as fitted
from harness.roofline.evaluate import Timed, timed
from harness.roofline.operate import prepare, room

COLUMNS = ("term", "seconds", "share", "bound")


def explain(frame: pd.DataFrame, constants: fitted.Constants | None = None) -> pd.DataFrame:
    """Operating points -> their terms, the longest first: columns term, seconds, share, bound; index as in `frame`.

    A term is an operator of the decode step, or of the prefill steps of others that a decode step waits for; a row's
    seconds sum to its time a token, its shares to 1. A row that is refused has none.
    """
    constants = constants or fitted.load()
    plans = sort(read(frame), sorted(constants.left_out))
    parts = []
    for plan in plans.plans:
        for row in plan.rows:
            view, asked = plans.asked(np.array([row]))
            if room(plan.arch, plan.dtypes, plan.layout, view, asked).sequences[0] < 1:
                continue
            work = prepare(plan.arch, plan.dtypes, plan.layout, plan.split, view, asked)
            terms = _terms(timed(work, asked, constants, named=True))
            parts.append(terms.set_index(np.full(len(terms), frame.index[row])))
    return pd.concat(parts) if parts else pd.DataFrame(columns=list(COLUMNS))


def _terms(t: Timed) -> pd.DataFrame:
    """The terms of the only row."""
    steps = (("decode", t.decode, 1 / t.accepted), ("prefill", t.batched, float(t.latency.prefills[0])))
    found = [
        (name if name == "engine" else f"{phase}.{name}", float(seconds[0]) * weight, step.bounds[name])
        for phase, step, weight in steps if weight
        for name, seconds in step.by_name.items()
    ]  # fmt: skip
    out = pd.DataFrame(found, columns=["term", "seconds", "bound"]).sort_values("seconds", ascending=False)
    return out.assign(share=out["seconds"] / out["seconds"].sum())[list(COLUMNS)]
