"""Prompts beside decoding requests in one step: never longer than two steps, never shorter than the longer of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.roofline.mixed import Sharing, mixes, saved_s
from tests.roofline.support import at

MIXING, APART = "vllm", "sglang"
seconds = st.floats(1e-6, 1.0)
steps = st.builds(lambda *x: Sharing(*(np.array([v]) for v in x)), seconds, seconds, seconds)


def saved(decode: Sharing, prefill: Sharing) -> float:
    return float(saved_s(decode, prefill)[0])


def alone(x: Sharing) -> float:
    return float(max(x.reading[0], x.computing[0]) + x.starting[0])


@given(steps, steps)
def test_what_is_saved_is_no_more_than_the_shorter_step(one, other):
    assert -1e-12 <= saved(one, other) <= min(alone(one), alone(other)) + 1e-12
    assert saved(one, other) == pytest.approx(saved(other, one))


def test_only_sglang_runs_prompts_apart():
    assert mixes(np.array([MIXING, APART, "trtllm", ""], object)).tolist() == [True, False, True, True]


def test_weights_are_read_once_and_arithmetic_is_done_twice():
    reads, computes = Sharing(*np.array([[2.0], [0.5], [0.0]])), Sharing(*np.array([[2.0], [5.0], [0.0]]))
    assert saved(reads, reads) == 2.0  # four seconds of reading are two
    assert saved(reads, computes) == pytest.approx(2.0 + 5.0 - 5.5)  # its products hide behind the other's
    assert saved(computes, computes) == 0.0
    few = Sharing(*np.array([[0.25], [0.1], [0.0]]))  # reads an eighth of the experts, the eighth that both read
    assert saved(reads, few) == pytest.approx(0.5 + 0.25 - 0.6)


def test_engines_that_prefill_first_wait_for_the_whole_prompt():
    asked = {"isl": 512, "osl": 128, "concurrency": 64}
    for engine, shorter in ((MIXING, True), ("trtllm", True), (APART, False)):
        t = at(f"qwen3-235b-a22b@h200-sxm:8,engine={engine}", **asked).timed
        apart_s = t.latency.prefills[0] * t.batched.total[0]
        assert (t.latency.prefilling[0] < 0.9 * apart_s) if shorter else (t.latency.prefilling[0] == apart_s)
        assert sum(v[0] for v in t.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("osl", [16, 64, 1024])
def test_a_longer_prompt_never_makes_tokens_come_sooner(osl):
    asked = [at("llama-3.1-8b@h100-sxm:1,engine=vllm", isl=n, osl=osl, concurrency=32) for n in (64, 256, 1024, 4096)]
    times = [p.figures["tpot_ms"].value for p in asked]
    assert times == sorted(times)


def test_prompts_of_all_ranks_are_in_one_step():
    """Short answers on many ranks: several prompts arrive a step, one on a rank; SGLang holds all up for each."""
    asked = {"isl": 64, "osl": 64, "concurrency": 400}
    text = "deepseek-r1@h200-sxm:8,tp=1,dp=8,ep=8,engine="
    n = {e: at(text + e, **asked).timed.latency.prefills[0] for e in (MIXING, APART)}
    assert n[MIXING] == 1 < n[APART]
