"""Rows per second of `predict` on one core, p10 and p90 included, and its memory; nothing timed is a test.

    python tests/benchmarks/predict_speed.py [ROWS] [mixed]

A million random rows, no two alike, over 40 chips and 24 models: formats, tensor-parallel groups, replicas, lengths,
concurrency, engines and dates drawn. With `mixed` over every chip and model, and expert and data-parallel attention,
pipeline stages, activation and cache formats too: what is timed together are rows of one model, formats and layout,
and so mixed a million rows hold a hundred thousand of those. Printed: `harness.predict`, its reading and its assembling
by themselves, `stackline predict` Parquet to Parquet and CSV to CSV with the start of Python included, the share
refused with the most common reasons, and the peak memory of files of a tenth of the rows and of all.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROWS = 1_000_000
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_IO_THREADS"), "1")


def main() -> None:
    """Each stage in its own Python: a child counts its parent's memory as its own peak, so the parent stays small."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    mixed = sys.argv[2:3] == ["mixed"]
    with tempfile.TemporaryDirectory() as folder:
        in_child("make_files", folder, rows, *(["mixed"] if mixed else []))
        in_child("in_python", folder)
        for name in ("tenth.parquet", "all.parquet", "tenth.csv", "all.csv"):
            in_child("by_command", f"{folder}/{name}")


def in_child(stage: str, *words: object) -> None:
    subprocess.run([sys.executable, __file__, stage, *map(str, words)], check=True, env=os.environ | _ONE_THREAD)


def make_files(folder: str, n: str, mixed: str = "") -> None:
    """Random rows as Parquet and CSV: all of them, and a tenth."""
    rows = random_rows(int(n), bool(mixed))
    print(f"{len(rows):,} rows, {rows.chip.nunique()} chips, {rows.model.nunique()} models, none repeated")
    for name, part in (("all", rows), ("tenth", rows[: len(rows) // 10])):
        part.to_parquet(Path(folder, f"{name}.parquet"), index=False)
        part.to_csv(Path(folder, f"{name}.csv"), index=False)


def random_rows(n: int, mixed: bool, seed: int = 0) -> pd.DataFrame:
    """n operating points, no two alike, as a careless sweep would make them: some cannot be run."""
    from harness import discovery, profiles

    rng = np.random.default_rng(seed)
    chips = [c for c in discovery.find(discovery.CHIP) if profiles.chip(c).has("memory.bandwidth")]
    models = [m for m in discovery.find(discovery.MODEL) if "architecture" in profiles.model(m).tables]
    if not mixed:
        chips, models = chips[:: len(chips) // 40][:40], models[:: len(models) // 24][:24]
    assert len(chips) >= 30 and len(models) >= 20
    frame = _drawn(rng, n + n // 100 + 10, chips, models, mixed).drop_duplicates().head(n).reset_index(drop=True)
    assert len(frame) == n
    return frame


def _drawn(rng: np.random.Generator, n: int, chips: list[str], models: list[str], mixed: bool) -> pd.DataFrame:
    def some(values: list, share_blank: float) -> np.ndarray:
        drawn = np.array(values, object)[rng.integers(0, len(values), n)]
        drawn[rng.random(n) < share_blank] = None
        return drawn

    tp, pp = 2 ** rng.integers(0, 4, n), rng.choice([1, 1, 1, 1, 2], n)
    spread = rng.random(n) < 0.2  # experts over the chips, attention data-parallel
    dp = np.where(spread, tp, 1)
    number = {
        "chips": tp * pp * np.where(spread, dp, rng.choice([1, 1, 2], n)),
        "tp": np.where(rng.random(n) < 0.1, np.nan, tp),
        "isl": np.exp(rng.uniform(np.log(16), np.log(32_000), n)).astype(int),
        "osl": np.exp(rng.uniform(np.log(2), np.log(8_000), n)).astype(int),
        "concurrency": np.where(rng.random(n) < 0.1, np.nan, np.exp(rng.uniform(0, np.log(1024), n)).astype(int)),
        "pp": pp,
        "ep": np.where(spread, tp * dp, 1),
        "dp": dp,
        "prefix_hit": np.where(rng.random(n) < 0.5, np.nan, rng.random(n).round(3)),
    }
    word = {
        "chip": some(chips, 0),
        "model": some(models, 0),
        "weight_dtype": some(["bf16", "fp8", "int8", "nvfp4", "int4"], 0.4),
        "act_dtype": some(["bf16", "fp8"], 0.8),
        "kv_dtype": some(["bf16", "fp8"], 0.7),
        "engine_family": some(["vllm", "sglang", "trtllm", "mindie", "other"], 0.2),
        "date": some(list(pd.date_range("2024-01-01", "2026-10-31").strftime("%Y-%m-%d")), 0.3),
        "scenario": some(["closed-loop", "static-batch", "offline"], 0.7),
    }
    if not mixed:
        for name in ("act_dtype", "kv_dtype", "pp", "ep", "dp"):
            (word if name in word else number).pop(name)
        number["chips"] = tp * rng.choice([1, 1, 2], n)
    return pd.DataFrame(word | number)


def in_python(folder: str) -> None:
    """`harness.predict` on all rows; then what of it is reading the table and assembling the answers."""
    import harness
    from harness.prediction import BATCH_ROWS, answers
    from harness.prediction.rows import read

    rows = pd.read_parquet(Path(folder, "all.parquet"))
    harness.predict(rows[:1000])  # profiles and constants are loaded once
    whole, out = timed(lambda: harness.predict(rows))
    print(f"harness.predict: {len(rows) / whole:,.0f} rows/s, {out.error.notna().mean():.1%} refused, peak {peak()}")
    print(out.error.value_counts().head(5).to_string(header=False))
    del out
    batches = [rows[i : i + BATCH_ROWS] for i in range(0, len(rows), BATCH_ROWS)]
    reading, _ = timed(lambda: [read(batch) for batch in batches] and None)
    answering, _ = timed(lambda: [answers(batch).fits for batch in batches] and None)
    us = 1e6 / len(rows)
    print(f"  reading {reading * us:.2f}, answering {(answering - reading) * us:.2f}, ", end="")
    print(f"assembling {(whole - answering) * us:.2f} us a row")


def by_command(source: str) -> None:
    """`stackline predict` on a file: wall time of the whole command, the start of Python included, and its memory."""
    target = Path(source).with_name(f"out-{Path(source).name}")
    command = [sys.executable, "-m", "harness", "predict", source, "-o", str(target)]
    seconds, done = timed(lambda: subprocess.run(command, check=True, capture_output=True, text=True))
    rows = int(next(word for word in done.stderr.split("\n") if " rows in " in word).split()[0].replace(",", ""))
    size = target.stat().st_size / rows
    print(f"stackline predict {Path(source).name}: {rows:,} rows, {rows / seconds:,.0f} rows/s", end="")
    print(f", peak {peak(resource.RUSAGE_CHILDREN)}, {size:.0f} bytes a row written")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def peak(whose: int = resource.RUSAGE_SELF) -> str:
    return f"{resource.getrusage(whose).ru_maxrss / 1024:.0f} MiB"


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # this process and its children: one core
    if sys.argv[1:] and not sys.argv[1].isdigit():
        {"make_files": make_files, "in_python": in_python, "by_command": by_command}[sys.argv[1]](*sys.argv[2:])
    else:
        main()
