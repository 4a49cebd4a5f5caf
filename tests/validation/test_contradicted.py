"""Rows that other rows contradict: for each rule a pair that it takes, and the nearest one that it leaves."""

from __future__ import annotations

import pytest

from harness.validation.contradicted import copied, disputed, hurried, unmarked
from harness.validation.scored import read
from tests.validation.support import rows, table

SAME_DAY = {"date": "2026-01-14", "source": "repeats", "tpot_ms": "8"}
MARKED = SAME_DAY | {"source": "marks", "spec_decode": "mtp"}
ELSEWHERE = SAME_DAY | {"source": "marks", "date": "2026-02-01"}


def taken(rule, path, *changes: dict) -> list[bool]:
    return rule(read(table(path / "m.csv", *changes))).tolist()


def test_a_source_without_marks_repeats_what_another_marks(tmp_path):
    _, found = rows(tmp_path / "m.csv", SAME_DAY, MARKED, ELSEWHERE)
    assert "as the source that marks it" in found["reason"][0]
    assert "speculative decoding" == found["reason"][1] and found["reason"][2] == ""


@pytest.mark.parametrize(
    "other",
    [
        MARKED | {"spec_decode": ""},  # that source's runs of the day are plain
        MARKED | {"date": "2026-01-15"},
        MARKED | {"chip": "h200-sxm"},
        MARKED | {"model": "llama-3.1-8b"},
        MARKED | {"engine_family": "sglang"},
        MARKED | {"weight_dtype": "bf16"},
        MARKED | {"source": "repeats"},  # a source that marks is taken at its word
    ],
)
def test_what_was_not_marked_of_the_same_runs_stands(tmp_path, other):
    assert not taken(unmarked, tmp_path, SAME_DAY, other, ELSEWHERE | {"spec_decode": "mtp", "chip": "b200-sxm"})[0]


def test_one_plain_run_of_the_day_leaves_the_day_open(tmp_path):
    assert not taken(unmarked, tmp_path, SAME_DAY, MARKED, MARKED | {"spec_decode": "", "isl": "8192"})[0]


def test_two_names_of_one_format_are_one(tmp_path):
    fp4, nvfp4 = SAME_DAY | {"weight_dtype": "fp4"}, MARKED | {"weight_dtype": "nvfp4"}
    assert taken(unmarked, tmp_path, fp4, nvfp4) == [True, False]


MANY = {"date": "2026-01-01", "concurrency": "128", "tpot_ms": "4"}
FEW = {"date": "2026-01-01", "concurrency": "16", "tpot_ms": "10"}


def test_eight_times_the_requests_are_not_faster(tmp_path):
    assert taken(hurried, tmp_path, MANY, FEW) == [True, False]


@pytest.mark.parametrize(
    "few",
    [
        FEW | {"concurrency": "17"},  # less than eight times
        FEW | {"tpot_ms": "4"},
        FEW | {"date": "2025-12-31"},  # older: software may have got faster since
        FEW | {"tp": "4"},
        FEW | {"isl": "2048"},
        FEW | {"spec_decode": "mtp"},
    ],
)
def test_what_is_not_the_same_says_nothing(tmp_path, few):
    assert taken(hurried, tmp_path, MANY, few) == [False, False]


RUN = {"date": "2024-11", "scenario": "static-batch", "tpot_ms": "", "ttft_ms": "", "output_tok_s_per_chip": "40"}


@pytest.mark.parametrize(("other", "expected"), [("81", [True, True]), ("79", [False, False])])
def test_runs_of_the_same_words_over_twice_apart_both_fall(tmp_path, other, expected):
    assert taken(disputed, tmp_path, RUN, RUN | {"output_tok_s_per_chip": other}) == expected


@pytest.mark.parametrize("words", [{"engine": "vllm 1.0"}, {"concurrency": "32"}, {"dp": "2"}, {"date": "2024-12"}])
def test_other_words_are_no_dispute(tmp_path, words):
    assert taken(disputed, tmp_path, RUN, RUN | {"output_tok_s_per_chip": "400"} | words) == [False, False]


def test_a_row_without_a_concurrency_or_a_figure_is_left_alone(tmp_path):
    blank = {"concurrency": "", "output_tok_s_per_chip": "100", "scenario": "offline"}
    for rule in (unmarked, hurried, disputed):
        assert not any(taken(rule, tmp_path, blank, blank | {"output_tok_s_per_chip": "900"}))


ONE = {"date": "2024-11-01", "tp": "4", "chips": "4", "dp": "1", "output_tok_s_per_chip": "100.02"}
TWO = ONE | {"chips": "8", "dp": "2", "output_tok_s_per_chip": "50"}


def test_two_replicas_with_the_output_of_one_were_not_measured(tmp_path):
    assert taken(copied, tmp_path, ONE, TWO) == [False, True]
    _, found = rows(tmp_path / "m.csv", ONE, TWO)
    assert "worked from its run" in found["reason"][1]


@pytest.mark.parametrize(
    "two",
    [
        TWO | {"output_tok_s_per_chip": "50.1"},  # measured apart, they differ in the fourth digit
        TWO | {"concurrency": "32"},
        TWO | {"source": "another"},
        TWO | {"isl": "128"},
        TWO | {"ep": "8"},  # its ranks share experts: one deployment
        TWO | {"output_tok_s_per_chip": ""},
    ],
)
def test_other_runs_of_replicas_stand(tmp_path, two):
    assert taken(copied, tmp_path, ONE, two) == [False, False]
