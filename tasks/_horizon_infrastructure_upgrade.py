"""Infrastructure: a fleet to be brought to a new release, host by host, while all services keep running.

What goes wrong shows only during the work: a full disk, a setting that the release has renamed, a licence to be
entered, too large a heap; and hosts that were already done fall ill.
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

SIZES = {1: (5, 1), 2: (9, 2), 3: (23, 4), 4: (58, 6), 5: (122, 8)}  # level -> hosts, services
_SERVICES = ("auth", "cache", "feed", "mail", "map", "queue", "search", "store", "video", "web")
# What an upgrade leads to: one in five goes well. The first level has what a log tells plainly.
_TROUBLES = ("", "disk", "renamed", "licence", "heap")
_FIRST = ("renamed", "disk", "disk")  # of level 1, after the two hosts of which the steps are told
_HOLDS = ("frozen for the audit", "kept for the vendor's engineers", "a customer's migration runs here")
_SITES = ("coastal", "eastern", "inland", "island", "northern", "southern", "valley", "western")
_OLD, _NEW = ("cache_mb", "cache_kb")


@dataclass(frozen=True)
class Host:
    service: str
    trouble: str
    cache_mb: int
    heap_mb: int
    free_mb: int
    hold: str  # why it is not to be touched, or nothing


@dataclass(frozen=True)
class Plan:
    hosts: Mapping[str, Host]
    order: tuple[str, ...]  # services: each needs those before it at the new release
    licences: Mapping[str, str]
    old: str
    new: str
    falls: tuple[tuple[int, str], ...]  # (call, what a finished host falls ill with)


def _draw(rng: Rng, level: int) -> tuple[list[str], Plan]:
    n, services = SIZES[level]
    order = tuple(_SERVICES[int(i)] for i in rng.permutation(len(_SERVICES))[:services])
    hosts: dict[str, Host] = {}
    first = ["", "disk", *(str(t) for t in rng.permutation(_FIRST))]
    for k in range(n):
        service = order[k * services // n]
        hold = pick(rng, _HOLDS) if level > 1 and rng.random() < 0.14 else ""
        trouble = first[k] if level == 1 else pick(rng, _TROUBLES)
        while (name := f"{service}-{between(rng, 100, 999)}") in hosts:
            pass
        hosts[name] = Host(service, trouble, between(rng, 64, 960, 16),
                           between(rng, 4096, 8192, 256), between(rng, 1024, 3840, 64), hold)  # fmt: skip
    licences = {s: f"{pick(rng, 'KLMNP')}{pick(rng, 'RSTVX')}-{between(rng, 1000, 9999)}" for s in order}
    major = between(rng, 2, 8)
    old, new = f"{major}.{between(rng, 1, 9)}", f"{major + 1}.{between(rng, 0, 4)}"
    events = max(0, (level - 1) * 2)
    falls = tuple((n * 2 + k * n * 4 // max(1, events), ("disk", "leak")[k % 2]) for k in range(events))
    plan = Plan(hosts, order, licences, old, new, falls)
    if level == 1:
        one, other, *rest = hosts
        told = [f"The host {one}: drain, upgrade, resume.", f"The host {other}: drain, clean, upgrade, resume."]
        return [*told, *(f"Bring the host {name} to release {new}." for name in rest)], plan
    task = (
        f"Bring the {n} hosts of the {pick(rng, _SITES)} site from release {old} to {new} and keep "
        "every service running. The runbook says how, and in which order. When all is done, say so."
    )
    return [task], plan


def _start(plan: Plan) -> dict[str, Any]:
    return {
        "release": dict.fromkeys(plan.hosts, plan.old),
        "settings": {(h, key): str(value) for h, host in plan.hosts.items()
                     for key, value in ((_OLD, host.cache_mb), ("heap_mb", host.heap_mb))},
        "out": set(),  # drained
        "sick": {},  # host -> what its log says
        "full": {h for h, host in plan.hosts.items() if host.trouble == "disk"},
        "outages": 0, "touched": set(), "fallen": 0,
    }  # fmt: skip


def _event(state: State) -> str:
    """A host that was done falls ill."""
    plan: Plan = state["plan"]
    if state["fallen"] == len(plan.falls) or state["clock"] < plan.falls[state["fallen"]][0]:
        return ""
    done = [h for h in plan.hosts if _is_done(state, h)]
    if not done:
        return ""
    host, what = done[state["fallen"] % len(done)], plan.falls[state["fallen"]][1]
    state["fallen"] += 1
    state["sick"][host] = "disk: 97 % used, writes are refused" if what == "disk" else "memory: 99 % used since start"
    if what == "disk":
        state["full"].add(host)
    return f"Alert: {host} is failing."


def _start_of(state: State, name: str) -> str:
    """A start of a host's service: what its log says then, empty where it is well."""
    plan: Plan = state["plan"]
    host, settings = plan.hosts[name], {k: v for (h, k), v in state["settings"].items() if h == name}
    if name in state["full"]:
        return "disk: 97 % used, writes are refused"
    if state["release"][name] == plan.old:
        return ""
    if host.trouble == "renamed" and settings.get(_NEW) != str(host.cache_mb * 1024):
        return f"config: {_OLD} = {host.cache_mb} is now called {_NEW}: the same size in KB, 1 MB = 1024 KB"
    if host.trouble == "licence" and settings.get("licence") != plan.licences[host.service]:
        return f"licence: the setting 'licence' is no licence of the service {host.service}"
    if host.trouble == "heap" and settings["heap_mb"] != str(host.free_mb):
        return f"start: heap_mb = {settings['heap_mb']}, but this release wants it to be the host's free memory"
    return ""


def _is_done(state: Mapping[str, Any], name: str) -> bool:
    return state["release"][name] == state["plan"].new and name not in state["out"] and name not in state["sick"]


def _judge(state: Mapping[str, Any]) -> Judgement:
    """A goal for each host not on hold: at the new release, well, in service. Damage: outages, touched holds."""
    goals = [_is_done(state, h) for h, host in state["plan"].hosts.items() if not host.hold]
    return Judgement(goals, state["outages"] + len(state["touched"]))


# ---- tools ----
def runbook(state: State, page: int = 1) -> dict:
    """The rules of this upgrade, page by page"""
    plan: Plan = state["plan"]
    lines = [
        f"Order of services: {', '.join(plan.order)}. A service is begun when all before it are done.",
        "Look at a host first. A host on hold is left as it is, and nothing waits for it.",
        "Drain a host before its upgrade, put it back in service when it is well.",
        "Never have two hosts of one service drained at once.",
        "A changed setting counts from the next restart.",
        *(f"Licence of {service}: {licence}" for service, licence in sorted(plan.licences.items())),
        "A host that fails later is drained, mended, restarted and put back; its log says why.",
    ]
    return page_of(lines, page, 7)


def list_hosts(state: State, page: int = 1) -> dict:
    """Hosts with their releases, ten a page."""
    return page_of([f"{h}: {state['release'][h]}" for h in sorted(state["plan"].hosts)], page)


def look(state: State, host: str) -> dict:
    """A host's service, release, settings and state"""
    one = known(state["plan"].hosts, host, "host")
    return {
        "service": one.service, "release": state["release"][host],
        "state": "drained" if host in state["out"] else "in service",
        "health": "failing" if host in state["sick"] else "well",
        "settings": {k: v for (h, k), v in state["settings"].items() if h == host}, "free_mb": one.free_mb,
        **({"hold": one.hold} if one.hold else {}),
    }  # fmt: skip


def drain(state: State, host: str) -> str:
    """Take a host out of service"""
    one = known(state["plan"].hosts, host, "host")
    if host in state["out"]:
        raise ValueError(f"{host} is drained already")
    _touch(state, host)
    double = any(state["plan"].hosts[h].service == one.service for h in state["out"])
    state["out"].add(host)
    state["outages"] += double
    return f"{host} is drained" + (f"; OUTAGE: {one.service} has two hosts drained" if double else "")


def resume(state: State, host: str) -> str:
    """Put a drained host back in service"""
    known(state["plan"].hosts, host, "host")
    if host not in state["out"]:
        raise ValueError(f"{host} is in service already")
    if host in state["sick"]:
        raise ValueError(f"{host} is failing; its log says why")
    state["out"].discard(host)
    return f"{host} is in service"


def upgrade(state: State, host: str) -> dict:
    """Install the new release on a drained host and start it"""
    plan: Plan = state["plan"]
    service = known(plan.hosts, host, "host").service
    _drained(state, host)
    waits = [h for h, one in plan.hosts.items() if not one.hold and state["release"][h] == plan.old
             and plan.order.index(one.service) < plan.order.index(service)]  # fmt: skip
    if waits:
        return {"failed": f"{service} needs all hosts before it at {plan.new}, {waits[0]} is not"}
    if host in state["full"]:
        return {"failed": "the disk is full"}
    state["release"][host] = plan.new
    return {"release": plan.new, "health": _restarted(state, host)}


def restart(state: State, host: str) -> dict:
    """Restart a drained host's service"""
    known(state["plan"].hosts, host, "host")
    _drained(state, host)
    return {"health": _restarted(state, host)}


def log(state: State, host: str) -> str:
    """The last line of a host's log that matters"""
    known(state["plan"].hosts, host, "host")
    return state["sick"].get(host, "nothing of note")


def clean(state: State, host: str) -> str:
    """Delete old files on a host"""
    known(state["plan"].hosts, host, "host")
    _touch(state, host)
    state["full"].discard(host)
    return "the disk has room again"


def set_config(state: State, host: str, key: str, value: str) -> str:
    """Change a setting of a host"""
    known(state["plan"].hosts, host, "host")
    _touch(state, host)
    state["settings"][host, key] = value
    return f"{key} = {value} from the next restart"


def _touch(state: State, host: str) -> None:
    if state["plan"].hosts[host].hold:
        state["touched"].add(host)


def _drained(state: State, host: str) -> None:
    if host not in state["out"]:
        raise ValueError(f"{host} is in service; drain it first")


def _restarted(state: State, host: str) -> str:
    says = _start_of(state, host)
    state["sick"].pop(host, None)
    if says:
        state["sick"][host] = says
    return "failing, see its log" if says else "well"


# ---- an expert, who knows only what the tools return ----
def _expert(do: Hands, task: str) -> None:
    book: list[str] = []
    if told := re.fullmatch(r"The host (\S+): (.*)\.", task):
        for step in told[2].split(", "):
            do(step, host=told[1])
        return
    if named := re.match(r"Bring the host (\S+) to release", task):
        hosts = [named[1]]
    else:
        book = do.pages("runbook")
        order = book[0].removeprefix("Order of services: ").partition(".")[0].split(", ")
        hosts = [line.partition(":")[0] for line in do.pages("list_hosts")]
        hosts.sort(key=lambda h: order.index(h.rpartition("-")[0]))
    for host in hosts:
        _alerts(do, book)
        seen = do("look", host=host)
        if "hold" not in seen:
            do("drain", host=host)
            if "failed" in do("upgrade", host=host):
                do("clean", host=host)
                do("upgrade", host=host)
            _mend(do, host, book, seen)
    _alerts(do, book)


def _alerts(do: Hands, book: list[str]) -> None:
    while do.notices:
        host = re.fullmatch(r"Alert: (\S+) is failing\.", do.notices.pop(0))[1]
        do("drain", host=host)
        _mend(do, host, book, do("look", host=host))


def _mend(do: Hands, host: str, book: list[str], seen: dict[str, Any]) -> None:
    """Do what the log asks for until a drained host is well, and put it back."""
    while (says := do("log", host=host)) != "nothing of note":
        if says.startswith("disk"):
            do("clean", host=host)
        elif m := re.match(r"config: \w+ = (\d+) is now called (\w+)", says):
            do("set_config", host=host, key=m[2], value=str(int(m[1]) * 1024))
        elif says.startswith("licence"):
            [licence] = [line.partition(": ")[2] for line in book if line.startswith(f"Licence of {seen['service']}:")]
            do("set_config", host=host, key="licence", value=licence)
        elif says.startswith("start"):
            do("set_config", host=host, key="heap_mb", value=str(seen["free_mb"]))
        do("restart", host=host)
    do("resume", host=host)


def _trivial(pieces: Sequence[str]) -> Mapping[str, str]:
    hosts = list(dict.fromkeys(re.findall(r"[Tt]he host (\w+-\d+)", " ".join(pieces))))
    blind = (f"Action: [{tool}(host={h!r})]" for h in hosts for tool in ("drain", "upgrade", "restart", "resume"))
    return {"every step on every host": "\n".join(blind)}


JOB = Job(
    rules=(
        "You look after a fleet by calling functions. A host is done when it runs the new release, is well and in "
        "service. Drain a host before its upgrade or a restart, and put it back when it is well. Two hosts of one "
        "service drained at once are an outage; each outage, and each change to a host on hold, takes one host away "
        "from your result. Heed the alerts."
    ),
    example=(
        "User: Bring the host web-12 to release 2.0.\nAction: [drain(host='web-12')]\n"
        'Observation: "web-12 is drained"\n'
        "Action: [upgrade(host='web-12')]\nObservation: {\"release\": \"2.0\", \"health\": \"well\"}\n"
        "Action: [resume(host='web-12')]\nObservation: \"web-12 is in service\"\nAnswer: web-12 is done."
    ),
    first_rules=(
        "You look after a fleet by calling functions. A host is done when it runs the new release, is well and in "
        "service. Drain a host before its upgrade or a restart, and resume it when it is well; where it is not, its "
        "log says why. Two hosts of one service drained at once are an outage, which takes one host away from your "
        "result."
    ),
    first_example=(
        "User: Bring the host web-31 to release 2.0.\n"
        "Action: [drain(host='web-31')]\n"
        'Observation: "web-31 is drained"\n'
        "Action: [upgrade(host='web-31')]\n"
        'Observation: {"release": "2.0", "health": "failing, see its log"}\n'
        "Action: [log(host='web-31')]\n"
        'Observation: "disk: 97 % used, writes are refused"\n'
        "Action: [clean(host='web-31')]\n"
        'Observation: "the disk has room again"\n'
        "Action: [restart(host='web-31')]\n"
        'Observation: {"health": "well"}\n'
        "Action: [resume(host='web-31')]\n"
        'Observation: "web-31 is in service"\n'
        "Answer: web-31 is done.\n"
        "User: The host web-12: drain, upgrade, resume.\n"
        "Action: [drain(host='web-12')]\n"
        'Observation: "web-12 is drained"\n'
        "Action: [upgrade(host='web-12')]\n"
        'Observation: {"release": "2.0", "health": "well"}\n'
        "Action: [resume(host='web-12')]\n"
        'Observation: "web-12 is in service"\n'
        "Answer: web-12 is done."
    ),
    tools=(look, drain, upgrade, resume, log, set_config, restart, clean, list_hosts, runbook),
    told=(drain, upgrade, resume, clean), found=(log, set_config, restart, look), opens="Bring",
    draw=_draw, start=_start, judge=_judge, expert=_expert, event=_event, trivial=_trivial,
)  # fmt: skip
