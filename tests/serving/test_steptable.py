"""The step table: whole nanoseconds that add up, and are the roofline stage's."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.serving.steptable import NS, StepTable
from tests.serving.support import deployed, frame, serve

BUDGET, SEQUENCES, CONTEXT = 8192, 256, 32_768
STACKS = (
    "llama-3.1-8b@h100-sxm", "llama-3.1-8b@h100-sxm,spec=2.5", "qwen3-30b-a3b@h100-sxm:4,tp=1,dp=4,ep=4",
    "deepseek-r1/fp8@h200-sxm:8,tp=8", "qwen3.5-27b@h200-sxm", "gpt-oss-120b@mi355x,engine=vllm",
)  # fmt: skip
stacks = st.sampled_from(STACKS)
batches = st.integers(1, SEQUENCES)
contexts = st.integers(1, 20_000)


@functools.cache
def table(stack: str, scale: float = 1.0) -> StepTable:
    return StepTable(deployed(stack).steps, BUDGET, SEQUENCES, CONTEXT, scale)


def step(t: StepTable, batch: int, context: int, advance: int = 1) -> int:
    """One decode step of sequences with `context` tokens each."""
    return t.decode(batch, batch * context, batch * (context + advance))


@given(stacks, batches, contexts, st.lists(st.integers(0, 300), min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_split_of_a_run_sums_to_the_same_nanoseconds(stack, batch, context, parts):
    t, at = table(stack), batch * context
    total, before = 0, at
    for tokens in parts:
        total += t.decode(batch, before, before + batch * tokens)
        before += batch * tokens
    assert total == t.decode(batch, at, before)


@given(stacks, batches, contexts)
@settings(max_examples=200, deadline=None)
def test_a_step_takes_longer_with_more_sequences_or_longer_contexts(stack, batch, context):
    """Two nanoseconds are left to what is rounded."""
    t = table(stack)
    assume(batch < SEQUENCES)
    now = step(t, batch, context)
    assert 0 < now <= step(t, batch + 1, context) + 2
    assert now <= step(t, batch, context + 500) + 2


@given(stacks, st.integers(0, 200), st.integers(1, 4000), st.integers(0, 20_000))
@settings(max_examples=200, deadline=None)
def test_a_chunk_takes_longer_with_more_tokens_or_a_longer_past(stack, batch, tokens, past):
    t = table(stack)
    dense, attention = t.chunks(tokens, batch), t.attention(tokens, past)
    assert 0 <= dense <= t.chunks(tokens + 64, batch) and 0 <= attention <= t.attention(tokens + 64, past) + 1000
    assert attention <= t.attention(tokens, past + 640) * 1.01 + 1000  # re-reading is read off one chunk's size


@pytest.mark.parametrize("stack", STACKS)
def test_decode_steps_are_the_roofline_stages(stack):
    """At random points, within 1 %; the engine's own time, which `decode` of the model leaves out, is added."""
    t, model = table(stack), deployed(stack).steps
    rng = np.random.default_rng(5)
    a_rank = np.unique(np.exp(rng.uniform(0, np.log(SEQUENCES // model.ranks), 25)).astype(int))
    context = np.exp(rng.uniform(np.log(50), np.log(25_000), len(a_rank))).astype(int)
    expected = model.decode(a_rank.astype(float), context + 0.5).total
    for b, c, seconds in zip(a_rank.tolist(), context.tolist(), expected, strict=True):
        batch = b * model.ranks
        found = t.decode(batch, batch * c, batch * (c + 1)) * float(t.advance) / NS
        assert found == pytest.approx(seconds + model.engine_s(batch), rel=0.01), (b, c)


@pytest.mark.parametrize("stack", STACKS)
def test_prompts_are_the_roofline_stages(stack):
    t, model = table(stack), deployed(stack).steps
    rng = np.random.default_rng(6)
    tokens = np.exp(rng.uniform(np.log(8), np.log(BUDGET), 40)).astype(int)
    expected = model.prefill(tokens.astype(float), np.zeros(len(tokens)))
    for n, seconds in zip(tokens.tolist(), expected, strict=True):
        assert (t.chunks(n, 0) + t.attention(n, 0)) / NS == pytest.approx(seconds, rel=0.01), n


@pytest.mark.parametrize("stack", STACKS)
def test_chunks_after_a_past_are_the_roofline_stages(stack):
    """The past is read off chunks of one size: other sizes err by more than a prompt alone does."""
    t, model = table(stack), deployed(stack).steps
    for chunk, past in ((256, 1000), (512, 6000), (2048, 2048), (512, 25_000), (8192, 16_384)):
        seconds = float(model.prefill(np.array([float(chunk)]), np.array([float(past)]))[0])
        assert (t.chunks(chunk, 0) + t.attention(chunk, past)) / NS == pytest.approx(seconds, rel=0.05), (chunk, past)


@given(stacks, batches, contexts, st.integers(1, 4000), st.integers(0, 8000), st.sampled_from([0.5, 1.3, 3.0]))
@settings(max_examples=100, deadline=None)
def test_a_scale_multiplies_every_time(stack, batch, context, tokens, past, scale):
    one, other = table(stack), table(stack, scale)
    assert step(other, batch, context) == pytest.approx(scale * step(one, batch, context), rel=1e-4)
    assert other.chunks(tokens, 0) == pytest.approx(scale * one.chunks(tokens, 0), rel=1e-4)
    assert other.attention(tokens, past) == pytest.approx(scale * one.attention(tokens, past), rel=1e-3, abs=2000)


@given(st.sampled_from(STACKS[:1] + STACKS[2:]), st.integers(1, 200), contexts, st.integers(1, 4000))
@settings(max_examples=200, deadline=None)
def test_a_mixed_step_is_between_its_parts_and_their_sum(stack, batch, context, tokens):
    """Weights are read once for both: never dearer than decode and prefill apart, never cheaper than either."""
    t = table(stack)
    decode, prefill = step(t, batch, context), t.mixed(tokens, t.attention(tokens, 0), 0, 0)
    mixed = t.mixed(tokens, t.attention(tokens, 0), batch, decode)
    assert max(decode, prefill) <= mixed <= (decode + prefill) * 1.001


def test_speculation_advances_by_its_acceptance_length():
    """2.5 tokens a step: a hundred tokens take two fifths of the steps, each somewhat longer."""
    plain, spec = (serve(s, frame([(0.0, (500, 101))])) for s in STACKS[:2])
    steps = [done.journal.decode_steps for done, _ in (plain, spec)]
    assert steps == [100, 40]
    times = [table["tpot_s"][0] for _, table in (plain, spec)]
    assert times[0] / 2.5 <= times[1] < times[0] / 1.8


def test_a_step_of_many_tokens_is_refused_nowhere():
    """Contexts past the last node go on along the last piece: an answer may be longer than was said."""
    t = table(STACKS[0])
    assert step(t, 10, CONTEXT + 5000) > step(t, 10, CONTEXT) > 0
