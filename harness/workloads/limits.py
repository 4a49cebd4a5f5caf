"""At which length contexts are shortened, read off sessions most of which end before (Kaplan and Meier 1958).

A context is at risk only above the length at which it began (left truncation): a session that begins with 250,000
tokens says nothing of limits below that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

LEAST_AT_RISK = 10
_QUANTILES = {"p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90}


def limits(turns: pd.DataFrame) -> tuple[dict[str, float], float, int]:
    """(quantiles of the prompt length past which contexts are shortened, share that never are, sessions that were).

    turns: rows of sessions in order with `session`, `isl` and `compacted`, one compaction or more among them.
    The estimate ends where fewer than ten contexts are left; who is not shortened by then is taken never to be.
    """
    spells = pd.DataFrame(_spells(turns), columns=["began", "passed", "shortened"])
    steps, left = [], 1.0
    for length in np.sort(spells.loc[spells["shortened"], "passed"].to_numpy()):
        at_risk = int(((spells["began"] <= length) & (spells["passed"] >= length)).sum())
        if at_risk < LEAST_AT_RISK:
            break
        left *= 1 - 1 / at_risk
        steps.append((length, 1 - left))
    if not steps:
        return {"p50": float(spells.loc[spells["shortened"], "passed"].median())}, 0.0, int(spells["shortened"].sum())
    lengths, below = np.array(steps).T
    at = np.searchsorted(below, [share * below[-1] for share in _QUANTILES.values()])
    return {name: float(lengths[k]) for name, k in zip(_QUANTILES, at, strict=True)}, float(left), len(steps)


def _spells(turns: pd.DataFrame) -> Iterator[tuple[float, float, bool]]:
    """(first prompt, length passed, whether a shortening ended it) of each session's first stretch.

    Later stretches are left out: only sessions with a limit have them. The limit of one that was shortened lies between
    its last two prompts: their middle. One that merely ended had a limit above its last prompt but one, since the
    last had no successor to tell.
    """
    ended = turns["compacted"].groupby(turns["session"], sort=False, observed=True).cumsum() > 0
    shortened = ended.groupby(turns["session"], sort=False, observed=True).any()
    for session, part in turns.loc[~ended].groupby("session", sort=False, observed=True):
        prompts, cut = part["isl"].to_numpy(), bool(shortened[session])
        below = prompts[:-1].max(initial=prompts[0])
        yield float(prompts[0]), float((below + max(prompts[-1], below)) / 2 if cut else below), cut
