"""What requests see: throughput, waiting, replicas, stages and speculation, by their definitions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.prediction import predict
from harness.profiles import chip
from harness.roofline.point import Point
from tests.roofline.support import at, cases

SLACK = 1.01  # batches prefilled together come in whole numbers, so a rate may give a little back
RATES = ("output_tok_s_per_chip", "total_tok_s_per_chip")


def values(p: Point) -> dict[str, float]:
    return {name: figure.value for name, figure in p.figures.items()}


@settings(max_examples=40, deadline=None)
@given(cases(), st.lists(st.integers(1, 3000), min_size=2, max_size=4, unique=True))
def test_more_concurrency_never_lowers_throughput_until_memory_is_full(case, users):
    """Of answers that are not a few tokens to a long prompt, where a second user waits for the first one's prefill."""
    case = replace(case, osl=max(case.osl, 64, case.isl // 20))
    points = [replace(case, concurrency=c).point for c in sorted(users)]
    for fewer, more in pairwise(points):
        if not more.notes.get("batch"):
            for rate in RATES:
                assert more.figures[rate].value * SLACK >= fewer.figures[rate].value


@pytest.mark.parametrize("text", ["llama-3.1-8b@h100-sxm:1", "qwen3-32b@h100-sxm:4", "deepseek-r1@mi355x:8"])
def test_past_full_memory_the_rate_stays_and_requests_wait(text):
    full = int(at(text).room)
    even, later = at(text, concurrency=full), at(text, concurrency=4 * full)
    most = min(full, 1024)
    assert later.batch == even.batch == most and later.bound_by == "capacity" and later.notes["batch"] == f"{most:g}"
    assert later.figures["tpot_ms"] == even.figures["tpot_ms"]
    assert later.figures["ttft_ms"].value > 2 * even.figures["ttft_ms"].value


def test_figures_are_what_the_definitions_say():
    isl, osl, batch = 1000, 200, 8
    p = at("qwen3-32b@zhenwu-m890:2,price=contract", isl=isl, osl=osl, concurrency=batch)
    f, on = values(p), chip("zhenwu-m890")
    e2e_s, first_wave_s = p.timed.latency.e2e[0], f["ttft_ms"] / 1e3 + (osl - 1) * f["tpot_ms"] / 1e3
    assert 0.8 * first_wave_s < e2e_s < first_wave_s  # a tenth of the requests came all at once
    assert f["tok_s_per_user"] == pytest.approx(1000 / f["tpot_ms"])
    # A run of ten times as many requests takes 0.3 lives of a request longer than ten: it starts and ends.
    run_s = e2e_s * (10 + 0.3) / 10
    assert f["output_tok_s_per_chip"] == pytest.approx(batch * osl / run_s / 2)
    assert f["total_tok_s_per_chip"] == pytest.approx(batch * (isl + osl) / run_s / 2)
    assert f["energy_j_per_output_tok"] == pytest.approx(f["power_w_per_chip"] / f["output_tok_s_per_chip"])
    rent_s = on.get("price.contract").point
    assert f["usd_per_m_output_tok"] == pytest.approx(rent_s / f["output_tok_s_per_chip"] * 1e6)
    assert f["power_w_per_chip"] <= on.get("power.tdp").point
    assert f["tpot_ms"] == pytest.approx(1e3 * (p.timed.decode.total[0] + p.timed.latency.prefilling[0]))
    assert 0 < f["memory_used_share"] < 1


def test_replicas_share_the_concurrency():
    one, four = at("llama-3.1-8b@h100-sxm:1,tp=1", concurrency=8), at("llama-3.1-8b@h100-sxm:4,tp=1", concurrency=32)
    assert four.placement.replicas == 4 and four.batch == one.batch == 8
    assert four.figures["tpot_ms"] == one.figures["tpot_ms"]
    assert four.figures["output_tok_s_per_chip"] == one.figures["output_tok_s_per_chip"]


def test_attention_ranks_share_the_requests_and_the_experts_see_all():
    p = at("deepseek-r1@h200-sxm:8,tp=1,dp=8,ep=8", concurrency=64)
    assert (p.placement.layout.dp, p.placement.replicas, p.batch) == (8, 1, 64)
    experts = next(op for ops in p.decode.operators.values() for op, _ in ops if op.kind == "moe")
    attention = next(op for ops in p.decode.operators.values() for op, _ in ops if op.kind == "attention")
    assert attention.shape[0] == 8 and experts.shape[4] == 256 / 8


@settings(max_examples=20, deadline=None)
@given(cases())
def test_speculation_that_accepts_one_token_changes_nothing(case):
    plain = case.point
    options = {**case.stack.options, "spec": "1"}
    assert replace(case, stack=replace(case.stack, options=options)).point.figures == plain.figures


def test_speculation_shortens_a_token_by_less_than_its_acceptance():
    """A step verifies more tokens than one, so it takes longer, and yields more."""
    plain, spec = (at(f"llama-3.1-70b@h100-sxm:8{more}", concurrency=1) for more in ("", ",spec=2.5"))
    assert spec.decode.seconds > plain.decode.seconds
    assert 1 < plain.figures["tpot_ms"].value / spec.figures["tpot_ms"].value < 2.5


@pytest.mark.parametrize("stages", [2, 4])
def test_stages_split_weights_and_caches_evenly(stages):
    """Of a model that one chip holds: memory for the requests and for each of them a part of the layers."""
    one, several = at("qwen3-32b@b200-sxm:1"), at(f"qwen3-32b@b200-sxm:{stages},tp=1,pp={stages}")
    assert several.placement.layout.pp == stages and several.placement.layout.chips == stages
    share = several.figures["memory_used_share"].value / one.figures["memory_used_share"].value
    assert share == pytest.approx(1 / stages)
    assert several.room > stages * one.room
    same = at("qwen3-32b@b200-sxm:1", concurrency=8 / stages)
    assert several.decode.parts["decode.qkv"] == pytest.approx(same.decode.parts["decode.qkv"], rel=1e-12)


@pytest.mark.parametrize(("words", "layout"), [
    ("", (8, 1, 1, 1, 1)), (",tp=2", (2, 1, 1, 1, 4)), (",tp=4,pp=2", (4, 2, 1, 1, 1)),
    (",ep=8", (8, 1, 8, 1, 1)), (",dp=8,ep=8", (1, 1, 8, 8, 1)), (",tp=2,dp=4,ep=8", (2, 1, 8, 4, 1)),
])  # fmt: skip
def test_the_words_of_a_deployment_become_its_layout(words, layout):
    where = at(f"qwen3-235b-a22b/fp8@b200-sxm:8{words}").placement
    assert (where.layout.tp, where.layout.pp, where.layout.ep, where.layout.dp, where.replicas) == layout


def test_the_engines_own_limit_of_requests_is_heeded():
    p = at("llama-3.1-8b@h100-sxm:1,max_seqs=4", concurrency=64)
    assert p.batch == 4 and p.bound_by == "capacity"
    assert np.isclose(p.figures["tpot_ms"].value, at("llama-3.1-8b@h100-sxm:1", concurrency=4).figures["tpot_ms"].value)


def test_the_newest_software_stands_in_for_a_blank_date_and_older_is_slower():
    blank, old = (at(f"llama-3.1-8b@mi300x:1{more}").figures["tpot_ms"].value for more in ("", ",date=2025-10"))
    assert old > blank


def test_a_longer_run_gives_more_tokens_a_second_up_to_its_steady_rate():
    """0.3 lives of a request go by at the start and the end, however long the run; a blank run has 3,000 requests."""
    runs = [64.0, 640.0, 6400.0, 1e8]
    row = {"chip": "h200-sxm", "model": "llama-3.1-70b", "weight_dtype": "fp8", "tp": 4, "isl": 1024, "osl": 1024}
    rows = [{**row, "concurrency": 64, "requests": n} for n in runs] + [row, {**row, "requests": 3000}]
    rate = predict(pd.DataFrame(rows))["output_tok_s_per_chip"].astype(float)
    assert (rate[3] / rate[:3]).tolist() == pytest.approx([1.3, 1.03, 1.003], rel=1e-5)
    assert rate[4] == rate[5] > rate[3]
