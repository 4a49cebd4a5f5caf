"""The figures of one simulation, from its requests and its journal: flat, by name, in SI units.

They are taken over a window. An open loop's reaches from the warm-up's end to the last answer, drain included. A closed
loop's is its steady state: from when the first wave of sessions, which begin together, has its first answers, to when
the last session begins, after which fewer than asked are at work. Latencies are of requests that arrive in the window,
throughput and goodput of those answered in it. Power is board power: at work by the share of its time in which kernels
read or multiply, idle between. Money is rent of every chip, busy or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.roofline import cost
from harness.serving.power import energy_figures
from harness.serving.simulate import Run
from harness.serving.slo import meets

PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
_USED = ["arrival_s", "isl", "osl", "cached_tokens", "ttft_s", "tpot_s", "e2e_s", "queue_s", "status"]
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


@dataclass(frozen=True)
class Window:
    """From when to when figures are taken, s."""

    begin_s: float
    end_s: float


def window(done: Run, requests: pd.DataFrame, warmup_s: float | None) -> Window:
    """warmup_s: where the window begins; None leaves it to the loop (see above)."""
    finish = requests["arrival_s"] + requests["e2e_s"]
    end = float(finish.max())
    begins = np.asarray(done.arrivals.arrival) >= 0  # the first turns of sessions
    starts = requests.loc[begins & requests["arrival_s"].notna(), "arrival_s"].to_numpy(float)
    users = done.concurrency
    if users is None or len(starts) <= users:
        return Window(warmup_s or 0.0, end)
    first_wave = finish[begins & (requests["arrival_s"] == 0)]
    begin = float(first_wave.max()) if warmup_s is None else warmup_s
    last = float(starts.max())
    return Window(begin, last) if last > begin else Window(warmup_s or 0.0, end)


def figures(done: Run, requests: pd.DataFrame, trace: pd.DataFrame, slo: Mapping[str, float],
            warmup_s: float | None = None) -> dict[str, float]:  # fmt: skip
    """{name: value}; what cannot be said (no price, no answered request) is absent.

    requests: the simulated columns; trace: the checked frame they came from. Latency names are `<column>.<statistic>`.
    """
    ok = (requests["status"] == "ok").to_numpy()
    if not ok.any():
        return {}
    w = window(done, requests, warmup_s)
    arrival, finish = requests["arrival_s"].to_numpy(float), (requests["arrival_s"] + requests["e2e_s"]).to_numpy(float)
    came = (arrival >= w.begin_s) & (arrival <= w.end_s)
    went = (finish >= w.begin_s) & (finish <= w.end_s)
    some = requests.loc[ok & came, _USED]
    left = some if (came == went).all() else requests.loc[ok & went, _USED]
    if not len(some) or not len(left):
        return {}
    chips, end, span = done.deployment.stack.chips, float(np.nanmax(finish)), w.end_s - w.begin_s
    out = {f"{name}.{stat}": value for name in LATENCIES for stat, value in _spread(some[name].to_numpy(float)).items()}
    written, read = float(left["osl"].sum()), float(left["isl"].sum())
    refused = int((~ok & came).sum())
    out |= {
        "makespan_s": end, "output_tok_s_per_chip": written / span / chips,
        "total_tok_s_per_chip": (written + read) / span / chips, "request_s": len(left) / span,
        "goodput_req_s": int(meets(left, slo).sum()) / span,
        "goodput_share": int(meets(some, slo).sum()) / (len(some) + refused),
        "prefix_hit_rate": float(some["cached_tokens"].sum()) / float(some["isl"].sum()),
        "kv_peak_fraction": done.journal.peak / done.deployment.engine.capacity,
        "preemptions": float(requests["preemptions"].sum()),
    }  # fmt: skip
    return out | energy_figures(done, end) | _sessions(requests, trace, ok) | _money(done, requests, left, end, span)


def _spread(x: np.ndarray) -> dict[str, float]:
    x = x[~np.isnan(x)]
    if not len(x):
        return {}
    return {"mean": float(x.mean()), **dict(zip(PERCENTILES, np.percentile(x, list(PERCENTILES.values())).tolist(),
                                                strict=True))}  # fmt: skip


def _sessions(requests: pd.DataFrame, trace: pd.DataFrame, ok: np.ndarray) -> dict[str, float]:
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


def _money(done: Run, requests: pd.DataFrame, left: pd.DataFrame, end_s: float, span_s: float) -> dict[str, float]:
    """Rent of all chips for the whole time; a session's and a token's share of the window's.

    Idle time is shared out like time at work. Time of prompts' chunks is their new tokens', but for the attention to
    what was cached, which is the cached tokens'; decode steps are the answers'.
    """
    d = done.deployment
    price = cost.price(d.chip, d.stack.options.get("price"))
    if price is None:
        return {}
    a_second = price.cited.point * d.stack.chips
    out = {"usd": a_second * end_s}
    last_turn = np.asarray(done.arrivals.follower)[left.index.to_numpy()] < 0
    if (requests["turn"] > 0).any() and last_turn.any():
        out["usd_per_session"] = a_second * span_s / int(last_turn.sum())
    cached = left["cached_tokens"].to_numpy(np.int64)
    new = left["isl"].to_numpy(np.int64) - cached
    spent = _spent(done, requests)
    tokens = {"cached_input": cached.sum(), "new_input": new.sum(), "output": left["osl"].sum()}
    total = sum(spent.values())
    return out | {f"usd_per_m_{k}_tok": a_second * span_s * spent[k] / total / n * 1e6 for k, n in tokens.items() if n}


def _spent(done: Run, requests: pd.DataFrame) -> dict[str, int]:
    """Nanoseconds at work by what they were for."""
    some = requests.loc[(requests["status"] == "ok") & (requests["cached_tokens"] > 0), ["cached_tokens", "isl"]]
    cached = some["cached_tokens"].to_numpy(np.int64)
    new = (some["isl"].to_numpy(np.int64) - cached).tolist()
    attention, j = done.table.attention, done.journal
    reread = sum(attention(f, c) - attention(f, 0) for f, c in zip(new, cached.tolist(), strict=True))
    return {"cached_input": max(reread, 0), "new_input": max(j.prompt_ns - max(reread, 0), 0), "output": j.decode_ns}
