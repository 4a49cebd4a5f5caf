"""Modelled rows: the chips that hold a model, refusals with their reason, sources that resolve, gaps and no zeros."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from harness.answers import Answer
from harness.architecture import of_model
from harness.discovery import CHIP, MODEL, SUITE, find
from harness.errors import NotPredictable
from harness.operators import Load, plan
from harness.profiles import chip, model
from harness.quantity import Reading
from harness.results import Row
from harness.roofline import memory
from harness.roofline.compiled import Layout
from harness.run import manifest, traffic
from harness.run.choice import COMPARED
from harness.run.evaluate import Graded, SuiteRun
from harness.run.rows_of_point import FIGURES, Workload, source_id
from harness.stack import Stack, parse, resolve_dtypes
from harness.suites import Grade, suite
from tests.roofline.support import without

# The compared stacks, and one model of each further kind of attention.
LARGE = [m for m in COMPARED[MODEL] if m != "smollm2-135m-instruct"]
LARGE += ["deepseek-v3.2", "deepseek-v4-pro", "gemma-3-27b-it", "kimi-k3", "llama-4-maverick", "minimax-m1-80k",
          "minimax-m3", "qwen3-next-80b-a3b-instruct"]  # fmt: skip
LOAD = Workload("isl512-osl128-c4", 512, 128, 4)
SUITE_IDS = list(find(SUITE))
SCORED = Workload("scored", 512, 1, 4, suite="scored")


@cache
def modelled(model_id: str, chip_id: str) -> tuple[Row, ...]:
    return tuple(traffic.modelled_rows([], [model(model_id)], [chip(chip_id)], None, lambda _: None))


def figures(rows) -> dict[str, Row]:
    return {row.metric: row for row in rows if row.metric in FIGURES}


@pytest.mark.parametrize("chip_id", COMPARED[CHIP])
@pytest.mark.parametrize("model_id", LARGE)
def test_a_large_model_gets_the_fewest_chips_that_hold_it_in_the_widest_format(model_id, chip_id):
    m, on = model(model_id), chip(chip_id)
    capacity, most = on.get("memory.capacity").point, int(on.get("server.chips").point)

    def holds(dtype: str, tp: int) -> bool:
        try:
            dtypes = resolve_dtypes(Stack(model_id, dtype, chip_id), m, on)
            plan(of_model(m), Load.of([1]), dtypes, phase="decode", tp=tp)
            room = memory.room(
                of_model(m), dtypes, Layout(tp), traffic.ISL, traffic.OSL, capacity, True, memory.reserve()
            )
            return room.sequences >= traffic.CONCURRENCY
        except NotPredictable:
            return False

    sizes = [2**k for k in range(10) if 2**k <= most]
    tried = [m.native_dtype, *(d for d in traffic.NARROWER if d != m.native_dtype)]
    try:
        stack = traffic.large_stack(m, on)
    except NotPredictable as error:
        assert "\n" not in str(error) and any(x in str(error) for x in ("GB", "do not fit", "cannot be split"))
        assert not any(holds(m.native_dtype, tp) for tp in sizes)
        return
    assert stack.chips == min(tp for tp in sizes if holds(stack.weight_dtype, tp))
    assert not any(holds(d, tp) for d in tried[: tried.index(stack.weight_dtype)] for tp in sizes)
    assert parse(str(stack)) == stack
    p = next(traffic.point_rows(stack, m, on, replace(LOAD, isl=traffic.ISL, osl=traffic.OSL)))
    assert p.value, p.note  # and what holds it can be modelled


def test_a_refused_stack_has_empty_figures_and_the_reason():
    found = figures(modelled("qwen3.8-2.4t-a95b", "h100-sxm"))
    assert set(found) == set(FIGURES)
    for row in found.values():
        assert (row.value, row.p10, row.p90) == (None, None, None)
        assert row.note.startswith("error=in int4, weights need 156.7 GB") and row.kind == "modelled"
        assert row.chips == 8 and row.unit == FIGURES[row.metric]


@pytest.mark.parametrize(("model_id", "chip_id"), [
    ("llama-3.1-70b", "zhenwu-m890"), ("qwen3-235b-a22b", "zhenwu-810e"), ("gpt-oss-120b", "h100-sxm"),
    ("deepseek-r1", "ascend-910b2"), ("qwen3.8-2.4t-a95b", "kunlun-p800"),
])  # fmt: skip
def test_every_source_of_a_modelled_row_resolves(model_id, chip_id):
    rows = modelled(model_id, chip_id)
    found = manifest.sources([model(model_id), chip(chip_id)], rows)
    assert {s for row in rows for s in row.source.split()} <= set(found)
    assert {*model(model_id).sources, *chip(chip_id).sources} <= set(found)  # what no row rests on is there too
    assert all(entry["title"] and entry["publisher"] for entry in found.values())


def test_the_sources_of_the_values_used_reach_the_row():
    used = chip("zhenwu-m890")
    tpot = figures(modelled("llama-3.1-8b", "zhenwu-m890"))["tpot_ms"].source.split()
    assert {source_id(used.get(key).source) for key in ("memory.bandwidth", "compute.bf16")} <= set(tpot)
    assert {"model-of-time", "fit-deployment", "fit-gemm", "assumed-constants"} <= set(tpot)


def test_every_reading_of_a_disputed_value_is_a_source_of_the_row():
    base, m = chip("h100-sxm"), model("llama-3.1-8b")
    two = tuple(Reading(v, "datasheet", source) for v, source in ((3.0e12, "one-page"), (3.4e12, "another-page")))
    bandwidth = replace(base.get("memory.bandwidth"), readings=two)
    disputed = replace(base, values={**base.values, "memory.bandwidth": (bandwidth,)})
    found = figures(traffic.point_rows(Stack(m.id, "bf16", base.id), m, disputed, LOAD))
    assert {"one-page", "another-page"} <= set(found["tpot_ms"].source.split())


def test_a_source_that_nothing_defines_is_an_error():
    with pytest.raises(KeyError):
        manifest.sources([], [Row("s", "m", 1.0, "s", "modelled", "nowhere")])


def test_the_weakest_kind_is_named_and_an_assumption_is_called_one():
    found = figures(modelled("llama-3.1-8b", "zhenwu-m890"))
    assert found["tpot_ms"].kind == "modelled" and "weakest=estimated" in found["tpot_ms"].note
    for metric in ("power_w_per_chip", "energy_j_per_output_tok", "usd_per_m_output_tok"):
        assert found[metric].kind == "assumed" and "weakest=assumed" in found[metric].note
    assert "price_class=contract" in found["usd_per_m_output_tok"].note
    assert figures(modelled("llama-3.1-8b", "h100-sxm"))["tpot_ms"].kind == "modelled"


def test_every_row_of_a_point_has_its_interval_around_it_and_no_zero():
    for row in modelled("qwen3-235b-a22b", "h200-sxm"):
        if row.value is not None:
            assert row.value > 0, row.metric
        if row.p10 is not None:
            assert 0 < row.p10 <= row.value <= row.p90, row.metric


@pytest.mark.parametrize("chip_id", ["h100-sxm", "b200-sxm", "zhenwu-m890"])
def test_no_prefill_operator_stands_above_the_chips_roof(chip_id):
    rows = [r for r in modelled("llama-3.1-70b", chip_id) if r.metric.startswith("op.tflop_s[prefill.")]
    peak = chip(chip_id).get("compute.bf16").quantile(0.95) / 1e12
    assert len(rows) > 5 and max(r.p90 for r in rows) <= peak
    attention, qkv = (next(r for r in rows if f".{name}]" in r.metric) for name in ("attention", "qkv"))
    assert attention.value < qkv.value  # flash attention reaches less of the peak than a large product does


def test_shares_of_a_steps_time_are_shares_of_one():
    shares = [r.value for r in modelled("gpt-oss-120b", "b200-sxm") if r.metric.startswith("time_share[")]
    assert shares and all(0.01 <= s <= 1 for s in shares) and 0.8 < sum(shares) < 1.02


@cache
def side_by_side() -> tuple[Row, ...]:
    chips = [chip(c) for c in ("h100-sxm", "h20-96gb", "zhenwu-m890")]
    return tuple(traffic.modelled_rows([], [model("qwen3-235b-a22b")], chips, None, lambda _: None))


def test_the_first_stack_is_explained_by_operator_and_its_times_add_up():
    rows = side_by_side()
    terms = [r for r in rows if r.metric.startswith("op.ms[decode.")]
    assert {r.chip for r in terms} == {"h100-sxm"} and {"engine", "experts"} <= {r.metric[13:-1] for r in terms}
    shares = {r.metric[13:-1]: float(dict(n.split("=") for n in r.note.split("; "))["share"]) for r in terms}
    assert sum(shares.values()) == pytest.approx(1.0, rel=1e-4)
    step = sum(r.value for r in terms)
    assert all(r.value == pytest.approx(step * shares[r.metric[13:-1]], rel=1e-4) for r in terms)
    tpot = next(r for r in rows if r.metric == "tpot_ms" and r.chip == "h100-sxm")
    assert 0.5 * tpot.value < step <= tpot.value  # the rest of a token's time is waiting for prefills
    unknown = [r.value for r in rows if r.metric.startswith("unknown_share[")]
    assert sum(unknown) == pytest.approx(1.0, abs=0.01)


def test_the_other_stacks_are_set_against_the_first():
    rows = side_by_side()
    ratios = {r.chip: r for r in rows if r.metric == "ratio[output_tok_s_per_chip]"}
    per_chip = {r.chip: r for r in rows if r.metric == "output_tok_s_per_chip"}
    assert set(ratios) == {"h20-96gb", "zhenwu-m890"}
    first = per_chip["h100-sxm"]
    for chip_id, row in ratios.items():
        assert row.value == pytest.approx(per_chip[chip_id].value / first.value)
        assert row.note == f"to={first.stack}" and set(first.source.split()) <= set(row.source.split())
        assert row.p10 <= row.value <= row.p90
    alone = per_chip["h20-96gb"].p90 / per_chip["h20-96gb"].p10 * first.p90 / first.p10
    assert ratios["h20-96gb"].p90 / ratios["h20-96gb"].p10 < alone


def test_what_was_scored_and_not_generated_has_no_figure_per_output_token():
    stack = Stack("smollm2-135m-instruct", "bf16", "h100-sxm")
    rows = list(traffic.point_rows(stack, model(stack.model), chip("h100-sxm"), SCORED))
    found = figures(rows)
    per_token = {"tpot_ms", "tok_s_per_user", "output_tok_s_per_chip", "energy_j_per_output_tok"}
    per_token.add("usd_per_m_output_tok")
    for metric, row in found.items():
        if metric in per_token:
            assert row.value is None and row.p10 is None and "nothing was generated" in row.note
        else:
            assert row.value > 0
    assert not [r for r in rows if r.metric.startswith("time_share")]


def suite_run(output_tokens: list[int | None], prompt_tokens: list[int | None]) -> SuiteRun:
    one = suite(SUITE_IDS[0])
    items = one.items(0, len(output_tokens))
    graded = [
        Graded(one.id, item, Answer("", (), p, o, "stop"), Grade(0.0, "wrong", ""), {}, "")
        for item, o, p in zip(items, output_tokens, prompt_tokens, strict=True)
    ]
    return SuiteRun(one, graded, 1.0)


def test_a_suites_workload_is_the_mean_of_its_own_answers():
    load = traffic.suite_workload(suite_run([10, 20, None], [100, 201, None]))
    assert (load.isl, load.osl, load.generates) == (150.5, 15.0, True)
    scored = traffic.suite_workload(suite_run([0, 0], [100, 100]))
    assert scored.osl == 1.0 and not scored.generates


@pytest.mark.parametrize(("output", "prompt"), [([None], [None]), ([None], [5]), ([5], [None])])
def test_a_runner_without_token_counts_gives_no_workload(output, prompt):
    with pytest.raises(NotPredictable, match="no token counts"):
        traffic.suite_workload(suite_run(output, prompt))


@pytest.mark.parametrize("chip_id", find(CHIP))
def test_a_chips_ceilings_are_its_profiles_values_or_empty_with_a_reason(chip_id):
    on = chip(chip_id)
    rows = {row.metric: row for row in traffic.chip_rows(on)}
    assert {"chip.bandwidth_tb_s", "chip.memory_gb", "chip.peak_bf16_tflop_s", "chip.peak_fp8_tflop_s"} <= set(rows)
    for row in rows.values():
        assert row.note if row.value is None else row.value > 0
        assert row.kind in ("published", "assumed")
        assert row.p10 is None or row.p10 < row.p90
    assert rows["chip.bandwidth_tb_s"].value == pytest.approx(on.get("memory.bandwidth").point / 1e12)
    assert rows["chip.memory_gb"].value == pytest.approx(on.get("memory.capacity").point / 1e9)
    manifest.sources([on], rows.values())


def test_ceilings_in_gb_are_decimal_and_prices_by_the_hour():
    rows = {row.metric: row for row in traffic.chip_rows(chip("h100-sxm"))}
    assert rows["chip.memory_gb"].value == pytest.approx(85.899, abs=1e-3)  # 80 GiB
    assert rows["chip.usd_per_h"].value == pytest.approx(2.40) and "price_class=neocloud" in rows["chip.usd_per_h"].note


def test_a_chip_that_lacks_values_has_gaps_with_the_profiles_reason():
    bare = without(chip("h100-sxm"), "power.tdp", "server.chips", "price.neocloud", "price.contract", "price.ondemand")
    rows = {row.metric: row for row in traffic.chip_rows(bare)}
    assert rows["chip.tdp_w"].value is None and rows["chip.tdp_w"].note == "not published"
    assert "chip.usd_per_h" not in rows
    m = model("llama-3.1-8b")
    found = figures(traffic.point_rows(traffic.large_stack(m, bare), m, bare, LOAD))
    assert found["power_w_per_chip"].value is None and "no board power" in found["power_w_per_chip"].note
    assert found["usd_per_m_output_tok"].value is None and "no rental price" in found["usd_per_m_output_tok"].note
    assert found["tpot_ms"].value > 0


def test_progress_is_told_of_every_pair_and_refusals_count():
    told: list[int] = []
    chips = [chip(c) for c in ("h100-sxm", "b200-sxm")]
    list(traffic.modelled_rows([], [model("qwen3.8-2.4t-a95b")], chips, None, told.append))
    assert told == [1, 1]
