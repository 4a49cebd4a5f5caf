"""Rows whose own figures say that more requests decode at once than the memory of their layout holds.

Little's law: of b requests in a closed loop each decodes for (osl - 1) TPOT of its (TTFT + (osl - 1) TPOT), so
b (osl - 1) TPOT / (TTFT + (osl - 1) TPOT) of them hold a whole prompt's cache at once. Where that is far more than
there is room for, the row is not what its words say: prompts were shared or cached, or the layout is another one.
Room is counted as `predict` counts it; a cache whose format is not given takes 8 bits, the smallest in common use.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.prediction import plans
from harness.prediction.rows import INPUTS, read
from harness.roofline.operate import room

# More than the room by this much. On the rows of a full memory that were compared the two are within 12 % of each
# other; half as much again leaves a margin for reserves and lengths that are not published.
MARGIN = 1.5


def overfull(frame: pd.DataFrame, scenarios: dict[str, str]) -> pd.Series:
    """Whether each row of `scored.read` says so (bool); scenarios: a source's word -> the contract's."""
    shown = frame["scenario"].map(scenarios)
    rows = frame[(shown == "closed-loop") & frame[["ttft_ms", "tpot_ms", "concurrency"]].notna().all(axis=1)]
    out = pd.Series(False, index=frame.index)
    if rows.empty:
        return out
    given = [c for c in INPUTS if c in rows.columns]
    sorted_ = plans.sort(read(rows[given].assign(scenario="closed-loop")))
    held = np.full(len(rows), np.nan)
    for plan in sorted_.plans:
        view, asked = sorted_.asked(plan.rows)
        held[plan.rows] = room(plan.arch, plan.dtypes, plan.layout, view, asked).sequences * asked.replicas
    decoding = (rows["osl"] - 1) * rows["tpot_ms"]
    at_once = rows["concurrency"] * decoding / (rows["ttft_ms"] + decoding)
    # A replica that holds nothing is refused by `predict`, with its reason.
    out[rows.index] = (at_once > MARGIN * held) & (held > 0)
    return out
