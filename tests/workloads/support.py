"""Where the recorded traces lie, and what a trace comes to in a few numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.workloads import trace_hit_rate
from tests.conftest import OUTSIDE

TRACES = OUTSIDE / "traces"
WEKA = TRACES / "weka_cc/sessions_355.jsonl.gz"
outside = pytest.mark.skipif(not TRACES.is_dir(), reason="no traces in STACKLINE_REFERENCE_DATA")


def statistics(frame: pd.DataFrame) -> dict[str, float]:
    calls = frame.groupby("session", sort=False).size()
    tool = frame["gap_s"][(frame["gap_kind"] == "tool").to_numpy()]
    person = frame["gap_s"][(frame["gap_kind"] == "person").to_numpy()]
    out = {"calls.p50": calls.median(), "isl.mean": frame["isl"].mean(), "hit": trace_hit_rate(frame)}
    for name, values in (("isl", frame["isl"]), ("osl", frame["osl"]), ("tool_gap", tool), ("person_gap", person)):
        out |= {f"{name}.{q}": float(np.quantile(values, p)) for q, p in (("p50", 0.5), ("p90", 0.9))}
    return out
