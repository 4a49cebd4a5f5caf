"""long-horizon: experts solve every item from what the functions return; shortcuts earn little; parts count.

Where an expert shares its reckoning with the world, the rules are worked out again here from the words of the rules.
"""

from __future__ import annotations

import copy
import json
import re
import sys
import time
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.agents import Limits, ReactActor, play
from harness.answers import Answer
from harness.calls import Call, written
from harness.chance import chance_level
from harness.suites import samples_file, suite
from harness.worlds import replay
from tests.conftest import made

ONE = suite("long-horizon")
MODULE = sys.modules[ONE.make.__module__]
KINDS = {"coding", "infrastructure", "research", "compliance", "enterprise"}
SEED = 61  # not used while writing
CALLS = {1: (20, 60), 2: (45, 100), 3: (125, 230), 4: (330, 520), 5: (830, 1000)}  # of an expert, least and most
FIRSTS = [(job, level) for job in MODULE.JOBS for level in (1, 3)]


def shipped():
    return made(ONE.id, 0)


def fresh():
    return made(ONE.id, SEED)


def first(job, level):
    return next(i for i in shipped() if i.level == level and i.group == job)


def hands(item):
    """(a new world, a way to call its functions that keeps a transcript)."""
    world = ONE.world(item)
    return world, MODULE._shared.Hands(world)


def transcript(calls):
    return "\n".join(f"Action: {written([call])}" for call in calls)


def test_five_kinds_of_agent_in_equal_parts():
    assert set(MODULE.KINDS) == KINDS
    for level in range(1, 6):
        kinds = [i.data["kind"] for i in shipped() if i.level == level]
        assert len(kinds) == 25 and {kinds.count(kind) for kind in KINDS} == {5}


@pytest.mark.parametrize("items", [shipped, fresh], ids=["shipped", "fresh"])
def test_an_expert_needs_from_twenty_to_a_thousand_calls(items):
    for item in items():
        least, most = CALLS[item.level]
        assert least <= item.data["calls"] == item.answer.count("Action: ") <= most, item.id


def test_the_expert_meets_every_goal_without_damage():
    """Seed 61 is graded here, seeds 0 and 77 with the other suites."""
    for item in fresh():
        grade = ONE.grade(item, item.answer)
        assert (grade.value, grade.outcome) == (1.0, "correct"), (item.id, grade.extracted)


def test_an_agent_that_does_nothing_gets_nothing():
    for item in fresh():
        for text in ("Answer: It is done.", "Action: []", "Answer: I give up.\n" * 12):
            grade = ONE.grade(item, text)
            assert (grade.value, grade.outcome) == (0.0, "wrong"), item.id


def test_the_samples_hold_no_transcripts_and_tell_when_a_world_changes():
    text = samples_file("long-horizon").read_text("utf-8")
    assert len(text.encode()) < 1_500_000
    rows = [json.loads(line) for line in text.splitlines()]
    assert {row["answer"] for row in rows} == {""} and len({json.loads(row["data"])["expert"] for row in rows}) == 125
    assert [item.answer for item in ONE.items(n=5)] == [ONE.expert(item) for item in ONE.items(n=5)]


@pytest.mark.parametrize("job", list(MODULE.JOBS))
def test_more_of_the_work_is_never_worth_less(job):
    """The expert's transcript, cut off later and later, earns more and more: no part of it does damage."""
    item = next(i for i in fresh() if i.group == job and i.level == 2)
    lines, credits = item.answer.splitlines(), []
    for end in (*range(0, len(lines), 4), len(lines)):
        credits.append(ONE.score(item, "\n".join([*lines[:end], "Answer: I stop."])))
    events = 1 / 4  # an event may take back what was done already
    assert all(later >= earlier - events for earlier, later in pairwise(credits))
    assert credits[0] == 0.0 and 0.1 < credits[len(credits) * 3 // 4] < 1.0 and credits[-1] == 1.0


@pytest.mark.parametrize(("job", "level"), FIRSTS)
def test_an_expert_in_the_loop_is_not_taken_for_stuck(job, level):
    item = first(job, level)

    class Spoken:
        lines = item.answer.splitlines()

        def generate(self, prompts, max_tokens, stop=(), temperature=0.0, **_):
            return [Answer(self.lines.pop(0), (), 10, 5)]

    [episode] = play([ONE.world(item)], ReactActor(Spoken(), 64), Limits(turns=1200))
    assert episode.finish == "stop" and episode.transcript == item.answer


def test_level_1_can_be_done_within_a_default_runs_turns():
    assert max(len(i.answer.splitlines()) for i in shipped() + fresh() if i.level == 1 and "tune" not in i.group) <= \
        ONE.max_turns  # fmt: skip


def test_worlds_are_fast():
    item = next(i for i in shipped() if i.level == 5 and i.data["kind"] == "infrastructure")
    MODULE._played.cache_clear()
    begun = time.process_time()
    ONE.expert(item)
    assert item.data["calls"] / (time.process_time() - begun) > 2000


# ---- shortcuts ----
def blanket(item, moves):
    """Credit of moves made for each name that a listing gives: [(function, arguments of a name)]."""
    _, do = hands(item)
    listing = {"coding-build": "list_modules", "coding-tune": "list_kernels", "infrastructure-upgrade": "list_hosts",
               "compliance-contracts": "list_contracts", "enterprise-orders": "inbox"}[item.group]  # fmt: skip
    names = [line.partition(":")[0] for line in do.pages(listing)]
    calls = [Call(tool, arguments(name)) for name in names for tool, arguments in moves]
    return ONE.score(item, do.transcript + "\n" + transcript(calls))


@pytest.mark.parametrize("job, moves, most", [
    ("coding-build", [("check", lambda m: {"module": m})], 0.0),
    ("coding-build", [("edit", lambda m, key=key: {"module": m, "key": key, "value": "12"})
                      for key in ("LIMIT", "SLOTS", "DEPTH", "WINDOW", "RETRIES", "BATCH")], 0.05),
    ("infrastructure-upgrade", [(t, lambda h: {"host": h}) for t in ("drain", "upgrade", "undrain")], 0.3),
    ("infrastructure-upgrade", [(t, lambda h: {"host": h})
                                for t in ("drain", "clean", "upgrade", "restart", "undrain")], 0.3),
    ("compliance-contracts", [("clear", lambda c: {"contract": c})], 0.0),
    ("compliance-contracts", [("finding", lambda c: {"contract": c, "rule": "R1", "evidence": c})], 0.0),
    ("enterprise-orders", [("decline", lambda o: {"order": o, "reason": "credit"})], 0.15),
    ("enterprise-orders", [("decline", lambda o: {"order": o, "reason": "stock"})], 0.15),
    ("enterprise-orders", [("invoice", lambda o: {"order": o, "amount": 1000})], 0.0),
    ("coding-tune", [("commit", lambda k: {"kernel": k, "tile_m": 64, "tile_n": 128, "tile_k": 64, "stages": 4,
                                           "warps": 4})], 0.4),
])  # fmt: skip
def test_blanket_actions_earn_little(job, moves, most):
    credits = [blanket(item, moves) for item in fresh() + shipped() if item.group == job and item.level > 1]
    assert sum(credits) / len(credits) <= most


def test_trivial_strategies_are_near_nothing():
    chance = chance_level(ONE, fresh())
    assert chance.value <= 0.03 and len(chance.per_strategy) >= 9


def test_the_answer_of_one_item_is_worth_nothing_on_another():
    for job in MODULE.JOBS:
        first, second = [i for i in fresh() if i.group == job and i.level == 1][:2]
        assert ONE.score(second, first.answer) == 0.0


@given(st.sampled_from(FIRSTS), st.text(max_size=80))
def test_no_text_raises(which, text):
    item = first(*which)
    for one in (text, f"Action: {text}", f"Action: [{text}]"):
        assert 0.0 <= ONE.grade(item, one).value <= 1.0


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers())


@given(st.data())
@settings(max_examples=200)
def test_no_arguments_raise(data):
    item = first(*data.draw(st.sampled_from(FIRSTS)))
    tool = data.draw(st.sampled_from(list(ONE.world(item).tools)))
    arguments = {key: data.draw(VALUES) for key in tool.parameters["properties"]}
    ONE.grade(item, f"Action: [{tool.name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})]")


# ---- worlds ----
def test_a_failed_call_leaves_the_state_as_it_was_and_a_copy_is_apart():
    item = next(i for i in shipped() if i.group == "infrastructure-upgrade" and i.level == 2)
    world, do = hands(item)
    host = do("list_hosts")["found"][0].partition(":")[0]
    before = copy.deepcopy(world.state)
    assert world.call(Call("upgrade", {"host": host}))[1] and world.state == before
    do("drain", host=host)
    assert world.state != before and host not in before["out"]


def test_a_busy_moment_does_nothing_and_passes():
    item = next(i for i in shipped() if i.group == "research-archive" and i.level == 2)
    world = ONE.world(item)
    results = [world.call(Call("search", {"words": "card"}))[0] for _ in range(40)]
    busy = [k for k, r in enumerate(results) if "busy" in r]
    assert busy and all(b - a > 10 for a, b in pairwise(busy))


def test_an_outage_and_a_touched_hold_take_hosts_away():
    item = next(i for i in shipped() if i.group == "infrastructure-upgrade" and i.level == 3)
    plan = ONE.world(item).state["plan"]
    held = next(name for name, host in plan.hosts.items() if host.hold)
    lines, goals = item.answer.splitlines(), sum(not h.hold for h in plan.hosts.values())
    touch = transcript([Call("clean", {"host": held})] * 2)  # twice: one of them may find the other side busy
    assert ONE.score(item, "\n".join([*lines[:-1], touch, lines[-1]])) == pytest.approx(1 - 1 / goals)
    free = [name for name, host in plan.hosts.items() if not host.hold]
    pair = next([a, b] for a, b in pairwise(free) if plan.hosts[a].service == plan.hosts[b].service)
    outage = transcript([Call(tool, {"host": h}) for tool in ("drain", "resume") for h in pair for _ in range(2)])
    assert ONE.score(item, "\n".join([*lines[:-1], outage, lines[-1]])) == pytest.approx(1 - 1 / goals)


def test_what_a_colleague_pushes_breaks_what_was_mended():
    item = next(i for i in shipped() if i.group == "coding-build" and i.level == 3)
    assert replay(ONE.world(item), item.answer)[-1].state["pushed"]
    deaf, following = [], False
    for line in item.answer.splitlines():
        following = "needed_by" in line or (following and "edit(" in line)
        deaf += [] if following else [line]
    assert 0.1 < ONE.score(item, "\n".join(deaf)) < 0.9


def test_a_fallen_bound_of_memory_undoes_commits():
    seen = 0
    for item in fresh():
        if item.group == "coding-tune" and item.level > 1:
            steps = replay(ONE.world(item), item.answer)
            seen += steps[-1].state["room_kb"] < steps[0].state["room_kb"]
    assert seen >= 4


# ---- the rules of the contracts, read again from their words ----
def findings(plan, limits, name):
    c = plan.contracts[name]
    proved = {plan.documents[d] for d in c.documents}
    sum_of_r1 = limits.amended if c.signed >= limits.since else limits.two_signatures
    due = {}
    if c.type != "supplies" and c.signatures < 2 and c.value >= sum_of_r1:
        due["R1"] = name
    paid = 0
    for number, _, amount in c.payments:
        paid += amount
        if 10 * paid > c.value * (11 if "Change order" in proved else 10):
            due["R2"] = number
            break
    if plan.suppliers[c.supplier] < c.signed:
        due["R3"] = c.supplier
    number, day, _ = min(c.payments, key=lambda p: p[1])
    if day < c.signed and "Agreed advance" not in proved:
        due["R4"] = number
    urgent = c.type == "works" and "Emergency order" in proved
    if c.offers < 3 and c.value >= limits.three_offers and not urgent:
        due["R5"] = name
    return {rule: evidence for rule, evidence in due.items() if rule in plan.rules}


def test_findings_are_what_the_rules_words_say():
    seen = set()
    for item in shipped() + fresh():
        if item.data["kind"] == "compliance":
            state = replay(ONE.world(item), item.answer)[-1].state
            plan = state["plan"]
            limits = plan.amendment if state["amended"] else plan.limits
            filed = {name: {} for name in plan.contracts}
            for (name, rule), evidence in state["findings"].items():
                filed[name][rule] = evidence
                seen.add(rule)
            assert filed == {name: findings(plan, limits, name) for name in plan.contracts}
            assert state["cleared"] == {name for name, due in filed.items() if not due}
            assert limits.since == date.max or item.level > 1
    assert seen == {"R1", "R2", "R3", "R4", "R5"}


def test_figures_of_mills_are_what_the_archive_says():
    """Every figure again from the documents' texts alone, all of them read, no search."""
    for item in shipped():
        if item.group != "research-archive":
            continue
        state = replay(ONE.world(item), item.answer)[-1].state
        plan = state["plan"]
        texts = {at: text for at, (_, text) in plan.documents.items()}
        called = {m[1]: m[2] for t in texts.values() if (m := re.match(r"The mill (\w+) goes by the name (\w+)", t))}
        survey = {}
        for kind in ("The inspector", "Supplement"):  # the supplement stands above
            for at, text in texts.items():
                if text.startswith(kind):
                    year = int(re.search(r"survey of (\d+)", text)[1])
                    survey |= {(mill, year): (int(n), at) for mill, n in re.findall(r"(\w+): (\d+) crates", text)}
        for (asked, year), filed in state["filed"].items():
            mill = called.get(asked, asked)
            at, text = next((a, t) for a, t in texts.items() if t.startswith(f"Return of the mill {mill} for {year} "))
            loads, crates = re.search(r"owner: (?:(\d+) loads and )?(\d+) crates", text).groups()
            found = (12 * int(loads or 0) + int(crates), at)
            while m := re.search(r"Corrected by (D\d+)", text):
                text = texts[m[1]]
                found = (int(re.search(r"read (\d+) crates", text)[1]), m[1])
            assert filed == survey.get((mill, year), found), (item.id, asked, year)
