"""Measurements in words: one row, and what differs in the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.validation.compare import compare
from harness.validation.scored import COLUMNS, read, scored

FIGURES = (
    "ttft_ms", "ttft_p50_ms", "tpot_ms", "tpot_p50_ms", "output_tok_s_per_chip", "power_w_per_chip",
    "energy_j_per_output_tok",
)  # fmt: skip
BASE = dict.fromkeys(COLUMNS, "") | {
    "source": "someone", "chip": "h100-sxm", "chips": "8", "model": "llama-3.1-70b", "weight_dtype": "fp8",
    "engine_family": "vllm", "engine": "vllm 0.9", "date": "2025-06-01", "tp": "8", "scenario": "fixed-concurrency",
    "isl": "1024", "osl": "1024", "concurrency": "16", "ttft_ms": "200", "ttft_stat": "mean", "tpot_ms": "20",
    "tpot_stat": "mean", "disagg": "0",
}  # fmt: skip


def table(path: Path, *changes: dict) -> Path:
    """A measurements file of the base row changed in turn; each row's id is its place, and its date its own."""
    rows = [BASE | {"id": str(i), "date": f"2025-06-{i + 1:02d}"} | change for i, change in enumerate(changes)]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def rows(path: Path, *changes: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(the rows as read, what they count for)."""
    frame = read(table(path, *changes))
    return frame, scored(frame)


def predicted(frame: pd.DataFrame, *answers: dict | str) -> pd.DataFrame:
    """What a predictor would say of each row: figures with p10 and p90 a fifth either way, or a refusal."""
    out = []
    for answer in answers:
        given = {"error": answer} if isinstance(answer, str) else {"error": "", **answer}
        for figure in FIGURES:
            value = given.get(figure, np.nan)
            ends = {f"{figure}_p10": value * 0.8, f"{figure}_p90": value * 1.2}
            given = {figure: value, **ends, **given}
        out.append(given)
    return pd.DataFrame(out, index=frame.index)


def lines(path: Path, changes: list[dict], answers: list) -> pd.DataFrame:
    """The lines of `compare` for rows in words and answers in words."""
    frame, counts = rows(path, *changes)
    return compare(frame, counts, predicted(frame, *answers))
