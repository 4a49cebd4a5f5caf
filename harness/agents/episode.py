"""Episodes: models act on worlds until they finish or meet a limit, many episodes together."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.agents.messages import Actor, Message, Move
from harness.calls import written
from harness.worlds import World


@dataclass(frozen=True)
class Limits:
    """When an episode ends unfinished.

    Tokens are input and output of all turns. Time is the model's and the tools' own; where the runner does not say
    how long an answer took, wall clock since the episodes began. Prices are USD per million tokens. A limit in tokens
    or money binds only where the runner counts tokens. `stuck` is turns in a row that only failed or repeated the one
    before: a small model may go on so for ever.
    """

    turns: int = 30
    tokens: float = math.inf
    time_s: float = math.inf
    usd: float = math.inf
    usd_per_m_input: float = 0.0
    usd_per_m_output: float = 0.0
    stuck: int = 3

    def met(self, turns: Sequence[Turn], wall_s: float) -> str:
        """The name of the limit that is reached, or an empty word."""
        read, wrote = (sum(getattr(t, k) or 0 for t in turns) for k in ("prompt_tokens", "output_tokens"))
        usd = (read * self.usd_per_m_input + wrote * self.usd_per_m_output) / 1e6
        timed = all(t.model_s is not None for t in turns)
        time_s = sum(t.model_s + t.tool_s for t in turns) if timed else wall_s
        spent = {"turns": len(turns), "tokens": read + wrote, "time_s": time_s, "usd": usd, "stuck": _stuck(turns)}
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
    tool_calls: int = 0

    def line(self) -> dict[str, Any]:
        return asdict(self)


def _stuck(turns: Sequence[Turn]) -> int:
    """Turns at the end, in a row, that failed or repeated the calls of the one before."""
    count = 0
    for k in range(len(turns) - 1, -1, -1):
        again = k > 0 and turns[k].calls and turns[k].calls == turns[k - 1].calls
        if not (turns[k].error or again):
            break
        count += 1
    return count


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
            f"Answer: {t.said}".rstrip() if t.said is not None else f"Action: {t.calls}"
            for t in self.turns
            if t.calls or t.said is not None
        )
        return "\n".join(lines)


def play(worlds: Sequence[World], actor: Actor, limits: Limits) -> list[Episode]:
    """Every episode, in the order of the worlds."""
    ended = dict(playing(worlds, actor, limits))
    return [ended[k] for k in range(len(worlds))]


def playing(worlds: Sequence[World], actor: Actor, limits: Limits) -> Iterator[tuple[int, Episode]]:
    """Advance all episodes a turn at a time until each has ended; each with its index as it ends."""
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
                yield k, episodes[k]
        live = [k for k in live if not episodes[k].finish]


def _advance(episode: Episode, move: Move) -> None:
    answer, world = move.answer, episode.world
    move = _read(world, move)
    if answer.finish == "error":
        episode.finish, episode.error = "error", answer.error
        return
    said = None if move.said is None else " ".join(move.said.split())  # one line, as a transcript holds it
    begun = time.perf_counter()
    outcomes = world.act(move.calls) if said is None else []
    tool_s = time.perf_counter() - begun
    reply = world.answer(said) if said is not None else None
    error = move.error or next((e for _, e in outcomes if e), "")
    results = tuple(result or f"Error: {e}" for result, e in outcomes)
    text = _shown(move)
    episode.messages.append(Message("assistant", text, move.calls))
    episode.messages += [Message("tool", r) for r in (results or ((f"Error: {move.error}",) if move.error else ()))]
    if reply is not None:
        episode.messages.append(Message("user", reply))
    if world.over:
        episode.finish = "stop"
    episode.turns.append(
        Turn(len(episode.turns), answer.prompt_tokens, answer.output_tokens, answer.text,
             written(move.calls) if move.calls else "", said, results, error, tool_s, answer.e2e_s, reply,
             len(move.calls))
    )  # fmt: skip


def _read(world: World, move: Move) -> Move:
    """The move; or the calls that the world reads out of a text without any."""
    calls = () if move.calls or world.reads is None else tuple(world.reads(move.answer.text))
    return Move(move.answer, calls) if calls else move


def _shown(move: Move) -> str:
    """What the model is shown of its own move: its text up to the line that decided, so that no move stands unmade."""
    lines = move.answer.text.strip().splitlines()
    if not lines and move.calls:
        return f"Action: {written(move.calls)}"
    for k, line in enumerate(lines):
        if line.strip().startswith(("Action:", "Answer:", "[")):
            return "\n".join(lines[: k + 1])
    return "\n".join(lines)
