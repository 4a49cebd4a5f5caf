"""Requests of a workload in full swing: sessions met at a random moment of their lives, their caches where they were.

A session that is in progress at an instant is a long one more often than a session drawn at random, in proportion to
its length; the instant falls anywhere in it. Lives are those of the gaps: time at the chip is left out of where a
session is met, not of what follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness import profiles
from harness.profile_types import Workload
from harness.quantity import stream
from harness.serving.simulate import Start
from harness.workloads import cached_tokens, checked, generate, mean_calls, shape

POOL_SESSIONS = 1500  # drawn once; sessions of a simulation are drawn from these
POOL_CALLS = 200_000  # about; where sessions are long there are fewer of them, 100 at least


@dataclass(frozen=True)
class Pool:
    """Sessions to draw from: rows sorted by session and turn, with the seconds into their session's life."""

    workload: Workload
    rows: pd.DataFrame
    first: np.ndarray  # of each session its first row; one more at the end
    at_s: np.ndarray  # of each row
    cached: np.ndarray  # of each row: tokens that its session left before
    life_s: np.ndarray  # of each session
    seed: int

    def share_past(self, tokens: int) -> float:
        """Share of the calls whose prompt and answer are longer than `tokens`."""
        return float((self.rows["isl"] + self.rows["osl"] > tokens).mean())

    @property
    def mean_life_s(self) -> float:
        return float(self.life_s.mean())

    @property
    def mean_calls(self) -> float:
        return len(self.rows) / len(self.life_s)


def pool(workload: str | Workload, seed: int = 0, sessions: int | None = None) -> Pool:
    """Draw the sessions."""
    workload = profiles.workload(workload) if isinstance(workload, str) else workload
    sessions = sessions or min(POOL_SESSIONS, max(100, round(POOL_CALLS / mean_calls(workload))))
    rows = checked(generate(workload, sessions, seed))
    first = np.append(np.flatnonzero(rows["turn"].to_numpy() == 0), len(rows))
    gaps = np.cumsum(rows["gap_s"].fillna(0.0).to_numpy())
    at = gaps - np.repeat(gaps[first[:-1]], np.diff(first))
    own = rows if (rows["scope"] != "global").all() else rows.assign(scope="session")  # what its own session left
    return Pool(workload, rows, first, at, cached_tokens(own), at[first[1:] - 1], seed)


def closed(p: Pool, sessions: int, horizon_s: float) -> tuple[pd.DataFrame, Start]:
    """`sessions` in progress at 0, and those that follow when one ends; for a simulation of `horizon_s`."""
    begun = _in_progress(p, sessions)
    spare = int(2 * sessions * horizon_s / max(p.mean_life_s, 1.0)) + 50 + sessions
    return _frame(p, [*begun, *_new(p, spare)], np.zeros(spare), horizon_s, len(begun))


def opened(p: Pool, rate_per_s: float, horizon_s: float) -> tuple[pd.DataFrame, Start]:
    """Sessions that begin at a rate, with those in progress at 0 (as many as Little's law says)."""
    begun = _in_progress(p, round(rate_per_s * p.mean_life_s))
    cv = shape(p.workload).arrival_cv
    count = int(rate_per_s * horizon_s + 5 * cv * np.sqrt(rate_per_s * horizon_s)) + 5
    arrival = np.cumsum(_stream(p, "arrivals").gamma(1 / cv**2, cv**2, count)) / rate_per_s
    arrival = arrival[arrival < horizon_s]
    return _frame(p, [*begun, *_new(p, len(arrival))], arrival, horizon_s, len(begun))


def _stream(p: Pool, name: str) -> np.random.Generator:
    """The same numbers whatever the load: more load is the same sessions and others, so that loads compare."""
    return stream(p.seed, f"{p.workload.id}/steady/{name}")


def _new(p: Pool, count: int) -> list[tuple[int, float]]:
    """Sessions that begin: (session of the pool, 0 seconds into its life)."""
    return [(int(k), 0.0) for k in _stream(p, "new").integers(0, len(p.life_s), count)]


def _in_progress(p: Pool, count: int) -> list[tuple[int, float]]:
    """(session of the pool, seconds into its life) of sessions met at an instant."""
    total = p.life_s.sum()
    if total == 0:  # sessions of one call: none has a life between calls
        return [(int(k), 0.0) for k in _stream(p, "met").integers(0, len(p.life_s), count)]
    chosen = _stream(p, "met").choice(len(p.life_s), count, p=p.life_s / total)
    into = _stream(p, "into").random(count) * p.life_s[chosen]
    return [(int(k), float(u)) for k, u in zip(chosen, into, strict=True)]


def _frame(p: Pool, sessions: list[tuple[int, float]], arrival: np.ndarray, horizon_s: float,
           begun: int) -> tuple[pd.DataFrame, Start]:  # fmt: skip
    """The rows of sessions from where they are met to the horizon, sessions in order."""
    parts, starts, cached = [], [], {}
    at = 0
    for n, (k, met) in enumerate(sessions):
        rows = slice(p.first[k], p.first[k + 1])
        times = p.at_s[rows]
        low = int(np.searchsorted(times, met)) if n < begun else 0
        high = max(int(np.searchsorted(times, met + horizon_s)), low + 1)
        parts.append(np.arange(rows.start + low, rows.start + high))
        starts.append(times[low] - met if n < begun else arrival[n - begun])
        if low:
            cached[at] = (int(p.cached[rows.start + low]), float(met - times[low - 1]))
        at += high - low
    index = np.concatenate(parts) if parts else np.zeros(0, int)
    lengths = [len(x) for x in parts]
    frame = p.rows.iloc[index].reset_index(drop=True)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(int)
    frame["id"], frame["session"] = np.arange(len(frame)), np.repeat(np.arange(len(parts)), lengths)
    frame["turn"] = np.arange(len(frame)) - np.repeat(first, lengths)
    frame["arrival_s"] = np.nan
    frame.loc[first, "arrival_s"], frame.loc[first, "gap_s"] = starts, np.nan
    return frame, Start(cached, horizon_s)
