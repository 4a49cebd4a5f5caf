"""Tools in the function-calling form of OpenAI-compatible servers, and what their replies mean.

`tools` and `tool_calls` as in OpenAI's chat completions reference: a tool is {"type": "function", "function": {name,
description, parameters}}; a call's arguments come as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from harness.agents.messages import Message, Move
from harness.answers import Answer
from harness.calls import Call, checked
from harness.worlds import Tool, World


class ChatRunner(Protocol):
    """A runner with a chat endpoint: (reply, why there is none, seconds) for each conversation."""

    def chat(
        self, conversations: Sequence[tuple[list[dict], list[dict]]], max_tokens: int, temperature: float, seed: int
    ) -> list[tuple[dict[str, Any] | None, str, float]]: ...


class NativeActor:
    """A runner with a chat endpoint as an actor. The worlds' examples, which are of plain text, are not shown."""

    def __init__(self, runner: ChatRunner, max_tokens: int, temperature: float = 0.0, seed: int = 0) -> None:
        self.runner, self.max_tokens, self.temperature, self.seed = runner, max_tokens, temperature, seed

    def act(self, worlds: Sequence[World], messages: Sequence[Sequence[Message]]) -> list[Move]:
        asked = [(chat(w, m), schema(w.tools)) for w, m in zip(worlds, messages, strict=True)]
        replies = self.runner.chat(asked, self.max_tokens, self.temperature, self.seed)
        return [Move(Answer("", finish="error", error=why)) if reply is None else move(reply, e2e_s)
                for reply, why, e2e_s in replies]  # fmt: skip


def schema(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The `tools` field of a request."""
    return [
        {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
        for t in tools
    ]


def chat(world: World, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The `messages` field of a request; results are matched to calls by their place."""
    out: list[dict[str, Any]] = [{"role": "system", "content": world.instructions}] if world.instructions else []
    waiting: list[str] = []
    for k, m in enumerate(messages):
        if m.role == "tool" and waiting:
            out.append({"role": "tool", "tool_call_id": waiting.pop(0), "content": m.text})
        elif m.calls:
            waiting = [f"call_{k}_{i}" for i in range(len(m.calls))]
            out.append({"role": "assistant", "content": None, "tool_calls": [
                {"id": name, "type": "function", "function": {"name": c.name, "arguments": json.dumps(c.arguments)}}
                for name, c in zip(waiting, m.calls, strict=True)
            ]})  # fmt: skip
        else:  # a remark on a malformed reply answers no call, so it comes as a user's message
            out.append({"role": "assistant" if m.role == "assistant" else "user", "content": m.text})
    return out


def move(reply: Mapping[str, Any], e2e_s: float | None = None) -> Move:
    """What a chat completion means. A reply of another shape, or broken arguments, are a move with an error."""
    counts: tuple[int | None, int | None] = (None, None)
    try:
        usage = reply.get("usage") or {}
        counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
        choice = reply["choices"][0]
        message = choice["message"]
        answer = Answer(str(message.get("content") or ""), (), *counts, _finish(choice), None, e2e_s)
        calls = tuple(checked([_call(one["function"]) for one in message.get("tool_calls") or ()]))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError) as why:
        return Move(Answer("", (), *counts, e2e_s=e2e_s), error=f"not a tool call: {why}")
    return Move(answer, calls) if calls else Move(answer, said=answer.text)


def _finish(choice: Mapping[str, Any]) -> str:
    return "length" if choice.get("finish_reason") == "length" else "stop"


def _call(function: Mapping[str, Any]) -> Call:
    arguments = json.loads(function["arguments"] or "{}")
    if not isinstance(arguments, dict):
        raise ValueError("arguments are a JSON object")
    return Call(str(function["name"]), arguments)
