"""What an agent acts on: tools over a state, and who talks to it.

A world is deterministic: the same calls and words lead to the same state, so that an episode's log can be replayed
and graded from its text alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.calls import Call, Malformed, parsed

_TYPES: Mapping[str, tuple[type, ...]] = {
    "integer": (int,), "number": (int, float), "string": (str,), "boolean": (bool,), "array": (list, tuple),
    "object": (dict,),
}  # fmt: skip


@dataclass(frozen=True)
class Tool:
    """A function that a model may call: `run(state, **arguments)` changes the state and returns a JSON value.

    `parameters` is a JSON schema of type object with `properties` and `required`. `run` raises ValueError with a
    sentence where the call cannot be done; it then leaves the state alone.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[..., Any]

    def signature(self) -> str:
        """One line for a prompt: `name(a: integer, b: string = optional) - description`."""
        required = self.parameters.get("required", ())
        parts = (
            f"{name}: {about['type']}{'' if name in required else ' = optional'}"
            for name, about in self.parameters["properties"].items()
        )
        return f"{self.name}({', '.join(parts)}) - {self.description}"


def matches(value: Any, kind: str) -> bool:
    """Whether a value is of a JSON schema type; an integer is a number, a boolean is neither."""
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
    example: str = ""  # an episode in text form, shown where tools are offered as text
    said: list[str] = field(default_factory=list)

    def call(self, call: Call) -> tuple[str, str]:
        """(result as JSON text, "") or ("", error). Whatever a model asks for, nothing is raised."""
        tool = next((t for t in self.tools if t.name == call.name), None)
        if tool is None:
            return "", f"there is no function '{call.name}'"
        if wrong := _mismatch(tool, call):
            return "", wrong
        try:
            return json.dumps(tool.run(self.state, **call.arguments), ensure_ascii=False), ""
        except ValueError as error:
            return "", str(error)

    def answer(self, text: str) -> str | None:
        """The other party's reply to what the agent says; None ends the episode."""
        self.said.append(text)
        return self.party(self.state, self.said) if self.party else None


def _mismatch(tool: Tool, call: Call) -> str:
    known = tool.parameters["properties"]
    for name in tool.parameters.get("required", ()):
        if name not in call.arguments:
            return f"{tool.name} needs '{name}'"
    for name, value in call.arguments.items():
        if name not in known:
            return f"{tool.name} has no parameter '{name}'"
        if not matches(value, known[name]["type"]):
            return f"'{name}' of {tool.name} is of type {known[name]['type']}"
        if "enum" in known[name] and value not in known[name]["enum"]:
            return f"'{name}' of {tool.name} is one of {', '.join(map(str, known[name]['enum']))}"
    return ""


TEXT_FORM = (
    "Write one line a turn: 'Action: [function(argument=value)]' to call functions, or 'Answer: ...' to speak to the "
    "user."
)


def asked(world: World) -> str:
    """What a plain-text prompt shows before the first message: instructions, form, functions, an example."""
    functions = "Functions:\n" + "\n".join(tool.signature() for tool in world.tools)
    parts = [world.instructions, TEXT_FORM, functions, world.example]
    return "".join(f"{part}\n\n" for part in parts if part)


def first_prompt(world: World) -> str:
    """The prompt of an episode's first turn, in text form."""
    return f"{asked(world)}User: {world.opening}\n"


def replayed(world: World, transcript: str) -> World:
    """The world after the moves of a transcript, one a line: `Action: [calls]` or `Answer: words`; others are passed
    over. It ends where the other party does."""
    for line in transcript.splitlines():
        lead, _, rest = line.strip().partition(":")
        if lead == "Action":
            try:
                calls = parsed(rest)
            except Malformed:
                continue
            for call in calls:
                world.call(call)
        elif lead == "Answer" and world.answer(rest.strip()) is None:
            break
    return world
