"""A plain CSV with the trace columns of `stackline simulate` (see `columns.py`); others are left out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.workloads.columns import MEANT
from harness.workloads.files import csv_frame, header

NEEDS = "CSV with isl and osl, and arrival_s in seconds"


def matches(head: str) -> bool:
    meant = {MEANT.get(name, name) for name in header(head)}
    return {"isl", "osl"} <= meant and "round_idx" not in header(head)


def load(path: Path) -> pd.DataFrame:
    """The table as it stands; `columns.checked` refuses other tools' names for a column, saying which is meant."""
    return csv_frame(path, ())
