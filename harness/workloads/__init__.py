"""Workloads and traces: what requests arrive, how long they are, what they share.

load_trace(path, format=None)   a recorded trace as a frame (columns.py says which columns)
checked(frame)                  a frame of one's own, checked and completed
generate(workload, sessions)    requests drawn from a workload's file (tasks/workloads/<id>.toml)
vary(workload, name, side)      the same workload with one figure at the end of its range
fit(frame)                      a workload's file from a trace
trace_hit_rate(frame)           the reuse that is in a trace, whatever the cache
"""

from __future__ import annotations

from harness.workloads.columns import COLUMNS, checked
from harness.workloads.drawing import generate, mean_calls
from harness.workloads.figures import Shape, shape, uncertain, vary
from harness.workloads.files import formats, load_trace
from harness.workloads.fitting import fit
from harness.workloads.hits import cached_tokens, trace_hit_rate

__all__ = [
    "COLUMNS", "Shape", "cached_tokens", "checked", "fit", "formats", "generate", "load_trace", "mean_calls", "shape",
    "trace_hit_rate", "uncertain", "vary",
]  # fmt: skip
