"""Episodes: models act on worlds until they finish or meet a limit, many episodes together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.agents.messages import Actor, Message, Move
from harness.calls import written
from harness.worlds import World


@dataclass(frozen=True)
class Limits:
    """When an episode ends unfinished. Tokens are input and output of all turns; time is wall clock of the episode.

    Prices are USD per million tokens. A limit in tokens or money binds only where the runner counts tokens.
    """

    turns: int = 30
    repeats: int = 3  # the same text so often in a row, with the same results: it would go on for ever
    tokens: float = math.inf
    time_s: float = math.inf
    usd: float = math.inf
    usd_per_m_input: float = 0.0
    usd_per_m_output: float = 0.0

    def met(self, turns: Sequence[Turn], spent_s: float) -> str:
        """The name of the limit that is reached, or an empty word."""
        read, wrote = (sum(getattr(t, k) or 0 for t in turns) for k in ("prompt_tokens", "output_tokens"))
        usd = (read * self.usd_per_m_input + wrote * self.usd_per_m_output) / 1e6
        if len(turns) >= self.repeats and len({(t.text, t.results, t.reply) for t in turns[-self.repeats :]}) == 1:
            return "repeats"
        spent = {"turns": len(turns), "tokens": read + wrote, "time_s": spent_s, "usd": usd}
        return next((name for name, value in spent.items() if value >= getattr(self, name)), "")


@dataclass(frozen=True)
class Turn:
    """One call to the model and what came of it. `calls` is Python call text; tokens are None where not counted."""

    turn: int
    prompt_tokens: int | None
    output_tokens: int | None
    text: str
    calls: str
    said: str | None
    results: tuple[str, ...]
    error: str  # of the text or of a call; the model was told
    tool_s: float
    model_s: float | None
    reply: str | None  # of the other party

    def line(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Episode:
    """A world and all that happened in it. `finish`: "stop" (done), the limit met, or "error" (the runner failed)."""

    world: World
    turns: list[Turn] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    finish: str = ""
    error: str = ""

    @property
    def transcript(self) -> str:
        """The well-formed moves, one line each, as `Action:` and `Answer:`: replayed on a new world, the same state."""
        lines = (
            f"Answer: {' '.join(t.said.split())}".rstrip() if t.said is not None else f"Action: {t.calls}"
            for t in self.turns
            if t.calls or t.said is not None
        )
        return "\n".join(lines)


def play(
    worlds: Sequence[World], actor: Actor, limits: Limits, done: Callable[[int, Episode], None] = lambda k, e: None
) -> list[Episode]:
    """Advance all episodes a turn at a time until each has ended; `done` is told of each as it ends."""
    episodes = [Episode(world, messages=[Message("user", world.opening)]) for world in worlds]
    begun = time.perf_counter()
    live = list(range(len(episodes)))
    while live:
        moves = actor.act([episodes[k].world for k in live], [episodes[k].messages for k in live])
        for k, move in zip(live, moves, strict=True):
            _advance(episodes[k], move)
            if not episodes[k].finish:
                episodes[k].finish = limits.met(episodes[k].turns, time.perf_counter() - begun)
            if episodes[k].finish:
                done(k, episodes[k])
        live = [k for k in live if not episodes[k].finish]
    return episodes


def _advance(episode: Episode, move: Move) -> None:
    answer = move.answer
    if answer.finish == "error":
        episode.finish, episode.error = "error", answer.error
        return
    begun = time.perf_counter()
    outcomes = [episode.world.call(call) for call in move.calls]
    tool_s = time.perf_counter() - begun
    reply = episode.world.answer(move.said) if move.said is not None else None
    error = move.error or next((e for _, e in outcomes if e), "")
    results = tuple(result or f"Error: {e}" for result, e in outcomes)
    text = answer.text.strip() or (f"Action: {written(move.calls)}" if move.calls else "")
    episode.messages.append(Message("assistant", text, move.calls))
    episode.messages += [Message("tool", r) for r in (results or ((f"Error: {move.error}",) if move.error else ()))]
    if reply is not None:
        episode.messages.append(Message("user", reply))
    elif move.said is not None:
        episode.finish = "stop"
    episode.turns.append(
        Turn(len(episode.turns), answer.prompt_tokens, answer.output_tokens, answer.text,
             written(move.calls) if move.calls else "", move.said, results, error, tool_s, answer.e2e_s, reply)
    )  # fmt: skip
