"""service-desk: a customer, rules, and tools over a database that must end as the rules want it.

Imitates tau2-bench: an agent talks to a customer and calls functions under a written policy; what counts is the state
of the database at the end and what the customer was told. Asked several times, pass^k says how reliable it is.
Differs: the customer is a script and not a model, so an episode can be replayed from its transcript; the customer
cannot call functions; three small desks (a shop, a bank, a telephone company); five levels, from one plain wish to
several, with numbers kept back, a wrong PIN, wishes that the rules forbid, and records that belong to someone else.
Licence: Apache-2.0; every rule, record and sentence is written here.

    >>> items = SUITE.make(0)
    >>> len(items), sorted({item.level for item in items})
    (135, [1, 2, 3, 4, 5])
    >>> SUITE.grade(items[-1], items[-1].answer).value, SUITE.grade(items[-1], "Answer: Done.").value
    (1.0, 0.0)
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.calls import written
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside
from harness.worlds import World, replay
from harness.worlds import asked as first_prompt

_domains, _drawing = beside(__file__, "_desk_domains"), beside(__file__, "_drawing")
DESKS, VERIFY, Desk, Wish, call = (
    _domains.DESKS, _domains.VERIFY, _domains.Desk, _domains.Wish, _domains.call,
)  # fmt: skip
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick

_FORM = "Write one line a turn: Action: with a list of calls, or Answer: with words for the customer. An example:"
_CODE = re.compile(r"\b[RBT]\d\b")
_NAMES = ("Ada", "Bruno", "Chidi", "Dalia", "Emil", "Farah", "Goran", "Hanna", "Ivo", "Jun", "Kofi", "Lena",
          "Marta", "Nils", "Oona", "Pavel")  # fmt: skip
_FAMILIES = ("Abel", "Brandt", "Costa", "Dahl", "Eriksen", "Fontaine", "Gupta", "Haas", "Ito", "Jansen", "Kaya", "Lind",
             "Moreau", "Novak", "Okafor", "Petrov")  # fmt: skip
PER_WISH = 3  # items of each of the nine wishes on a level
COUNT = {1: 1, 2: 1, 3: 1, 4: 2, 5: 3}  # wishes of one customer
_ASK_PIN, _ASK_NUMBER = "What is your PIN?", "What is the number of the {}?"
_POLICY = (
    "You work at the service desk of {of}. Do what the customer asks where the rules allow it, and nothing else. Look "
    "the {thing} up first where a rule asks for more than you know of it. Change nothing until the caller is verified "
    "by PIN: {checked} says that it was done, else ask; after a wrong PIN, ask again. When you have done what was "
    "asked, name the number of the {thing}; when a rule stands against it or wants something else done, name the "
    "rule's code, and no other code.\n{zero}: Nothing is done for a record that belongs to someone else.\n{rules}"
)
_CHECKED = "[PIN checked]"



def make(seed: int) -> list[Item]:
    """135 customers: 27 a level, three for each of nine first wishes."""
    used: set[str] = set()
    return [item for level in LEVELS for item in _level(seed, level, used)]


def _level(seed: int, level: int, used: set[str]) -> Iterator[Item]:
    """`used`: numbers and callers, none of which comes twice in a set."""
    rng = stream(seed, f"service-desk/{level}")
    for k in range(PER_WISH):
        for name, desk in DESKS.items():
            # Level 1 has only wishes that need no look at the record, in turn.
            firsts = list(desk.wishes) if level > 1 else [desk.simple[(k + i) % len(desk.simple)] for i in range(3)]
            for first in firsts:
                yield _item(seed, level, f"{name}-{first}", name, first, rng, used)


def _item(seed: int, level: int, group: str, name: str, first: str, rng: Rng, used: set[str]) -> Item:
    desk = DESKS[name]
    wishes = [(_number(rng, used), wish) for wish in _wishes(rng, desk, first, level)]
    caller = _name(rng, used)
    neighbour = _name(rng, {caller})
    db = {number: wish.record | {"owner": caller} for number, wish in wishes}
    trap = _number(rng, used) if level == 5 else ""
    if trap:  # the last wish is for a record of someone else
        db[trap] = desk.wishes[first](rng, True).record | {"owner": neighbour}
    db[_number(rng, used)] = desk.wishes[first](rng, True).record | {"owner": neighbour}
    script = _script(rng, desk, level, wishes, trap, first, caller)
    data = {
        "question": script["asks"][0], "desk": name, "db": {k: db[k] for k in sorted(db)}, "script": script,
        "must_say": [w.refusal or n for n, w in wishes] + ([_zero(desk)] if trap else []),
        "may_say": sorted({w.how for _, w in wishes if w.how}),
    }  # fmt: skip
    item = Item(f"service-desk-{seed}-{level}-{group}-{len(used)}", "", "", level, group=group, data=data)
    answer = "\n".join(_expert(desk, script, wishes, trap))
    return Item(item.id, first_prompt(world(item)), answer, level, group=group, data=data)


def _number(rng: Rng, used: set[str]) -> str:
    while (number := str(between(rng, 30000, 89999))) in used:
        pass
    used.add(number)
    return number


def _name(rng: Rng, used: set[str]) -> str:
    while (name := f"{pick(rng, _NAMES)} {pick(rng, _FAMILIES)}") in used:
        pass
    used.add(name)
    return name


def _wishes(rng: Rng, desk: Desk, first: str, level: int) -> list[Wish]:
    """The first wish and others of the same desk; from level 2 on, about half are against a rule."""
    names = [first] + [n for n in rng.permutation(list(desk.wishes)) if n != first]
    allowed = [level == 1 or bool(rng.integers(2)) for _ in names]
    if level >= 4 and len(set(allowed[: COUNT[level]])) == 1:  # of several wishes one is for the rules to stop
        allowed[0] = not allowed[0]
    return [desk.wishes[str(n)](rng, ok) for n, ok in zip(names[: COUNT[level]], allowed, strict=False)]


def _script(rng: Rng, desk: Desk, level: int, wishes, trap: str, first: str, caller: str) -> dict[str, Any]:
    """What the customer says: wishes one by one, from level 3 on without their numbers and before being verified."""
    kept_back = level >= 3
    asks = [w.words.format(n) for n, w in wishes]
    if kept_back:
        asks = [w.words.replace(f"{desk.thing} {{}}", f"my {desk.thing}").replace(
            f"{desk.thing.capitalize()} {{}}", f"My {desk.thing}") for _, w in wishes]  # fmt: skip
    asks[0] = f"{caller} here. {asks[0]}" if kept_back else f"{_CHECKED} {caller} here. {asks[0]}"
    numbers = [n for n, _ in wishes]
    if trap:
        asks.append(f"One more thing, for my neighbour: {desk.wishes[first](rng, True).words.format(trap)}")
        numbers.append(trap)
    pin = f"{between(rng, 1000, 9999)}"
    wrong = [f"{(int(pin) + between(rng, 1, 90)) % 9000 + 1000}"] if level == 5 else []
    return {"asks": asks, "numbers": numbers, "pins": [p for p in wrong if p != pin] + [pin], "verified": not kept_back}


def _zero(desk: Desk) -> str:
    return f"{desk.rules[0][0]}0"


def _expert(desk: Desk, script: Mapping[str, Any], wishes, trap: str) -> Iterator[str]:
    """The transcript of an expert: verify, and for each wish ask for the number, look it up, act, and tell."""
    kept_back = not script["verified"]
    if kept_back:
        for pin in script["pins"]:
            yield f"Answer: {_ASK_PIN}"
            yield f"Action: [verify(pin={pin!r})]"
    look = desk.tools[0].name
    for number, wish in wishes:
        if kept_back:
            yield f"Answer: {_ASK_NUMBER.format(desk.thing)}"
        yield f"Action: {written([call(desk, number, look, {})])}"
        for name, arguments in wish.calls:
            yield f"Action: {written([call(desk, number, name, arguments)])}"
        told = f"{desk.thing.capitalize()} {number} is taken care of." if not wish.refusal else (
            f"For {desk.thing} {number} rule {wish.refusal} applies"
            + (", and I did what it allows." if wish.calls else ", so I cannot do that.")
        )  # fmt: skip
        yield f"Answer: {told}"
    if trap:
        yield f"Action: {written([call(desk, trap, look, {})])}"
        yield f"Answer: Rule {_zero(desk)} applies: that {desk.thing} belongs to someone else."


def world(item: Item) -> World:
    """The desk with its database, and the customer."""
    desk, script = DESKS[item.data["desk"]], item.data["script"]
    state = {"db": copy.deepcopy(item.data["db"]), "pin": script["pins"][-1], "verified": script["verified"],
             "talk": {"wish": 0, "pin": 0, "asked": 0}}  # fmt: skip
    policy = _POLICY.format(of=desk.of, thing=desk.thing, checked=_CHECKED, zero=_zero(desk),
                            rules="\n".join(desk.rules))  # fmt: skip
    example = f"{_FORM}\n\n{_domains.example(desk, _CHECKED)}"
    return World(state, (*desk.tools, VERIFY), script["asks"][0], policy, _customer(script), example)


def _customer(script: Mapping[str, Any]):
    """Answers what is asked, then goes on to the next wish; says goodbye (None) after the last."""

    def reply(state: dict[str, Any], said: Sequence[str]) -> str | None:
        talk, last = state["talk"], said[-1].casefold()
        asked = set(re.findall(r"\w+", last)) if "?" in last and talk["asked"] < 8 else set()  # not for ever
        if asked and not asked & {"else", "further", "anything"}:  # "Anything else?" is no question about this wish
            talk["asked"] += 1
            if "pin" in asked:
                talk["pin"] += 1
                return f"It is {script['pins'][min(talk['pin'], len(script['pins'])) - 1]}."
            if asked & {"number", "which", "id"}:
                return f"It is {script['numbers'][talk['wish']]}."
            return "Yes, please."
        talk["wish"] += 1
        return script["asks"][talk["wish"]] if talk["wish"] < len(script["asks"]) else None

    return reply


def grade(item: Item, text: str) -> Grade:
    """Right where a replay of the transcript leaves the expert's database, and what was told is all that must be:
    the numbers, the codes of the rules that apply, and no other code."""
    if not any(line.strip().startswith(("Action:", "Answer:")) for line in text.splitlines()):
        return Grade(0.0, "unparsed")
    ended, wanted = world(item), world(item)
    replay(ended, text)
    replay(wanted, item.answer)
    if ended.state["db"] != wanted.state["db"]:
        return Grade(0.0, "wrong", "the database differs")
    told, codes = " ".join(ended.said), {word for word in item.data["must_say"] if _CODE.fullmatch(word)}
    missing = [word for word in item.data["must_say"] if word not in told]
    named = set(_CODE.findall(told))
    if missing or not codes <= named <= codes | set(item.data["may_say"]):
        return Grade(0.0, "wrong", f"not told: {', '.join(missing)}" if missing else "another rule was named")
    return Grade(1.0, "correct", "as the rules want")


def trivial_answers(item: Item) -> Mapping[str, str]:
    """Doing nothing and agreeing; naming one rule or all; repeating what was said."""
    desk = DESKS[item.data["desk"]]
    codes = " ".join(rule.partition(":")[0] for rule in (f"{_zero(desk)}:", *desk.rules))
    refused = {
        f"refuses all by rule {k}": "\n".join([f"Answer: {rule.partition(':')[0]} applies."] * 4)
        for k, rule in enumerate(desk.rules, 1)
    }
    return refused | {
        "always done": "Answer: Done.",
        "the customer's own words": f"Answer: {item.data['question']}",
        "every rule's code": "\n".join([f"Answer: {item.data['question']} {codes}"] * 4),
    }


SUITE = Suite(
    id="service-desk",
    title="A service desk: rules, tools, a customer",
    family="agents",
    imitates="tau2-bench",
    differs="a scripted customer, three small desks; graded by replaying the transcript",
    licence="Apache-2.0",
    version="4",
    method="act",
    max_tokens=64,
    stop=(),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
    world=world,
    max_turns=40,
    sample=10,
)
