"""What is refused, in one line and with its reason; what a figure rests on; what is absent and not zero."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.architecture import of_model
from harness.errors import NotPredictable
from harness.operators import Dtypes
from harness.profiles import chip, model
from harness.quantity import KINDS
from harness.roofline import memory
from harness.roofline.compiled import Layout
from tests.roofline.support import altered, at, without

BF16 = Dtypes("bf16", "bf16", "bf16")


@pytest.mark.parametrize(
    "text", ["deepseek-r1@h100-sxm:4", "llama-3.1-70b@zhenwu-810e:1", "qwen3.8-2.4t-a95b@mi300x:8"]
)
def test_what_does_not_fit_is_refused_in_one_line_with_its_size(text):
    with pytest.raises(NotPredictable, match=r"weights need \d+\.\d GB a chip") as error:
        at(text)
    assert "\n" not in str(error.value) and error.value.exit_code == 2


def test_a_cache_that_does_not_fit_is_told_from_weights_that_do_not():
    with pytest.raises(NotPredictable, match=r"weights and one sequence's cache do not fit: weights take \d+\.\d GB"):
        at("qwen3-32b@h100-sxm:1", isl=40000, osl=900, on=altered(chip("h100-sxm"), {"memory.capacity": 0.86}))


def test_the_share_of_memory_an_engine_may_use_is_heeded():
    small, large = (at(f"llama-3.1-8b@h100-sxm:1,gpu_mem={share}").room for share in (0.5, 0.9))
    sequence = (2048 + 0.6 * 256) * 2 * 32 * 8 * 128 * 2
    assert (large - small) * sequence == pytest.approx(0.4 * chip("h100-sxm").get("memory.capacity").point, rel=0.02)
    with pytest.raises(NotPredictable, match="GB"):
        at("llama-3.1-8b@h100-sxm:1,gpu_mem=0.1")


def test_a_context_past_the_models_is_refused():
    at("qwen3-32b@b200-sxm:1", isl=40000, osl=960)
    with pytest.raises(NotPredictable, match="40961 tokens are past the context of 40960"):
        at("qwen3-32b@b200-sxm:1", isl=40000, osl=961)


@pytest.mark.parametrize("option", ["disagg=1x1", "chunk=512", "prefix=1", "max_batched_tokens=4096", "region=cn"])
def test_what_is_not_modelled_is_refused_and_not_ignored(option):
    with pytest.raises(NotPredictable, match="not modelled"):
        at(f"qwen3-235b-a22b@b200-sxm:8,{option}")


def test_the_weakest_kind_travels_to_every_figure_that_used_it():
    p = at("llama-3.1-8b@zhenwu-m890:1")
    assert p.weakest_kind("tpot_ms") == "estimated" and p.weakest_kind("memory_used_share") == "datasheet"
    assert {p.weakest_kind(f) for f in ("power_w_per_chip", "energy_j_per_output_tok", "usd_per_m_output_tok")} == {
        "assumed"
    }
    assert at("llama-3.1-8b@h100-sxm:1").weakest_kind("tpot_ms") == "datasheet"


def test_a_network_that_no_collective_crosses_lends_its_kind_to_nothing():
    small = altered(chip("zhenwu-m890"), {"scaleup.domain": 1 / 64})
    inside, across = at("llama-3.1-70b@zhenwu-m890:8"), at("llama-3.1-70b@zhenwu-m890:8", on=small)
    assert small.get("scaleout.bandwidth").kind == "assumed" and small.get("scaleup.domain").point == 1
    assert inside.weakest_kind("tpot_ms") == "estimated" and across.weakest_kind("tpot_ms") == "assumed"
    assert KINDS.index("assumed") == len(KINDS) - 1


def test_a_chip_without_a_link_is_refused_only_where_one_is_needed():
    alone = without(chip("h100-sxm"), "scaleup.bandwidth", "scaleout.bandwidth", "scaleup.domain")
    assert at("llama-3.1-8b@h100-sxm:1", on=alone).figures["tpot_ms"].value > 0
    with pytest.raises(NotPredictable, match=r"has no scaleup\.bandwidth: not published"):
        at("llama-3.1-8b@h100-sxm:2", on=alone)


@pytest.mark.parametrize("key", ["memory.bandwidth", "memory.capacity", "compute.bf16"])
def test_a_chip_without_a_needed_number_is_refused_in_one_line(key):
    with pytest.raises(NotPredictable) as error:
        at("llama-3.1-8b@h100-sxm:1", on=without(chip("h100-sxm"), key))
    assert "\n" not in str(error.value) and "H100" in str(error.value)


def test_a_chip_without_a_power_limit_has_no_energy_and_no_zero():
    p = at("llama-3.1-8b@h100-sxm:1", on=without(chip("h100-sxm"), "power.tdp"))
    assert "power_w_per_chip" not in p.figures and "energy_j_per_output_tok" not in p.figures
    assert p.figures["tpot_ms"].value > 0


def test_a_price_is_of_the_class_asked_for_or_absent():
    named = at("llama-3.1-8b@h100-sxm:1,price=ondemand")
    assert named.price.price_class == "ondemand" and "price.ondemand" in named.used["usd_per_m_output_tok"]
    assert "usd_per_m_output_tok" not in at("llama-3.1-8b@h100-sxm:1,price=spot").figures


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["llama-3.1-70b", "qwen3-235b-a22b", "deepseek-r1"]),
    st.sampled_from(["h100-sxm", "zhenwu-m890"]),
    st.integers(1, 256),
)
def test_the_smallest_group_holds_what_half_of_it_does_not(model_id, chip_id, sequences):
    layers, on = of_model(model(model_id)), chip(chip_id)
    dtypes = Dtypes("fp8", "bf16", "bf16")
    try:
        tp = memory.smallest_tp(layers, dtypes, on, 7168, 1024, sequences, 16)
    except NotPredictable as error:
        assert "in 16 chips" in str(error) or "over 16 chip(s)" in str(error)
        return

    def held(size: int) -> float:
        capacity = on.get("memory.capacity").point
        return memory.room(layers, dtypes, Layout(size), 7168, 1024, capacity, True, memory.reserve()).sequences

    assert held(tp) >= sequences
    assert tp == 1 or held(tp // 2) < sequences


def test_a_group_that_holds_some_sequences_is_refused_for_the_rest():
    with pytest.raises(NotPredictable, match="100000 sequences of 8192 tokens do not fit in 8 chips"):
        memory.smallest_tp(of_model(model("llama-3.1-70b")), BF16, chip("h100-sxm"), 7168, 1024, 100000, 8)
