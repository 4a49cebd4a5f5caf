"""What is said in an episode, whatever form it takes on the way to a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.answers import Answer
from harness.calls import Call
from harness.worlds import World


@dataclass(frozen=True)
class Message:
    """One message. role: user (the other party), assistant, or tool (one result, or an error, a call)."""

    role: str
    text: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Move:
    """What a model did in a turn: calls, or words to the other party, or (error) something that is neither."""

    answer: Answer
    calls: tuple[Call, ...] = ()
    said: str | None = None
    error: str = ""


class Actor(Protocol):
    """Decides for many episodes at once, so that a runner gets batches."""

    def act(self, worlds: Sequence[World], messages: Sequence[Sequence[Message]]) -> list[Move]: ...
