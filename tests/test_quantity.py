"""A number is a claim with a source; uncertainty travels by sampling; units differ by construction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import units
from harness.quantity import KINDS, Cited, Reading, weakest

POSITIVE = st.floats(1e-6, 1e15)


def cited(value=None, low=None, high=None, id="chip/key", **more) -> Cited:
    return Cited(id, value, low, high, "byte/time", "estimated", "a-page", "GB/s", **more)


def test_a_number_without_a_source_cannot_be_built():
    with pytest.raises(TypeError, match="source"):
        Cited("chip/key", 1.0, None, None, "power", "exact", "", "W")


@pytest.mark.parametrize("numbers", [(None, None, None), (None, 1.0, None), (None, None, 1.0)])
def test_a_claim_without_a_number_cannot_be_built(numbers):
    with pytest.raises(TypeError, match="range"):
        cited(*numbers)


def test_an_unknown_kind_cannot_be_built():
    with pytest.raises(TypeError, match="kind"):
        Cited("chip/key", 1.0, None, None, "power", "certain", "a-page", "W")


@given(low=POSITIVE, factor=st.floats(1.01, 100))
def test_a_range_without_a_value_shows_its_median(low, factor):
    c = cited(low=low, high=low * factor)
    assert c.is_median
    assert c.point == pytest.approx(np.sqrt(c.low * c.high), rel=1e-9)


@pytest.mark.parametrize("numbers", [(None, 2.0, 8.0), (4.0, 2.0, 8.0), (4.0, 3.9, 9.0), (4.0, 4.0, 9.0)])
def test_low_and_high_are_the_5_and_95_percent_points(numbers):
    c = cited(*numbers)
    draws = c.sample(200_000)
    assert np.quantile(draws, [0.05, 0.95]) == pytest.approx(c.range, rel=0.02)
    assert c.range == pytest.approx((numbers[1], numbers[2]), rel=1e-3)
    if numbers[0]:
        assert np.median(draws) == pytest.approx(numbers[0], rel=0.01)


def test_a_bare_value_has_no_spread():
    assert set(cited(3.0).sample(10)) == {3.0}
    assert not cited(3.0).is_uncertain


def test_a_sample_depends_on_its_id_and_seed_alone():
    one, same, other = (cited(4.0, 2.0, 8.0, id=i) for i in ("a/x", "a/x", "b/x"))
    first = one.sample(100, seed=3)
    one.sample(7, seed=3)
    assert (same.sample(100, seed=3) == first).all()
    assert (other.sample(100, seed=3) != first).all()
    assert (one.sample(100, seed=4) != first).all()


def test_a_shared_number_cancels_in_a_ratio():
    a, b = cited(4.0, 2.0, 8.0), cited(4.0, 2.0, 8.0)
    assert a.sample(50) * 2.2 / b.sample(50) == pytest.approx(np.full(50, 2.2))


def test_unknown_direction_is_an_even_mixture_of_both_readings():
    draws = cited(800.0, direction="unknown").sample(4000)
    assert set(draws) == {400.0, 800.0}
    assert (draws == 400.0).mean() == pytest.approx(0.5, abs=0.05)


def test_readings_are_an_even_mixture():
    readings = tuple(Reading(v, "datasheet", "a-page") for v in (1.0, 2.0, 4.0))
    draws = cited(2.0, 1.0, 4.0, readings=readings).sample(6000)
    assert [(draws == v).mean() for v in (1.0, 2.0, 4.0)] == pytest.approx([1 / 3] * 3, abs=0.04)


def test_a_result_is_no_better_than_its_worst_input():
    assert weakest(["exact", "assumed", "datasheet"]) == "assumed"
    assert weakest([]) == KINDS[0]


def test_decimal_and_binary_bytes_and_bits_differ():
    gigabyte, gibibyte, gigabit = (units.to_si(1, u) for u in ("GB", "GiB", "Gbit"))
    assert (gigabyte, gibibyte, gigabit) == (1e9, 2**30, 1.25e8)
    assert units.to_si(400, "Gbit/s") == units.to_si(50, "GB/s")


@given(x=POSITIVE, unit=st.sampled_from(sorted(units.UNITS)))
def test_si_and_back(x, unit):
    assert units.from_si(units.to_si(x, unit), unit) == pytest.approx(x, rel=1e-12)


def test_an_unknown_unit_is_a_key_error():
    with pytest.raises(KeyError):
        units.to_si(1, "GBps")
