"""What is read off a trace: against traces made from known figures, and against the other half of the real one."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.discovery import WORKLOAD
from harness.profiles import load_file, workload
from harness.workloads import checked, fit, generate, load_trace
from tests.workloads.support import WEKA, outside, statistics
from tests.workloads.test_curve import FIXED, workload_file

# How far a generated trace may be from sessions that the fit did not see. The halves of the real trace are
# themselves 20 % apart in the calls of a session and 40 % in p90 of people's gaps.
TOLERANCE = {
    "calls.p50": 0.25, "isl.p50": 0.20, "isl.p90": 0.25, "isl.mean": 0.15, "osl.p50": 0.05, "osl.p90": 0.05,
    "tool_gap.p50": 0.1, "tool_gap.p90": 0.1, "person_gap.p50": 0.15, "person_gap.p90": 0.35,
}  # fmt: skip


def fitted(frame: pd.DataFrame, folder, name: str = "fitted"):
    path = folder / f"{name}.toml"
    path.write_text(fit(frame, name), "utf-8")
    return load_file(WORKLOAD, path)


def own_sessions() -> pd.DataFrame:
    """The 355 sessions without their sub-agents."""
    frame = load_trace(WEKA)
    return frame[~frame["session"].str.contains("/", regex=False)].reset_index(drop=True)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    figures = {
        **FIXED, "calls.p50": 12, "calls.p90": 60, "first_prompt.p50": 3000, "answer.p90": 60, "growth.p50": 300,
        "growth.p90": 2000, "prefix.tokens": 1600, "compaction.limit.p25": 20000, "compaction.limit.p75": 40000,
        "compaction.length.p50": 8000, "compaction.never": 0.3, "rewrite.share": 0.02, "person.share": 0.2,
        "tool_gap.p50": 3, "tool_gap.p90": 40, "person_gap.p50": 60, "person_gap.p90": 900,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("known")
    frame = generate(workload_file(folder, figures), 4000)
    return figures, frame, fitted(frame, folder)


@pytest.mark.parametrize(
    "key",
    ["calls.p50", "calls.p90", "first_prompt.p50", "answer.p90", "growth.p50", "growth.p90", "compaction.limit.p25",
     "compaction.limit.p75", "compaction.length.p50", "rewrite.share", "person.share", "tool_gap.p90", "person_gap.p50",
     "prefix.tokens"],
)  # fmt: skip
def test_known_figures_are_read_off_again(known, key):
    figures, _, found = known
    assert found.get(key).point == pytest.approx(figures[key], rel=0.1)


def test_sessions_that_ended_before_their_limit_are_not_taken_to_have_none(known):
    """Nine in ten sessions were never shortened, though three in ten have no limit."""
    figures, frame, found = known
    shorter = frame["isl"] < 0.7 * frame.groupby("session")["isl"].shift()
    assert shorter.groupby(frame["session"]).any().mean() < 0.4
    assert found.get("compaction.never").point == pytest.approx(figures["compaction.never"], abs=0.05)


def test_a_trace_of_single_requests_has_calls_lengths_and_arrivals(tmp_path):
    frame = checked(pd.DataFrame({"arrival_s": [0, 1, 3, 4], "isl": [5, 6, 7, 8], "osl": [1, 2, 3, 4]}))
    found = fitted(frame, tmp_path)
    assert found.get("calls.p50").point == 1 and found.get("answer.p50").point == 2.5
    assert found.get("load.rate").point == pytest.approx(0.75) and "growth.p50" not in found.values
    assert len(generate(found, 7)) == 7


def test_every_figure_says_how_many_observations_it_rests_on(known):
    _, _, found = known
    assert all(c.kind == "measured" and c.note.startswith("n = ") for c in found.all_values)
    assert set(found.missing) >= {"slo.ttft", "slo.tpot"}


@outside
@pytest.mark.golden
@pytest.mark.slow
def test_half_the_coding_sessions_foretell_the_other_half(tmp_path):
    frame = own_sessions()
    names = sorted(frame["session"].unique())
    halves = [frame[frame["session"].isin(names[k::2])].reset_index(drop=True) for k in (0, 1)]
    made, real = statistics(generate(fitted(halves[0], tmp_path), 2000)), statistics(halves[1])
    for name, room in TOLERANCE.items():
        assert made[name] == pytest.approx(real[name], rel=room), name
    assert made["hit"] == pytest.approx(real["hit"], abs=0.005)


@outside
@pytest.mark.golden
def test_the_shipped_coding_agent_is_the_fit_of_the_355_sessions(tmp_path):
    shipped, again = workload("coding-agent"), fitted(own_sessions(), tmp_path)
    for key in again.values:
        assert shipped.get(key).point == pytest.approx(again.get(key).point), key
