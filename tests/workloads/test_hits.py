"""The reuse in a trace: against a plain count block by block, and against what the traces' own authors say."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.workloads import cached_tokens, checked, load_trace, trace_hit_rate
from harness.workloads.blocks import expanded, runs
from tests.workloads.support import TRACES, WEKA, outside

BLOCK = 4
PROMPTS = st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9), min_size=1, max_size=8)), min_size=1)


def frame_of(prompts, scope: str) -> pd.DataFrame:
    turns: dict[int, int] = {}
    rows = []
    for session, ids in prompts:
        turns[session] = turns.get(session, -1) + 1
        rows.append((0.0 if not turns[session] else None, len(ids) * BLOCK - 1, 1, session, runs(ids), BLOCK, scope))
    return checked(
        pd.DataFrame(rows, columns=["arrival_s", "isl", "osl", "session", "hash_ids", "block_size", "scope"])
    )


@settings(max_examples=200, deadline=None)
@given(PROMPTS, st.sampled_from(["session", "global"]))
def test_it_equals_a_count_block_by_block(prompts, scope):
    frame, seen = frame_of(prompts, scope), set()
    for (session, ids), cell, hit in zip(prompts, frame["hash_ids"], cached_tokens(frame), strict=True):
        assert expanded(cell).tolist() == ids
        keys = [(session if scope == "session" else None, i) for i in ids]
        leading = next((k for k, key in enumerate(keys) if key not in seen), len(keys))
        assert hit == min(leading * BLOCK, len(ids) * BLOCK - 1)
        seen.update(keys)


def test_without_ids_the_previous_prompt_and_answer_are_held():
    frame = checked(pd.DataFrame({"arrival_s": [0, None, None], "isl": [10, 25, 20], "osl": [5, 5, 5], "session": "s"}))
    assert cached_tokens(frame).tolist() == [0, 15, 20]


@outside
@pytest.mark.golden
@pytest.mark.parametrize(("name", "rate"), [("conversation", 0.3736), ("synthetic", 0.6512)])
def test_mooncakes_own_reuse_comes_out(name, rate):
    assert trace_hit_rate(load_trace(TRACES / f"mooncake/{name}_trace.jsonl.gz")) == pytest.approx(rate, abs=5e-5)


@outside
@pytest.mark.golden
def test_the_coding_sessions_reuse_is_that_of_the_whole_set():
    """96.3 % over the 710 sessions of which every second one is here."""
    assert trace_hit_rate(load_trace(WEKA)) == pytest.approx(0.963, abs=0.001)
