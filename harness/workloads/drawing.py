"""Requests drawn from a workload's file: seeded, the same bytes for the same seed.

Every figure has its own stream of random numbers, named after it, so that changing one figure leaves the draws of the
others as they were. What is left out: the hour of the day, people who come back tomorrow, gaps and growths of a
session that follow each other (its first calls grow most), calls of one session that run at once.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.errors import UserMistake
from harness.profile_types import Workload
from harness.quantity import stream
from harness.workloads.blocks import PAGE_TOKENS
from harness.workloads.columns import COLUMNS, GAP_KINDS, SCOPES
from harness.workloads.contexts import Calls, Draws, block_ids, contexts
from harness.workloads.curves import Curve
from harness.workloads.figures import Shape, shape, workload_of


def generate(workload: str | Workload, sessions: int, seed: int = 0, rate_per_s: float | None = None) -> pd.DataFrame:
    """The requests of `sessions` sessions as a frame with the trace columns, session by session.

    rate_per_s: sessions that begin a second, with the workload's own variation between them; None starts all at 0,
    for a closed loop. `hash_ids` are given, in blocks of 16 tokens, wherever reuse is more than that a prompt begins
    with the one before it and its answer. Raises UnknownId, BadFile, or UserMistake for a number that makes no sense.
    """
    workload = workload_of(workload)
    if sessions < 1 or (rate_per_s is not None and not rate_per_s > 0):
        raise UserMistake(f"{workload.id}: {sessions} sessions at {rate_per_s} a second: both must be above 0")
    figures = shape(workload)

    def rng(name: str) -> np.random.Generator:
        return stream(seed, f"{workload.id}/{name}")

    calls = contexts(figures, _draws(figures, sessions, rng))
    first = calls.turn == 0
    gap_s, person = _gaps(figures, calls, rng)
    arrival_s = np.full(len(first), np.nan)
    arrival_s[first] = _arrivals(figures, sessions, rate_per_s, rng("arrivals"))
    ids = block_ids(figures, calls, sessions) if figures.needs_ids else np.full(len(first), None, object)
    kind = np.where(first, -1, person.astype(np.int8)).astype(np.int8)
    size = pd.array(np.full(len(first), PAGE_TOKENS), dtype="Int64") if figures.needs_ids else (
        pd.array([pd.NA], dtype="Int64").repeat(len(first)))  # fmt: skip
    scope = SCOPES.index("global" if figures.prefix_is_global else "session") if figures.needs_ids else -1
    out = {
        "arrival_s": arrival_s, "isl": calls.isl, "osl": calls.osl, "id": np.arange(len(first)),
        "session": calls.session, "turn": calls.turn, "gap_s": gap_s,
        "gap_kind": pd.Categorical.from_codes(kind, categories=list(GAP_KINDS)),
        "priority": np.zeros(len(first), np.int64), "hash_ids": ids, "block_size": size,
        "scope": pd.Categorical.from_codes(np.full(len(first), scope, np.int8), categories=list(SCOPES)),
    }  # fmt: skip
    return pd.DataFrame({name: out[name] for name in COLUMNS}, copy=False)


def mean_calls(workload: str | Workload) -> float:
    """Calls of a session, on average: how many sessions make a number of requests."""
    return shape(workload_of(workload)).calls.mean()


def _draws(figures: Shape, sessions: int, rng) -> Draws:
    score = rng("calls").standard_normal(sessions)
    calls = np.maximum(np.rint(figures.calls.at(score)), 1).astype(np.int64)
    total = int(calls.sum())
    first = figures.first_prompt.at(_tied(figures.first_rank, score, rng("first_prompt")))
    step = figures.growth or figures.message
    effect = _over_calls(_tied(figures.growth_rank, score, rng("growth of sessions")), calls)
    return Draws(
        calls, _tokens(first), _tokens(figures.answer.draw(rng("answer"), total)),
        _tokens(step.draw_tied(rng("growth"), effect, figures.growth_session_share)) if step else (
            np.zeros(total, np.int64)),
        rng("rewrite").random(total) if figures.rewrite_share else np.ones(total), rng("compaction"),
    )  # fmt: skip


def _tied(rank: float, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal scores of rank correlation `rank` with `score`, whose own correlation is 2 sin(pi rank / 6)."""
    tie = 2 * np.sin(np.pi * rank / 6)
    return tie * score + np.sqrt(1 - tie**2) * rng.standard_normal(len(score))


def _over_calls(effect: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Sessions' effects, one a call, with mean 0 over the calls: a file's quantiles are those of calls, and long
    sessions have most of them."""
    every = np.repeat(effect, calls)
    return every - every.mean()


def _tokens(drawn: np.ndarray) -> np.ndarray:
    return np.maximum(np.rint(drawn), 1).astype(np.int64)


def _gaps(figures: Shape, calls: Calls, rng) -> tuple[np.ndarray, np.ndarray]:
    """(gap in s, whether a person filled it) of every call; NaN on first turns, 0 where the file has no such gap."""
    rows = len(calls.turn)
    person = rng("person").random(rows) < figures.person_share
    drawn = np.where(person, _gap(figures.person_gap, rng("person_gap"), rows),
                     _gap(figures.tool_gap, rng("tool_gap"), rows))  # fmt: skip
    return np.where(calls.turn == 0, np.nan, drawn), person


def _gap(curve: Curve | None, rng: np.random.Generator, rows: int) -> np.ndarray | float:
    return curve.draw(rng, rows) if curve else 0.0


def _arrivals(figures: Shape, sessions: int, rate_per_s: float | None, rng: np.random.Generator) -> np.ndarray | float:
    """Starts of sessions: sums of gamma times with the file's coefficient of variation (1: Poisson)."""
    if rate_per_s is None:
        return 0.0
    squared = figures.arrival_cv**2
    return np.cumsum(rng.gamma(1 / squared, squared / rate_per_s, sessions))
