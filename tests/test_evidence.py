"""Grades, old prices, export status, support statements, scores side by side: what a reader is told to trust."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import export, profiles
from harness.discovery import CHIP, MODEL, find
from harness.evidence import STALE_DAYS, Grade, age_days, grade, stale
from harness.profiles import DTYPES, chip, model
from harness.scores import Score, comparable, scores, side_by_side
from harness.support import EVIDENCE, NOT_STATED, fallback, statements, support

CHIPS, MODELS = list(find(CHIP)), list(find(MODEL))
TODAY = dt.date(2026, 11, 23)


# Grades


@given(opened=st.integers(0, 30), more=st.integers(0, 10), weakest=st.sampled_from(["datasheet", "assumed"]))
def test_a_grade_never_falls_when_a_page_is_found(opened, more, weakest):
    total = opened + more or 1
    less, better = Grade(min(opened, total), total, weakest), Grade(total, total, weakest)
    assert better.letter <= less.letter


def test_an_assumed_number_lowers_the_grade():
    assert Grade(10, 10, "datasheet").letter == "A" and Grade(10, 10, "assumed").letter == "B"
    assert Grade(1, 10, "assumed").letter == "D"


@pytest.mark.parametrize("chip_id", CHIPS)
def test_a_grade_counts_claims_with_an_address(chip_id):
    c = chip(chip_id)
    g = grade(c)
    assert g.total == len(c.all_values) + len(c.facts) and 0 < g.opened <= g.total
    assert str(g).startswith(g.letter) and g.weakest == c.weakest_kind


# Old prices


@pytest.mark.parametrize(("date", "days"), [("2026-11-23", 0), ("2026-11", 22), ("2026", 326), ("2026-05-27", 180)])
def test_a_date_without_a_day_counts_from_its_first(date, days):
    assert age_days(date, TODAY) == days


def test_a_price_is_old_past_the_limit_and_a_peak_never_is():
    rent = chip("h100-sxm").get("price.contract")
    assert stale(replace(rent, date="2026-05-27"), TODAY) == 0 == stale(replace(rent, date=""), TODAY)
    assert stale(replace(rent, date="2026-05-26"), TODAY) == STALE_DAYS + 1
    assert stale(replace(chip("h100-sxm").get("compute.bf16"), date="2020"), TODAY) == 0


# Export status


@pytest.mark.parametrize(("chip_id", "tpp"), [
    ("h200-sxm", 15_824), ("mi325x", 20_918), ("b200-sxm", 36_000), ("a100-sxm-80gb", 4_992), ("h20-96gb", 2_368),
    ("gaudi3", 29_360), ("tpu-v7", 36_912),
])  # fmt: skip
def test_total_processing_performance_is_dense_rate_times_bits(chip_id, tpp):
    assert float(sorted(export.tpp(chip(chip_id)))[1024]) == pytest.approx(tpp, rel=0.002)


@pytest.mark.parametrize(("chip_id", "inside"), [
    ("h100-sxm", True), ("h200-sxm", True), ("mi300x", True), ("mi325x", True), ("a100-sxm-80gb", True),
    ("b200-sxm", False), ("gb300-nvl72", False), ("mi355x", False), ("gaudi3", False), ("vr200-nvl144", False),
])  # fmt: skip
def test_the_rule_of_2026_falls_where_its_numbers_say(chip_id, inside):
    status = next(s for s in export.statuses(chip(chip_id)) if s.rule == "us-china-case-by-case")
    assert status.verdict.startswith("within" if inside else "past")
    assert export.DISCLAIMER in str(status) and status.source == "morgan-lewis"


def test_a_part_below_the_first_rule_is_not_judged_by_the_second():
    assert [s.rule for s in export.statuses(chip("h20-96gb"))] == ["us-3a090-a"] == [
        s.rule for s in export.statuses(chip("m4-max"))]  # fmt: skip
    assert "not computed" in str(export.statuses(chip("l20"))[0])


def test_a_range_across_a_threshold_is_not_decided():
    base = chip("h100-sxm")
    wide = replace(base.get("compute.fp8"), value=None, low=1.5e15, high=4e15)
    status = export.statuses(replace(base, values={**base.values, "compute.fp8": (wide,)}))[-1]
    assert status.verdict.startswith("either") and "within" in status.verdict and "past" in status.verdict


def test_a_rule_of_one_country_says_nothing_of_anothers_chips():
    assert export.statuses(chip("zhenwu-m890")) == [] and export.statuses(chip("ascend-910c")) == []


def test_a_rule_is_dated_and_has_a_source():
    sources = profiles.shared(CHIP).sources
    assert export.rules() and all(r["source"] in sources and sources[r["source"]].url for r in export.rules())


@pytest.mark.parametrize("chip_id", CHIPS)
def test_export_facts_are_dated_and_have_a_page(chip_id):
    c = chip(chip_id)
    for entry in c.tables.get("export", []):
        assert entry["date"] and c.sources[entry["source"]].url
        assert "TPP" not in entry["text"]  # the status by the numbers is computed


# Support


def entry(**more):
    about = {"engine": "vllm", "version": "1", "models": ["m"], "dtypes": ["fp8"], "evidence": "run", "as_stated": "m",
             "source": "s"}  # fmt: skip
    return {**about, **more}


def with_statements(*entries):
    base = chip("h100-sxm")
    return replace(base, tables={**base.tables, "engines": list(entries)})


def test_the_best_statement_counts_and_silence_is_not_a_no():
    claimed, run = entry(evidence="claimed", engine="sglang"), entry()
    assert support(with_statements(claimed), "m", "fp8").level == "stated without evidence"
    assert support(with_statements(claimed, run), "m", "fp8").level == "stated"
    assert support(with_statements(claimed, run), "m", "fp8", "sglang").level == "stated without evidence"
    for asked in (("other", "fp8"), ("m", "int8"), ("m", "fp8", "trtllm")):
        assert support(with_statements(run), *asked).level == NOT_STATED
    assert support(with_statements(), "m", "fp8").level == NOT_STATED


def test_a_stated_failure_is_said():
    refused = entry(models=[], unsupported=["m"])
    assert support(with_statements(refused), "m", "fp8").level == "stated not to run"
    assert support(with_statements(entry(models=["other"]), refused), "m", "fp8").level == "stated not to run"
    both = support(with_statements(refused, entry(engine="sglang")), "m", "fp8")
    assert both.level == "stated" and "stated not to run (vllm)" in str(both)
    claim = support(with_statements(refused, entry(engine="atom", evidence="claimed")), "m", "fp8")
    assert claim.level == "stated not to run" and "stated without evidence (atom)" in str(claim)


def test_a_four_bit_float_is_stated_under_its_names():
    assert support(with_statements(entry(dtypes=["nvfp4"])), "m", "fp4").level == "stated"
    assert support(with_statements(entry(dtypes=["nvfp4"])), "m", "mxfp4").level == NOT_STATED


@pytest.mark.parametrize("chip_id", CHIPS)
def test_statements_name_models_of_the_library_and_a_page(chip_id):
    c = chip(chip_id)
    for statement in statements(c):
        assert {*statement["models"], *statement.get("unsupported", ())} <= set(MODELS), statement["as_stated"]
        assert statement["evidence"] in EVIDENCE and c.sources[statement["source"]].url
        assert set(statement["dtypes"]) <= set(DTYPES)  # of the weights: they may be widened on the way in


@pytest.mark.parametrize("chip_id", CHIPS)
def test_every_format_has_a_datapath(chip_id):
    c = chip(chip_id)
    for dtype in ("bf16", "fp16", "fp8", "int8", "fp4", "nvfp4", "mxfp4", "int4", "q4_k_m"):
        assert c.peak_key(dtype) in c.values
        assert fallback(c, dtype) != dtype


def test_a_chip_without_eight_bit_floats_says_what_runs_instead():
    assert "fp8" in chip("zhenwu-810e").unsupported and fallback(chip("zhenwu-810e"), "fp8") == "bf16"
    assert fallback(chip("h100-sxm"), "fp8") == "" and fallback(chip("h100-sxm"), "fp4") == "bf16"
    assert fallback(chip("b200-sxm"), "nvfp4") == ""


# Scores


def score(**more):
    about = {"model": "a", "benchmark": "GPQA Diamond", "score": 80.0, "unit": "%", "reporter": "x",
             "reporter_kind": "vendor", "source": "s", "harness": "h"}  # fmt: skip
    return Score(**{**about, **more})


def test_a_harness_that_is_not_said_compares_with_nothing():
    assert comparable(score(), score(model="b", score=3.0, effort="high"))
    assert not comparable(score(harness=""), score(harness=""))
    for other in ({"harness": "g"}, {"version": "2"}, {"setting": "no tools"}, {"benchmark": "HLE"}, {"unit": "index"}):
        assert not comparable(score(), score(**other))


def test_comparability_is_symmetric():
    some = [score(), score(harness=""), score(version="2"), score(setting="x"), score(effort="low")]
    assert all(comparable(a, b) == comparable(b, a) for a in some for b in some)


def modelled(name, *listed):
    base = model("smollm2-135m-instruct")
    fields = [{k: v for k, v in vars(s).items() if k != "model" and v != ""} for s in listed]
    return replace(base, id=name, tables={**base.tables, "scores": fields})


def test_the_comparable_one_of_several_scores_stands_beside():
    a = modelled("a", score(harness="", score=1.0), score(harness="h", score=2.0))
    b = modelled("b", score(harness="h", score=3.0))
    row = side_by_side([a, b])[0]
    assert row.verdict == "comparable" and [s.score for s in row.cells] == [2.0, 3.0]
    assert side_by_side([a, modelled("c", score(harness="g"))])[0].verdict.startswith("not comparable")
    assert side_by_side([a])[0].verdict == "one score alone"


@pytest.mark.parametrize("model_id", MODELS)
def test_published_scores_have_a_reporter_and_a_source(model_id):
    m = model(model_id)
    for s in scores(m):
        assert s.reporter and s.source in m.sources and s.unit
        assert s.unit != "%" or 0 <= s.score <= 100
