"""How the prompts of many sessions grow, turn by turn, all sessions at once.

A prompt is the one before it with its growth. Where it would pass the session's limit it is shortened to a share of
the one before and keeps only the prefix of it (compaction); where history was rewritten it keeps only the prefix too,
at full length. Block ids say which blocks are the same: a prompt is its prefix's blocks and one run of the session's
own; after a compaction or a rewrite that run begins with new ids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.workloads.blocks import PAGE_TOKENS, Ids
from harness.workloads.shape import Shape


@dataclass
class Calls:
    """All calls, session by session, [calls]; `own_first`, `own_end` are the session's own block ids, half open."""

    session: np.ndarray
    turn: np.ndarray
    isl: np.ndarray
    osl: np.ndarray
    own_first: np.ndarray
    own_end: np.ndarray

    def only(self, kept: np.ndarray) -> Calls:
        return Calls(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


@dataclass
class Draws:
    """Random numbers: `calls`, `first` per session; `answer`, `step`, `rewritten` per call; `rng` for the rest."""

    calls: np.ndarray
    first: np.ndarray
    answer: np.ndarray
    step: np.ndarray
    rewritten: np.ndarray
    rng: np.random.Generator


def contexts(shape: Shape, draws: Draws) -> Calls:
    """The calls of all sessions: lengths in tokens and block ids."""
    calls = draws.calls
    start = np.cumsum(calls) - calls  # of each session's calls, [sessions]
    total = int(calls.sum())
    own_first, own_end = np.zeros(total, np.int64), np.zeros(total, np.int64)
    isl, osl = np.zeros(total, np.int64), np.minimum(draws.answer, max(shape.cap_tokens - 1, 1)).astype(np.int64)
    page = _Pages(shape.prefix_tokens // PAGE_TOKENS, np.zeros(len(calls), np.int64))
    limit = np.full(len(calls), np.inf)
    live, turn = np.arange(len(calls)), 0
    while len(live):
        at = start[live] + turn
        room = shape.cap_tokens - osl[at]
        if turn == 0:
            new = np.minimum(np.maximum(draws.first[live], shape.prefix_tokens), room)
            fresh = np.ones(len(live), bool)
            limit[live] = _limit(shape, new, draws.rng)
        else:
            new = isl[at - 1] + draws.step[at] + (osl[at - 1] if shape.message else 0)
            over = new > np.minimum(limit[live], room)
            if shape.kept is None:  # nothing says how a context is shortened: the session ends
                live, at, new, room, over = (x[~over] for x in (live, at, new, room, over))
            fresh = over | (draws.rewritten[at] < shape.rewrite_share)
            if over.any():
                new[over] = _shortened(shape, isl[at[over] - 1], room[over], draws.rng)
                limit[live[over]] = _limit(shape, new[over], draws.rng)
        isl[at] = np.maximum(new, 1)
        own_first[at], own_end[at] = page.taken(live, isl[at], fresh, own_first[at - 1])
        turn += 1
        live = live[calls[live] > turn]
    session = np.repeat(np.arange(len(calls)), calls)
    every = Calls(session, np.arange(total) - start[session], isl, osl, own_first, own_end)
    return every if isl.all() else every.only(isl > 0)


def _limit(shape: Shape, prompt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The prompt length at which a session's context is next shortened, above its prompt now."""
    if shape.limit is None:
        return np.full(len(prompt), np.inf)
    return shape.limit.draw_above(rng, np.maximum(prompt, 1).astype(np.float64))


def _shortened(shape: Shape, before: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Prompts after a compaction: a share of the one before, no less than the prefix."""
    share = np.minimum(shape.kept.draw(rng, len(before)), 1.0)
    return np.minimum(np.maximum(share * before, shape.prefix_tokens), room).astype(np.int64)


@dataclass
class _Pages:
    """Block ids of sessions: `prefix` blocks come first in every prompt, `used` own ids of each are taken."""

    prefix: int
    used: np.ndarray

    def taken(
        self, live: np.ndarray, prompt: np.ndarray, fresh: np.ndarray, before: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The own ids of prompts, half open: those of the run before, lengthened, or new ones where `fresh`."""
        own = np.maximum(prompt // PAGE_TOKENS - self.prefix, 0)
        first = np.where(fresh, self.used[live], before)
        self.used[live] = np.maximum(self.used[live], first + own)
        return first, first + own


def block_ids(shape: Shape, calls: Calls, sessions: int) -> np.ndarray:
    """The `hash_ids` cells of all calls: at most the prefix's run and one own run each.

    With a global prefix the own ids of each session are its alone; else ids are local to the session.
    """
    prefix = shape.prefix_tokens // PAGE_TOKENS
    used = np.zeros(sessions, np.int64)
    np.maximum.at(used, calls.session, calls.own_end)
    offset = prefix + (np.cumsum(used) - used if shape.prefix_is_global else np.zeros_like(used))
    first = (offset[calls.session] + calls.own_first).tolist()
    last = (offset[calls.session] + calls.own_end - 1).tolist()
    shared = np.minimum(calls.isl // PAGE_TOKENS, prefix).tolist()
    cells = np.empty(len(first), object)
    for k, (n, a, b) in enumerate(zip(shared, first, last, strict=True)):
        cells[k] = _cell(n, a, b)
    return cells


def _cell(shared: int, first: int, last: int) -> Ids:
    runs = [[0, shared - 1]] if shared else []
    return [*runs, [first, last]] if last >= first else runs
