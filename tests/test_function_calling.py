"""function-calling: calls match as they mean, talks are judged by their states, and nothing else scores."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.agents import Limits, ReactActor, play
from harness.answers import Answer
from harness.calls import Call, parsed, written
from harness.suites import LEVELS, suite
from harness.worlds import replay

ONE = suite("function-calling")
SEEDS = (0, 61, 62)  # the last two were not used while writing


class Spoken:
    """A runner that says the lines of one transcript, one a turn."""

    def __init__(self, transcript: str) -> None:
        self.lines = transcript.splitlines()

    def generate(self, prompts, max_tokens, stop=(), temperature=0.0, **_):
        return [Answer(self.lines.pop(0), (), 10, 5)]


def of_kind(kind: str, seed: int = 0) -> list:
    return [item for item in ONE.make(seed) if item.data["kind"] == kind]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_is_there_over_many_domains(seed):
    items = ONE.make(seed)
    kinds = Counter(item.data["kind"] for item in items)
    assert set(kinds) == {"simple", "multiple", "parallel", "irrelevance", "talk"} and min(kinds.values()) >= 6
    assert len({item.group.partition("/")[2] for item in items}) >= 12


@pytest.mark.parametrize("level", LEVELS)
def test_an_expert_who_speaks_turn_by_turn_solves_it(level):
    for item in ONE.items(level=level)[:8]:
        [episode] = play([ONE.world(item)], ReactActor(Spoken(item.answer), 64), Limits())
        assert episode.finish == "stop" and ONE.score(item, episode.transcript) == 1.0, item.id


@pytest.mark.parametrize("seed", SEEDS)
def test_an_experts_calls_all_succeed(seed):
    for item in of_kind("talk", seed):
        steps = replay(ONE.world(item), item.answer)
        assert [error for step in steps for _, error in step.outcomes if error] == [], item.id


def test_what_means_the_same_is_right_and_what_does_not_is_wrong():
    item = next(i for i in of_kind("parallel") if len(parsed(i.data["calls"])) > 1)
    calls = parsed(item.data["calls"])
    assert ONE.score(item, f"Action: {written(calls[::-1])}") == 1.0  # in any order
    assert ONE.score(item, f"Thought: two of them\n{written(calls)}") == 1.0
    wrong = [calls[:-1], [*calls, calls[0]], [Call("no_such", c.arguments) for c in calls], []]
    assert [ONE.score(item, f"Action: {written(w)}") for w in wrong] == [0.0] * 4
    name, value = next((k, v) for k, v in calls[0].arguments.items() if isinstance(v, str | int | float))
    other = value + "x" if isinstance(value, str) else value + 1
    changed = [Call(calls[0].name, {**calls[0].arguments, name: other}), *calls[1:]]
    assert ONE.score(item, f"Action: {written(changed)}") == 0.0


def test_where_no_function_fits_a_call_is_wrong():
    for item in of_kind("irrelevance"):
        assert ONE.score(item, "Answer: I cannot do that.") == ONE.score(item, "Action: []") == 1.0
        tool = ONE.world(item).tools[0]
        assert ONE.score(item, f"Action: [{tool.name}()]") == 0.0


def test_a_talk_that_does_more_or_less_is_wrong():
    for item in of_kind("talk")[:10]:
        lines = item.answer.splitlines()
        acts = [k for k, line in enumerate(lines) if line.startswith("Action")]
        less = [line for k, line in enumerate(lines) if k != acts[-1]]
        assert ONE.score(item, "\n".join(less)) == 0.0, item.id
        assert ONE.score(item, "\n".join(lines[:-1])) == 0.0, item.id  # it was not ended
        assert ONE.score(item, "Answer: Done.\n" * 20) == 0.0


def test_a_function_that_joins_later_is_not_there_before():
    item = next(i for i in of_kind("talk") if i.data["hidden"])
    world = ONE.world(item)
    assert item.data["hidden"] not in {tool.name for tool in world.tools}
    replay(world, item.answer)
    assert item.data["hidden"] in {tool.name for tool in world.tools}
