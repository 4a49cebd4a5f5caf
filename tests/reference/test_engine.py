"""Laws of generation and scoring: batches, caches and workers never change an answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.errors import UserMistake
from harness.reference import ops
from harness.reference.engine import _share
from harness.reference.kept import Kept
from harness.reference.model import Cache
from harness.reference.panels import Panels
from harness.runners import runner

PROMPTS = ["The capital of France is", "Two plus two is", "def add(a, b):\n    return", "Water boils at"]


def test_a_prompt_run_in_two_parts_gives_the_logits_of_one_run(engine):
    ids = engine.tokenizer.encode("A longer sentence, cut somewhere in the middle, reads the same to the model.")
    whole = engine.model.forward([ids], [Cache(engine.model.config, len(ids))])
    cache = Cache(engine.model.config, len(ids))
    engine.model.forward([ids[:7]], [cache])
    np.testing.assert_allclose(engine.model.forward([ids[7:]], [cache]), whole, atol=1e-4)


def test_query_blocks_do_not_change_a_long_prompt(engine, monkeypatch):
    ids = [7 + i % 200 for i in range(300)]
    blocked = engine.model.forward([ids], [Cache(engine.model.config, 300)])
    monkeypatch.setattr("harness.reference.ops.QUERY_BLOCK", 1000)
    np.testing.assert_allclose(engine.model.forward([ids], [Cache(engine.model.config, 300)]), blocked, atol=1e-4)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 7, 8, 23, 24, 25, 100])
@pytest.mark.parametrize("shape", [(576, 192), (96, 100), (2000, 7)])
def test_a_product_in_panels_is_the_plain_one(rows, shape):
    rng = np.random.default_rng(rows)
    w, x = (rng.standard_normal(s).astype(np.float32) for s in (shape, (rows, shape[0])))
    panels = Panels.of(w)
    exact = x.astype(np.float64) @ w.astype(np.float64)
    np.testing.assert_allclose(panels.after(x), exact, rtol=1e-4, atol=2e-6 * shape[0])
    np.testing.assert_array_equal(panels.matrix(), w)
    np.testing.assert_array_equal(panels.columns(np.array([0, 5, 2])), w.T[[0, 5, 2]])
    assert panels.shape == shape and panels.nbytes == w.nbytes


def test_a_batch_of_unequal_prompts_answers_as_each_alone(engine):
    together = engine.generate(PROMPTS, 12)
    alone = [engine.generate([p], 12)[0] for p in PROMPTS]
    assert [a.text for a in together] == [a.text for a in alone]


def test_a_shared_prompt_scores_as_separate_ones(engine):
    pairs = [("The capital of France is", c) for c in (" Paris", " London, of course", " Lyon")]
    shared = engine.loglikelihood(pairs)
    assert shared == pytest.approx([engine.loglikelihood([p])[0] for p in pairs], abs=1e-4)
    assert shared[0] > shared[2]


def test_a_long_common_beginning_does_not_change_scores(engine):
    head = "Here is a question, asked in earnest, with a long beginning that every prompt has in common. " * 2
    pairs = [(f"{head}{q}", " yes") for q in ("Is it day?", "Is it night?", "Is it noon already?")]
    assert engine.loglikelihood(pairs) == pytest.approx([engine.loglikelihood([p])[0] for p in pairs], abs=1e-4)


def test_an_empty_continuation_has_probability_one(engine):
    assert engine.loglikelihood([("Anything", "")]) == [0.0]


def test_spaces_that_end_a_prompt_belong_to_the_continuation(engine):
    assert engine.loglikelihood([("The sky is ", "blue")]) == engine.loglikelihood([("The sky is", " blue")])


def test_a_stop_string_ends_the_text_before_it(engine):
    free = engine.generate([PROMPTS[0]], 24)[0].text
    word = free.split()[2]
    cut = engine.generate([PROMPTS[0]], 24, stop=[word])[0]
    assert cut.finish == "stop" and cut.text == free[: free.index(word)]


def test_sampling_depends_on_the_seed_and_not_on_the_batch(engine):
    one = engine.generate([PROMPTS[0]], 12, temperature=1.0, seeds=[5])[0]
    batch = engine.generate([PROMPTS[1], PROMPTS[0]], 12, temperature=1.0, seeds=[9, 5])[1]
    other = engine.generate([PROMPTS[0]], 12, temperature=1.0, seeds=[6])[0]
    assert one.token_ids == batch.token_ids != other.token_ids


def test_a_tiny_top_p_is_greedy(engine):
    greedy = engine.generate([PROMPTS[0]], 12)[0]
    assert engine.generate([PROMPTS[0]], 12, temperature=1.0, top_p=1e-9, seeds=[1])[0].token_ids == greedy.token_ids


def test_more_prompts_than_the_cache_budget_are_all_answered(engine, monkeypatch):
    monkeypatch.setattr("harness.reference.engine.CACHE_BUDGET_BYTES", 1 << 20)
    answers = engine.generate(PROMPTS * 3, 4)
    assert [a.text for a in answers] == [a.text for a in engine.generate(PROMPTS, 4)] * 3


def test_probabilities_of_all_first_tokens_sum_to_one(engine):
    ids = engine.tokenizer.encode("The")
    logits = engine.model.forward([ids], [Cache(engine.model.config, len(ids))])[0].astype(np.float64)
    token = int(logits.argmax())
    log_p = logits[token] - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    assert engine.loglikelihood([("The", engine.tokenizer.decode([token]))])[0] == pytest.approx(log_p, abs=1e-4)
    assert math.exp(log_p) < 1


@pytest.mark.parametrize("bad", [{"max_tokens": 0}, {"temperature": -1.0}, {"top_p": 0.0}])
def test_settings_that_make_no_sense_are_the_users_mistake(engine, bad):
    with pytest.raises(UserMistake):
        engine.generate(["Hi"], **{"max_tokens": 4, **bad})


def test_a_prompt_past_the_context_is_refused(engine):
    with pytest.raises(UserMistake, match="context"):
        engine.generate(["word " * 9000], 4)


def test_sharing_takes_every_prompt_once_and_leaves_a_token_to_run():
    ids = [[1] * 40 + [k] for k in range(5)] + [[2, 3], [1] * 40]
    seen: list[int] = []
    for members, prefix in _share(ids):
        seen += members
        assert all(ids[i][:prefix] == ids[members[0]][:prefix] and prefix < len(ids[i]) for i in members)
    assert sorted(seen) == list(range(7))


def test_two_workers_answer_and_count_as_one(weights_folder):
    alone, pair = runner("reference"), runner("reference", workers=2)
    try:
        assert [a.text for a in pair.generate(PROMPTS, 6)] == [a.text for a in alone.generate(PROMPTS, 6)]
        pairs = [(p, c) for p in PROMPTS for c in (" yes", " no, never")]
        assert pair.loglikelihood(pairs) == pytest.approx(alone.loglikelihood(pairs), abs=1e-4)
        assert pair.take_trace().matmul_flops > 0 < alone.take_trace().matmul_flops
    finally:
        pair.close()


class TestTurns:
    """An agent's next turn begins with its last: that part is not run again, and the answer is the same."""

    HEAD = "You are a clerk. A customer asks about an order of two books and a lamp, which came late and broken. "

    def rounds(self, engine, keep):
        prompts, said, run = [f"{self.HEAD}{name}:" for name in ("Ann", "Ben", "Eve")], [], []
        for _ in range(3):
            engine.take_trace()
            answers = engine.generate(prompts, 8, turns=keep)
            ran = [op.shape[0] * n for op, n in engine.take_trace() if (op.phase, op.name) == ("prefill", "qkv")]
            run.append(sum(ran))
            said.append([a.text for a in answers])
            prompts = [f"{p}{a.text}\nCustomer: and then?\nClerk:" for p, a in zip(prompts, answers, strict=True)]
        return said, run

    def test_answers_are_those_of_an_engine_that_keeps_nothing(self, engine):
        (said, run), (again, whole) = self.rounds(engine, True), self.rounds(engine, False)
        assert said == again and run[0] == whole[0] and engine.kept is None
        assert all(0 < few < many / 2 for few, many in zip(run[1:], whole[1:], strict=True))

    def test_no_more_is_kept_than_there_is_room_for(self, engine):
        one = Cache(engine.model.config, 8)
        kept = Kept(2 * one.nbytes)
        kept.begin()
        for first in (1, 2, 3):  # the third finds no room: both others were used in this call
            kept.keep([first, 5, 6], Cache(engine.model.config, 8))
        assert [kept.longest([first, 5, 6, 7])[1] for first in (1, 2, 3)] == [3, 3, 0]
        kept.begin()
        kept.longest([2, 5, 9])
        kept.keep([3, 5, 6], one)  # now the first is unused and goes
        assert [kept.longest([first, 5, 6, 7])[1] for first in (1, 2, 3)] == [0, 3, 3]

    def test_a_longer_cache_takes_the_place_of_what_it_went_on_from(self, engine):
        kept = Kept(1 << 40)
        kept.begin()
        kept.keep([1, 2], Cache(engine.model.config, 4))
        longer = Cache(engine.model.config, 4)
        kept.keep([1, 2, 3], longer)
        assert kept.longest([1, 2, 3, 4]) == (longer, 3) and len(kept._held) == 1


def test_one_each_attention_is_that_of_every_sequence_alone():
    rng = np.random.default_rng(4)
    q = rng.standard_normal((3, 9, 64)).astype(np.float32)
    kept = [(rng.standard_normal((3, 64, s)).astype(np.float32), rng.standard_normal((3, s, 64)).astype(np.float32))
            for s in (5, 1, 40)]  # fmt: skip
    together = ops.attend_one_each(q, kept)
    for one, (k, v), found in zip(q, kept, together, strict=True):
        alone = np.empty((1, 9, 64), np.float32)
        ops.attend(one[None], k, v, alone)
        np.testing.assert_allclose(found, alone[0], rtol=1e-5, atol=1e-6)
