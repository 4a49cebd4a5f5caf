"""Intervals agree with published ones, and none is given where there is nothing to give it from."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats

# (right, n, low, high) at 95 %: Newcombe 1998 (Statistics in Medicine 17:857-872), table I, method 3.
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)]
# (p, df, quantile): printed tables of Student's t.
TABLE_T = [
    (0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 3, 3.182), (0.975, 5, 2.571), (0.975, 10, 2.228),
    (0.975, 30, 2.042), (0.95, 1, 6.314), (0.95, 2, 2.920), (0.95, 4, 2.132), (0.95, 20, 1.725), (0.9, 7, 1.415),
    (0.995, 10, 3.169),
]  # fmt: skip
scores = st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=60)


@pytest.mark.parametrize(("right", "n", "low", "high"), NEWCOMBE)
def test_wilsons_interval_equals_the_published_one(right, n, low, high):
    assert stats.wilson(right / n, n, 0.95) == pytest.approx((low, high), abs=6e-5)


@settings(deadline=None)
@given(st.integers(1, 500), st.sampled_from([0.5, 0.8, 0.95, 0.99]))
def test_none_right_and_all_right_have_intervals_that_touch_the_end(n, level):
    none, every = stats.wilson(0.0, n, level), stats.wilson(1.0, n, level)
    assert none[0] == 0.0 and every[1] == 1.0
    assert 0 < none[1] < 1 and every[0] == pytest.approx(1 - none[1])


@settings(deadline=None)
@given(scores, st.sampled_from([0.8, 0.95]))
def test_a_share_lies_in_its_interval_and_more_confidence_is_wider(right, level):
    found, wider = stats.share(right, level), stats.share(right, 0.99)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert wider.low <= found.low and wider.high >= found.high


def test_wilsons_interval_covers_as_often_as_it_says():
    """The exact coverage, by summing the binomial: close to the level on average, for shares away from the ends."""
    n, level = 40, 0.8
    covered = []
    for p in [k / 50 for k in range(5, 46)]:
        inside = [k for k in range(n + 1) if stats.wilson(k / n, n, level)[0] <= p <= stats.wilson(k / n, n, level)[1]]
        covered.append(sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in inside))
    assert sum(covered) / len(covered) == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize("estimate", [stats.share, stats.mean])
def test_one_item_or_one_cluster_has_no_interval(estimate):
    one, alike = estimate([1.0]), estimate([1.0, 0.0, 1.0], clusters=["a", "a", "a"])
    assert one.value == 1.0 and (one.low, one.high) == (None, None)
    assert (alike.low, alike.high) == (None, None)


@pytest.mark.parametrize("estimate", [stats.share, stats.mean])
def test_nothing_has_no_estimate(estimate):
    with pytest.raises(ValueError, match="no "):
        estimate([])


@pytest.mark.parametrize(("p", "df", "quantile"), TABLE_T)
def test_students_t_equals_the_printed_table(p, df, quantile):
    assert stats.student_t(p, df) == pytest.approx(quantile, rel=2e-3)
    assert stats.student_t(1 - p, df) == pytest.approx(-quantile, rel=2e-3)


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_a_mean_lies_in_the_middle_of_its_interval(x):
    found = stats.mean(x)
    assert found.low <= found.value + 1e-9 and found.high >= found.value - 1e-9
    assert found.high - found.value == pytest.approx(found.value - found.low, abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([0.0, 1.0])), min_size=4, max_size=40))
def test_clusters_never_narrow_an_interval(pairs):
    clusters, x = [c for c, _ in pairs], [v for _, v in pairs]
    if len(set(clusters)) < 2:
        return
    for estimate in (stats.share, stats.mean):
        plain, clustered = estimate(x), estimate(x, clusters=clusters)
        assert clustered.value == plain.value
        assert clustered.high - clustered.low >= plain.high - plain.low - 1e-9


def test_items_that_agree_within_clusters_count_as_few():
    x = [1.0] * 10 + [0.0] * 10 + [1.0] * 10 + [0.0] * 10
    clusters = [str(i // 10) for i in range(40)]
    plain, clustered = stats.share(x), stats.share(x, clusters=clusters)
    assert clustered.high - clustered.low > 2 * (plain.high - plain.low)
    assert stats.design_effect(x, clusters) == pytest.approx(10 * 4 / 3)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 40), st.fractions(0, 1, max_denominator=50))
def test_a_binomial_tail_is_the_exact_sum(right, n, p):
    exact = sum((math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(right, n + 1)), Fraction(0))
    assert stats.binomial_tail(right, n, float(p)) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_a_binomial_tail_falls_from_one(n, p):
    tail = [stats.binomial_tail(k, n, p) for k in range(n + 2)]
    assert tail[0] == 1.0 and tail[-1] == 0.0 and tail == sorted(tail, reverse=True)
    assert tail[n] == pytest.approx(p**n)


def test_a_tail_over_thousands_of_items_does_not_overflow():
    assert stats.binomial_tail(2500, 5000, 0.5) == pytest.approx(0.5 + math.comb(5000, 2500) / 2**5001, rel=1e-9)


@given(st.integers(1, 12), st.data())
def test_pass_at_k_and_pass_hat_k_are_the_shares_of_all_draws(n, data):
    right, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    draws = list(combinations([1] * right + [0] * (n - right), k))
    assert stats.pass_at_k(n, right, k) == pytest.approx(sum(any(d) for d in draws) / len(draws))
    assert stats.pass_hat_k(n, right, k) == pytest.approx(sum(all(d) for d in draws) / len(draws))


def test_more_at_once_than_were_asked_is_refused():
    for estimate in (stats.pass_at_k, stats.pass_hat_k):
        with pytest.raises(ValueError):
            estimate(3, 1, 4)


def test_share_change_by_hand():
    """Bonett and Price: 3 gained, 1 lost of 20; (4 - 2) / 22 with its standard error."""
    pairs = [(0, 1)] * 3 + [(1, 0)] + [(1, 1)] * 10 + [(0, 0)] * 6
    found = stats.share_change(pairs)
    centre, half = 2 / 22, 1.959964 * ((6 / 22 - (2 / 22) ** 2) / 22) ** 0.5
    assert (found.value, found.low, found.high) == pytest.approx((0.1, centre - half, centre + half), abs=1e-6)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 1.0])), min_size=2, max_size=30))
def test_share_change_turns_with_its_pairs(pairs):
    ahead, back = stats.share_change(pairs), stats.share_change([(b, a) for a, b in pairs])
    assert (ahead.value, ahead.low, ahead.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert -1 <= ahead.low < ahead.high <= 1


class TestCalibrationError:
    def test_one_bin_is_the_gap_of_the_means(self):
        assert stats.calibration_error([0.9] * 4, [1, 0, 0, 1]).value == pytest.approx(0.4)

    def test_two_bins_by_hand(self):
        """Ten at 20 %, three of them right, and ten at 90 %, six right: gaps of 0.1 and 0.3, each half the items."""
        confidence, right = [0.9] * 10 + [0.2] * 10, [1] * 6 + [0] * 4 + [0] * 7 + [1] * 3
        assert stats.calibration_error(confidence, right).value == pytest.approx(math.sqrt((0.01 + 0.09) / 2))

    def test_the_last_bin_takes_what_is_left_over(self):
        """25 items in bins of 10: ten at 0 %, all wrong, and fifteen at 100 %, three wrong: 0 and 0.2."""
        confidence, right = [0.0] * 10 + [1.0] * 15, [0] * 10 + [0] * 3 + [1] * 12
        assert stats.calibration_error(confidence, right).value == pytest.approx(math.sqrt(0.04 * 15 / 25))

    def test_bins_hold_a_hundred_as_in_the_original_where_items_allow(self):
        assert [stats.bin_size(n) for n in (5, 60, 125, 500, 2500)] == [10, 12, 25, 100, 100]

    def test_none_from_no_items_and_no_interval_from_one(self):
        with pytest.raises(ValueError, match="no items"):
            stats.calibration_error([], [])
        assert stats.calibration_error([0.7], [1]).low is None

    @given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 1.0])), min_size=2, max_size=80), st.randoms())
    @settings(max_examples=40, deadline=None)
    def test_between_0_and_1_at_least_the_mean_gap_whatever_the_order(self, pairs, random):
        found = stats.calibration_error(*zip(*pairs, strict=True), resamples=50)
        gap = abs(sum(sure - right for sure, right in pairs)) / len(pairs)
        assert gap - 1e-9 <= found.value <= 1 and 0 <= found.low <= found.high <= 1
        random.shuffle(pairs)
        assert stats.calibration_error(*zip(*pairs, strict=True), resamples=50).value == pytest.approx(found.value)

    def test_who_states_what_is_so_has_no_error(self):
        right = [k % 2 for k in range(40)]
        found = stats.calibration_error(right, right)
        assert found.value == found.low == found.high == 0
