"""service-desk: what the expert does is what the rules say, worked out again from the records; shortcuts fail."""

from __future__ import annotations

import re

import pytest

from harness.agents import Limits, ReactActor, play
from harness.answers import Answer
from harness.calls import parsed
from harness.chance import chance_level
from harness.suites import suite
from harness.worlds import World, replay

ONE = suite("service-desk")


def replayed(world: World, text: str) -> World:
    replay(world, text)
    return world


SEEDS = (0, 51, 52)  # the last two were not used while writing
MOST = {"basic": 5000, "gold": 10000}


def changes(item) -> list:
    calls = [c for line in item.answer.splitlines() if line.startswith("Action:") for c in parsed(line[7:])]
    return [c for c in calls if not c.name.startswith(("get_", "verify"))]


def rule_against(call, record) -> str:
    """The rule that forbids a call on a record, read from the rules alone."""
    a = call.arguments
    return {
        "cancel_order": lambda: record["status"] != "pending" and "R1",
        "return_order": lambda: (
            ((record["status"] != "delivered" or record["days_since_delivery"] > 30) and "R2")
            or ((a["refund_to"] == "credit") != (record["category"] == "electronics") and "R3")
        ),
        "change_address": lambda: record["status"] != "pending" and "R4",
        "waive_fee": lambda: record["fee_waived_this_year"] and "B1",
        "set_limit": lambda: a["limit"] > MOST[record["kind"]] and "B2",
        "block_card": lambda: "",
        "order_card": lambda: record["kind"] != "gold" and "B3",
        "change_plan": lambda: record["unpaid_bills"] > 0 and "T1",
        "add_data": lambda: record["gb_added_this_month"] + a["gb"] > 10 and "T2",
        "restart_line": lambda: record["outage_in_area"] and "T3",
        "open_ticket": lambda: not record["outage_in_area"] and "T3",
    }[call.name]() or ""


@pytest.mark.parametrize("seed", SEEDS)
def test_the_expert_breaks_no_rule_and_leaves_nothing_allowed_undone(seed):
    for item in ONE.make(seed):
        done = {}
        for call in changes(item):
            number = next(iter(call.arguments.values()))
            assert rule_against(call, item.data["db"][number]) == "", (item.id, call)
            done.setdefault(number, []).append(call.name)
        own = item.data["script"]["numbers"][: len(item.data["must_say"])]
        for number, word in zip(own, item.data["must_say"], strict=False):
            fully = word == number
            assert fully == (number in done and word not in ("B3", "T3")) or word in ("B3", "T3"), item.id


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_refused_is_against_its_rule(seed):
    """The wish is read from the customer's words."""
    asked = {
        "R1": lambda r, n: r["status"] != "pending", "R2": lambda r, n: r["days_since_delivery"] > 30,
        "R4": lambda r, n: r["status"] != "pending", "B1": lambda r, n: r["fee_waived_this_year"],
        "B2": lambda r, n: n > MOST[r["kind"]], "B3": lambda r, n: r["kind"] == "basic",
        "T1": lambda r, n: r["unpaid_bills"] > 0, "T2": lambda r, n: r["gb_added_this_month"] + n > 10,
        "T3": lambda r, n: r["outage_in_area"],
    }  # fmt: skip
    seen = set()
    for item in ONE.make(seed):
        script, db = item.data["script"], item.data["db"]
        for ask, number, word in zip(script["asks"], script["numbers"], item.data["must_say"], strict=True):
            record, owner = db[number], script["asks"][0].removeprefix("[PIN checked] ").partition(" here.")[0]
            assert (word[1:] == "0") == (record["owner"] != owner), item.id
            figures = [int(n) for n in re.findall(r"\d+", ask.replace(number, ""))] or [0]
            if word in asked:
                seen.add(word)
                assert asked[word](record, figures[-1]), (item.id, ask, word)
    assert seen == set(asked)


def test_level_5_has_a_neighbour_and_a_wrong_pin():
    for item in ONE.items(level=5):
        assert item.data["must_say"][-1][1:] == "0" and len(item.data["script"]["pins"]) == 2
        assert "neighbour" in item.data["script"]["asks"][-1]


class Spoken:
    """A runner that says the lines of one transcript, one a turn."""

    def __init__(self, transcript: str) -> None:
        self.lines = transcript.splitlines()

    def generate(self, prompts, max_tokens, stop=(), temperature=0.0, **_):
        return [Answer(self.lines.pop(0), (), 10, 5)]


@pytest.mark.parametrize("level", range(1, 6))
def test_an_expert_who_speaks_turn_by_turn_solves_it(level):
    for item in ONE.items(level=level)[:9]:
        [episode] = play([ONE.world(item)], ReactActor(Spoken(item.answer), 64), Limits(turns=ONE.max_turns))
        assert episode.finish == "stop" and episode.transcript == item.answer
        assert ONE.score(item, episode.transcript) == 1.0


def test_shortcuts_fail():
    item = next(i for i in ONE.items(level=3) if i.group == "shop-cancel" and i.data["must_say"] == ["R1"])
    number = item.data["script"]["numbers"][0]
    lines = item.answer.splitlines()
    forbidden = [*lines[:-1], f"Action: [cancel_order(order_id='{number}')]", lines[-1]]
    assert ONE.grade(item, "\n".join(forbidden)).extracted == "the database differs"
    assert ONE.grade(item, "\n".join([*lines[:-1], "Answer: R1 and R2 apply."])).extracted == "another rule was named"
    assert ONE.grade(item, "\n".join([*lines[:-1], "Answer: Sorry, no."])).extracted == "not told: R1"
    assert ONE.grade(item, "Hello").outcome == "unparsed"


def test_nothing_is_changed_before_the_caller_is_verified():
    item = next(i for i in ONE.items(level=3) if changes(i))
    unverified = "\n".join(line for line in item.answer.splitlines() if "verify" not in line)
    assert replayed(ONE.world(item), unverified).state["db"] == item.data["db"]
    assert ONE.score(item, unverified) == 0.0


def test_a_customer_does_not_answer_questions_for_ever():
    item = ONE.items(level=3)[0]
    assert len(replayed(ONE.world(item), "Answer: Why?\n" * 50).said) < 20


def test_a_friendly_question_does_not_hold_the_talk_up():
    item = next(i for i in ONE.items(level=4))
    kind = [f"{line} Anything else?" if "taken care of" in line or "applies" in line else line
            for line in item.answer.splitlines()]  # fmt: skip
    assert ONE.score(item, "\n".join(kind)) == 1.0


def test_a_shop_is_no_question_about_a_pin():
    item = next(i for i in ONE.items(level=1) if i.data["desk"] == "shop")
    said = replayed(ONE.world(item), "Answer: Are you happy with your shopping?")
    assert said.state["talk"]["pin"] == 0


@pytest.mark.parametrize("level", range(1, 6))
def test_the_example_keeps_to_the_policy_and_the_policy_says_what_counts(level):
    """The caller of the example is verified, and what the rules ask of its record is known."""
    for item in ONE.items(level=level)[:9]:
        policy, example = item.prompt.split("An example:\n\n")[0], item.prompt.split("An example:\n\n")[1]
        shown = example.split("\n\nFunctions:")[0].splitlines()
        assert re.match(r"User: \[PIN checked\] \[\w+ 20417: of Rosa Vidal, [a-z ]+\] Rosa Vidal here\. ", shown[0])
        assert "after a wrong PIN, ask again" in policy
        assert item.data["question"].startswith("[PIN checked]") == item.data["script"]["verified"] == (level < 3)


def test_to_ask_whether_there_is_anything_more_is_no_question():
    item = next(i for i in ONE.items(level=4))
    kind = [f"{line} Is there anything more I can do?" if "taken care of" in line or "applies" in line else line
            for line in item.answer.splitlines()]  # fmt: skip
    assert ONE.score(item, "\n".join(kind)) == 1.0


def test_refusing_everything_by_one_rule_counts_as_chance():
    shares = chance_level(ONE).per_strategy
    assert 0.02 < max(v for name, v in shares.items() if name.startswith("refuses all")) <= ONE.chance < 0.1


def test_a_rule_that_only_says_how_may_be_named_and_need_not():
    """B3 has the lost card of a gold account blocked and replaced: who did both, and says by which rule, is right."""
    for group, code in (("bank-card", "B3"), ("telecom-slow", "T3"), ("shop-return", "R3")):
        item = next(i for seed in range(9) for i in ONE.make(seed)
                    if i.level == 2 and i.group == group and i.data["must_say"][0].isdigit())  # fmt: skip
        *lines, last = item.answer.splitlines()
        assert ONE.score(item, "\n".join([*lines, f"{last} {code} says so."])) == 1.0
        assert ONE.score(item, "\n".join([*lines, f"{last} {code[0]}1 says so."])) == 0.0


def test_a_neighbours_record_is_not_the_callers_own():
    for item in (i for seed in SEEDS for i in ONE.make(seed) if i.level == 5):
        assert not re.search(r"\b(I|my|me)\b", item.data["script"]["asks"][-1].replace("for my neighbour", ""))
