"""One setting at many values: the load, or what is done with caches between turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.serving.capacity import RATE, USERS, measure
from harness.serving.deploy import Deployment
from harness.serving.simulate import Policy
from harness.serving.steady import Pool

_POLICY = {"keep": ("keep_s", 1.0), "hold": ("hold_s", 1.0), "host-gb": ("host_bytes", 1e9)}


def rows(d: Deployment, pool: Pool, over: str, values: Sequence[float], users: float, slo: Mapping[str, float],
         fixed: Mapping[str, Any], tick: Callable[[str], None] | None = None) -> pd.DataFrame:  # fmt: skip
    """One row a value: latencies, throughput, cache and memory of the workload in full swing.

    `users` sessions at once where `over` is not the load itself; `fixed` are the other settings of the policy.
    """
    out = []
    for value in values:
        load, kind, settings = users, USERS, dict(fixed)
        if over in (USERS, RATE):
            load, kind = value, over
        else:
            name, times = _POLICY[over]
            settings[name] = math.nan if math.isinf(value) else value * times
        seen = measure(d, pool, kind, load, slo, Policy(**settings))
        out.append({
            over: value, "ttft_p50_s": seen.latency["ttft_s.p50"], "ttft_p95_s": seen.latency["ttft_s.p95"],
            "tpot_p50_s": seen.latency["tpot_s.p50"], "tpot_p95_s": seen.latency["tpot_s.p95"],
            "within_slo": seen.held, "requests_per_s": seen.requests_per_s,
            "output_tok_s_per_chip": seen.output_tok_per_s / d.stack.chips, "prefix_hit_rate": seen.hit_rate,
            "kv_in_use": seen.memory[0], "kv_kept": seen.memory[1], "busy_share": seen.busy,
        })  # fmt: skip
        if tick is not None:
            tick(f"{over} {value:g}: {seen.held:.1%} within the limits, hit rate {seen.hit_rate:.1%}")
    return pd.DataFrame(out)
