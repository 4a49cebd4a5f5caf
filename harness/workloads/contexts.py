"""How the prompts of many sessions grow, turn by turn, all sessions at once.

A prompt is the one before it with its growth. After one that passed the session's limit (or where the next would pass
the cap) it is a shortened one, which keeps only the prefix (compaction); where history was rewritten it keeps only the
prefix too, at full length. Block ids say which blocks are the same: a prompt is its prefix's blocks and one run of the
session's own; after a compaction or a rewrite that run begins with new ids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.workloads.blocks import PAGE_TOKENS, Ids
from harness.workloads.figures import Shape


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
    limits = _Limits(shape, draws.rng, np.full(len(calls), np.inf))
    live, turn = np.arange(len(calls)), 0
    while len(live):
        at = start[live] + turn
        room = shape.cap_tokens - osl[at]
        if turn == 0:
            new = np.minimum(np.maximum(draws.first[live], shape.prefix_tokens), room)
            fresh = np.ones(len(live), bool)
            limits.begin(new)
        else:
            new = isl[at - 1] + draws.step[at] + (osl[at - 1] if shape.message else 0)
            over = (isl[at - 1] > limits.tokens[live]) | (new > room)
            if shape.shortened is None:  # nothing says how a context is shortened: the session ends
                live, at, new, room, over = (x[~over] for x in (live, at, new, room, over))
            fresh = over | (draws.rewritten[at] < shape.rewrite_share)
            if over.any():
                new[over] = _shortened(shape, isl[at[over] - 1], room[over], draws.rng)
                limits.renew(live[over], new[over])
        isl[at] = np.maximum(new, 1)
        own_first[at], own_end[at] = page.taken(live, isl[at], fresh, own_first[at - 1])
        turn += 1
        live = live[calls[live] > turn]
    session = np.repeat(np.arange(len(calls)), calls)
    every = Calls(session, np.arange(total) - start[session], isl, osl, own_first, own_end)
    return every if isl.all() else every.only(isl > 0)


def _shortened(shape: Shape, before: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Prompts after a compaction: no less than the prefix, no longer than the one before."""
    drawn = np.minimum(shape.shortened.draw(rng, len(before)), before)
    return np.minimum(np.maximum(drawn, shape.prefix_tokens), room).astype(np.int64)


@dataclass
class _Limits:
    """The prompt length past which each session's context is next shortened, above its prompt now; inf: never."""

    shape: Shape
    rng: np.random.Generator
    tokens: np.ndarray

    def begin(self, prompt: np.ndarray) -> None:
        """The limits of all sessions at their first prompts.

        A session that begins above what most limits are is the likelier one without any (Bayes' rule).
        """
        if self.shape.limit is None:
            return
        never, above = self.shape.never_share, 1 - self.shape.limit.share_below(np.maximum(prompt, 1.0))
        none = never / np.maximum(never + (1 - never) * above, 1e-12)
        limited = np.flatnonzero(self.rng.random(len(prompt)) >= none)
        self.tokens[limited] = 0.0
        self.renew(limited, prompt[limited])

    def renew(self, sessions: np.ndarray, prompt: np.ndarray) -> None:
        """New limits for those of some sessions that have one."""
        limited = np.isfinite(self.tokens[sessions])
        if limited.any():
            least = np.maximum(prompt[limited], 1.0)
            self.tokens[sessions[limited]] = self.shape.limit.draw_above(self.rng, least)


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
