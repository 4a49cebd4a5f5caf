"""summary.json of a simulation: every figure with its interval, and what it was made of.

The interval carries the model's uncertainty of a step: the simulation is run again with every step time at the p10 and
at the p90 of the modelled time a token, at this run's own mean load. p10 and p90 are the least and the most of the
three runs. Steps that err apart from each other would narrow it; errors of lengths, arrivals and prices are not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.errors import NotPredictable
from harness.roofline.point import point
from harness.serving.deploy import Deployment
from harness.serving.outcome import UNITS, Window, figures, window
from harness.serving.simulate import Policy, Run, columns, run

SCHEMA_VERSION = 1
# Options that a single operating point does not know; they change the queue, not the steps' error.
_OF_SERVING = ("disagg", "chunk", "prefix", "max_batched_tokens", "region")


# Figures that are always there, null where they cannot be said (no price, no answer longer than a token).
CONTRACT = (
    "makespan_s", "ttft_s", "tpot_s", "e2e_s", "output_tok_s_per_chip", "total_tok_s_per_chip", "goodput_req_s",
    "prefix_hit_rate", "kv_peak_fraction", "preemptions", "power_w_per_chip", "energy_j", "usd",
)  # fmt: skip


@dataclass(frozen=True)
class Simulated:
    """A simulation with its interval: the requests of the middle run, figures as (value, p10, p90)."""

    run: Run
    trace: pd.DataFrame
    requests: pd.DataFrame
    figures: dict[str, tuple[float, float, float]]
    scales: tuple[float, float]
    window: Window


def simulated(d: Deployment, trace: pd.DataFrame, slo: Mapping[str, float], concurrency: int | None = None,
              policy: Policy | None = None, warmup_s: float | None = None, interval: bool = True,
              tick: Callable[[int, int], None] | None = None) -> Simulated:  # fmt: skip
    """Simulate a checked frame, with the interval's two further runs; tick(answered, run number)."""

    def one(scale: float, number: int) -> tuple[Run, pd.DataFrame, dict[str, float]]:
        done = run(d, trace, concurrency, policy, scale, None if tick is None else lambda n: tick(n, number))
        table = columns(trace, done)
        return done, table, figures(done, table, trace, slo, warmup_s)

    done, requests, middle = one(1.0, 0)
    scales = step_scales(done) if interval else (1.0, 1.0)
    ends = [one(s, k)[2] for k, s in enumerate(scales, 1)] if interval else []
    found = {name: (value, *_reach([value, *(e[name] for e in ends if name in e)])) for name, value in middle.items()}
    return Simulated(done, trace, requests, found, scales, window(done, requests, warmup_s))


def _reach(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


def step_scales(done: Run) -> tuple[float, float]:
    """p10 and p90 of a step's time over its middle value, at the run's mean load."""
    d, j, a = done.deployment, done.journal, done.arrivals
    stack = replace(d.stack, options={k: v for k, v in d.stack.options.items() if k not in _OF_SERVING})
    answered = np.flatnonzero(np.asarray(j.finished) >= 0)
    if not len(answered):
        return 1.0, 1.0
    isl, osl = (float(np.asarray(x)[answered].mean()) for x in (a.isl, a.osl))
    try:
        users = max(j.decoded / max(j.decode_steps, 1), 1.0) * d.replicas
        tpot = point(stack, d.model, d.chip, isl, max(osl, 2.0), users, d.steps.constants).figures["tpot_ms"]
    except NotPredictable:  # the mean load does not fit beside the reserve that `predict` assumes: its smallest does
        tpot = point(stack, d.model, d.chip, 128.0, 16.0, 1.0, d.steps.constants).figures["tpot_ms"]
    return tpot.p10 / tpot.value, tpot.p90 / tpot.value


def summary(s: Simulated, seed: int, slo: Mapping[str, float]) -> dict:
    """The contract's document."""
    d, policy = s.run.deployment, s.run.policy
    rejected = int((s.requests["status"] == "rejected").sum())
    out: dict = {"schema_version": SCHEMA_VERSION, "stack": str(d.stack), "seed": seed,
                 "requests": len(s.requests), "rejected": rejected}  # fmt: skip
    for name in ("ttft_s", "tpot_s", "e2e_s", "queue_s", "session_s"):
        found = {k.partition(".")[2]: _figure(v, "s") for k, v in s.figures.items() if k.startswith(f"{name}.")}
        if found or name in CONTRACT:
            out[name] = found or None
    for name, unit in UNITS.items():
        if name in s.figures or name in CONTRACT:
            out[name] = _figure(s.figures.get(name), unit)
    out["slo"] = dict(slo)
    out["settings"] = {
        "window_s": [s.window.begin_s, s.window.end_s], "concurrency": s.run.concurrency, "routing": policy.routing,
        "keep_s": None if np.isnan(policy.keep_s) else policy.keep_s, "hold_s": policy.hold_s,
        "host_bytes": policy.host_bytes, "preempt": "swap" if policy.swaps else "recompute",
        "replicas": d.entry, "decode_replicas": d.decoders,
        "kv_capacity_tokens": d.engine.capacity, "max_seqs": d.engine.sequences,
        "max_batched_tokens": d.engine.budget, "prefix_cache": d.engine.prefix, "weight_dtype": d.dtypes.weight,
        "act_dtype": d.dtypes.act, "kv_dtype": d.dtypes.kv, "step_time_p10": s.scales[0], "step_time_p90": s.scales[1],
    }  # fmt: skip
    out["notes"] = list(NOTES)
    return out


def _figure(found: tuple[float, float, float] | None, unit: str) -> dict | None:
    if found is None:
        return None
    return {"value": found[0], "p10": found[1], "p90": found[2], "unit": unit, "kind": "modelled"}


NOTES = (
    "times are the engine's: from a request's arrival at the scheduler to its tokens, the way there and back left out",
    "p10 and p90: all step times together at the p10 and p90 of the modelled time a token",
    "latencies of requests that arrive in the window, throughput and goodput of those answered in it",
)
