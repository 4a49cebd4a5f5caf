"""The most load that one deployment holds at a service level, by bisection over simulations in full swing.

Load is users (sessions in progress at once, a new one when one ends: a closed loop) or a rate (sessions that begin a
second whatever becomes of the others: an open loop, which does not slow down with the chip). The level is held if a
share of the requests that arrive in the measured window keep every limit; one that is still without its first token
(or waiting) at the end of the window breaks the limit of its TTFT (or queue) once it has waited that long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.errors import NotPredictable
from harness.serving import steady
from harness.serving.arrivals import NS
from harness.serving.deploy import Deployment
from harness.serving.power import energy_figures
from harness.serving.simulate import Policy, Run, run
from harness.serving.summary import step_scales

USERS, RATE = "users", "rate"
_WINDOW = 2 / 3  # of a simulation is measured; the first third lets caches and queues settle
_SHORTEST_S, _LONGEST_S = (30.0, 900.0), 21_600.0
_LEAST = {USERS: 1.0, RATE: 1e-5}
_MOST = {USERS: 1 << 20, RATE: 1e5}


@dataclass(frozen=True)
class Effort:
    """How long a simulation is watched and how near a search comes.

    calls: in the measured window, where the limits on its length allow it. close: bisection ends when the ends are
    this near each other, as a share.
    """

    calls: int = 6000
    close: float = 0.03


FULL = Effort()


@dataclass(frozen=True)
class Load:
    """What one simulation showed of a load: over the measured window."""

    load: float
    held: float  # share of its requests that kept every limit
    sessions_per_s: float
    requests_per_s: float
    output_tok_per_s: float
    hit_rate: float
    power_w_per_chip: float  # NaN where the profile has no power
    busy: float
    latency: Mapping[str, float]  # ttft_s (at least, where calls still wait) and tpot_s at .p50, .p95; NaN: none seen
    call_s: float  # mean from a call's arrival to the end of the workload's mean answer; NaN where none ended
    memory: tuple[float, float]  # share of the KV memory that running requests use, and that is kept for later turns
    done: Run


@dataclass(frozen=True)
class Capacity:
    """The most that a deployment holds, at the middle, the p10 and the p90 of its load; None where it holds nothing."""

    kind: str
    middle: Load | None
    low: Load | None
    high: Load | None


def capacity(d: Deployment, pool: steady.Pool, kind: str, slo: Mapping[str, float], share: float,
             policy: Policy | None = None, tick: Callable[[Load, float], None] | None = None,
             effort: Effort = FULL, ends: bool = True) -> Capacity:  # fmt: skip
    """Bisect three times: with the steps' middle time, and with their p90 (least load) and p10 (most).

    tick is told every load tried and the multiple of the steps' middle time it was tried with. Without `ends` the
    middle alone is found.

    Raises NotPredictable where more of the workload's calls than may miss the level do not fit at all.
    """
    for tokens, what in ((d.most_context, "the model's context"), (d.engine.capacity, "the KV memory of a replica")):
        past = pool.share_past(tokens)
        if d.engine.grows and past > 1 - share:
            raise NotPredictable(f"{past:.0%} of the calls of {pool.workload.id} are past {what} of {tokens:,} tokens")

    def at(load: float, scale: float) -> Load:
        seen = measure(d, pool, kind, load, slo, policy, scale, effort)
        if tick is not None:
            tick(seen, scale)
        return seen

    def most(scale: float, begin: float) -> Load | None:
        return _most(lambda load: at(load, scale), kind, share, begin, effort.close)

    middle = most(1.0, 1.0)
    if not ends:
        return Capacity(kind, middle, None, None)
    p10, p90 = step_scales((middle or at(_LEAST[kind], 1.0)).done)
    if middle is None:
        return Capacity(kind, None, None, most(p10, 1.0))
    return Capacity(kind, middle, most(p90, middle.load), most(p10, middle.load))


def _most(at: Callable[[float], Load], kind: str, share: float, begin: float, close: float) -> Load | None:
    """The largest load that is held; the search doubles or halves from `begin`, then bisects."""

    def holds(load: float) -> Load | None:
        found = at(load)
        return found if found.held >= share else None

    low, held, high = 0.0, None, begin
    while (found := holds(high)) is not None:
        low, held, high = high, found, high * 2
        if high > _MOST[kind]:
            return held
    while held is None and high > _LEAST[kind]:
        high, tried = max(high / 2, _LEAST[kind]) if kind == RATE else max(math.floor(high / 2), 1.0), high
        held = holds(high)
        low, high = (high, tried) if held is not None else (0.0, high)
    if held is None:
        return None
    while high - low > max(close * low, 1.0 if kind == USERS else 0.0):
        middle = math.sqrt(low * high) if kind == RATE else math.floor((low + high) / 2)
        found = holds(middle)
        low, held, high = (middle, found, high) if found is not None else (low, held, middle)
    return held


def measure(d: Deployment, pool: steady.Pool, kind: str, load: float, slo: Mapping[str, float],
            policy: Policy | None = None, scale: float = 1.0, effort: Effort = FULL) -> Load:  # fmt: skip
    """Simulate one load in full swing. scale multiplies every step's time."""
    horizon = _horizon(pool, kind, load, effort.calls)
    frame, start = steady.closed(pool, int(load), horizon) if kind == USERS else steady.opened(pool, load, horizon)
    done = run(d, frame, int(load) if kind == USERS else None, policy, scale, start=start)
    end = _full_until(done, horizon) if kind == USERS else horizon
    return _seen(done, pool, load, slo, end * (1 - _WINDOW), end)


def _full_until(done: Run, horizon: float) -> float:
    """When a closed loop has begun its last session, after which fewer than asked are in it; the horizon at most."""
    first = np.asarray(done.arrivals.arrival) >= 0
    begun = np.asarray(done.journal.arrival)[first]
    return horizon if (begun < 0).any() else min(horizon, float(begun.max()) / NS)


def _horizon(pool: steady.Pool, kind: str, load: float, calls: int) -> float:
    """Long enough for the calls of a window, within limits: some lives of a session, where caches and queues settle."""
    shortest = float(np.clip(10 * pool.mean_life_s, *_SHORTEST_S))
    a_second = load * pool.mean_calls * (1 / max(pool.mean_life_s, 1.0) if kind == USERS else 1.0)
    return float(np.clip(calls / a_second / _WINDOW, shortest, _LONGEST_S))


def _seen(done: Run, pool: steady.Pool, load: float, slo: Mapping[str, float], begun: float,
          end: float) -> Load:  # fmt: skip
    j, a = done.journal, done.arrivals
    arrival, begun_at, first, finish = (np.where(np.asarray(x) < 0, np.nan, np.asarray(x, float) / NS)
                                        for x in (j.arrival, j.admitted, j.first_ns, j.finished))  # fmt: skip
    isl, osl, span = np.asarray(a.isl), np.asarray(a.osl), end - begun
    counted = (arrival >= begun) & (arrival <= end)
    refused = np.zeros(len(a), bool)
    refused[list(j.reason)] = True
    stuck = np.isnan(begun_at) & (end - arrival > _limit(slo, "queue"))
    known = counted & (refused | ~np.isnan(first) | stuck | (end - arrival > _limit(slo, "ttft")))
    ttft, tpot = first - arrival, np.where(osl > 1, (finish - first) / np.maximum(osl - 1, 1), np.nan)
    good = _good(begun_at - arrival, ttft, tpot, finish - arrival, slo)
    waited = np.where(known & np.isnan(first) & ~refused, end - arrival, ttft)  # so far: no first token yet
    ended = (finish >= begun) & (finish <= end)
    calls = float(ended.sum()) / span
    admitted, work = counted & ~np.isnan(first), energy_figures(done, end)
    return Load(
        load, float((good & known & ~refused).sum() / max(known.sum(), 1)), calls / pool.mean_calls, calls,
        float(osl[ended].sum()) / span,
        float(np.asarray(j.cached)[admitted].sum() / max(isl[admitted].sum(), 1)),
        work.get("power_w_per_chip", math.nan), work["busy_share"],
        {f"{name}.p{q}": _percentile(x[known], q) for name, x in (("ttft_s", waited), ("tpot_s", tpot))
         for q in (50, 95)},
        _call_s(ttft[ended], (finish - first)[ended], osl[ended], pool), _memory(done, begun), done,
    )  # fmt: skip


def _call_s(ttft: np.ndarray, answering: np.ndarray, osl: np.ndarray, pool: steady.Pool) -> float:
    """Mean TTFT, and the mean time of an output token for the workload's mean answer: a window meets few of the longest
    answers, which take most of the time."""
    if not len(ttft):
        return math.nan
    token_s = float(answering.sum() / max((osl - 1).sum(), 1))
    return float(ttft.mean()) + token_s * (float(pool.rows["osl"].mean()) - 1)


def _limit(slo: Mapping[str, float], name: str) -> float:
    """Seconds of a limit; infinite where there is none."""
    return min(slo.get(f"{name}_ms", math.inf) / 1e3, slo.get(f"{name}_s", math.inf))


def _good(
    queue: np.ndarray, ttft: np.ndarray, tpot: np.ndarray, e2e: np.ndarray, slo: Mapping[str, float]
) -> np.ndarray:
    """Within the limits, as far as it is known: an answer that is not ended yet breaks none but its TTFT's."""
    late = ~(ttft <= _limit(slo, "ttft")) | (queue > _limit(slo, "queue"))
    return ~(late | (tpot > _limit(slo, "tpot")) | (e2e > _limit(slo, "e2e")))


def _percentile(x: np.ndarray, q: float) -> float:
    x = x[~np.isnan(x)]
    return float(np.percentile(x, q)) if len(x) else math.nan


def _memory(done: Run, begun_s: float) -> tuple[float, float]:
    """Mean shares of the replicas' KV memory in use and kept, over the samples after `begun_s`, by their length."""
    s = np.array(done.journal.samples, float).reshape(-1, 7)
    lasted = np.maximum(s[:, 1] - np.maximum(s[:, 0], begun_s * NS), 0)
    if not lasted.sum():
        return math.nan, math.nan
    used, kept = (float((s[:, k] * lasted).sum() / lasted.sum()) / done.deployment.engine.capacity for k in (3, 4))
    return used, kept
