"""Argument values of function-calling: how a value is said in a request, plainly or as people speak."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from harness.worlds import Tool

_FILE = tomllib.loads(Path(__file__).with_name("_function_calling_functions.toml").read_text("utf-8"))
POOLS: Mapping[str, list[str]] = _FILE["pools"]
FUNCTIONS: Mapping[str, dict[str, Any]] = {f["name"]: f for f in _FILE["function"]}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_HOURS = {0: "an hour", 1: "an hour", 2: "two hours", 3: "three hours"}
_SPECIAL = {"date": "string", "time": "string", "minutes": "integer", "count": "integer"}


def today(rng) -> date:
    """A day of 2026 or 2027 on which a request is made."""
    return date(2026, 1, 1) + timedelta(days=int(rng.integers(0, 700)))


def value(rng, kind: str, spoken: bool, day: date, used: set) -> tuple[Any, str]:
    """(value, its text in a request): a new one of the kind; `used` keeps one item's values apart."""
    for _ in range(200):
        found, text = _drawn(rng, kind, spoken, day)
        if (kind, found) not in used:
            used.add((kind, found))
            return found, text
    raise RuntimeError(f"too few values of kind {kind}")


def _drawn(rng, kind: str, spoken: bool, day: date) -> tuple[Any, str]:
    if kind in ("date", "time", "minutes", "count"):
        return {"date": _date, "time": _time, "minutes": _minutes, "count": _count}[kind](rng, spoken, day)
    if "+" in kind:
        text = _named(rng, *(POOLS[pool.strip()] for pool in kind.split("+")))
    elif kind in POOLS:
        text = _one(rng, POOLS[kind])
    elif "|" in kind:
        return _one(rng, _options(kind))
    else:
        return _number(rng, kind)
    return text, text


def _named(rng, like: list[str], things: list[str]) -> str:
    """One of the things, after none to two of the words for them, in the order in which a speaker has these."""
    before = sorted(int(k) for k in rng.permutation(len(like))[: int(rng.integers(3))])
    return " ".join([*(like[k] for k in before), _one(rng, things)])


def _options(kind: str) -> list[tuple[str, str]]:
    """(value, what a user says for it) of each option: of "inch/inches|stone" the second is said as it stands."""
    return [(one.partition("/")[0], one.partition("/")[2] or one) for one in kind.split("|")]


def _one(rng, pool):
    return pool[int(rng.integers(len(pool)))]


def _number(rng, kind: str) -> tuple[Any, str]:
    low, high = kind.split("..")
    if "." in low:
        found = int(rng.integers(int(float(low) * 10), int(float(high) * 10) + 1)) / 10
        return found, f"{found:g}"
    found = int(rng.integers(int(low), int(high) + 1))
    return found, str(found)


def _date(rng, spoken: bool, day: date) -> tuple[str, str]:
    ahead = int(rng.integers(1, 12))
    if not spoken:
        then = day + timedelta(days=ahead)
        return then.isoformat(), f"on {then.isoformat()}"
    names = {1: "tomorrow", 2: "the day after tomorrow", 7: "a week from today"}
    return (day + timedelta(days=ahead)).isoformat(), names.get(ahead, f"{_WORDS[ahead]} days from today")


def _time(rng, spoken: bool, day: date) -> tuple[str, str]:
    hour, minute = int(rng.integers(7, 22)), int(rng.choice([0, 15, 30, 45]))
    if not spoken:
        return f"{hour:02}:{minute:02}", f"at {hour:02}:{minute:02}"
    if (hour, minute) == (12, 0):
        return "12:00", "at noon"
    named = hour + (minute == 45)  # a quarter to twelve is still in the morning
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    clock = _WORDS[(named - 1) % 12 + 1]
    lead = {0: "", 15: "a quarter past ", 30: "half past ", 45: "a quarter to "}[minute]
    return f"{hour:02}:{minute:02}", f"at {lead}{clock} {part}"


def _minutes(rng, spoken: bool, day: date) -> tuple[int, str]:
    if not spoken:
        found = int(rng.integers(4, 36)) * 5
        return found, f"{found} minutes"
    hours, rest = int(rng.integers(0, 4)), int(rng.choice([0, 10, 20, 30, 45]))
    if hours == 0:
        return {0: (60, "an hour"), 30: (30, "half an hour"), 45: (45, "three quarters of an hour")}.get(
            rest, (rest, f"{rest} minutes")
        )
    tail = {0: "", 30: " and a half" if hours == 1 else " and 30 minutes"}.get(rest, f" and {rest} minutes")
    return 60 * hours + rest, _HOURS[hours] + tail


def _count(rng, spoken: bool, day: date) -> tuple[int, str]:
    if not spoken:
        found = int(rng.integers(2, 25))
        return found, str(found)
    named = {6: "half a dozen", 12: "a dozen", 24: "two dozen", 36: "three dozen", 20: "twenty", 15: "fifteen"}
    found = int(rng.choice(list(named)))
    return found, named[found]


def tool(name: str) -> Tool:
    """A function of the file as a tool; a call of it is noted and changes nothing."""
    f = FUNCTIONS[name]
    properties = {key: _schema(kind) for key, kind in {**f["needs"], **f.get("may", {})}.items()}
    for key, kind in f.get("may", {}).items():
        properties[key]["default"] = default(kind)
    schema = {"type": "object", "properties": properties, "required": list(f["needs"])}
    return Tool(name, f["about"], schema, lambda state, **arguments: "noted")


def default(kind: str) -> Any:
    """Of an optional parameter: the first of its options, the least of its range."""
    return _options(kind)[0][0] if "|" in kind else int(kind.split("..")[0])


def _schema(kind: str) -> dict[str, Any]:
    if "|" in kind:
        return {"type": "string", "enum": [value for value, _ in _options(kind)]}
    if ".." in kind:
        return {"type": "number" if "." in kind.split("..")[0].rstrip(".") else "integer"}
    return {"type": _SPECIAL.get(kind, "string")}
