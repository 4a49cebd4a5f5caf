"""Distributions by their quantiles: the stated ones are met, beyond them the line runs on, `max` cuts."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.discovery import WORKLOAD
from harness.errors import BadFile
from harness.profiles import load_file
from harness.quantity import normal_ppf
from harness.workloads import generate, shape, vary
from harness.workloads.curves import curve, share_of

HEAD = """
name = "a test"
imitates = "nothing"
slo.ttft = {value = 1, unit = "s", kind = "exact", source = "here"}
slo.tpot = {value = 50, unit = "ms", kind = "exact", source = "here"}
sources.here = {title = "a test", publisher = "us", url = ""}
"""
FIXED = {"calls.p50": 1, "first_prompt.p50": 100, "answer.p50": 10}


def workload_file(folder, figures: dict[str, float], name: str = "test"):
    units = {"tool_gap": "s", "person_gap": "s", "calls": "count", "person": "1", "rewrite": "1", "arrivals": "1"}
    lines = [HEAD]
    for key, value in figures.items():
        unit = (
            "1"
            if key == "compaction.never" or "_with_" in key or "_share" in key
            else units.get(key.split(".")[0], "token")
        )
        lines.append(f'{key} = {{value = {value}, unit = "{unit}", kind = "exact", source = "here"}}')
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines), "utf-8")
    return load_file(WORKLOAD, path)


def answers(folder, figures: dict[str, float]):
    return curve(workload_file(folder, {**FIXED, **{f"answer.{k}": v for k, v in figures.items()}}), "answer")


def z(share: float) -> np.ndarray:
    return np.array([NormalDist().inv_cdf(share)])


NAMES = [
    ["p50"],
    ["p50", "p90"],
    ["p10", "p50", "p90"],
    ["p10", "p50", "p75", "p99"],
    ["p05", "p25", "p50", "p90", "p999"],
]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.5, 1e6), min_size=1, max_size=5))
def test_the_stated_quantiles_are_met(tmp_path_factory, values):
    stated = dict(zip(NAMES[len(values) - 1], sorted(values), strict=True))
    drawn = answers(tmp_path_factory.mktemp("w"), stated)
    for name, value in stated.items():
        assert drawn.at(normal_ppf(np.array([share_of(name)])))[0] == pytest.approx(value)


def test_two_quantiles_make_a_log_normal(tmp_path):
    drawn = answers(tmp_path, {"p50": 100, "p90": 400})
    sigma = np.log(4) / z(0.9)[0]
    for share in (0.001, 0.2, 0.7, 0.999):
        assert drawn.at(z(share))[0] == pytest.approx(100 * np.exp(sigma * z(share)[0]), rel=0.01)


def test_median_and_mean_make_a_log_normal_of_that_mean(tmp_path):
    assert answers(tmp_path, {"p50": 100, "mean": 160}).mean() == pytest.approx(160, rel=0.02)


def test_one_quantile_is_a_constant_and_max_cuts(tmp_path):
    assert answers(tmp_path, {"p50": 7}).draw(np.random.default_rng(0), 50) == pytest.approx(np.full(50, 7))
    assert answers(tmp_path, {"p50": 7, "p90": 70, "max": 90}).draw(np.random.default_rng(0), 5000).max() == 90


def test_a_draw_above_something_is_above_it_and_of_the_same_distribution(tmp_path):
    drawn, rng = answers(tmp_path, {"p50": 100, "p90": 400, "max": 9000}), np.random.default_rng(0)
    free = drawn.draw(rng, 40_000)
    for least in (1.0, 100.0, 700.0):
        above = drawn.draw_above(rng, np.full(20_000, least))
        assert above.min() > least
        assert np.median(above) == pytest.approx(np.median(free[free > least]), rel=0.05)
    assert drawn.draw_above(rng, np.array([9500.0]))[0] == 9000  # nothing is above: the largest


@pytest.mark.parametrize(
    "figures",
    [{"p50": 100, "p90": 90}, {"p50": 100, "max": 90}, {"p50": 100, "q7": 1}, {"p50": 100, "mean": 90},
     {"p50": 100, "p90": 200, "mean": 150}, {"p50": 100, "p00": 5}],
)  # fmt: skip
def test_figures_that_contradict_each_other_are_refused(tmp_path, figures):
    with pytest.raises(BadFile, match="answer"):
        answers(tmp_path, figures)


@pytest.mark.parametrize(
    "figures",
    [{"calls.p50": 3}, {"growth.p50": 5, "message.p50": 5}, {"compaction.limit.p50": 5}],
)
def test_a_file_that_leaves_the_next_prompt_open_is_refused(tmp_path, figures):
    with pytest.raises(BadFile):
        shape(workload_file(tmp_path, {**FIXED, **figures}))


def test_what_a_moved_figure_passes_is_taken_along():
    moved = vary("chat", "message.p50", "high")
    assert moved.get("message.p50").point == 200 and moved.get("message.p90").point == 500
    assert vary("agent-35h", "tool_gap.p75", "high").get("tool_gap.p90").point == 220
    low = vary("agent-enterprise", "tool_gap.p90", "low")
    assert low.get("tool_gap.p90").point == 1 and low.get("tool_gap.p50").point == 0.5
    assert vary("agent-enterprise", "growth.max", "low").get("growth.p90").point == 2500


def test_other_figures_keep_their_draws_when_one_is_moved():
    base, moved = generate("chat", 500), generate(vary("chat", "person_gap.p50", "high"), 500)
    assert base["isl"].equals(moved["isl"]) and not base["gap_s"].equals(moved["gap_s"])
