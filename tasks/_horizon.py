"""What the worlds of long-horizon share: a state that is cheap to copy, a clock with events, pages, an expert's hands.

A job is one file, `_horizon_<kind>_<job>.py`, that defines `JOB = Job(...)`; its name is all that the suite needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.calls import Call, written
from harness.suites import beside
from harness.worlds import Tool, World, tool_of

Rng = beside(__file__, "_drawing").Rng

BUSY = {"busy": "No answer in time, nothing was done. Try again."}
PAGE = 10
_FORM = "Write one line a turn: Action: with a list of calls, or Answer: with words when it is done. For example:"


class State(dict):
    """A world's state: containers of values that are replaced and never changed in place, so a copy is cheap.

    A world is copied at each of a thousand calls. What is no dict, list or set is shared by all copies.
    """

    def __deepcopy__(self, memo: Any) -> State:
        return State((k, v.copy() if isinstance(v, dict | list | set) else v) for k, v in self.items())


@dataclass(frozen=True)
class Judgement:
    """What a state at the end is worth. A full solve meets every goal and does no damage."""

    goals: Sequence[bool]
    damage: int = 0

    @property
    def credit(self) -> float:
        """Goals met less damage done, as a share of the goals; not below 0."""
        return max(0, sum(self.goals) - self.damage) / len(self.goals)


class Hands:
    """How an expert acts: it calls, sees what comes back, and keeps a transcript. Nothing else of a world is shown."""

    def __init__(self, world: World) -> None:
        self._world, self._lines = world, []
        self.notices: list[str] = []  # not yet dealt with
        self.memory: dict[Any, Any] = {}  # what one piece of the work leaves for the next

    def __call__(self, name: str, **arguments: Any) -> Any:
        """A call's result, tried again while the other side is busy."""
        while True:
            call = Call(name, arguments)
            self._lines.append(f"Action: {written([call])}")
            result, error = self._world.call(call)
            if error:
                raise RuntimeError(f"{call}: {error}")
            found = json.loads(result)
            if isinstance(found, dict) and "notice" in found:
                self.notices.append(found["notice"])
                found = found["result"]
            if found != BUSY:
                return found

    def pages(self, name: str, **arguments: Any) -> list[Any]:
        """Everything that a tool lists, page by page."""
        found, page = [], 1
        while True:
            part = self(name, **arguments, **({"page": page} if page > 1 else {}))
            found += part["found"]
            if page >= part["pages"]:
                return found
            page += 1

    def say(self, words: str) -> str | None:
        """Tell that a piece of the work is done; the next one, or None after the last."""
        self._lines.append(f"Answer: {words}")
        return self._world.answer(words)

    @property
    def transcript(self) -> str:
        return "\n".join(self._lines)


@dataclass(frozen=True)
class Job:
    """One kind of long work.

    draw: (rng, level) -> the task in words, and a plan: all that is fixed, never changed afterwards. On level 1 the
    task comes in pieces, each told when the one before is said to be done, and the first of them tell the call that
    does them, value for value; on the others it is one. first_rules and first_example are level 1's: what its
    pieces need, so that a very small model keeps them in mind.
    start: plan -> the state's own containers. event: called after each call, may change the state, returns a notice or
    nothing. judge: the state at the end -> what it is worth. expert: (hands, piece) does a piece by calls alone.
    trivial: pieces -> transcripts that need no understanding, by their names.
    """

    rules: str
    example: str
    tools: Sequence[Callable[..., Any]]
    first_rules: str
    first_example: str
    told: Sequence[Callable[..., Any]]  # what the first pieces of level 1 need; the others join with the first open one
    found: Sequence[Callable[..., Any]]  # the others that level 1 needs
    opens: str  # how a piece begins that does not say what to call
    draw: Callable[[Rng, int], tuple[Sequence[str], Any]]
    start: Callable[[Any], dict[str, Any]]
    judge: Callable[[Mapping[str, Any]], Judgement]
    expert: Callable[[Hands, str], None]
    event: Callable[[State], str] | None = None
    trivial: Callable[[Sequence[str]], Mapping[str, str]] = lambda pieces: {}

    def world(self, pieces: Sequence[str], plan: Any, level: int) -> World:
        """A new world of a plan. From level 2 on, about one call in a dozen finds the other side busy."""
        every = {1: 0, 2: 17, 3: 14, 4: 12, 5: 11}[level]
        state = State(plan=plan, clock=0, every=every, **self.start(plan))
        tools, later, rules, example = self.tools, (), self.rules, self.example
        if level == 1:
            tools, later, rules = self.told, self.found, self.first_rules
            example = "Functions:\n" + "".join(f"{tool_of(f).signature()}\n" for f in tools) + self.first_example
        told = next(k for k, piece in enumerate([*pieces, self.opens]) if piece.startswith(self.opens))
        return World(
            state, [_ticking(tool_of(f), self.event) for f in tools], pieces[0], rules,
            lambda _, said: pieces[len(said)] if len(said) < len(pieces) else None, f"{_FORM}\n\n{example}",
            joining={told: [_ticking(tool_of(f), self.event) for f in later]},
        )  # fmt: skip


def _ticking(tool: Tool, event: Callable[[State], str] | None) -> Tool:
    """The tool with the world going on around it: the clock, busy moments, events. A refused call takes no time."""

    def run(state: State, **arguments: Any) -> Any:
        state["clock"] += 1
        if state["every"] and state["clock"] % state["every"] == 0:
            return BUSY
        result = tool.run(state, **arguments)
        notice = event(state) if event else ""
        return {"notice": notice, "result": result} if notice else result

    return replace(tool, run=run)


def page_of(rows: Sequence[Any], page: int, size: int = PAGE) -> dict[str, Any]:
    """One page of a list. Raises ValueError for one that is not there."""
    pages = max(1, -(-len(rows) // size))
    if not 1 <= page <= pages:
        raise ValueError(f"there are pages 1 to {pages}")
    return {"found": list(rows[(page - 1) * size : page * size]), "page": page, "pages": pages}


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def unlisted(words: str) -> list[str]:
    """The names that `listed` has put into words."""
    return words.replace(" and ", ", ").split(", ")


def known(table: Mapping[str, Any], name: str, what: str) -> Any:
    """The entry of a table. Raises ValueError where there is none."""
    if name not in table:
        raise ValueError(f"there is no {what} '{name}'")
    return table[name]
