"""What a run's first wave waits for kernels: in the mean, by its share, where engines and weights say so."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.prediction import predict
from harness.profiles import chip, model
from harness.roofline import constants
from harness.stack import parse, resolve_dtypes

WAIT_MS = constants.load().scales["compile_s"] * 1e3


def asked(**changes) -> pd.Series:
    row = {"chip": "h100-sxm", "chips": 8, "model": "qwen3-235b-a22b", "weight_dtype": "fp8", "tp": 4, "isl": 1024,
           "osl": 512, "concurrency": 16, "engine_family": "sglang"} | changes  # fmt: skip
    answer = predict(pd.DataFrame([row])).iloc[0]
    assert not answer["error"] or pd.isna(answer["error"]), answer["error"]
    return answer


@pytest.mark.parametrize("engine", ["sglang", "trtllm"])
def test_the_mean_falls_by_the_wait_as_the_first_wave_becomes_less_of_the_run(engine):
    few, many = (asked(engine_family=engine, requests=n) for n in (160, 160_000))
    plain = [asked(engine_family=engine, weight_dtype="bf16", tp=8, requests=n) for n in (160, 160_000)]
    fell = few["ttft_ms"] - many["ttft_ms"]
    # The first wave of 16 is a tenth of the short run. The rest of the fall is its queue of prompts, which 16-bit
    # weights have too, and longer prefills.
    assert 0.0999 * WAIT_MS < fell < 0.0999 * WAIT_MS + 2 * (plain[0]["ttft_ms"] - plain[1]["ttft_ms"])
    assert plain[0]["ttft_ms"] - plain[1]["ttft_ms"] < 0.0999 * WAIT_MS


@pytest.mark.parametrize("changes", [{"engine_family": "vllm"}, {"engine_family": ""}, {"model": "llama-3.1-70b"}])
def test_elsewhere_nobody_waits(changes):
    """vLLM compiles before it serves; a blank engine is none of those; a scale a tensor needs no generated kernel."""
    assert asked(**changes, requests=160)["ttft_ms"] - asked(**changes, requests=160_000)["ttft_ms"] < 0.0999 * WAIT_MS


def test_a_median_and_the_time_a_token_hold_none_of_it():
    few, many = (asked(requests=n) for n in (160, 160_000))
    assert few["ttft_p50_ms"] - many["ttft_p50_ms"] < 0.02 * WAIT_MS
    assert few["tpot_ms"] == pytest.approx(many["tpot_ms"])


@pytest.mark.parametrize(
    ("text", "scaled"),
    [
        ("qwen3-235b-a22b/fp8@h100-sxm:8", True),
        ("qwen3-235b-a22b@h100-sxm:8", False),
        ("deepseek-r1@h200-sxm:8", True),
        ("deepseek-r1/nvfp4@b200-sxm:8", False),
        ("llama-3.1-70b/fp8@h100-sxm:8", False),
    ],
)
def test_which_8_bit_weights_are_scaled_in_blocks(text, scaled):
    stack = parse(text)
    assert resolve_dtypes(stack, model(stack.model), chip(stack.chip)).block_scaled is scaled
