"""Requests on a stack -> when each was answered: the simulation from its words to its columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from harness.errors import NotPredictable
from harness.serving.arrivals import NS, Arrivals, arrivals
from harness.serving.cache import NEVER, Cache
from harness.serving.deploy import Deployment, deploy
from harness.serving.journal import Journal
from harness.serving.loop import Loop
from harness.serving.replica import BOTH, DECODE, PREFILL, Replica
from harness.serving.routing import router
from harness.serving.steptable import StepTable
from harness.stack import Stack
from harness.workloads import checked


@dataclass(frozen=True)
class Policy:
    """What is done with requests and with the cache that they leave.

    routing: round-robin, least-loaded or cache-aware. keep_s: how long an unused prefix is kept (NaN: until its memory
    is needed). hold_s: how long a session's cache is held for its next turn, against requests that wait. host_bytes:
    host memory of a replica that evicted prefixes move to. swaps: a preempted request's cache goes to host memory and
    comes back, instead of being computed once more. stepwise: every decode step by itself (the same results,
    slower).
    """

    routing: str = "cache-aware"
    keep_s: float = float("nan")
    hold_s: float = 0.0
    host_bytes: float = 0.0
    swaps: bool = False
    stepwise: bool = False


@dataclass(frozen=True)
class Start:
    """A simulation that begins in the middle of its sessions' lives, and ends at a time.

    cached: row of a session's first call here -> (tokens of its prompt that an earlier turn left, seconds since then).
    """

    cached: Mapping[int, tuple[int, float]]
    until_s: float


@dataclass(frozen=True)
class Run:
    """A finished simulation."""

    deployment: Deployment
    arrivals: Arrivals
    journal: Journal
    table: StepTable
    policy: Policy
    concurrency: int | None


def simulate(stack: Stack | str, requests: pd.DataFrame, concurrency: int | None = None,
             policy: Policy | None = None) -> pd.DataFrame:  # fmt: skip
    """Serve requests [n rows, the columns of a trace] on a stack; one row an input row, in their order.

    Columns: id, session, turn, arrival_s, isl, osl, cached_tokens (of the prompt, found in the prefix cache when it
    was first admitted; blank where it never was), replica, queue_s, ttft_s, tpot_s (blank where osl < 2), e2e_s,
    preemptions, status (ok or rejected), reason. Times are those at the engine: `predict` adds the way of a request to
    it and back. Modelled.

    concurrency: so many sessions (requests, where there are none) at once instead of their arrivals.
    Raises UserMistake on a wrong stack or frame, NotPredictable where the stack cannot serve at all.
    """
    frame = checked(requests, "requests")
    out = columns(frame, run(deploy(stack), frame, concurrency, policy))
    out.index = requests.index
    return out


def run(d: Deployment, requests: pd.DataFrame, concurrency: int | None = None, policy: Policy | None = None,
        scale: float = 1.0, tick: Callable[[int], None] | None = None, start: Start | None = None) -> Run:  # fmt: skip
    """Simulate a deployment on a checked frame. `scale` multiplies every step time: how its uncertainty is carried."""
    policy, engine = policy or Policy(), d.engine
    if (policy.host_bytes or policy.swaps) and math.isnan(engine.restore_ns):
        raise NotPredictable(
            f"{d.chip.name} has no host.bandwidth: what comes back from host memory takes no known time"
        )
    a = arrivals(requests, engine.page)
    table = _step_table(d, a.most_context, scale)
    journal = Journal(len(a))
    for i in np.flatnonzero(np.asarray(a.isl) + np.asarray(a.osl) > d.most_context).tolist():
        journal.reason[i] = f"its {a.isl[i] + a.osl[i]} tokens are past the model's context of {d.most_context}"
    replicas = [_replica(k, d, a, table, journal, policy) for k in range(d.replicas)]
    route = router(policy.routing, a.block > 0 and engine.prefix)
    loop = Loop(
        a, replicas[: d.entry], replicas[d.entry :], journal, route, d.transfer_ns, concurrency, start is not None
    )
    if start is None:
        loop.run(tick)
    else:
        _warm(replicas[: d.entry], a, start)
        loop.run(tick, round(start.until_s * NS))
    return Run(d, a, journal, table, policy, concurrency)


@lru_cache(12)
def _step_table(d: Deployment, most_context: int, scale: float) -> StepTable:
    """Kept, since a search for a load simulates one deployment many times."""
    return StepTable(d.steps, d.engine.budget, d.engine.sequences, most_context, scale)


def _warm(replicas: list[Replica], a: Arrivals, start: Start) -> None:
    """Earlier turns' caches, the most recent first, on the replicas in turn, as far as there is room."""
    if not replicas[0].engine.prefix:
        return
    for k, (i, (tokens, age_s)) in enumerate(sorted(start.cached.items(), key=lambda kv: kv[1][1])):
        if a.runs[i]:
            cache = replicas[k % len(replicas)].cache
            cache.warm(a.key[i], a.runs[i], tokens // cache.block, -round(age_s * NS))


def _replica(k: int, d: Deployment, a: Arrivals, table: StepTable, journal: Journal, policy: Policy) -> Replica:
    engine = d.engine
    keep = NEVER if np.isnan(policy.keep_s) else round(policy.keep_s * NS)
    host = int(policy.host_bytes / engine.bytes_per_token) if engine.bytes_per_token else 0
    cache = Cache(engine.capacity, a.block or engine.page, keep, host)
    role = BOTH if not d.decoders else PREFILL if k < d.entry else DECODE
    hold = 0 if role == DECODE else round(policy.hold_s * NS)  # a next turn's prompt never comes to a decode replica
    return Replica(k, a, engine, table, cache, journal, role, hold, policy.swaps, policy.stepwise)


def columns(requests: pd.DataFrame, done: Run) -> pd.DataFrame:
    """The contract's columns of a simulation of a checked frame."""
    j, a = done.journal, done.arrivals
    arrival, admitted, first, finished = (_seconds(v) for v in (j.arrival, j.admitted, j.first_ns, j.finished))
    isl, osl, cached, preemptions, replica = map(np.asarray, (a.isl, a.osl, j.cached, j.preemptions, j.replica))
    with np.errstate(divide="ignore", invalid="ignore"):
        tpot = np.where(osl > 1, (finished - first) / (osl - 1), np.nan)
    rejected = np.isnan(finished)
    return pd.DataFrame({
        "id": requests["id"].to_numpy(), "session": requests["session"].to_numpy(),
        "turn": requests["turn"].to_numpy(), "arrival_s": arrival, "isl": isl, "osl": osl,
        "cached_tokens": pd.arrays.IntegerArray(cached, np.asarray(j.admitted) < 0),
        "replica": pd.arrays.IntegerArray(replica, replica < 0), "queue_s": admitted - arrival,
        "ttft_s": first - arrival, "tpot_s": tpot, "e2e_s": finished - arrival, "preemptions": preemptions,
        "status": pd.Categorical.from_codes(rejected.astype(np.int8), ["ok", "rejected"]),
        "reason": _reasons(j.reason, len(a)),
    }, index=requests.index, copy=False)  # fmt: skip


def _reasons(found: Mapping[int, str], rows: int) -> pd.Categorical:
    """Why requests were rejected, one byte or two a row; empty for the others."""
    words = {word: k for k, word in enumerate(["", *dict.fromkeys(found.values())])}
    codes = np.zeros(rows, np.int32)
    for i, reason in found.items():
        codes[i] = words[reason]
    return pd.Categorical.from_codes(codes, list(words))


def _seconds(ns: list[int]) -> np.ndarray:
    """Nanoseconds as seconds; NaN where a thing has not happened."""
    out = np.asarray(ns, float)
    out[out < 0] = np.nan
    out /= NS
    return out
