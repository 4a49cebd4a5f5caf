"""The request frame: what is filled in, what is kept, and what is refused with row and column named."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.errors import BadFile, UserMistake
from harness.workloads import COLUMNS, checked
from harness.workloads.blocks import expanded, parsed, runs

PLAIN = {"arrival_s": [0.0, 1.5, 2.0], "isl": [10, 20, 30], "osl": [1, 2, 3]}
TURNS = {"arrival_s": [0.0, None, None], "isl": [10, 20, 30], "osl": [1, 2, 3], "session": ["a"] * 3,
         "gap_s": [None, 4.0, None], "gap_kind": [None, "tool", "person"]}  # fmt: skip


def test_a_plain_frame_is_completed():
    out = checked(pd.DataFrame(PLAIN))
    assert list(out.columns) == list(COLUMNS)
    assert out["id"].tolist() == out["session"].tolist() == [0, 1, 2] and out["turn"].tolist() == [0, 0, 0]
    assert out["gap_s"].isna().all() and out["priority"].tolist() == [0, 0, 0]
    assert out["hash_ids"].isna().all() and out["block_size"].isna().all() and out["scope"].isna().all()


def test_turns_are_counted_and_a_blank_gap_of_a_later_turn_is_none():
    out = checked(pd.DataFrame(TURNS))
    assert out["turn"].tolist() == [0, 1, 2] and out["gap_s"].tolist()[1:] == [4.0, 0.0]
    assert out["gap_kind"].tolist()[1:] == ["tool", "person"]


def test_without_arrivals_all_sessions_start_at_once():
    assert checked(pd.DataFrame({"isl": [1, 2], "osl": [1, 1]}))["arrival_s"].tolist() == [0.0, 0.0]


def test_checking_again_changes_nothing():
    ids = {"hash_ids": ["[[0, 3], 9]", None, "[1]"], "block_size": [16, None, 16]}
    for columns in (PLAIN, TURNS, {**TURNS, **ids}):
        once = checked(pd.DataFrame(columns))
        pd.testing.assert_frame_equal(checked(once), once)


def test_blocks_are_read_from_json_and_are_global_unless_said_otherwise():
    out = checked(pd.DataFrame({**PLAIN, "hash_ids": ["[[0, 3], 9]", "", "[]"], "block_size": [16, None, 16]}))
    assert out["hash_ids"].tolist() == [[[0, 3], 9], None, []]
    assert out["scope"].tolist()[::2] == ["global", "global"] and pd.isna(out["scope"][1])


def test_a_blank_session_is_one_of_its_own():
    out = checked(pd.DataFrame({**PLAIN, "session": ["a", None, ""]}))
    assert out["session"].nunique() == 3


@pytest.mark.parametrize(
    ("change", "row", "column"),
    [
        ({"isl": [10, -1, 30]}, 2, "isl"),
        ({"isl": [10, None, 30]}, 2, "isl"),
        ({"isl": [10, 20, "many"]}, 3, "isl"),
        ({"isl": [10, 20.5, 30]}, 2, "isl"),
        ({"osl": [1, 0, 3]}, 2, "osl"),
        ({"osl": [1, float("inf"), 3]}, 2, "osl"),
        ({"arrival_s": [None, 1, 2]}, 1, "arrival_s"),
        ({"arrival_s": [0, -1, 2]}, 2, "arrival_s"),
        ({"session": ["a", "a", "b"]}, 2, "arrival_s"),
        ({"gap_s": [1, None, None]}, 1, "gap_s"),
        ({**TURNS, "gap_s": [None, -4, 0]}, 2, "gap_s"),
        ({**TURNS, "turn": [0, 2, 1]}, 3, "turn"),
        ({**TURNS, "turn": [0, 1, 1]}, 3, "turn"),
        ({**TURNS, "gap_kind": [None, "lunch", None]}, 2, "gap_kind"),
        ({"hash_ids": [[1], None, None]}, 1, "block_size"),
        ({"hash_ids": ["[1, [5, 3]]", None, None], "block_size": 16}, 1, "hash_ids"),
        ({"hash_ids": ["oops", None, None], "block_size": 16}, 1, "hash_ids"),
        ({"hash_ids": [[-1], None, None], "block_size": 16}, 1, "hash_ids"),
        ({"hash_ids": [[1], None, None], "block_size": 16, "scope": ["world", None, None]}, 1, "scope"),
        ({"priority": [0, 1.5, 0]}, 2, "priority"),
        ({"id": ["x", "y", "x"]}, 3, "id"),
    ],
)
def test_a_bad_value_is_refused_in_one_line_with_its_row_and_column(change, row, column):
    with pytest.raises(BadFile) as refused:
        checked(pd.DataFrame({**PLAIN, **change}), "trace.csv")
    text = str(refused.value)
    assert text.startswith(f"trace.csv: row {row}, {column}: found ") and "\n" not in text


def test_another_tools_name_for_a_column_is_pointed_out():
    with pytest.raises(UserMistake, match=r"column arrived_at.*the name 'arrival_s' \(seconds\)"):
        checked(pd.DataFrame({"arrived_at": [0.0], "isl": [1], "osl": [1]}))


@pytest.mark.parametrize("columns", [{"arrival_s": [0.0], "osl": [1]}, {"isl": [], "osl": []}])
def test_a_frame_without_lengths_or_rows_is_refused(columns):
    with pytest.raises(BadFile):
        checked(pd.DataFrame(columns))


def test_runs_hold_the_same_ids():
    ids = [7, 8, 9, 3, 5, 6, 6, 0]
    assert runs(ids) == [[7, 9], 3, [5, 6], 6, 0] and expanded(parsed(runs(ids))).tolist() == ids
    assert runs([]) == [] and expanded([]).tolist() == []
