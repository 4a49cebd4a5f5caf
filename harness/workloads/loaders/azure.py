"""Azure's LLM inference traces: CSV of TIMESTAMP, ContextTokens, GeneratedTokens.

The arrival is the time since the first row's (timestamps of 100 ns). The traces say nothing of sessions or shared
prefixes, so every request is its own session. An answer of no tokens counts as one. Format:
https://github.com/Azure/AzurePublicDataset (AzureLLMInferenceDataset2023.md).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import BadFile
from harness.workloads.files import csv_frame, header

NEEDS = "CSV with TIMESTAMP, ContextTokens, GeneratedTokens"
_COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


def matches(head: str) -> bool:
    return set(_COLUMNS) <= set(header(head))


def load(path: Path) -> pd.DataFrame:
    raw = csv_frame(path, _COLUMNS)
    times = pd.to_datetime(raw["TIMESTAMP"], errors="coerce", utc=True, format="ISO8601")
    if len(bad := np.flatnonzero(times.isna())):
        raise BadFile(path, f"row {bad[0] + 1}, TIMESTAMP", raw["TIMESTAMP"].iloc[bad[0]], "a date and time")
    arrival_s = (times - times.iloc[0]).dt.total_seconds()
    return pd.DataFrame({
        "arrival_s": arrival_s, "isl": raw["ContextTokens"],
        "osl": raw["GeneratedTokens"].mask(raw["GeneratedTokens"] == 0, 1),
    })  # fmt: skip
