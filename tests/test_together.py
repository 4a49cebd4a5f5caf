"""Rows of many plans are finished together: each is answered as it is alone, in any company and order."""

from __future__ import annotations

import numpy as np
import pandas as pd

import harness
from harness.prediction import answer

MODELS = ("llama-3.1-8b", "qwen3-32b", "gpt-oss-120b", "qwen3.7-max", "deepseek-r1")


def mixed(rows: int) -> pd.DataFrame:
    """Few rows a plan: chips, models, formats and layouts drawn; some do not fit, some do not divide."""
    rng = np.random.default_rng(5)
    pick = lambda *values: np.array(values, object)[rng.integers(0, len(values), rows)]  # noqa: E731
    frame = pd.DataFrame({
        "chip": pick("h100-sxm", "h20-96gb", "mi355x", "zhenwu-m890", "a100-sxm-80gb"), "chips": pick(1, 4, 8),
        "model": pick(*MODELS), "weight_dtype": pick("bf16", "fp8", "int4", None), "kv_dtype": pick("fp8", None),
        "tp": pick(1, 2, 8, None), "isl": rng.integers(16, 9000, rows), "osl": rng.integers(2, 900, rows),
        "concurrency": pick(1, 16, 300, None), "scenario": pick("static-batch", None),
    })  # fmt: skip
    names = ["chip", "chips", "model", "weight_dtype", "tp", "isl", "concurrency"]
    frame.loc[7, names] = ["mi355x", 8, "qwen3.7-max", "int4", 8, 512, 4]  # by a proxy that nothing smaller holds
    return frame


def test_each_row_is_answered_as_it_is_alone_and_in_any_order():
    frame = mixed(120)
    whole = harness.predict(frame)
    assert whole["error"].isna().sum() > 40 and whole["error"].notna().any() and whole["model_used"].notna().any()
    shuffled = harness.predict(frame.sample(frac=1, random_state=1)).loc[frame.index]
    pd.testing.assert_frame_equal(whole, shuffled, rtol=1e-12)
    for i in range(0, 120, 12):
        alone = harness.predict(frame.iloc[[i]])
        pd.testing.assert_frame_equal(whole.iloc[[i]], alone, rtol=1e-12, check_dtype=False)


def test_how_many_rows_are_finished_at_once_changes_nothing(monkeypatch):
    frame = mixed(150)
    whole = harness.predict(frame)
    monkeypatch.setattr(answer, "_SLICE", 7)
    pd.testing.assert_frame_equal(harness.predict(frame), whole, rtol=1e-12)
