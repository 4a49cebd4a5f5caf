"""Level 1 is easy enough for the reference model: on a fresh seed it beats every trivial strategy.

Without that, a small model's score would say nothing. The test is exact: the chance of doing as well by the
best trivial strategy, by the binomial distribution, is below 1 %.
"""

from math import comb

import pytest

from harness.agents import Limits, ReactActor, play
from harness.chance import chance_level
from harness.errors import SandboxUnavailable
from harness.suites import suite

SEED = 113  # used nowhere while the suites were written
ITEMS = 12  # as few as leave no doubt
MORE_ITEMS = {"word-problems-multilingual": 30}  # one more than the last number is often right
# Enough for a level-1 answer: one line of Python; the first number.
TOKENS = {"contest-math": 6, "expert-exact": 8, "function-calling": 32, "function-synthesis": 40,
          "repo-repair": 56, "service-desk": 40, "word-problems-multilingual": 6}  # fmt: skip


@pytest.fixture(scope="module")
def reference(engine):
    from harness.runners import runner

    with_weights = runner("reference")
    yield with_weights
    with_weights.close()


def at_least(hits: int, n: int, p: float) -> float:
    """Probability of `hits` or more of n, each right with probability p."""
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(hits, n + 1))


def answers(one, items, model):
    if one.method == "act":
        actor = ReactActor(model, TOKENS[one.id], one.stop)
        return [e.transcript for e in play([one.world(i) for i in items], actor, Limits(turns=8))]
    if one.method == "generate":
        return [a.text for a in model.generate([i.prompt for i in items], TOKENS[one.id], one.stop)]
    options = [(item, option) for item in items for option in item.choices]
    nats = iter(model.loglikelihood([(item.prompt, f" {option}") for item, option in options]))
    per_byte = [{option: next(nats) / len(option.encode()) for option in item.choices} for item in items]
    return [max(scores, key=scores.get) for scores in per_byte]


@pytest.mark.slow  # the model answers for seconds
@pytest.mark.parametrize("suite_id", [*TOKENS, "science-choice"])
def test_the_reference_model_beats_chance_on_level_1(suite_id, reference):
    one = suite(suite_id)
    items = one.items(seed=SEED, n=MORE_ITEMS.get(suite_id, ITEMS), level=1)
    chance = chance_level(one, one.items(seed=SEED, level=1)).value
    try:
        hits = sum(map(one.score, items, answers(one, items, reference)))
    except SandboxUnavailable as why:
        pytest.skip(str(why))
    assert at_least(int(hits), len(items), chance) < 0.01, f"{hits:.0f} of {len(items)} at chance {chance:.2f}"
    assert hits >= (3 if one.method == "act" else 6)  # an episode has to end well too


@pytest.mark.slow
def test_the_reference_model_earns_credit_on_level_1_of_long_horizon(reference):
    """Parts count there: on more items than luck allows it earns more than every trivial strategy does.

    Its first eight turns alone are played, in which the pieces come that say what to call.
    """
    one = suite("long-horizon")
    items = one.items(seed=SEED, n=15, level=1)
    actor = ReactActor(reference, 48, one.stop)
    episodes = play([one.world(i) for i in items], actor, Limits(turns=8))
    earned = [one.score(i, e.transcript) for i, e in zip(items, episodes, strict=True)]
    blind = [max(one.score(i, text) for text in one.trivial_answers(i).values()) for i in items]
    above, below = (sum(sign * (e - b) > 0 for e, b in zip(earned, blind, strict=True)) for sign in (1, -1))
    assert at_least(above, above + below, 0.5) < 0.01, f"above on {above} items, below on {below}: {earned}"
    assert sum(earned) / len(items) > 0.1


@pytest.mark.slow
def test_the_reference_model_beats_chance_on_level_1_of_knowledge_in_english(reference):
    """Its own language alone, so several seeds: one has six questions a level and language."""
    one = suite("knowledge-multilingual")
    items = [item for seed in range(SEED, SEED + 5) for item in one.items(seed, level=1) if item.lang == "en"]
    hits = sum(map(one.score, items, answers(one, items, reference)))
    chance = chance_level(one, items).value
    assert at_least(int(hits), len(items), chance) < 0.01, f"{hits:.0f} of {len(items)} at chance {chance:.2f}"
