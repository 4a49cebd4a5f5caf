"""The software of a row: the version that its engine names, the day it came out, and what InferenceX's pages add."""

from __future__ import annotations

import datetime

import pytest

from harness.validation import inferencex
from harness.validation.launched import as_launched
from harness.validation.released import release_day, releases
from harness.validation.scored import read
from tests.validation.support import table

RUN = {"source": "inferencex", "model": "deepseek-r1", "chip": "b200-sxm", "engine_family": "trtllm", "engine": "trt"}
GPT_OSS = {"model": "gpt-oss-120b", "chip": "h200-sxm"}


@pytest.mark.parametrize(
    ("family", "engine", "day"),
    [
        ("vllm", "vllm 0.15.1", "2026-02-05"),
        ("vllm", "vLLM TPU v0.12.0", "2025-12-03"),
        ("sglang", "sglang lmsysorg/sglang:v0.5.9-rocm700-mi30x", "2026-02-23"),
        ("sglang", "sglang 0.5.10.post1", "2026-04-08"),
        ("trtllm", "trt nvcr.io/nvidia/tensorrt-llm/release:1.2.0rc6.post2", "2026-01-22"),
        ("trtllm", "trtllm 1.1.0rc2.post2", "2025-08-30"),  # the post-release is not listed, its candidate is
        ("vllm", "vllm nightly-5b8c30d62b754b57", ""),
        ("vllm", "vLLM 0.6.x", ""),
        ("vllm", "vllm 99.0.0", ""),
        ("sglang", "sglang", ""),
        ("atom", "atom rocm/atom:rocm7.1.1-ubuntu24.04-pytorch2.9-atom0.1.1-MI350x", ""),
    ],
)
def test_an_engine_names_its_version(family, engine, day):
    assert release_day(family, engine) == day


def test_releases_are_days():
    for versions in releases().values():
        assert len(versions) > 50
        assert all(datetime.date.fromisoformat(day).year >= 2023 for day in versions.values())


def launched(path, **changes: str):
    return as_launched(read(table(path / "m.csv", RUN | changes))).loc[0]


@pytest.mark.parametrize(
    ("changes", "date"),
    [
        ({"date": "2025-12-10"}, "2025-08-30"),
        ({"date": "2026-02-03"}, "2026-02-03"),  # after the change
        ({"date": "2025-12-10", "engine": "trtllm 1.2.0rc2"}, "2025-11-07"),  # its own word
        ({"date": "2025-12-10", "chip": "h200-sxm"}, "2025-12-10"),  # the pages contradict one another
        ({"date": "2025-12-10", "source": "someone"}, "2025-12-10"),
        ({"date": "2025-08-01"}, "2025-08-01"),  # before the version: a run is never younger than its day
        ({"date": ""}, ""),
        ({"date": "", "engine": "trtllm 1.2.0rc2"}, ""),  # predict's newest
        (GPT_OSS | {"date": "2026-01-28", "engine": "trtllm gpt-oss-dev"}, "2025-08-05"),
        (GPT_OSS | {"date": "2025-11-02"}, "2025-08-05"),
    ],
)  # fmt: skip
def test_a_run_is_as_old_as_its_software(tmp_path, changes, date):
    assert launched(tmp_path, **changes)["date"] == date


@pytest.mark.parametrize(
    ("changes", "cache"),
    [
        ({"chip": "mi300x", "date": "2025-12-31"}, "bf16"),
        ({"chip": "mi300x", "date": "2026-01-23"}, ""),
        ({"chip": "mi300x", "date": ""}, ""),
        ({"chip": "mi355x", "date": "2026-02-27"}, "bf16"),
        ({"chip": "mi355x", "date": "2026-02-27", "weight_dtype": "fp4"}, ""),
        ({"chip": "mi355x", "date": "2026-03-05"}, ""),
        ({"chip": "mi300x", "date": "2025-12-31", "kv_dtype": "fp8"}, "fp8"),
        ({"chip": "h200-sxm", "date": "2025-12-31"}, ""),  # no page says
    ],
)
def test_a_cache_has_16_bits_until_the_log_says_otherwise(tmp_path, changes, cache):
    assert launched(tmp_path, **{"engine_family": "sglang", "engine": "sglang"} | changes)["kv_dtype"] == cache


def test_every_rule_says_why_and_names_what_is_known():
    for rule in inferencex.rules("software"):
        assert rule["reason"] and ("date" in rule or release_day(rule["engine"], rule["version"]))
    for rule in inferencex.rules("cache"):
        assert rule["reason"] and rule["before"].year >= 2025
