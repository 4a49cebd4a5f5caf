"""The fit of the scales on errors made up here: what rows say is found, what they do not say stays with its prior."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UserMistake
from harness.roofline.scales import LOOSE, SCALES
from harness.validation.solve import MIN_ROWS, SWEEP_SPREAD, solve

pytest.importorskip("scipy")

ROWS = 4000
START = {name: scale.centre for name, scale in SCALES.items()}


# One sweep of seven rows in ten, and nine others.
SWEEP = np.where(np.arange(ROWS) < 0.7 * ROWS, 0, 1 + np.arange(ROWS) % 9)


def found(true: dict[str, float], target: str = "tpot", late: np.ndarray | float = 0.0, rows: int = ROWS) -> dict:
    """The scales from rows whose time goes with each of `true`'s scales by itself, a fair share of rows each.

    late: log, by which each row's time is longer than the scales make it.
    """
    names = list(true)
    scale = np.arange(rows) // 9 % len(names)

    def errors(scales):
        predicted = np.array([np.log(scales[n]) for n in names])[scale]
        return {target: predicted - np.array([np.log(v) for v in true.values()])[scale] - late}

    return solve(errors, {target: np.ones(rows, bool)}, {target: SWEEP[:rows]} if target == "ttft" else {})


def test_what_rows_say_is_found_and_what_they_do_not_stays_at_its_centre():
    scales = found({"work.gemm16": 1.3, "step_s": 1e-3})
    assert scales["work.gemm16"] == pytest.approx(1.3, rel=0.05)
    assert scales["step_s"] == pytest.approx(1e-3, rel=0.05)
    silent = {n: s for n, s in SCALES.items() if n not in ("work.gemm16", "step_s") and not s.around}
    assert {n: scales[n] for n in silent} == pytest.approx({n: s.centre for n, s in silent.items()}, rel=1e-3)


def test_a_vendor_that_no_row_measured_is_the_middle_of_those_that_were():
    slow, fast = 4.0, 1.0
    scales = found({"vendor.ascend": slow, "vendor.gaudi": fast})
    assert scales["vendor.tpu"] == pytest.approx(scales["vendor.other"], rel=1e-3)
    # NVIDIA's 1 is one of those that the middle lies between, and the prior holds it to.
    assert fast < scales["vendor.other"] < np.sqrt(slow)
    assert scales["vendor.ascend"] == pytest.approx(slow, rel=0.1)


def test_one_large_sweep_that_its_client_made_late_moves_what_is_everyones_little():
    late = np.where(SWEEP == 0, 3 * SWEEP_SPREAD, 0.0)
    apart = found({"arrival_s": 0.03}, "ttft", late)["arrival_s"]
    together = found({"arrival_s": 0.03}, "tpot", late)["arrival_s"]
    assert abs(np.log(apart / 0.03)) < 0.5 * abs(np.log(together / 0.03))


def test_within_a_sweep_rows_still_say_how_two_scales_differ():
    late = np.random.default_rng(3).normal(0, SWEEP_SPREAD, 10)[SWEEP]
    scales = found({"first": 1.2, "arrival_s": 0.03}, "ttft", late)
    assert np.log(scales["first"] / scales["arrival_s"]) == pytest.approx(np.log(1.2 / 0.03), abs=0.1)


def test_too_few_rows_are_told():
    with pytest.raises(UserMistake, match=f"a fit needs {MIN_ROWS}"):
        found({"step_s": 1e-3}, rows=MIN_ROWS - 1)


def test_a_scale_around_another_is_a_factor_on_it():
    for name, scale in SCALES.items():
        if scale.around:
            assert scale.centre == 1 and scale.spread == LOOSE and not SCALES[scale.around].around, name
