"""Requests and stacks for the tests of serving."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from harness.serving.deploy import Deployment, deploy
from harness.serving.simulate import Policy, Run, columns, run
from harness.workloads import checked

SMALL = "llama-3.1-8b@h100-sxm,max_seqs=8,max_batched_tokens=512"
TIGHT = "llama-3.1-8b@rtx-4090,engine=vllm,max_seqs=32,max_batched_tokens=1024"  # room for about 40,000 tokens

lengths = st.tuples(st.integers(1, 3000), st.integers(1, 300))
arrivals = st.floats(0, 5, allow_nan=False)
requests = st.lists(st.tuples(arrivals, lengths), min_size=1, max_size=25)


def frame(rows: list) -> pd.DataFrame:
    """(arrival, (isl, osl)) a row -> a checked frame."""
    return checked(pd.DataFrame({
        "arrival_s": [r[0] for r in rows], "isl": [r[1][0] for r in rows], "osl": [r[1][1] for r in rows],
    }))  # fmt: skip


def sessions(seed: int, count: int, turns: int, grow: int = 400, gap_s: float = 1.0) -> pd.DataFrame:
    """Growing sessions without block ids: each prompt begins with the one before it and its answer."""
    rng = np.random.default_rng(seed)
    rows = []
    for s in range(count):
        isl = int(rng.integers(50, 2 * grow))
        for turn in range(turns):
            osl = int(rng.integers(1, 80))
            rows.append({"session": s, "turn": turn, "isl": isl, "osl": osl,
                         "arrival_s": float(rng.random() * 5) if turn == 0 else np.nan,
                         "gap_s": np.nan if turn == 0 else float(rng.exponential(gap_s))})  # fmt: skip
            isl += osl + int(rng.integers(1, grow))
    return checked(pd.DataFrame(rows))


def serve(stack: str, trace: pd.DataFrame, concurrency: int | None = None, **policy) -> tuple[Run, pd.DataFrame]:
    done = run(deployed(stack), trace, concurrency, Policy(**policy))
    return done, columns(trace, done)


@cache
def deployed(stack: str) -> Deployment:
    return deploy(stack)


def journal_of(done: Run) -> dict:
    """All that a simulation recorded of its requests, and its sums."""
    names = ("arrival", "admitted", "first_ns", "finished", "cached", "replica", "preemptions", "peak", "decode_steps",
             "decoded", "busy_ns", "prompt_ns", "restored_tokens", "reason")  # fmt: skip
    return {name: getattr(done.journal, name) for name in names}
