"""Requests drawn from workloads: laws that every one keeps, and the quantiles that its file states."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from harness.discovery import WORKLOAD, find
from harness.errors import UserMistake
from harness.profiles import workload
from harness.workloads import cached_tokens, checked, generate, mean_calls, shape, trace_hit_rate, uncertain, vary
from harness.workloads.blocks import expanded
from harness.workloads.curves import share_of
from tests.workloads.test_curve import FIXED, workload_file

IDS = list(find(WORKLOAD))
TURNS = {**FIXED, "calls.p50": 6, "calls.p90": 30, "answer.p90": 60}


def some(name: str, calls: int = 6000, **how) -> pd.DataFrame:
    return generate(name, max(3, round(calls / mean_calls(name))), **how)


@pytest.mark.parametrize("name", IDS)
def test_laws(name):
    frame, figures = some(name, seed=3), shape(workload(name))
    pd.testing.assert_frame_equal(checked(frame), frame)  # sorted turns, arrivals and gaps where they belong
    assert (frame["isl"] + frame["osl"]).max() <= figures.cap_tokens
    assert frame["isl"].min() >= max(1, figures.prefix_tokens)
    later = frame["turn"] > 0
    assert frame["arrival_s"].isna().equals(later) and frame["gap_s"].isna().equals(~later)
    assert (cached_tokens(frame) <= frame["isl"]).all()


@pytest.mark.parametrize("name", IDS)
def test_the_same_seed_gives_the_same_bytes(name):
    one, two, other = (some(name, 600, seed=s, rate_per_s=2.0).to_csv() for s in (5, 5, 6))
    assert one == two != other


@pytest.mark.parametrize("name", IDS)
def test_quantiles_are_those_of_the_file_within_sampling_error(name):
    """Answers, gaps and first prompts, where neither the context's cap nor the prefix touches them."""
    told, frame = workload(name), some(name, 40_000, seed=1)
    later = (frame["turn"] > 0).to_numpy()
    kind = frame["gap_kind"].to_numpy()
    drawn = {"answer": frame["osl"], "tool_gap": frame["gap_s"][later & (kind == "tool")],
             "person_gap": frame["gap_s"][later & (kind == "person")], "first_prompt": frame["isl"][~later],
             "calls": frame.groupby("session").size()}  # fmt: skip
    compared = 0
    for key in told.values:
        family, _, quantile = key.rpartition(".")
        if (share := share_of(quantile)) is None or family not in drawn or len(drawn[family]) < 200:
            continue
        # Within four standard errors, the share of draws below the stated value is the stated share.
        values, stated = drawn[family].to_numpy(), told.get(key).point
        room = 4 * np.sqrt(share * (1 - share) / len(values)) + 0.001
        below, upto = (values < stated * 0.99 - 0.5).mean(), (values <= stated * 1.01 + 0.5).mean()
        assert below - room <= share <= upto + room, key
        compared += 1
    assert compared >= 2


def test_a_prompt_grows_by_its_answer_and_message_and_ends_at_the_cap(tmp_path):
    told = workload_file(tmp_path, {**TURNS, "message.p50": 40, "context.cap": 900})
    frame = generate(told, 400)
    before = frame.groupby("session")[["isl", "osl"]].shift()
    later = frame["turn"] > 0
    assert ((frame["isl"] - before["isl"] - before["osl"])[later] == 40).all()
    assert frame["hash_ids"].isna().all() and (frame["isl"] + frame["osl"]).max() <= 900
    uncapped = generate(workload_file(tmp_path, {**TURNS, "message.p50": 40}), 400)
    assert len(uncapped) > len(frame)


def test_after_a_compaction_only_the_prefix_is_held(tmp_path):
    figures = {"prefix.tokens": 64, "growth.p50": 50, "compaction.limit.p50": 400, "compaction.length.p50": 200}
    frame = generate(workload_file(tmp_path, {**TURNS, **figures}), 50)
    before = frame.groupby("session")["isl"].shift().to_numpy()
    cut = frame["isl"].to_numpy() < before
    assert cut.sum() > 20 and frame["isl"].max() <= 450
    assert (cached_tokens(frame)[cut] == 64).all()
    grown = ~np.isnan(before) & ~cut
    assert (cached_tokens(frame)[grown] == before[grown] // 16 * 16).all()


def test_a_rewrite_holds_the_prefix_at_full_length(tmp_path):
    figures = {"prefix.tokens": 64, "growth.p50": 50, "rewrite.share": 0.2}
    frame = generate(workload_file(tmp_path, {**TURNS, **figures}), 400)
    before, hit = frame.groupby("session")["isl"].shift().to_numpy(), cached_tokens(frame)
    later = ~np.isnan(before) & (before >= 128)
    assert (frame["isl"].to_numpy()[later] == before[later] + 50).all()
    assert (hit[later] == 64).mean() == pytest.approx(0.2, abs=0.03)


def test_a_global_prefix_is_shared_by_all_sessions_and_nothing_else_is():
    frame = some("agent-enterprise", 2000)
    first = frame[frame["turn"] == 0]
    assert (cached_tokens(frame)[first.index][1:] == 6000 // 16 * 16).all()
    owners: dict[int, int] = {}
    for session, cell in zip(frame["session"], frame["hash_ids"], strict=True):
        for block in expanded(cell)[6000 // 16 :].tolist():
            assert owners.setdefault(block, session) == session


def test_sessions_arrive_at_the_rate_and_as_unevenly_as_the_file_says(tmp_path):
    for cv in (0.3, 1.0, 3.0):
        told = workload_file(tmp_path, {**FIXED, "arrivals.cv": cv})
        between = np.diff(generate(told, 20_000, rate_per_s=4.0)["arrival_s"])
        assert between.mean() == pytest.approx(0.25, rel=0.1)
        assert between.std() / between.mean() == pytest.approx(cv, rel=0.1)
    assert (generate(told, 5)["arrival_s"] == 0).all()


@pytest.mark.parametrize(("tied", "sign"), [("rises", 1), ("falls", -1)])
def test_long_sessions_begin_long_or_short_as_the_file_says(tmp_path, tied, sign):
    figures = {**TURNS, "first_prompt.p90": 5000, f"first_prompt.{tied}_with_calls": 0.5, "message.p50": 4}
    frame = generate(workload_file(tmp_path, figures), 20_000)
    first, calls = frame[frame["turn"] == 0].set_index("session")["isl"], frame.groupby("session").size()
    assert np.corrcoef(first.rank(), calls.rank())[0, 1] == pytest.approx(sign * 0.5, abs=0.03)


@pytest.mark.parametrize("name", IDS)
def test_every_range_can_be_run_at_both_ends(name):
    for key in uncertain(workload(name)):
        for side in ("low", "high"):
            moved = vary(name, key, side)
            assert moved.get(key).point == workload(name).get(key).range[side == "high"]
            assert len(generate(moved, 2)) >= 2


def test_the_35_hours_come_out_at_25_ms_a_token():
    """The reading that the file's assumed figures were chosen for; a check of its arithmetic, not a measurement."""
    frame, told = generate("agent-35h", 50), workload("agent-35h")
    hours = (frame["gap_s"].sum() + frame["osl"].sum() * 0.025) / 50 / 3600
    assert hours == pytest.approx(told.get("run.duration").point / 3600, rel=0.1)
    assert frame.groupby("session").size().eq(1158).all() and trace_hit_rate(frame) > 0.95


def test_a_million_chat_requests_take_seconds():
    start = time.process_time()
    frame = generate("chat", round(1e6 / mean_calls("chat")))
    assert len(frame) > 900_000 and time.process_time() - start < 8
    assert frame.memory_usage(deep=False).sum() < 150e6


@pytest.mark.parametrize("how", [{"sessions": 0}, {"sessions": 1, "rate_per_s": 0}, {"sessions": 1, "rate_per_s": -1}])
def test_numbers_that_make_no_sense_are_refused(how):
    with pytest.raises(UserMistake):
        generate("chat", **how)


@pytest.mark.parametrize(("name", "side"), [("answer.p50", "low"), ("nothing", "low"), ("message.p50", "middle")])
def test_what_has_no_range_cannot_be_moved(name, side):
    with pytest.raises(UserMistake):
        vary("chat", name, side)
