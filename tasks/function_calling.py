"""function-calling: do what a user asks by calling functions, from one call with one argument to talks of many turns.

Imitates BFCL v4 (Berkeley Function Calling Leaderboard): one function, a choice of functions, several calls at once,
requests that no function fits, and talks over a state in which an argument or a function is missing at first.
Differs: requests and functions are generated, every call and state computed; five levels, the first within reach of a
very small model; single requests are matched as BFCL's AST check does, names, arguments and types, in any order; a talk
is judged by the state after each of its turns and by the values that had to be looked up; no web search, no memory
and no other programming languages.
Licence: Apache-2.0; every function, request and world is written here.

    >>> items = SUITE.make(0)
    >>> len(items), sorted({item.level for item in items})
    (125, [1, 2, 3, 4, 5])
    >>> item = items[0]
    >>> SUITE.grade(item, item.answer).value, SUITE.grade(item, "Action: [no_such()]").value
    (1.0, 0.0)
    >>> SUITE.grade(item, "").outcome
    'unparsed'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.calls import Call, parsed, written
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside
from harness.worlds import Step, Tool, World, asked, replay, tool_of

PER_LEVEL = 25
_values = beside(__file__, "_function_calling_values")
FUNCTIONS = _values.FUNCTIONS
_WORLDS = ("home", "trade", "travel")
DOMAINS = {k: v for part in _WORLDS for k, v in beside(__file__, f"_function_calling_{part}").DOMAINS.items()}
WIDE = sorted({f["domain"] for f in FUNCTIONS.values() if not f.get("simple")})
# What the items of a level ask, in turn. (kind, functions offered, calls, values as people speak, options given)
LEVEL_KINDS = {
    2: [("simple", 1, 1), ("multiple", 2, 1), ("irrelevance", 2, 0)],
    3: [("multiple", 4, 1), ("parallel", 3, 2), ("irrelevance", 3, 0)],
    4: [("parallel", 6, 3), ("talk", 0, 2), ("irrelevance", 5, 0)],
}
# Domains whose functions might do in place of one another's, so that none is offered where no function is to fit.
ALIKE = ({"calendar", "notes", "timers", "health"}, {"orders", "restaurants"})
REPLACEABLE = {"move_file", "move_event"}  # what other functions of its domain do together is never missing
PER_IRRELEVANCE = 3  # of a level's 25; the other kinds share the rest

INSTRUCTIONS = (
    "You act for the user by calling functions. Call only the functions that are listed, with what the user said; "
    "what can be looked up with a function, look up. Where something is missing that no function tells, or no "
    "function fits, call nothing and say so. When a request is done, answer."
)
EXAMPLES = """Write one line: Action: with a list of calls, or Answer: with words for the user.

Functions:
count_pages(title=string) - Pages of a magazine
User: Who won the match yesterday?
Answer: I have no function for that.

Functions:
get_tide(port=string, day=string (optional: 'Monday')) - Tide table of a port
User: I need the tide tables of Dover and Calais.
Action: [get_tide(port='Dover'), get_tide(port='Calais')]

Functions:
paint_wall(colour=string) - Paint the wall in a colour
User: The painters come early, so please paint the wall light grey first.
Action: [paint_wall(colour='light grey')]

Functions:
find_bird(name=string) - Find a bird by its name
User: Please find spotted owls for my daughter.
Action: [find_bird(name='spotted owls')]"""


def make(seed: int) -> list[Item]:
    """125 items: 25 a level, its kinds and domains in turn, no request twice."""
    seen: set[str] = set()
    return [item for level in LEVELS for item in _level(seed, level, seen)]


def _level(seed: int, level: int, seen: set[str]) -> list[Item]:
    rng = stream(seed, f"function-calling/{level}")
    items = []
    for k in range(PER_LEVEL):
        for _ in range(100):
            group, data, answer = _draft(rng, level, k)
            world = _world(data)
            if (prompt := asked(world)) not in seen:
                break
        else:
            raise RuntimeError(f"level {level} has too few different requests")
        seen.add(prompt)
        head = prompt.index("\nFunctions:\n", prompt.index(EXAMPLES) + len(EXAMPLES))
        items.append(Item(
            id=f"function-calling-{seed}-{level}-{k}", prompt=prompt, answer=answer, level=level, group=group,
            data={"question": prompt[head + 1 :], **data},
        ))  # fmt: skip
    return items


def _draft(rng, level: int, k: int) -> tuple[str, dict[str, Any], str]:
    """(group, data, an expert's transcript) of one item."""
    if level == 1:
        simple = [f for f, about in FUNCTIONS.items() if about.get("simple")]
        return _single(rng, "simple", [simple[k % len(simple)]], [], level)
    if level == 5:
        return _talk(rng, list(DOMAINS)[k % len(DOMAINS)], 3, ("argument", "function", "both")[k // 6 % 3])
    kinds = LEVEL_KINDS[level]
    kind, offers, calls = kinds[2] if k < PER_IRRELEVANCE else kinds[k % 2]
    if kind == "talk":
        return _talk(rng, list(DOMAINS)[k // 2 % len(DOMAINS)], calls, "")
    domain = WIDE[(k + 5 * level) % len(WIDE)]
    called = [f for f, about in FUNCTIONS.items() if about["domain"] == domain and not about.get("simple")]
    names = [called[int(rng.integers(len(called)))]]
    if kind == "parallel":
        others = _others(rng, {domain}, 2)
        names = [names[0], names[0]] if level == 3 else [*names, others[0], others[0], others[1]]
    near = [f for f in called if f not in names] if offers > 1 else []
    more = _others(rng, {FUNCTIONS[n]["domain"] for n in names}, offers)
    offered = list(dict.fromkeys([*names, *near, *more]))[:offers]
    if kind == "irrelevance":
        alike = {domain}.union(*(group for group in ALIKE if domain in group))
        offered = [*near, *_others(rng, alike, offers)][:offers]
        return _single(rng, kind, names, offered, level)
    return _single(rng, kind, names, offered, level)


def _others(rng, domains: set[str], n: int) -> list[str]:
    """n functions of other domains, each of its own."""
    free = [d for d in WIDE if d not in domains]
    chosen = [free[int(i)] for i in rng.permutation(len(free))[:n]]
    return [next(f for f, about in FUNCTIONS.items() if about["domain"] == d and not about.get("simple"))
            for d in chosen]  # fmt: skip


# One request.


def _single(rng, kind: str, names: list[str], offered: list[str], level: int) -> tuple[str, dict[str, Any], str]:
    """A request for a call of each name; where it is irrelevant, no call of it is possible."""
    day, used = _values.today(rng), set()
    parts = [_request(rng, name, level, day, used) for name in names]
    texts = [text for _, text in parts]
    said = [texts[0], *(f"{'Then' if i % 2 else 'Also,'} {t[0].lower()}{t[1:]}" for i, t in enumerate(texts[1:], 1))]
    dated = level >= 3 and any(kind == "date" for n in names for kind in FUNCTIONS[n]["needs"].values())
    opening = (f"Today is {day:%A}, {day.isoformat()}. " if dated else "") + " ".join(said)
    calls = [] if kind == "irrelevance" else [call for call, _ in parts]
    shown = offered or names
    shown = [shown[int(i)] for i in rng.permutation(len(shown))]
    data = {"kind": kind, "functions": shown, "opening": opening, "calls": written(calls)}
    answer = f"Action: {written(calls)}" if calls else "Answer: None of the functions can do that."
    return f"{kind}/{FUNCTIONS[names[0]]['domain']}", data, answer


def _request(rng, name: str, level: int, day, used: set) -> tuple[Call, str]:
    """A call of a function, and what a user says for it; level 3 and up speak as people do and give options."""
    f = FUNCTIONS[name]
    drawn = {key: _values.value(rng, kind, level >= 3, day, used) for key, kind in f["needs"].items()}
    arguments = {key: value for key, (value, _) in drawn.items()}
    text = f["asks"][int(rng.integers(len(f["asks"])))].format(**{key: said for key, (_, said) in drawn.items()})
    for key, kind in f.get("may", {}).items():
        if level < 3 and rng.random() < 0.6:
            continue
        value, said = _values.value(rng, kind, False, day, used)
        if value != _values.default(kind):
            arguments[key] = value
            text += " " + f["with"][key].format(**{key: said})
    return Call(name, arguments), text


# Talks.


def _talk(rng, domain: str, wishes: int, missing: str) -> tuple[str, dict[str, Any], str]:
    """A talk of some wishes; `missing`: what is missing at first: an argument, a function, both, or nothing."""
    one = DOMAINS[domain]
    for _ in range(200):
        found = _drawn_talk(rng, one, domain, wishes, missing)
        if found is not None:
            return f"talk-{missing or 'plain'}/{domain}", *found
    raise RuntimeError(f"{domain} allows too few wishes")


def _drawn_talk(rng, one, domain: str, wishes: int, missing: str) -> tuple[dict[str, Any], str] | None:
    """Data and the expert's transcript; None where the drawn wishes do not allow what is to be missing."""
    state = one.start(rng)
    now = World(state, [tool_of(f) for f in one.functions], "")
    vague_at = int(rng.integers(wishes)) if missing in ("argument", "both") else -1
    hidden_at = next(k for k in rng.permutation(wishes) if k != vague_at) if missing in ("function", "both") else -1
    users: list[str] = []
    moves: list[list[Call]] = []
    see: list[str] = []
    hidden, joins = "", 0
    before: set[int] = set()
    for k in range(wishes):
        order = [int(i) for i in rng.permutation(len(one.jobs)) if int(i) not in before]
        job = next(((i, j) for i in order if (j := one.jobs[i](rng, now.state)) is not None), None)
        if job is None:
            return None
        before.add(job[0])
        job = job[1]
        if k == vague_at:
            if not job.vague:
                return None
            users, moves, see = [*users, job.vague], [*moves, []], [*see, "[]"]
        if k == hidden_at:
            if not job.do or job.do[0].name in REPLACEABLE:
                return None
            hidden, joins = job.do[0].name, len(users) + 1
            users, moves, see = [*users, job.text], [*moves, []], [*see, "[]"]
        said = job.detail if k == vague_at else job.text
        if k == hidden_at:
            said = f"The function {hidden} has just been added. Now do it."
        users, moves, see = [*users, said], [*moves, [*job.find, *job.see, *job.do]], [*see, written(job.see)]
        if any(error for _, error in now.act([*job.find, *job.see, *job.do])):
            return None
    if hidden and any(c.name == hidden for turn in moves[: joins - 1] for c in turn):
        return None
    data = {"kind": "talk", "domain": domain, "state": state, "users": users, "see": see, "hidden": hidden,
            "joins": joins}  # fmt: skip
    lines: list[str] = []
    for k, turn in enumerate(moves):
        lines += [f"Action: {written([c])}" for c in turn]
        lines.append("Answer: Done." if turn else "Answer: There is no function for that." if k == joins - 1 and hidden
                     else "Answer: I need to know more.")  # fmt: skip
    return data, "\n".join(lines)


# Worlds and grades.


def world(item: Item) -> World:
    """An item's world as the user meets it."""
    return _world(item.data)


def _world(data: Mapping[str, Any]) -> World:
    if data["kind"] != "talk":
        tools = [_values.tool(name) for name in data["functions"]]
        return World({}, tools, data["opening"], INSTRUCTIONS, examples=EXAMPLES, one_move=True)
    tools: Sequence[Tool] = [tool_of(f) for f in DOMAINS[data["domain"]].functions]
    users = data["users"]
    joining = {data["joins"]: [t for t in tools if t.name == data["hidden"]]} if data["hidden"] else {}
    return World(
        dict(data["state"]), [t for t in tools if t.name != data["hidden"]], users[0], INSTRUCTIONS,
        lambda state, said: users[len(said)] if len(said) < len(users) else None, EXAMPLES, joining=joining,
    )  # fmt: skip


def grade(item: Item, text: str) -> Grade:
    """1.0 where the calls of a single request match, or a talk's states are the expert's after every turn."""
    new = world(item)
    steps = replay(new, text)
    if not steps:
        return Grade(0.0, "unparsed")
    made = written([call for step in steps for call in step.calls])
    if item.data["kind"] == "talk":
        right = new.over and _same_talk(item, steps, replay(world(item), item.answer))
    else:
        gold, tools = parsed(item.data["calls"]), {t.name: t for t in new.tools}
        right = _same_calls(steps[0].calls, gold, tools)
    return Grade(float(right), "correct" if right else "wrong", made)


def _same_calls(given: Sequence[Call], gold: Sequence[Call], tools: Mapping[str, Tool]) -> bool:
    """Whether the calls are the gold ones in some order."""
    left = list(gold)
    for call in given:
        match = next((g for g in left if _same_call(call, g, tools)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _same_call(given: Call, gold: Call, tools: Mapping[str, Tool]) -> bool:
    """An optional argument that is left out has its default; a name that no function has is never right."""
    if given.name != gold.name or given.name not in tools:
        return False
    known = tools[given.name].parameters["properties"]
    defaults = {key: about["default"] for key, about in known.items() if "default" in about}
    return same({**defaults, **given.arguments}, {**defaults, **gold.arguments})


def same(one: Any, other: Any) -> bool:
    """Equal values: 1 as 1.0, lists and tables part by part, texts whatever their case, spaces and signs (those that
    BFCL's check leaves out, and what ends a sentence), "the museum" as "museum"."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return _bare(one) == _bare(other)
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _bare(text: str) -> str:
    found = re.sub(r"[\s,./_*^?!-]", "", re.sub(r"^\s*(the|an?)\s+", "", text.casefold()))
    return found or text  # a text of signs alone is what it is


def _same_talk(item: Item, given: Sequence[Step], gold: Sequence[Step]) -> bool:
    """The states at the end of every turn are the expert's, and what the user asked to hear was read in it.

    How a state was reached is not asked, nor what was said: an agent may look up more, or otherwise.
    """
    turns, gold_turns = _turns(given), _turns(gold)
    if len(turns) != len(gold_turns):
        return False
    for mine, theirs, see in zip(turns, gold_turns, item.data["see"], strict=True):
        made = [call for step in mine for call, (_, error) in zip(step.calls, step.outcomes, strict=True) if not error]
        read = all(any(call.name == g.name and same(call.arguments, g.arguments) for call in made) for g in parsed(see))
        if not read or not same(mine[-1].state, theirs[-1].state):
            return False
    return True


def _turns(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps up to each answer; what follows the last one is left out."""
    turns: list[list[Step]] = [[]]
    for step in steps:
        turns[-1].append(step)
        if step.said is not None:
            turns.append([])
    return turns[:-1]


def trivial_answers(item: Item) -> Mapping[str, str]:
    """No call at all, and the first function with something copied from the request for every argument."""
    if item.data["kind"] == "talk":
        opening, first = item.data["users"][0], world(item).tools[0]
    else:
        opening, first = item.data["opening"], _values.tool(item.data["functions"][0])
    words = re.findall(r"[\w'-]+", opening)
    capitals = re.findall(r"(?<!^)\b[A-Z]\w*(?: [A-Z]\w*)*", opening) or [""]
    copied = {"last word": words[-1], "last two words": " ".join(words[-2:]), "middle words":
              " ".join(words[len(words) // 2 - 1 : len(words) // 2 + 1]), "first capitals": capitals[0]}  # fmt: skip
    numbers = re.findall(r"\d+(?:\.\d+)?", opening) or ["1"]
    return {"no call": "Answer: No."} | {
        f"the first function with the {name}": f"Action: {written([_filled(first, text, float(numbers[-1]))])}"
        for name, text in copied.items()
    }


def _filled(tool: Tool, text: str, number: float) -> Call:
    """A call with the text, the number or the first option for every argument that is needed."""
    values = {"string": text, "integer": int(number), "number": number, "boolean": True, "array": [text]}
    about = tool.parameters["properties"]
    return Call(tool.name, {key: about[key].get("enum", [values[about[key]["type"]]])[0]
                            for key in tool.parameters["required"]})  # fmt: skip


SUITE = Suite(
    id="function-calling",
    title="Function calls for what a user asks",
    family="tools",
    imitates="BFCL v4",
    differs="generated in five levels; calls matched, states compared after every turn; no web search, no memory",
    licence="Apache-2.0",
    version="4",
    method="act",
    max_tokens=192,
    stop=("\nObservation:", "\nUser:", "\nFunctions:", "\n\n"),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
    world=world,
    sample=20,
)
