"""What an agent acts on: tools over a state, and who talks to it.

A world is deterministic: the same calls and words lead to the same state, so that an episode's log can be replayed
and graded from its text alone.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from harness.calls import Call, Malformed, parsed

_TYPES: Mapping[str, tuple[type, ...]] = {
    "integer": (int,), "number": (int, float), "string": (str,), "boolean": (bool,), "array": (list, tuple),
    "object": (dict,),
}  # fmt: skip
_NAMES = {int: "integer", float: "number", str: "string", bool: "boolean", list: "array", dict: "object"}
_MOST = 1e15  # a number past it is refused: sums stay exact, and nothing overflows


@dataclass(frozen=True)
class Tool:
    """A function that a model may call: `run(state, **arguments)` changes the state and returns a JSON value.

    `parameters` is a JSON schema of type object with `properties` and `required`. `run` raises ValueError with a
    sentence where the call cannot be done.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[..., Any]

    def signature(self) -> str:
        """One line for a prompt: `name(a=integer, unit='km' or 'mile' (optional: 'km')) - description`."""
        required = self.parameters.get("required", ())
        parts = (f"{name}={_kind(about)}{'' if name in required else _default(about)}"
                 for name, about in self.parameters["properties"].items())  # fmt: skip
        return f"{self.name}({', '.join(parts)}) - {self.description}"


def _kind(about: Mapping[str, Any]) -> str:
    if "enum" in about:
        return " or ".join(map(repr, about["enum"]))
    return f"array of {about['items']['type']}" if "items" in about else about["type"]


def _default(about: Mapping[str, Any]) -> str:
    return f" (optional: {about['default']!r})" if "default" in about else " (optional)"


@lru_cache(1024)  # reading a signature takes longer than most calls, and each new world asks
def tool_of(function: Callable[..., Any]) -> Tool:
    """A typed function as a tool: its name, its docstring's first line, a parameter for each argument after the state.

    Annotations may be str, int, float, bool, list[...] of them and Literal[...] of strings; one with a default is
    optional.
    """
    hints = get_type_hints(function)
    arguments = list(inspect.signature(function).parameters.values())[1:]
    properties = {a.name: _schema(hints[a.name]) for a in arguments}
    for a in arguments:
        if a.default is not a.empty:
            properties[a.name]["default"] = a.default
    required = [a.name for a in arguments if a.default is a.empty]
    schema = {"type": "object", "properties": properties, "required": required}
    return Tool(function.__name__, function.__doc__.splitlines()[0].rstrip("."), schema, function)


def _schema(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if get_origin(hint) is list:
        return {"type": "array", "items": {"type": _NAMES[get_args(hint)[0]]}}
    return {"type": _NAMES[hint]}


def matches(value: Any, kind: str) -> bool:
    """Whether a value is of a JSON schema type; an integer is a number, a boolean is neither."""
    if kind in ("integer", "number") and not isinstance(value, bool) and isinstance(value, int | float):
        return isinstance(value, _TYPES[kind]) and abs(value) <= _MOST
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


@dataclass
class World:
    """A state, the tools over it, and the other party, which speaks first.

    party: (state, what the agent has said to it so far) -> its next words, or None when it is done. Without one, the
    agent's first answer ends the episode.
    """

    state: dict[str, Any]
    tools: Sequence[Tool]
    opening: str
    instructions: str = ""
    party: Callable[[dict[str, Any], Sequence[str]], str | None] | None = None
    examples: str = ""  # of moves in plain text, shown only to a model that is asked so
    one_move: bool = False  # the first move, whatever it is, ends the episode
    joining: Mapping[int, Sequence[Tool]] = field(default_factory=dict)  # tools that come after so many answers
    # Calls that a text means which is none by its form, such as a patch given as an answer; () where it means none.
    reads: Callable[[str], Sequence[Call]] | None = None
    said: list[str] = field(default_factory=list)
    over: bool = False

    def call(self, call: Call) -> tuple[str, str]:
        """(result as JSON text, "") or ("", error) with the state as it was. Nothing is raised for a wrong call."""
        tool = next((t for t in self.tools if t.name == call.name), None)
        if tool is None:
            return "", f"there is no function '{call.name}'"
        if wrong := _mismatch(tool, call):
            return "", wrong
        state = copy.deepcopy(self.state)
        try:
            result = json.dumps(tool.run(state, **call.arguments), ensure_ascii=False)
        except ValueError as error:
            return "", str(error)
        self.state = state
        return result, ""

    def act(self, calls: Sequence[Call]) -> list[tuple[str, str]]:
        """The outcomes of one move's calls."""
        self.over = self.one_move
        return [self.call(call) for call in calls]

    def answer(self, text: str) -> str | None:
        """The other party's reply to what the agent says; None ends the episode."""
        self.said.append(text)
        self.tools = [*self.tools, *self.joining.get(len(self.said), ())]
        reply = self.party(self.state, self.said) if self.party and not self.one_move else None
        self.over = reply is None
        return reply


def _mismatch(tool: Tool, call: Call) -> str:
    known = tool.parameters["properties"]
    for name in tool.parameters.get("required", ()):
        if name not in call.arguments:
            return f"{tool.name} needs '{name}'"
    for name, value in call.arguments.items():
        if name not in known:
            return f"{tool.name} has no parameter '{name}'"
        about = known[name]
        if not matches(value, about["type"]):
            return f"'{name}' of {tool.name} is of type {about['type']}"
        if "items" in about and not all(matches(one, about["items"]["type"]) for one in value):
            return f"'{name}' of {tool.name} is an array of {about['items']['type']}"
        if "enum" in about and value not in about["enum"]:
            return f"'{name}' of {tool.name} is one of {', '.join(map(str, about['enum']))}"
    return ""


def offered(world: World) -> str:
    """Instructions, examples and functions as a plain-text prompt shows them, before the first message."""
    head = "".join(f"{part}\n\n" for part in (world.instructions, world.examples) if part)
    return head + "Functions:\n" + "".join(f"{tool.signature()}\n" for tool in world.tools)


def asked(world: World) -> str:
    """The prompt of a new world's first turn, in plain text."""
    return f"{offered(world)}User: {world.opening}\n"


@dataclass(frozen=True)
class Step:
    """One move of a text: calls with their outcomes, or (said is not None) words to the other party."""

    calls: tuple[Call, ...] = ()
    said: str | None = None
    outcomes: tuple[tuple[str, str], ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)  # after the move


def step(line: str) -> Step | None:
    """The move that a line means, not yet made: `Action: [f(a=1)]`, a bare list of calls, or `Answer: words`.

    None where the line is neither; Malformed where it begins as an action and is none. `[]` is an answer without
    words.
    """
    line = line.strip()
    lead, _, rest = line.partition(":")
    if lead == "Answer":
        return Step(said=rest.strip())
    if lead != "Action" and not line.startswith("["):
        return None
    calls = tuple(parsed(rest if lead == "Action" else line))
    return Step(calls) if calls else Step(said="")


def replay(world: World, transcript: str) -> list[Step]:
    """Make the moves of a transcript, a line each, until the world is over. Lines that are no move are passed over."""
    made: list[Step] = []
    for line in transcript.splitlines():
        if world.over:
            break
        try:
            move = step(line)
        except Malformed:
            continue
        if move is None:
            continue
        if move.said is None:
            outcomes = tuple(world.act(move.calls))
        else:
            outcomes = ()
            world.answer(move.said)
        made.append(Step(move.calls, move.said, outcomes, copy.deepcopy(world.state)))
    return made
