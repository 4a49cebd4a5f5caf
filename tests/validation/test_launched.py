"""Rows as their source's page says they were launched: what it adds, and what it leaves alone."""

from __future__ import annotations

import pytest

from harness.validation.launched import as_launched
from harness.validation.outside import inputs
from harness.validation.scored import read
from tests.validation.support import table

RUN = {
    "source": "trtllm-perf-overview", "model": "qwen3-235b-a22b", "chip": "h200-sxm", "engine_family": "trtllm",
    "dp": "1", "concurrency": "",
}  # fmt: skip
OSS = RUN | {"model": "gpt-oss-120b", "tp": "1", "dp": "4", "ep": "4", "chips": "4"}


def launched(path, **changes: str):
    frame = read(table(path / "m.csv", RUN | changes))
    assert len(inputs(frame)) == len(frame)
    return as_launched(frame).loc[0]


def test_experts_run_with_attention_data_parallel(tmp_path):
    row = launched(tmp_path)
    assert (row["tp"], row["dp"], row["ep"]) == (8, 8, 8)


@pytest.mark.parametrize(
    "changes",
    [{"source": "someone"}, {"model": "llama-3.1-70b"}, {"ep": "2"}, {"dp": "2", "tp": "4"}, {"tp": "4", "pp": "2"},
     {"tp": "1", "chips": "1"}, {"model": "nobody-knows"}],
)  # fmt: skip
def test_what_the_page_does_not_say_of_a_row_stays(tmp_path, changes):
    frame = read(table(tmp_path / "m.csv", RUN | changes))
    assert as_launched(frame).equals(frame)


@pytest.mark.parametrize(("on", "cache"), [("b200-sxm", "fp8"), ("h100-sxm", "bf16"), ("mi300x", ""), ("no-chip", "")])
def test_gpt_oss_is_its_own_checkpoint_with_the_pages_cache(tmp_path, on, cache):
    row = launched(tmp_path, **OSS | {"chip": on, "weight_dtype": "fp8"})
    assert (row["weight_dtype"], row["kv_dtype"]) == ("mxfp4", cache)
    assert launched(tmp_path, **OSS | {"chip": on, "kv_dtype": "fp16"})["kv_dtype"] == "fp16"


NAMED = {"source": "aic-silicon(gap-analysis)", "engine_family": "sglang", "source_ref": "a.csv#meta_llama_8b_h200"}


@pytest.mark.parametrize(
    ("changes", "cache"),
    [({}, "bf16"), ({"engine_family": "vllm"}, "bf16"), ({"engine_family": "trtllm"}, ""), ({"kv_dtype": "fp8"}, "fp8"),
     ({"source_ref": "a.csv#nvidia_llama_8b_fp8_h200"}, ""), ({"source": "someone"}, "")],
)  # fmt: skip
def test_a_cache_has_the_format_that_the_checkpoint_of_the_reference_gives_it(tmp_path, changes, cache):
    assert launched(tmp_path, **NAMED | changes)["kv_dtype"] == cache
