"""What InferenceX's pages say of its runs and its rows do not: the image they ran, the format of their cache.

`inferencex.toml` holds what was read, as rules. A row that says otherwise in its own columns keeps what it says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from harness.validation.released import release_day

_WHERE = {"engine": "engine_family", "model": "model", "chip": "chip", "weight_dtype": "weight_dtype"}


@cache
def rules(kind: str) -> tuple[Mapping[str, Any], ...]:
    """The rules of a kind: software, cache."""
    return tuple(tomllib.loads((files(__package__) / "inferencex.toml").read_text("utf-8"))[kind])


def as_run(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `scored.read` with the software's date and the cache's format; index as given."""
    mine = frame["source"].str.contains("inferencex")
    if not mine.any():
        return frame
    out = frame.copy()
    named = [release_day(f, e) != "" for f, e in zip(frame["engine_family"], frame["engine"], strict=True)]
    unnamed = mine & ~np.array(named)
    for rule in rules("software"):
        day = str(rule["date"]) if "date" in rule else release_day(rule["engine"], rule["version"])
        rows = unnamed & _applies(frame, rule) & (frame["date"] > day)
        out.loc[rows, "date"] = day
        unnamed &= ~rows
    for rule in rules("cache"):
        out.loc[mine & _applies(frame, rule) & (frame["kv_dtype"] == ""), "kv_dtype"] = rule["kv_dtype"]
    return out


def _applies(frame: pd.DataFrame, rule: Mapping[str, Any]) -> pd.Series:
    """The rows that a rule is about, of the source or not (bool); every rule is about a time, so none without a day."""
    rows = (frame["date"] != "") & (frame["date"] < str(rule.get("before", "9999")))
    for key, column in _WHERE.items():
        if key in rule:
            rows &= frame[column] == rule[key]
    return rows
