"""The errors that become intervals: those of the chips given, even where few chips were measured."""

from __future__ import annotations

import numpy as np
import pytest

from harness.roofline.constants import DISTANCES, TARGETS
from harness.validation.unexplained import Missed, quantiles

SPREAD = np.linspace(-1, 1, 201)  # its 10 % and 90 % points are -0.8 and 0.8


def alike(errors: np.ndarray, kind: int = 0) -> Missed:
    return Missed.of(errors, np.full(len(errors), kind))


def chips(n: int, shift: float, distance: str = "cuda") -> dict:
    return {f"chip-{i}": {(distance, t): alike(shift + SPREAD) for t in TARGETS} for i in range(n)}


def test_three_chips_say_on_which_side_the_next_will_lie():
    found = quantiles(chips(3, 0.5))
    assert found["tpot.cuda"] == pytest.approx([-0.3, 1.3])


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_do_not_and_their_interval_is_even(n):
    assert quantiles(chips(n, 0.5, "rocm"))["ttft.rocm"] == pytest.approx([-1.3, 1.3])


def test_a_shift_that_leaves_no_error_below_zero_still_holds_the_prediction():
    low, high = quantiles(chips(4, 3.0))["throughput.cuda"]
    assert low == 0 and high == pytest.approx(3.8)


def test_what_nothing_was_left_of_takes_the_fitted_softwares_errors_wider():
    found = quantiles(chips(3, 0.0))
    low, high = found["tpot.cuda"]
    assert found["tpot.inferred"] == pytest.approx([low - np.log(2), high + np.log(2)], rel=1e-3)


def test_every_figure_and_distance_has_its_pair_around_zero():
    found = quantiles(chips(3, 0.0))
    assert set(found) == {f"{t}.{d}" for t in TARGETS for d in DISTANCES}
    assert all(low <= 0 <= high for low, high in found.values())


def test_times_a_token_and_throughputs_of_other_software_speak_for_each_other():
    slow = {"slow": {("other", "tpot"): alike(1 + SPREAD), ("other", "throughput"): alike(np.empty(0))}}
    assert quantiles(slow)["throughput.other"] == pytest.approx([-1.8, 1.8])


def test_figures_of_two_chips_are_still_those_of_two():
    both = {("other", t): alike(0.5 + SPREAD) for t in ("tpot", "throughput")}
    low, high = quantiles({"one": both, "two": both})["tpot.other"]
    assert low == -high


@pytest.mark.parametrize(("rows", "high"), [(400, 1.0), (100, 0.0)])
def test_rows_of_one_model_and_engine_count_by_the_root_of_their_number(rows, high):
    """10,000 rows weigh 100 and 400 rows 20, a sixth of all; 100 weigh 10, a twelfth."""
    errors = np.concatenate([np.zeros(10_000), np.ones(rows)])
    one = Missed.of(errors, np.concatenate([np.zeros(10_000), np.ones(rows)]))
    found = quantiles({f"chip-{i}": {("cuda", "tpot"): one} for i in range(3)})
    assert found["tpot.cuda"] == [0.0, high]
