"""The ratio of two operating points: what they share cancels, what they do not adds up."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings

from harness.roofline.compare import COMMON, common_share, ratio
from harness.roofline.point import UNITS
from tests.roofline.support import altered, at, cases

FEW = settings(max_examples=25, deadline=None)


def reach(figure) -> tuple[float, float]:
    """(down, up) of an interval, in logarithms."""
    return math.log(figure.value / figure.p10), math.log(figure.p90 / figure.value)


@FEW
@given(case=cases())
def test_a_point_over_itself_is_1_without_an_interval(case):
    point, again = case.point, case.on(case.chip)
    for name in point.figures:
        found = ratio(point, again, name)
        assert (found.value, found.p10, found.p90) == (1.0, 1.0, 1.0), name


@FEW
@given(a=cases(), b=cases())
def test_swapping_inverts(a, b):
    a, b = a.point, b.point
    for name in a.figures.keys() & b.figures.keys():
        one, two = ratio(a, b, name), ratio(b, a, name)
        assert one.value == pytest.approx(1 / two.value)
        assert (one.p10, one.p90) == pytest.approx((1 / two.p90, 1 / two.p10)), name
        assert one.p10 <= one.value <= one.p90


@FEW
@given(a=cases(), b=cases())
def test_the_interval_is_never_wider_than_that_of_a_pair_with_nothing_in_common(a, b):
    a, b = a.point, b.point
    for name in UNITS.keys() & a.figures.keys() & b.figures.keys():
        ours, theirs = reach(a.figures[name]), reach(b.figures[name])
        found = reach(ratio(a, b, name))
        widest = (math.hypot(ours[0], theirs[1]), math.hypot(ours[1], theirs[0]))
        assert sum(found) <= sum(widest) * (1 + 1e-9), name


@pytest.mark.parametrize("name", ["ttft_ms", "tpot_ms", "tok_s_per_user", "output_tok_s_per_chip"])
def test_an_independent_pair_gets_the_hypot_of_both(name):
    a, b = at("llama-3.1-70b/fp8@h100-sxm:8"), at("qwen3-32b@mi300x:8")
    assert common_share(a, b, name) == 0
    ours, theirs = reach(a.figures[name]), reach(b.figures[name])
    expected = (math.hypot(ours[0], theirs[1]), math.hypot(ours[1], theirs[0]))
    assert reach(ratio(a, b, name)) == pytest.approx(expected)


def test_two_formats_on_one_chip_are_told_apart_better_than_two_that_share_nothing():
    """The bandwidth of this chip is an assumption; both stacks read with it, and what is left differs in part."""
    a, b = at("qwen3-32b/bf16@zhenwu-m890:8"), at("qwen3-32b/fp8@zhenwu-m890:8")
    found = ratio(a, b, "tpot_ms")
    assert found.value > 1
    ours, theirs = reach(a.figures["tpot_ms"]), reach(b.figures["tpot_ms"])
    assert sum(reach(found)) < 0.85 * sum(math.hypot(x, y) for x, y in zip(ours, theirs, strict=True))


def test_memory_of_one_chip_cancels_whole():
    a, b = at("qwen3-32b/bf16@zhenwu-m890:8"), at("qwen3-32b/fp8@zhenwu-m890:8")
    found = ratio(a, b, "memory_used_share")
    assert found.p10 == pytest.approx(found.value) == pytest.approx(found.p90)


@pytest.mark.parametrize(("text", "index"), [
    ("llama-3.1-70b@h100-sxm:8,engine=vllm", 0), ("qwen3-32b@h100-sxm:8", 1), ("llama-3.1-70b@h200-sxm:8", 2),
])  # fmt: skip
def test_what_is_in_common_is_by_chip_and_model(text, index):
    a, b = at("llama-3.1-70b@h100-sxm:8"), at(text)
    assert common_share(a, b, "tpot_ms") == COMMON["tpot"][index]
    assert common_share(a, b, "ttft_ms") == COMMON["ttft"][index]
    assert common_share(a, b, "usd_per_m_output_tok") == COMMON["throughput"][index]


def test_other_vendors_have_nothing_in_common_but_with_their_own_chips():
    one, same, another = (at(f"qwen3-32b@{c}:8") for c in ("ascend-910b", "ascend-910c", "zhenwu-m890"))
    assert common_share(one, same, "tpot_ms") == COMMON["tpot"][2]
    assert common_share(one, another, "tpot_ms") == common_share(another, at("qwen3-32b@h20-96gb:8"), "tpot_ms") == 0
    assert common_share(another, at("qwen3-32b@kunlun-p800:8"), "tpot_ms") == 0


@FEW
@given(case=cases())
def test_a_chip_that_differs_in_one_value_shares_the_others_draws(case):
    """Twice the memory is another chip with the same bandwidth, peak and link."""
    roomier = case.on(altered(case.chip, {"memory.capacity": 2.0}))
    assume(roomier.figures["tpot_ms"].value == case.point.figures["tpot_ms"].value)
    assert ratio(roomier, case.point, "tpot_ms").p90 == 1.0
