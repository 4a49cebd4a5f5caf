"""The loop: moves change worlds, mistakes are answered, limits end, logs become requests."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.agents import Limits, ReactActor, play, request_frame
from harness.agents.native import chat, move, schema
from harness.answers import Answer
from harness.calls import Call, Malformed, parsed, written
from harness.errors import UserMistake
from harness.runners.null import NullRunner
from harness.worlds import Tool, World

INTEGER = {"type": "object", "properties": {"by": {"type": "integer"}}, "required": ["by"]}


def add(state, by):
    if by < 0:
        raise ValueError("it only counts up")
    state["n"] += by
    return state["n"]


def world(party=None):
    return World({"n": 0}, [Tool("add", "Add to the counter.", INTEGER, add)], "Add 2.", "You count.", party)


class Script:
    """A runner that speaks given lines, one list an episode, and counts words as tokens."""

    def __init__(self, *scripts):
        self.scripts, self.batches, self.prompts = [list(s) for s in scripts], [], []

    def generate(self, prompts, max_tokens, stop=(), **_):
        self.batches.append(len(prompts))
        self.prompts += prompts
        texts = [self.scripts[k].pop(0) for k in [k for k, s in enumerate(self.scripts) if s][: len(prompts)]]
        return [Answer(t, (), len(p.split()), len(t.split())) for p, t in zip(prompts, texts, strict=True)]


def test_calls_change_the_state_and_an_answer_ends():
    [e] = play([world()], ReactActor(Script(["Thought: add\nAction: [add(by=2)]", "Answer: done"]), 20), Limits())
    assert (e.world.state, e.finish, e.world.said) == ({"n": 2}, "stop", ["done"])
    assert e.transcript == "Action: [add(by=2)]\nAnswer: done"
    assert [t.results for t in e.turns] == [("2",), ()]
    assert json.loads(json.dumps(e.turns[0].line()))["calls"] == "[add(by=2)]"


@pytest.mark.parametrize("text", [
    "", "hello", "Action: add(2)", "Action: [add(by=]", "Action: [sub(by=1)]", "Action: [add(by='x')]",
    "Action: [add(by=1, c=2)]", "Action: [add()]", "Action: [add(by=-1)]", "Action: [add(by=True)]", "Action: [1]",
    "Action: [add(by=f())]",
])  # fmt: skip
def test_a_wrong_move_is_answered_and_changes_nothing(text):
    script = Script([text, "Answer: sorry"])
    [e] = play([world()], ReactActor(script, 20), Limits())
    assert e.world.state == {"n": 0} and e.turns[0].error and "Observation: Error: " in script.prompts[1]


@given(st.text(max_size=60))
def test_no_text_of_a_model_raises(text):
    [e] = play([world()], ReactActor(Script([text]), 20), Limits(turns=1))
    assert e.finish in ("turns", "stop")


@pytest.mark.parametrize("limits, name, turns", [
    (Limits(turns=3), "turns", 3), (Limits(tokens=1), "tokens", 1), (Limits(time_s=0), "time_s", 1),
    (Limits(usd=1e-9, usd_per_m_output=1.0), "usd", 1),
])  # fmt: skip
def test_a_limit_ends_an_episode(limits, name, turns):
    [e] = play([world()], ReactActor(Script(["Action: [add(by=1)]"] * 9), 20), limits)
    assert (e.finish, len(e.turns)) == (name, turns)


def test_episodes_advance_together():
    script = Script(["Action: [add(by=1)]", "Answer: a"], ["Action: [add(by=5)]", "Answer: b"])
    first, second = play([world(), world()], ReactActor(script, 20), Limits())
    assert script.batches == [2, 2]
    assert (first.world.state["n"], second.world.state["n"]) == (1, 5)


def test_the_other_party_is_heard():
    party = lambda state, said: "Add 3 more." if len(said) == 1 else None  # noqa: E731
    [e] = play([world(party)], ReactActor(Script(["Answer: which?", "Action: [add(by=3)]", "Action: []"]), 9), Limits())
    assert e.turns[0].reply == "Add 3 more." and e.world.state == {"n": 3} and e.finish == "stop"


def test_a_runner_that_says_nothing_meets_the_limit():
    [e] = play([world()], ReactActor(NullRunner(), 20), Limits(turns=4))
    assert e.finish == "stuck" and e.world.state == {"n": 0} and e.transcript == ""
    with pytest.raises(UserMistake, match="token counts"):
        request_frame([e.turns], 10.0)


def test_a_log_is_served():
    party = lambda state, said: "More." if len(said) == 1 else None  # noqa: E731
    lines = ["Action: [add(by=1)]", "Answer: ok", "Answer: bye"]
    episodes = [play([world(party)], ReactActor(Script(lines), 9), Limits())[0] for _ in range(2)]
    frame = request_frame([e.turns for e in episodes], person_gap_s=30.0, arrivals_s=[0.0, 5.0])
    assert frame.gap_kind.isna()[0] and frame.gap_kind.tolist()[1:3] == ["tool", "person"] and frame.gap_s[2] == 30.0
    assert np.isnan(frame.arrival_s[1]) and frame.arrival_s[3] == 5.0
    served = harness.simulate("llama-3.1-8b@h100-sxm", frame)
    assert (served.status == "ok").all() and (served.osl == frame.osl).all()
    assert served.arrival_s[2] >= 30.0


class TestCalls:
    @pytest.mark.parametrize("text", [
        "[f(a=1, b='x')]", "f(a=1, b='x')", '[{"name": "f", "arguments": {"a": 1, "b": "x"}}]',
        '{"name": "f", "parameters": {"a": 1, "b": "x"}}', " [ f( a = 1, b = \"x\" ) ] ",
    ])  # fmt: skip
    def test_both_spellings_mean_the_same(self, text):
        assert parsed(text) == [Call("f", {"a": 1, "b": "x"})]

    def test_dotted_names_lists_and_nothing(self):
        assert parsed("[m.f(a=[1, -2.5]), g()]") == [Call("m.f", {"a": [1, -2.5]}), Call("g")]
        assert parsed("[]") == []

    @given(st.dictionaries(st.sampled_from("abc"), st.one_of(st.integers(), st.text(), st.booleans(), st.none())))
    def test_what_is_written_is_read_back(self, arguments):
        assert parsed(written([Call("f", arguments)])) == [Call("f", arguments)]

    @given(st.text(max_size=40))
    def test_any_text_is_read_or_refused(self, text):
        try:
            parsed(text)
        except Malformed as why:
            assert str(why)


def calling(arguments):
    return {"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}}]}


class TestNative:
    def test_tools_as_a_request_has_them(self):
        [one] = schema(world().tools)
        assert one["type"] == "function" and one["function"]["parameters"] == INTEGER

    def test_a_reply_is_a_move_and_its_call_is_shown_again(self):
        call = {"id": "x", "type": "function", "function": {"name": "add", "arguments": '{"by": 2}'}}
        reply = {"choices": [{"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}],
                 "usage": {"prompt_tokens": 11, "completion_tokens": 4}}  # fmt: skip
        found = move(reply)
        assert found.calls == (Call("add", {"by": 2}),) and found.answer.prompt_tokens == 11

        class Two:
            def act(self, worlds, messages):
                return [found if len(messages[0]) == 1 else move({"choices": [{"message": {"content": "done"}}]})]

        [e] = play([world()], Two(), Limits())
        assert e.world.state == {"n": 2} and e.finish == "stop"
        roles = [m["role"] for m in chat(e.world, e.messages)]
        assert roles == ["system", "user", "assistant", "tool", "assistant"]

    @pytest.mark.parametrize("reply", [
        {}, {"choices": []}, calling("{"), calling("[1]"),
    ])  # fmt: skip
    def test_a_broken_reply_is_an_error_to_answer(self, reply):
        assert move(reply).error
