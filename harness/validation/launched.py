"""What a source's own page says of how its runs were launched, where the table's columns do not hold it.

Read on the page, none of it fitted or chosen by how a row comes out. A row of the source that says otherwise in its own
columns keeps what it says. `predict` is given the row as it was launched.

trtllm-perf-overview (NVIDIA, TensorRT-LLM performance overview, section "Reproducing Benchmarked Results"): models
with experts run with `enable_attention_dp: true` and `--ep`; v1.0 prints such a run as TP8, 1.x as DEP8; the table's
dp 1 and blank ep are of v1.0. gpt-oss is OpenAI's checkpoint (mxfp4), whatever format a column's head names, with an
8-bit cache on Blackwell and `auto`, its own 16 bits, on Hopper.

aic-silicon(gap-analysis): a row's reference names its checkpoint. SGLang and vLLM take the cache's format from it
(`auto`), and of those that are named only NVIDIA's own come with scales of an 8-bit cache.

inferencex: its log of changes says which image ran when, and when a cache went to 8 bits (`inferencex.py`).

Any row's software is as old as the version that its engine names (`released.py`), where that is older than the run. A
row without a date stays without one: `predict` takes it for the newest software.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from harness.architecture import Moe, of_model
from harness.errors import StacklineError
from harness.profiles import chip, model
from harness.validation.inferencex import as_run
from harness.validation.released import release_day

_OVERVIEW = "trtllm-perf-overview"
_NAMING, _NVIDIAS = "aic-silicon(gap-analysis)", "#nvidia_"
_AUTO = ("sglang", "vllm")
_DATED = ("engine_family", "engine", "date")
_CACHE = {"Blackwell": "fp8", "Hopper": "bf16"}  # of gpt-oss, by the chip's family


def as_launched(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `scored.read` with what their source's page adds, and dated as their software."""
    out = as_run(_as_in_checkpoint(_as_in_overview(frame)))
    older = [min(date, release_day(f, e) or date) for f, e, date in zip(*(out[c] for c in _DATED), strict=True)]
    return out.assign(date=older)


def _as_in_overview(frame: pd.DataFrame) -> pd.DataFrame:
    overview = frame["source"] == _OVERVIEW
    if not overview.any():
        return frame
    out = frame.copy()
    experts = overview & frame["model"].isin(_with(frame.loc[overview, "model"].unique(), _has_experts))
    plain = (frame["pp"].fillna(1) == 1) & (frame["dp"].fillna(1) == 1) & frame["ep"].isna()
    spread = experts & plain & (frame["tp"] > 1)
    out.loc[spread, "dp"] = out.loc[spread, "ep"] = frame.loc[spread, "tp"]
    native = overview & frame["model"].isin(_with(frame.loc[overview, "model"].unique(), _is_mxfp4))
    out.loc[native, "weight_dtype"] = "mxfp4"
    blank = native & (frame["kv_dtype"] == "")
    out.loc[blank, "kv_dtype"] = [_CACHE.get(_family(c), "") for c in frame.loc[blank, "chip"]]
    return out


def _as_in_checkpoint(frame: pd.DataFrame) -> pd.DataFrame:
    rows = (frame["source"] == _NAMING) & frame["engine_family"].isin(_AUTO) & (frame["kv_dtype"] == "")
    if not rows.any() or "source_ref" not in frame.columns:
        return frame
    rows &= ~frame["source_ref"].str.contains(_NVIDIAS, regex=False)
    return frame.assign(kv_dtype=frame["kv_dtype"].mask(rows, "bf16"))


def _with(names: Iterable[str], has) -> list[str]:
    """The models that are known and have it."""
    found = []
    for name in names:
        try:
            if has(name):
                found.append(name)
        except StacklineError:
            continue  # a model without a profile is a refused row
    return found


def _has_experts(name: str) -> bool:
    return any(isinstance(g.mlp, Moe) for g in of_model(model(name)).layers)


def _is_mxfp4(name: str) -> bool:
    return model(name).native_dtype == "mxfp4"


def _family(name: str) -> str:
    try:
        return chip(name).family
    except StacklineError:
        return ""
