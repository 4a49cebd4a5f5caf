"""Corners of the simulator: when all is answered nothing is held, whatever the limits, blocks and policies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.serving import simulate
from harness.serving.cache import Cache, Node
from harness.serving.replica import Replica
from harness.serving.simulate import Policy, Run, columns, run
from harness.workloads import checked
from tests.serving.support import deployed, frame, journal_of, serve, sessions

ROOM = "llama-3.1-8b@rtx-4090,gpu_mem=0.697"  # about 3,000 tokens of cache
SPLIT = "llama-3.1-8b@rtx-4090:3,tp=1,disagg=1x2,gpu_mem=0.697"
# The same of engines whose defaults are larger, and their workspace with them.
OTHER, OTHER_SPLIT = ROOM.replace("0.697", "0.79"), SPLIT.replace("0.697", "0.79")
STACKS = st.sampled_from([
    ROOM, f"{ROOM},max_seqs=1", f"{ROOM},max_batched_tokens=16", f"{ROOM},chunk=5", f"{ROOM},spec=2.7",
    f"{OTHER},engine=trtllm", f"{OTHER},engine=trtllm,spec=2.7", f"{OTHER},engine=sglang", f"{OTHER},engine=llama.cpp",
    f"{ROOM},prefix=0", SPLIT, f"{SPLIT},spec=1.5", f"{OTHER_SPLIT},engine=sglang", f"{SPLIT},max_batched_tokens=32",
    "qwen3-30b-a3b@h100-sxm:2,tp=1,dp=2,ep=2,gpu_mem=0.46", "phi-3-mini-4k-instruct@h100-sxm,max_seqs=3",
    "qwen3.5-27b@h200-sxm,prefix=1,max_seqs=5,gpu_mem=0.4",
])  # fmt: skip
POLICIES = st.sampled_from([
    {}, {"swaps": True}, {"hold_s": 2.0}, {"keep_s": 0.2}, {"host_bytes": 2e8}, {"routing": "round-robin"},
    {"hold_s": 0.5, "keep_s": 0.1, "host_bytes": 1e8, "swaps": True},
])  # fmt: skip


def watched(stack: str, trace: pd.DataFrame, concurrency: int | None = None, **policy) -> tuple[Run, list[Replica]]:
    """A run and the replicas that it left."""
    made, build = [], simulate._replica
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "_replica", lambda *parts: made.append(build(*parts)) or made[-1])
        done = run(deployed(stack), trace, concurrency, Policy(**policy))
    return done, made


def nodes(cache: Cache) -> Iterator[Node]:
    stack = [child for root in cache._roots.values() for child in root.children.values()]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.children.values())


def nothing_is_held(replicas: list[Replica]) -> None:
    for replica in replicas:
        assert not (replica.waiting or replica.unseen or replica.prefilling or replica.brought or replica.swapped)
        decoding, cache = replica.decoding, replica.cache
        assert not (len(decoding) or decoding.context or any(decoding._phases) or replica.holdings.held)
        while replica.holdings.drop_oldest_kept(1 << 60):  # turns that another replica took, or that were rejected
            pass
        assert cache.private == cache.pinned == 0
        left = list(nodes(cache))
        assert sum(n.count for n in left if not n.host) * cache.block == cache.cached <= cache.capacity
        assert sum(n.count for n in left if n.host) * cache.block == cache.hosted <= max(cache.host_capacity, 0)
        assert not any(n.pins for n in left)


def hashed(seed: int, block: int, count: int = 25) -> pd.DataFrame:
    """Requests with prefixes of each other's blocks; the last, part-filled block has an id or not."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        ids, extra = [], int(rng.integers(0, block))
        for depth in range(int(rng.integers(0, 1 + min(6, 2000 // block)))):
            ids.append(depth * 1000 + (ids[-1] % 1000 * 2 if ids else 0) % 500 + int(rng.random() < 0.3))
        isl = len(ids) * block + extra
        if extra and rng.random() < 0.5:
            ids.append(9_000_000 + int(rng.integers(0, 3)))
        rows.append({"arrival_s": float(rng.random() * 2), "isl": max(isl, 1), "osl": int(rng.integers(1, 120)),
                     "hash_ids": ids or None, "block_size": block if ids else None,
                     "priority": int(rng.integers(0, 3))})  # fmt: skip
    return checked(pd.DataFrame(rows))


@given(st.integers(0, 10_000), STACKS, POLICIES, st.sampled_from([None, 1, 4]), st.sampled_from([30, 400]))
@settings(max_examples=120, deadline=None)
def test_sessions_leave_nothing_behind(seed, stack, policy, concurrency, grow):
    trace = sessions(seed, 8, 4, grow=grow, gap_s=0.3)
    trace["priority"] = np.random.default_rng(seed).integers(0, 2, len(trace))
    done, replicas = watched(stack, trace, concurrency, **policy)
    table = columns(trace, done)
    assert ((table["status"] == "ok") | (table["reason"] != "")).all()
    assert done.journal.peak <= done.deployment.engine.capacity
    nothing_is_held(replicas)


@given(st.integers(0, 10_000), st.sampled_from([1, 7, 16, 24, 64, 512]), STACKS, POLICIES)
@settings(max_examples=120, deadline=None)
def test_named_blocks_of_any_size_leave_nothing_behind(seed, block, stack, policy):
    trace = hashed(seed, block)
    done, replicas = watched(stack, trace, **policy)
    table = columns(trace, done)
    assert ((table["status"] == "ok") | (table["reason"] != "")).all()
    assert (table["cached_tokens"] < table["isl"]).all()  # the last token of a prompt is always computed
    if trace["hash_ids"].notna().any():
        assert (table["cached_tokens"] % block == 0).all()
    nothing_is_held(replicas)
    slow, _ = serve(stack, trace, stepwise=True, **policy)
    assert journal_of(slow) == journal_of(done)


@given(st.sampled_from([ROOM, f"{ROOM},spec=2.7", f"{OTHER},engine=trtllm", SPLIT, f"{SPLIT},spec=2.7"]),
       st.integers(-60, 20), st.integers(1, 200), st.lists(st.integers(1, 150), max_size=3), st.booleans())  # fmt: skip
@example("llama-3.1-8b@rtx-4090,gpu_mem=0.697,spec=2.7", -10, 118, [39], True)
@settings(max_examples=150, deadline=None)
def test_a_request_as_large_as_the_memory_is_answered_or_rejected(stack, off, osl, others, swaps):
    capacity = deployed(stack).engine.capacity
    rows = [(0.0, (capacity + off - osl, osl)), *((0.01, (40, n)) for n in others)]
    done, replicas = watched(stack, frame(rows), swaps=swaps)
    table = columns(frame(rows), done)
    assert ((table["status"] == "ok") | (table["reason"] != "")).all()
    assert (table["status"][0] == "ok") == (off <= -20) or -20 < off <= 0  # by pages, and what speculation overshoots
    nothing_is_held(replicas)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 60), st.integers(1, 6)), min_size=8, max_size=30),
       st.sampled_from(["", ",engine=atom", ",max_batched_tokens=64", ",engine=sglang"]))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_runs_of_steps_equal_single_ones_where_others_wait_for_a_place(asked, option):
    """Arrivals during the last step of a run, and before it, are seen by the same step."""
    trace = frame([(at, (isl, osl)) for at, isl, osl in asked])
    stack = f"{ROOM},max_seqs=2{option}"
    assert journal_of(serve(stack, trace)[0]) == journal_of(serve(stack, trace, stepwise=True)[0])


@pytest.mark.parametrize("stack", [f"{ROOM},max_batched_tokens=16", f"{SPLIT},max_batched_tokens=16"])
def test_a_budget_smaller_than_the_batch_holds_it_back(stack):
    """A hundred requests whose decoding alone would take more tokens than a step has."""
    done, replicas = watched(stack, frame([(0.0, (1, 20))] * 100))
    assert done.journal.decoded / done.journal.decode_steps <= 16
    assert (columns(frame([(0.0, (1, 20))] * 100), done)["status"] == "ok").all()
    nothing_is_held(replicas)


def test_one_sequence_at_a_time_is_a_queue():
    _, table = serve(f"{ROOM},max_seqs=1", frame([(0.0, (100, 10))] * 5))
    ends = table["arrival_s"] + table["e2e_s"]
    assert (table["queue_s"].to_numpy()[1:] >= ends.to_numpy()[:-1] - 1e-9).all()


def test_a_prompt_and_an_answer_of_one_token():
    _, table = serve(ROOM, frame([(0.0, (1, 1)), (0.0, (1, 2))]))
    assert (table["status"] == "ok").all() and np.isnan(table["tpot_s"][0]) and table["tpot_s"][1] > 0
    assert table["e2e_s"][0] == table["ttft_s"][0]


def test_preemption_takes_the_last_and_keeps_what_was_said():
    """Preempted requests answer as many tokens as asked; their first token does not come twice."""
    rows = [(0.0, (300, 300))] * 8
    done, table = serve(ROOM, frame(rows))
    assert table["preemptions"].sum() > 0 and table["preemptions"][0] == 0
    assert list(done.journal.made)[1] <= 300 and (table["ttft_s"] < table["e2e_s"]).all()


def test_a_split_swaps_only_what_was_preempted():
    """The way from prefill to decode is the network's, not through host memory."""
    trace = frame([(0.0, (1000, 50)), (0.5, (800, 50))])
    plain, swapping = (serve(SPLIT, trace, swaps=s)[1] for s in (False, True))
    assert plain["preemptions"].sum() == 0
    pd.testing.assert_frame_equal(plain, swapping)


def test_a_split_holds_a_sessions_cache_where_its_next_prompt_is_computed():
    """Others fill the prefill replica's memory between two turns."""
    rows = [{"session": 0, "turn": 0, "arrival_s": 0.0, "isl": 1600, "osl": 4}]
    rows += [{"session": k, "turn": 0, "arrival_s": 0.5 * (k // 2 + 1), "isl": 1200, "osl": 4} for k in range(1, 11)]
    rows += [{"session": 0, "turn": 1, "gap_s": 4.0, "isl": 1700, "osl": 4}]
    trace = checked(pd.DataFrame(rows))
    assert serve(SPLIT, trace, hold_s=0.0)[1]["cached_tokens"].iloc[-1] < 1000
    assert serve(SPLIT, trace, hold_s=30.0)[1]["cached_tokens"].iloc[-1] == 1600
