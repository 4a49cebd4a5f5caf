"""The figures of one simulation, from its requests and its journal: flat, by name, in SI units.

Latencies are over the answered requests that arrived after the warm-up; throughput and goodput divide what those
produced by the time from the warm-up's end to the last answer, drain included. Power is board power: at work by the
share of its time in which kernels read or multiply, idle between. Money is rent of every chip for the whole time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.roofline import cost
from harness.serving.power import energy_figures
from harness.serving.simulate import Run
from harness.serving.slo import meets

PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
LATENCIES = ("ttft_s", "tpot_s", "e2e_s", "queue_s")
UNITS = {
    "makespan_s": "s", "output_tok_s_per_chip": "token/s", "total_tok_s_per_chip": "token/s",
    "request_s": "request/s", "goodput_req_s": "request/s", "goodput_share": "1", "prefix_hit_rate": "1",
    "kv_peak_fraction": "1", "preemptions": "count", "power_w_per_chip": "W", "energy_j": "J", "usd": "USD",
    "restored_tokens": "token", "mean_batch": "count", "busy_share": "1", "sessions": "count",
    "usd_per_session": "USD", "chip_wait_s_per_session": "s", "tool_wait_s_per_session": "s",
    "person_wait_s_per_session": "s", "usd_per_m_output_tok": "USD/Mtoken", "usd_per_m_new_input_tok": "USD/Mtoken",
    "usd_per_m_cached_input_tok": "USD/Mtoken",
}  # fmt: skip


def figures(done: Run, requests: pd.DataFrame, trace: pd.DataFrame, slo: Mapping[str, float],
            warmup_s: float = 0.0) -> dict[str, float]:  # fmt: skip
    """{name: value}; what cannot be said (no price, no answered request) is absent.

    requests: the simulated columns; trace: the checked frame they came from. Latency names are `<column>.<statistic>`.
    """
    ok = (requests["status"] == "ok").to_numpy()
    counted = ok & (requests["arrival_s"].to_numpy(float) >= warmup_s)
    if not counted.any():
        return {}
    some = requests[counted]
    chips, end = done.deployment.stack.chips, float((some["arrival_s"] + some["e2e_s"]).max())
    span = end - warmup_s
    out = {f"{name}.{stat}": value for name in LATENCIES for stat, value in _spread(some[name].to_numpy(float)).items()}
    written, read = float(some["osl"].sum()), float(some["isl"].sum())
    good = int(meets(some, slo).sum())
    out |= {
        "makespan_s": end, "output_tok_s_per_chip": written / span / chips,
        "total_tok_s_per_chip": (written + read) / span / chips, "request_s": len(some) / span,
        "goodput_req_s": good / span, "goodput_share": good / len(requests[~ok | counted]),
        "prefix_hit_rate": float(some["cached_tokens"].sum()) / read,
        "kv_peak_fraction": done.journal.peak / done.deployment.engine.capacity,
        "preemptions": float(requests["preemptions"].sum()),
    }  # fmt: skip
    return out | energy_figures(done, end) | _sessions(done, requests, trace, ok) | _money(done, requests[ok], end)


def _spread(x: np.ndarray) -> dict[str, float]:
    x = x[~np.isnan(x)]
    if not len(x):
        return {}
    return {"mean": float(x.mean()), **dict(zip(PERCENTILES, np.percentile(x, list(PERCENTILES.values())).tolist(),
                                                strict=True))}  # fmt: skip


def _sessions(done: Run, requests: pd.DataFrame, trace: pd.DataFrame, ok: np.ndarray) -> dict[str, float]:
    """Of sessions answered whole: how long they took, and what they waited for."""
    if (trace["turn"] == 0).all():
        return {}
    session = trace["session"].to_numpy()
    whole = pd.Series(ok).groupby(session).transform("all").to_numpy()
    if not whole.any():
        return {"sessions": 0.0}
    some, key = requests[whole], session[whole]
    finish = (some["arrival_s"] + some["e2e_s"]).groupby(key).max()
    lasted = (finish - some["arrival_s"].groupby(key).min()).to_numpy()
    out = {f"session_s.{stat}": value for stat, value in _spread(lasted).items()}
    gap, kind = trace["gap_s"].fillna(0.0).to_numpy()[whole], trace["gap_kind"].astype(object).to_numpy()[whole]
    n = float(len(lasted))
    return out | {
        "sessions": n, "chip_wait_s_per_session": float(some["e2e_s"].sum()) / n,
        "person_wait_s_per_session": float(gap[kind == "person"].sum()) / n,
        "tool_wait_s_per_session": float(gap[kind != "person"].sum()) / n,
    }  # fmt: skip


def _money(done: Run, answered: pd.DataFrame, end_s: float) -> dict[str, float]:
    """Rent of all chips for the whole time, and split over what it was spent on.

    Idle time is shared out like time at work. Time of prompts' chunks is their new tokens', but for the attention to
    what was cached, which is the cached tokens'; decode steps are the answers'.
    """
    d, j = done.deployment, done.journal
    price = cost.price(d.chip, d.stack.options.get("price"))
    if price is None:
        return {}
    usd = price.cited.point * d.stack.chips * end_s
    out = {"usd": usd}
    sessions = answered["session"].nunique()
    if (answered["turn"] > 0).any() and sessions:
        out["usd_per_session"] = usd / sessions
    cached, new = answered["cached_tokens"].to_numpy(np.int64), answered["isl"].to_numpy(np.int64)
    new = new - cached
    attention = done.table.attention
    reread = sum(attention(f, c) - attention(f, 0) for f, c in zip(new.tolist(), cached.tolist(), strict=True) if c)
    spent = {"cached_input": max(reread, 0), "new_input": max(j.prompt_ns - max(reread, 0), 0), "output": j.decode_ns}
    tokens = {"cached_input": cached.sum(), "new_input": new.sum(), "output": answered["osl"].sum()}
    total = sum(spent.values())
    return out | {f"usd_per_m_{k}_tok": usd * spent[k] / total / n * 1e6 for k, n in tokens.items() if n and total}
