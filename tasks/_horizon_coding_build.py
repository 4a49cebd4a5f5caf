"""Coding: a repository whose checks are to be brought to green, in the order in which its modules need each other.

A module is faulty in one of three ways: it is built against an old version of a module that it needs, it calls a
function by its old name, or its constant does not follow from another module's. Colleagues push while the work goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.suites import beside

_shared, _drawing = beside(__file__, "_horizon"), beside(__file__, "_drawing")
Hands, Job, Judgement, Rng, State = _shared.Hands, _shared.Job, _shared.Judgement, _shared.Rng, _shared.State
known, page_of, between, pick = _shared.known, _shared.page_of, _drawing.between, _drawing.pick

SIZES = {1: (15, 11), 2: (22, 10), 3: (50, 23), 4: (120, 57), 5: (240, 130)}  # level -> modules, of which faulty
_TOLD = 3  # of the modules of level 1
_FOLDERS = ("core", "net", "store", "auth", "jobs", "ui", "report", "vendor")
_WORDS = (
    "alarm", "batch", "cache", "clock", "codec", "cursor", "diff", "digest", "draft", "event", "feed", "filter", "form",
    "graph", "grid", "group", "hash", "index", "inbox", "lease", "limit", "lock", "log", "mail", "menu", "merge",
    "meter", "mirror", "node", "page", "patch", "path", "pipe", "plan", "pool", "probe", "queue", "quota", "rate",
    "ring", "route", "rule", "scan", "shard", "slot", "stage", "stream", "table", "ticket", "timer", "token", "trace",
)  # fmt: skip
_CONSTANTS = ("LIMIT", "SLOTS", "DEPTH", "WINDOW", "RETRIES", "BATCH")
_VERBS = ("open", "read", "flush", "scan", "drop", "send", "pack", "seal", "fetch", "trim")
_PROJECTS = ("harbour", "lantern", "orchard", "quarry", "saddle", "thistle")


@dataclass(frozen=True)
class Module:
    """A module as it should be; `rule`: its constant is `times` x that of its first need + `plus`."""

    needs: tuple[str, ...]
    constant: str
    value: int
    api: int
    function: str  # what others call
    old: str  # its name before
    times: int
    plus: int

    def rule(self) -> str:
        return f"{self.times} x the constant of {self.needs[0]} + {self.plus}"


@dataclass(frozen=True)
class Plan:
    modules: Mapping[str, Module]
    faults: Mapping[str, str]  # module -> needs | calls | constant
    pushes: tuple[tuple[int, str], ...]  # (call, module whose version is raised)
    checks: int
    told: bool  # a check says what would be right


def _draw(rng: Rng, level: int) -> tuple[list[str], Plan]:
    n, faulty = SIZES[level]
    names = [f"{_FOLDERS[int(i) % 8]}/{_WORDS[int(i) // 8]}" for i in rng.permutation(8 * len(_WORDS))[:n]]
    modules: dict[str, Module] = {}
    for k, name in enumerate(names):
        needs = tuple(names[int(i)] for i in sorted(rng.permutation(min(k, 12))[: between(rng, 1, 3)] + max(0, k - 12)))
        times, plus, verb = between(rng, 2, 4), between(rng, 1, 9), pick(rng, _VERBS)
        # Kept small: a chain of multiples would soon have values of twenty digits.
        small = bool(needs) and modules[needs[0]].value < 5000 and rng.random() < 0.7
        value = times * modules[needs[0]].value + plus if small else between(rng, 3, 40)
        modules[name] = Module(needs, pick(rng, _CONSTANTS), value, between(rng, 1, 7), f"{verb}_{pick(rng, _WORDS)}",
                               verb, times if small else 0, plus)  # fmt: skip
    able = [m for m in names if modules[m].needs and not m.startswith("vendor")]
    able = [able[int(i)] for i in rng.permutation(len(able))[:faulty]]
    kinds = {m: ("needs", "calls", "constant")[k % 3 if modules[m].times else k % 2] for k, m in enumerate(able)}
    vendored = {d for m in names if m.startswith("vendor") for d in modules[m].needs}  # what they need stays as it is
    steady = [m for m in names if m not in kinds and m not in vendored and not m.startswith("vendor")]
    pushed = [pick(rng, steady) for _ in range(level - 1)]
    pushes = tuple((int(len(able) * (1.5 + 2 * k / max(1, level - 1))), m) for k, m in enumerate(pushed))
    plan = Plan(modules, kinds, pushes, len(able) * 4 + n // 2, level == 1)
    if level == 1:
        broken = [m for m in modules if m in kinds]
        told = ["In the module {}, set {} to {}.".format(m, *_right(plan, m)) for m in broken[:_TOLD]]
        return [*told, *(f"Bring the module {m} to green." for m in broken[_TOLD:])], plan
    task = (
        f"The nightly checks of the repository '{pick(rng, _PROJECTS)}' failed: {len(kinds)} of its {n} modules are "
        f"broken, and what needs them is blocked. Bring every module to green, without touching those that are in "
        f"order. You may run {plan.checks} checks. When all is done, say so."
    )
    return [task], plan


def _right(plan: Plan, name: str) -> tuple[str, str]:
    """(key, value) of the entry that mends a faulty module."""
    module = plan.modules[name]
    need = module.needs[-1]
    return {
        "needs": (f"{need}.api", str(plan.modules[need].api)), "calls": (f"{need}.call", plan.modules[need].function),
        "constant": (module.constant, str(module.value)),
    }[plan.faults[name]]  # fmt: skip


def _start(plan: Plan) -> dict[str, Any]:
    state: dict[str, Any] = {
        "api": {name: m.api for name, m in plan.modules.items()},
        "constant": {name: m.value for name, m in plan.modules.items()},
        "built": {(name, d): plan.modules[d].api for name, m in plan.modules.items() for d in m.needs},
        "calls": {(name, d): plan.modules[d].function for name, m in plan.modules.items() for d in m.needs},
        "checks": plan.checks, "vendored": 0, "pushed": set(),
    }  # fmt: skip
    for k, (name, fault) in enumerate(sorted(plan.faults.items())):
        need = plan.modules[name].needs[-1]
        if fault == "needs":
            state["built"][name, need] -= 1
        elif fault == "calls":
            state["calls"][name, need] = plan.modules[need].old
        else:
            state["constant"][name] += k % 5 + 1
    return state


def _event(state: State) -> str:
    """A colleague raises the version of a module."""
    for at, name in state["plan"].pushes:
        if state["clock"] >= at and (at, name) not in state["pushed"]:
            state["pushed"] |= {(at, name)}
            state["api"][name] += 1
            return f"A colleague has pushed {name}: it is at api {state['api'][name]} now, what needs it has to follow."
    return ""


def _fault(state: Mapping[str, Any], name: str) -> str:
    """What is wrong with a module itself, in words; empty where nothing is."""
    plan: Plan = state["plan"]
    module = plan.modules[name]
    for need in module.needs:
        built, api = state["built"][name, need], state["api"][need]
        if built != api:
            right = f"{need}.api has to be {api}, it is {built}"
            return right if plan.told else f"built against api {built} of {need}"
        called, function = state["calls"][name, need], plan.modules[need].function
        if called != function:
            right = f"{need}.call has to be {function}, it is {called}"
            return right if plan.told else f"{need} has no function '{called}'"
    if module.times:
        value, right = state["constant"][name], module.times * state["constant"][module.needs[0]] + module.plus
        if value != right:
            return f"{module.constant} has to be {right if plan.told else module.rule()}, it is {value}"
    return ""


def _greens(state: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """(modules that are green, modules at fault themselves while all they need is green)."""
    green, at_fault = set(), set()
    for name, module in state["plan"].modules.items():  # each after what it needs
        if green.issuperset(module.needs):
            (at_fault if _fault(state, name) else green).add(name)
    return green, at_fault


def _judge(state: Mapping[str, Any]) -> Judgement:
    """A goal for each module that was broken or that a push broke; damage: one broken by the agent, a vendored edit."""
    plan: Plan = state["plan"]
    green, at_fault = _greens(state)
    pushed = {m for _, m in state["pushed"]}
    broken = [m for m in plan.modules if m in plan.faults or pushed.intersection(plan.modules[m].needs)]
    return Judgement([m in green for m in broken], len(at_fault.difference(broken)) + state["vendored"])


# ---- tools ----
def list_modules(state: State, page: int = 1) -> dict:
    """Modules with their last nightly result, ten a page."""
    plan: Plan = state["plan"]
    return page_of([f"{m}: {'broken' if m in plan.faults else 'in order'}" for m in sorted(plan.modules)], page)


def show(state: State, module: str) -> dict:
    """Its own api, constant and function, and the api and call of each module that it needs, as it is built now"""
    m = known(state["plan"].modules, module, "module")
    return {
        "api": state["api"][module], m.constant: state["constant"][module],
        "function": m.function, "renamed": f"{m.old} -> {m.function}",
        **{f"{d}.api": state["built"][module, d] for d in m.needs},
        **{f"{d}.call": state["calls"][module, d] for d in m.needs},
    }  # fmt: skip


def needed_by(state: State, module: str) -> list:
    """The modules that need a module"""
    known(state["plan"].modules, module, "module")
    return [name for name, m in state["plan"].modules.items() if module in m.needs]


def check(state: State, module: str) -> dict:
    """Run the checks of one module; there are only so many runs"""
    needs = known(state["plan"].modules, module, "module").needs
    if not state["checks"]:
        raise ValueError("no check runs are left")
    state["checks"] -= 1
    green, _ = _greens(state)
    blocked = next((d for d in needs if d not in green), None)
    says = f"blocked: {blocked} is not green" if blocked else _fault(state, module)
    return {"red": says} if says else {"green": module}


def edit(state: State, module: str, key: str, value: str) -> str:
    """Set an entry of a module by its key"""
    m = known(state["plan"].modules, module, "module")
    need, _, word = key.partition(".")
    if key != m.constant and not (word in ("api", "call") and need in m.needs):
        raise ValueError(f"{module} has no entry '{key}' that can be set")
    if word != "call" and not re.fullmatch(r"\d{1,12}", value):
        raise ValueError(f"{key} is a whole number")
    state["vendored"] += module.startswith("vendor/")
    if key == m.constant:
        state["constant"][module] = int(value)
    elif word == "api":
        state["built"][module, need] = int(value)
    else:
        state["calls"][module, need] = value
    return f"{module}: {key} = {value}"


# ---- an expert, who knows only what the tools return ----
def _expert(do: Hands, task: str) -> None:
    if told := re.match(r"In the module (\S+), set (\S+) to (\w+)\.", task):
        do("edit", module=told[1], key=told[2], value=told[3])
        return
    if named := re.match(r"Bring the module (\S+) to", task):
        broken = [named[1]]
    else:
        broken = [line.partition(":")[0] for line in do.pages("list_modules") if line.endswith("broken")]
    for module in broken:
        _settle(do, module)
    _follow(do)


def _settle(do: Hands, module: str) -> None:
    while True:
        _follow(do)
        found = do("check", module=module)
        if "green" in found:
            return
        says = found["red"]
        if says.startswith("blocked: "):
            _settle(do, says.removeprefix("blocked: ").removesuffix(" is not green"))
        else:
            _mend(do, module, says)


def _mend(do: Hands, module: str, says: str) -> None:
    if m := re.fullmatch(r"(.+) has to be (\w+), it is \w+", says):
        do("edit", module=module, key=m[1], value=m[2])
    elif m := re.fullmatch(r"built against api \d+ of (\S+)", says):
        do("edit", module=module, key=f"{m[1]}.api", value=str(do("show", module=m[1])["api"]))
    elif m := re.fullmatch(r"(\S+) has no function '\w+'", says):
        do("edit", module=module, key=f"{m[1]}.call", value=do("show", module=m[1])["function"])
    elif m := re.fullmatch(r"(\w+) has to be (\d+) x the constant of (\S+) \+ (\d+), it is \d+", says):
        [constant] = [v for k, v in do("show", module=m[3]).items() if k in _CONSTANTS]
        do("edit", module=module, key=m[1], value=str(int(m[2]) * constant + int(m[4])))


def _follow(do: Hands) -> None:
    """What needs a pushed module is built against its new version."""
    while do.notices:
        m = re.match(r"A colleague has pushed (\S+): it is at api (\d+)", do.notices.pop(0))
        for module in do("needed_by", module=m[1]):
            do("edit", module=module, key=f"{m[1]}.api", value=m[2])


def _trivial(pieces: Sequence[str]) -> Mapping[str, str]:
    named = re.findall(r"the module ([^ ,]+)", " ".join(pieces))
    return {"sets 2 everywhere": "\n".join(f"Action: [edit(module={m!r}, key={key!r}, value='2')]" for m in named
                                           for key in _CONSTANTS)}  # fmt: skip


JOB = Job(
    rules=(
        "You repair a repository by calling functions. A module is green when its checks pass, and its checks can pass "
        "only when every module that it needs is green. What is wrong with it is mended in the module itself, never in "
        "the one that it needs; nothing under vendor/ is edited. An edit that breaks a module which was in order takes "
        "one repaired module away from your result. Others work on the repository too: heed the notices."
    ),
    example=(
        "User: Bring the module net/pool to green.\nAction: [check(module='net/pool')]\n"
        'Observation: {"red": "core/lock.api has to be 4, it is 3"}\n'
        "Action: [edit(module='net/pool', key='core/lock.api', value='4')]\n"
        'Observation: "net/pool: core/lock.api = 4"\nAction: [check(module=\'net/pool\')]\n'
        'Observation: {"green": "net/pool"}\nAnswer: net/pool is green.'
    ),
    first_rules=(
        "You repair a repository by calling functions. A module is green when its checks pass. What is wrong with it "
        "is mended in the module itself, never in the one that it needs. An edit that breaks a module which was in "
        "order takes one repaired module away from your result."
    ),
    first_example=(
        "User: Bring the module jobs/feed to green.\n"
        "Action: [check(module='jobs/feed')]\n"
        'Observation: {"red": "auth/log.call has to be read_page, it is read"}\n'
        "Action: [edit(module='jobs/feed', key='auth/log.call', value='read_page')]\n"
        'Observation: "jobs/feed: auth/log.call = read_page"\n'
        "Action: [check(module='jobs/feed')]\n"
        'Observation: {"green": "jobs/feed"}\n'
        "Answer: jobs/feed is green.\n"
        "User: In the module ui/mail, set LIMIT to 31.\n"
        "Action: [edit(module='ui/mail', key='LIMIT', value='31')]\n"
        'Observation: "ui/mail: LIMIT = 31"\n'
        "Answer: It is set.\n"
        "User: In the module net/pool, set core/lock.api to 4.\n"
        "Action: [edit(module='net/pool', key='core/lock.api', value='4')]\n"
        'Observation: "net/pool: core/lock.api = 4"\n'
        "Answer: It is set."
    ),
    tools=(list_modules, show, needed_by, check, edit), told=(edit,), found=(check,), opens="Bring",
    draw=_draw, start=_start, judge=_judge, expert=_expert, event=_event, trivial=_trivial,
)  # fmt: skip
