"""Rows whose prompts alone would keep the chips busy for longer than the run took.

A row's own figures say how many requests a second it finished: by Little's law concurrency / (TTFT + (osl - 1) TPOT),
or output tokens/s over osl. Each brought a prompt. The prompts' kernels, as fast as they were measured alone, and their
collectives, nothing else of a step counted, then take a share of the time. Where that is well over 1, the prompts were
not all computed: the engine had them in its cache (vLLM keeps prefixes unless it is told not to, and a load generator
that draws few prompts repeats them), or the row is not the configuration that it names.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.prediction import plans
from harness.prediction.rows import INPUTS, read
from harness.roofline.operate import Work, prepare
from harness.roofline.scales import SCALES
from harness.roofline.step import Pace, step
from harness.validation.launched import as_launched

# The share above which a row is left out. Kernel laws miss isolated kernels by a tenth; as much again is a margin.
MARGIN = 1.2
# Kernels as measured alone, nothing that an engine adds.
_BARE = {name: float(name.startswith("work.")) for name in SCALES}


def overdriven(frame: pd.DataFrame, scenarios: dict[str, str]) -> pd.Series:
    """Whether each row of `scored.read` says so (bool); scenarios: a source's word -> the contract's."""
    return prompt_share(frame, scenarios) > MARGIN


def prompt_share(frame: pd.DataFrame, scenarios: dict[str, str]) -> pd.Series:
    """The share of the time that each row's prompts alone take; NaN of a static batch, a refusal, where no rate is."""
    rows = as_launched(frame)
    rows = rows.assign(scenario=rows["scenario"].map(scenarios))
    finished = _finished_s(rows)
    rows = rows[(rows["scenario"] != "static-batch") & finished.notna()]
    out = pd.Series(np.nan, index=frame.index)
    if rows.empty:
        return out
    sorted_ = plans.sort(read(rows[[c for c in INPUTS if c in rows.columns]]))
    prompt_s = np.full(len(rows), np.nan)  # of a replica, over their number
    for plan in sorted_.plans:
        view, asked = sorted_.asked(plan.rows)
        work = prepare(plan.arch, plan.dtypes, plan.layout, plan.split, view, asked)
        prompt_s[plan.rows] = np.where(work.room.sequences >= 1, _prompt_s(work) / asked.replicas, np.nan)
    out[rows.index] = finished[rows.index].to_numpy() * prompt_s
    return out


def _finished_s(rows: pd.DataFrame) -> pd.Series:
    """Requests a second over all replicas, by the row's latencies, or by its throughput where it has none."""
    seconds = (rows["ttft_ms"] + (rows["osl"] - 1) * rows["tpot_ms"]) / 1e3
    by_tokens = rows["output_tok_s_per_chip"] * rows["chips"] / rows["osl"]
    return (rows["concurrency"] / seconds).fillna(by_tokens)


def _prompt_s(work: Work) -> np.ndarray:
    """Seconds of a replica that one prompt takes of a batched prefill step [rows]."""
    rows, x = len(work.isl), work.demand
    seconds = step(work.prefill, _BARE, Pace(np.ones(2 * rows), np.ones(2 * rows))).total[rows:]
    return seconds / (x.together * x.ranks)
