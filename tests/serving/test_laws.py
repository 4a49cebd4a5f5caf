"""Laws that any serving system keeps, on drawn requests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness.profiles import chip, model
from harness.roofline import constants
from harness.roofline.point import point
from harness.roofline.scales import of_engine
from harness.serving.deploy import deploy
from harness.serving.simulate import run
from harness.stack import parse
from harness.workloads import checked, trace_hit_rate
from tests.serving.support import SMALL, TIGHT, frame, journal_of, requests, serve, sessions

STACKS = st.sampled_from([
    SMALL, TIGHT, f"{SMALL},engine=sglang", f"{SMALL},engine=trtllm", "llama-3.1-8b@h100-sxm:2,tp=1,spec=2.5",
    "llama-3.1-8b@h100-sxm:4,tp=1,disagg=1x3", "qwen3-30b-a3b@h100-sxm:4,tp=1,dp=4,ep=4", f"{SMALL},chunk=100",
    "qwen3.5-27b@h200-sxm,prefix=1", "phi-3-mini-4k-instruct@h100-sxm",
])  # fmt: skip
POLICIES = st.sampled_from([
    {}, {"routing": "round-robin"}, {"routing": "least-loaded"}, {"keep_s": 0.5}, {"hold_s": 2.0},
    {"host_bytes": 4e9}, {"swaps": True}, {"hold_s": 1.0, "keep_s": 3.0, "host_bytes": 1e9},
])  # fmt: skip


@given(requests, STACKS)
@settings(max_examples=60, deadline=None)
def test_every_request_is_answered_once_and_in_order(rows, stack):
    done, table = serve(stack, frame(rows))
    assert len(table) == len(rows)
    ok = table["status"] == "ok"
    assert (ok | (table["reason"] != "")).all()
    some = table[ok]
    assert (some["queue_s"] >= 0).all() and (some["queue_s"] <= some["ttft_s"]).all()
    assert (some["ttft_s"] > 0).all() and (some["ttft_s"] <= some["e2e_s"] + 1e-12).all()
    assert (some["tpot_s"].isna() == (some["osl"] < 2)).all()
    assert [done.journal.made[i] >= 1 for i in np.flatnonzero(ok)]


@given(requests, STACKS)
@settings(max_examples=40, deadline=None)
def test_littles_law(rows, stack):
    """The time integral of the requests in the system is the sum of the times they spent there."""
    _, table = serve(stack, frame(rows))
    some = table[table["status"] == "ok"]
    events = sorted([(t, 1) for t in some["arrival_s"]] + [(t, -1) for t in some["arrival_s"] + some["e2e_s"]])
    area, inside, before = 0.0, 0, 0.0
    for at, step in events:
        area, inside, before = area + inside * (at - before), inside + step, at
    assert area == pytest.approx(some["e2e_s"].sum(), rel=1e-6, abs=1e-6)


@given(requests, STACKS)
@settings(max_examples=40, deadline=None)
def test_memory_in_use_never_exceeds_what_there_is(rows, stack):
    done, _ = serve(stack, frame(rows))
    assert 0 < done.journal.peak <= done.deployment.engine.capacity or done.journal.peak == 0


@given(st.integers(0, 10_000), STACKS, POLICIES, st.sampled_from([None, 3]))
@settings(max_examples=60, deadline=None)
def test_runs_of_steps_and_single_steps_are_equal_to_the_nanosecond(seed, stack, policy, concurrency):
    trace = sessions(seed, 12, 4, grow=1500)
    fast, _ = serve(stack, trace, concurrency, **policy)
    slow, _ = serve(stack, trace, concurrency, stepwise=True, **policy)
    assert journal_of(fast) == journal_of(slow)


@given(requests)
@settings(max_examples=30, deadline=None)
def test_single_requests_under_memory_pressure_too(rows):
    trace = frame([(at, (isl + 3000, osl * 4)) for at, (isl, osl) in rows])
    for swaps in (False, True):
        fast, _ = serve(TIGHT, trace, swaps=swaps)
        slow, _ = serve(TIGHT, trace, swaps=swaps, stepwise=True)
        assert journal_of(fast) == journal_of(slow)


@pytest.mark.parametrize("swaps", [False, True])
def test_memory_that_is_short_all_the_time(swaps):
    """Many preemptions; every request is answered, and nothing is held at the end."""
    trace = sessions(1, 300, 3, grow=900, gap_s=0.5)
    trace["osl"] *= 8
    done, table = serve(TIGHT, trace, swaps=swaps)
    assert (table["status"] == "ok").all()
    assert table["preemptions"].sum() > 50
    assert done.journal.peak > 0.99 * done.deployment.engine.capacity


@pytest.mark.parametrize("stack", [
    "llama-3.1-8b@a100-sxm-80gb", "deepseek-r1/fp8@h200-sxm:8,tp=8", "qwen3-235b-a22b/fp8@zhenwu-m890:8,tp=8",
    "gpt-oss-120b@mi355x:1,engine=vllm", "qwen3-30b-a3b@h100-sxm:4,tp=1,dp=4,ep=4",
])  # fmt: skip
def test_without_load_latency_is_the_roofline_stages(stack):
    isl, osl = 1000, 200
    _, table = serve(stack, frame([(0.0, (isl, osl))]))
    words, scales = parse(stack), constants.load().scales
    expected = point(words, model(words.model), chip(words.chip), isl, osl, 1).figures
    (engine,) = of_engine(scales, "arrival", np.array([words.options.get("engine", "")]))
    arrival = scales["arrival_s"] * engine
    way = arrival + scales["token_s"] * isl  # from the client to the engine and back
    assert table["ttft_s"][0] + way == pytest.approx(expected["ttft_ms"].value / 1e3, rel=1e-4)
    assert table["tpot_s"][0] == pytest.approx(expected["tpot_ms"].value / 1e3, rel=1e-3)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_an_endless_cache_hits_what_the_trace_holds(seed):
    """Pages of 16 tokens and the last token of a prompt, which is always computed, are all that is missed."""
    trace = sessions(seed, 6, 5)
    _, table = serve("llama-3.1-8b@h200-sxm", trace, concurrency=1)
    missed = trace_hit_rate(trace) * trace["isl"].sum() - table["cached_tokens"].sum()
    assert 0 <= missed <= 17 * len(trace)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_more_memory_never_hits_less_on_a_fixed_schedule(seed):
    """One session at a time, so that the order of requests does not depend on the hits."""
    trace = sessions(seed, 10, 4, grow=3000)
    trace = trace.sample(frac=1, random_state=seed).sort_values(["turn", "session"]).reset_index(drop=True)
    alone = trace.assign(arrival_s=np.arange(len(trace)) * 60.0, gap_s=np.nan, session=np.arange(len(trace)),
                         turn=0, hash_ids=[[[s * 10_000, s * 10_000 + n // 16 - 1]] if n >= 16 else None
                                           for s, n in zip(trace["session"], trace["isl"], strict=True)],
                         block_size=16, scope="global")  # fmt: skip
    found = [serve(f"llama-3.1-8b@h100-sxm,gpu_mem={share}", checked(alone))[1] for share in (0.27, 0.28, 0.3, 0.5)]
    assert all((table["status"] == "ok").all() for table in found)
    hits = [table["cached_tokens"].sum() for table in found]
    assert hits == sorted(hits)


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_replaying_the_arrivals_of_a_closed_loop_reproduces_it(seed, users):
    rng = np.random.default_rng(seed)
    rows = [(0.0, (int(i), int(o))) for i, o in zip(rng.integers(1, 2000, 20), rng.integers(1, 200, 20), strict=True)]
    _, closed = serve(SMALL, frame(rows), concurrency=users)
    again = frame([(at, row[1]) for at, row in zip(closed["arrival_s"], rows, strict=True)])
    _, replayed = serve(SMALL, again)
    for column in ("ttft_s", "e2e_s", "queue_s"):
        np.testing.assert_allclose(replayed[column], closed[column], rtol=0, atol=2e-9)


def test_closed_and_open_loop_agree_at_equal_load():
    """Far from saturation, users with long gaps and arrivals at the rate that they make see the same latency."""
    trace = sessions(3, 400, 6, gap_s=20.0)
    _, closed = serve("llama-3.1-8b@h100-sxm", trace, concurrency=40)
    some = closed[closed["arrival_s"].between(20, closed["arrival_s"].max() * 0.7)]
    rate = len(some) / (some["arrival_s"].max() - some["arrival_s"].min())
    rng = np.random.default_rng(0)
    opened = trace.copy()
    first = opened["turn"] == 0
    opened.loc[first, "arrival_s"] = np.cumsum(rng.exponential(6 / rate, first.sum()))
    _, opened = serve("llama-3.1-8b@h100-sxm", opened)
    assert opened["tpot_s"].mean() == pytest.approx(some["tpot_s"].mean(), rel=0.05)
    assert opened["ttft_s"].mean() == pytest.approx(some["ttft_s"].mean(), rel=0.15)


@given(requests, st.floats(1.0, 3.0))
@settings(max_examples=25, deadline=None)
def test_slower_steps_never_answer_the_first_request_sooner(rows, scale):
    d, trace = deploy(SMALL), frame(rows)
    middle, slow = run(d, trace), run(d, trace, scale=scale)
    first = int(np.argmin(trace["arrival_s"].to_numpy()))
    assert slow.journal.first_ns[first] >= middle.journal.first_ns[first]
    assert slow.journal.busy_ns >= middle.journal.busy_ns or len(rows) > 1


def test_priority_goes_first():
    rows = [(0.0, (3000, 200))] * 9 + [(0.01, (100, 5))] * 2
    trace = frame(rows)
    trace["priority"] = [1] * 9 + [1, 0]
    _, table = serve("llama-3.1-8b@h100-sxm,max_seqs=4", trace)
    assert table["queue_s"][10] < table["queue_s"][9]


def test_same_requests_same_bytes():
    trace = sessions(1, 20, 4)
    first, second = (harness.simulate(SMALL, trace) for _ in range(2))
    assert first.to_csv() == second.to_csv()


def test_a_held_cache_survives_what_evicts_an_unheld_one():
    """Session 0 returns after 3 s; in between others fill the memory."""
    rows = [(0.0, (8000, 10))]
    trace = sessions(5, 30, 1, grow=6000)
    trace.loc[0, ["isl", "osl"]] = rows[0][1]
    trace["arrival_s"] = np.linspace(0, 3, len(trace))
    later = trace.iloc[:1].assign(id=99, turn=1, arrival_s=np.nan, gap_s=3.0, isl=8100)
    both = checked(pd.concat([trace.assign(id=range(len(trace))), later]))
    dropped = serve(TIGHT, both)[1]["cached_tokens"].iloc[-1]
    held = serve(TIGHT, both, hold_s=60.0)[1]["cached_tokens"].iloc[-1]
    hosted = serve(TIGHT, both, host_bytes=64e9)[1]["cached_tokens"].iloc[-1]
    assert dropped < held == hosted == 8000


def test_a_split_of_prefill_and_decode_pays_the_transfer():
    trace = frame([(0.0, (4000, 20))])
    _, together = serve("llama-3.1-8b@h100-sxm:2,tp=1", trace)
    done, apart = serve("llama-3.1-8b@h100-sxm:2,tp=1,disagg=1x1", trace)
    sent = done.deployment.transfer_ns(4000) / 1e9
    assert sent > 0
    assert apart["ttft_s"][0] == together["ttft_s"][0]
    assert apart["e2e_s"][0] == pytest.approx(together["e2e_s"][0] + sent, rel=1e-9)
    assert (apart["replica"][0], together["replica"][0]) == (1, 0)
