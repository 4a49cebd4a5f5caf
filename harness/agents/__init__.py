"""The agent loop: a model acts on a world, turn by turn, within limits; every turn is logged."""

from __future__ import annotations

from harness.agents.episode import Episode, Limits, Turn, play, playing
from harness.agents.messages import Actor, Message, Move
from harness.agents.native import NativeActor
from harness.agents.react import ReactActor
from harness.agents.requests import request_frame

__all__ = ["Actor", "Episode", "Limits", "Message", "Move", "NativeActor", "ReactActor", "Turn", "play", "playing",
           "request_frame"]  # fmt: skip
