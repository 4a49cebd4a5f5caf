"""A run folder: what is absent stays absent, what is whole stays whole, and no run is overwritten."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BadFile, CannotWrite, MissingFile
from harness.results import COLUMNS, KINDS, Row, RunFolder, load_results, new_run_id, write_whole

# The contract of design.md, in its order.
CONTRACT = (
    "schema_version, run, stack, model, weight_dtype, chip, chips, suite, workload, metric, value, p10, p90, unit, "
    "kind, source, n, note"
)
RUN = "20261123T120000Z-0123abcd"
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def rows(draw) -> Row:
    return Row(
        draw(words), draw(words), draw(numbers), draw(words), draw(st.sampled_from(KINDS)), draw(words.filter(bool)),
        chip=draw(words), chips=draw(st.none() | st.integers(1, 10**6)), p10=draw(numbers), p90=draw(numbers),
        n=draw(st.none() | st.integers(0, 10**6)), note=draw(words),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder(tmp_path / "run", RUN)


def read_back(folder: RunFolder):
    folder.write_manifest({})
    return load_results(folder.folder)


def test_the_columns_are_the_contract_in_its_order(folder):
    folder.write_rows([])
    assert (folder.folder / "rows.csv").read_text() == CONTRACT.replace(" ", "") + "\n"
    assert ", ".join(COLUMNS) == CONTRACT


@settings(max_examples=40, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=5))
def test_rows_read_back_as_written_to_six_digits(tmp_path_factory, some):
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "run", RUN)
    folder.write_rows(some)
    found = read_back(folder).rows
    assert len(found) == len(some)
    for row, back in zip(some, found.to_dict("records"), strict=True):
        for name in ("stack", "metric", "unit", "kind", "source", "chip", "note", "suite", "model"):
            assert back[name] == getattr(row, name)
        for name in ("value", "p10", "p90", "n", "chips"):
            if getattr(row, name) is None:
                assert math.isnan(back[name])
            else:
                assert back[name] == pytest.approx(getattr(row, name), rel=1e-5)


@pytest.mark.parametrize("absent", ["value", "p10", "p90", "n", "chips"])
def test_an_absent_number_is_an_empty_cell_and_never_a_zero(folder, absent):
    whole = {"value": 1.0, "p10": 0.5, "p90": 2.0, "n": 3, "chips": 4}
    folder.write_rows([Row("s", "m", unit="s", kind="modelled", source="x", **{**whole, absent: None})])
    with (folder.folder / "rows.csv").open() as file:
        cells = next(csv.DictReader(file))
    assert cells[absent] == "" and all(cells[k] for k in whole if k != absent)
    assert math.isnan(read_back(folder).rows[absent][0])


def test_a_measured_zero_stays_a_zero(folder):
    folder.write_rows([Row("s", "accuracy", 0.0, "1", "measured", "run", n=0)])
    found = read_back(folder).rows
    assert found["value"][0] == 0.0 and found["n"][0] == 0


def test_nulls_of_answers_trace_and_manifest_stay_nulls(folder):
    folder.append_answers([{"id": "1", "output_tokens": None, "text": "né\n"}])
    folder.append_answers([{"id": "2", "output_tokens": 0}])
    folder.write_trace([{"suite": "s", "flops": None}])
    folder.write_rows([])
    folder.write_manifest({"commit": None, "seed": 0})
    lines = (folder.folder / "answers.jsonl").read_text("utf-8").splitlines()
    answers = [json.loads(line) for line in lines]
    assert [a["output_tokens"] for a in answers] == [None, 0] and answers[0]["text"] == "né\n"
    found = load_results(folder.folder)
    assert found.trace == [{"suite": "s", "flops": None}]
    assert found.manifest["commit"] is None and found.manifest["seed"] == 0 and found.manifest["run"] == RUN


@pytest.mark.parametrize("left", ["manifest.json", "rows.csv", "trace.jsonl", "answers.jsonl"])
def test_a_folder_that_holds_a_run_is_refused_and_left_alone(tmp_path, left):
    (tmp_path / left).write_text("kept")
    with pytest.raises(CannotWrite, match="already holds a run") as error:
        RunFolder(tmp_path, RUN)
    assert error.value.exit_code == 2 and (tmp_path / left).read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == [left]


def test_a_run_that_died_keeps_its_answers(folder):
    folder.append_answers([{"id": "1"}])
    with pytest.raises(CannotWrite):
        RunFolder(folder.folder, RUN)
    assert (folder.folder / "answers.jsonl").read_text() == '{"id": "1"}\n'


def test_a_place_that_is_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for make in (lambda p: RunFolder(p, RUN), lambda p: write_whole(p / "rows.csv", "text")):
        with pytest.raises(CannotWrite, match="cannot write") as error:
            make(tmp_path / "file")
        assert error.value.exit_code == 2 and "\n" not in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CannotWrite):
        RunFolder(tmp_path / "run", RUN)


def test_answers_that_cannot_be_appended_are_a_clear_mistake(folder):
    (folder.folder / "answers.jsonl").unlink()
    (folder.folder / "answers.jsonl").mkdir()
    with pytest.raises(CannotWrite):
        folder.append_answers([{"id": "1"}])


def test_a_crash_while_writing_leaves_the_old_file_whole(folder):
    folder.write_rows([Row("s", "old", 1.0, "s", "modelled", "x")])
    before = (folder.folder / "rows.csv").read_bytes()

    def crashing():
        yield Row("s", "new", 1.0, "s", "modelled", "x")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        folder.write_rows(crashing())
    # A text that cannot be encoded fails inside the write itself, after the new file was opened.
    with pytest.raises(UnicodeEncodeError):
        folder.write_rows([Row("s", "x" * 100_000 + "\ud800", 1.0, "s", "modelled", "x")])
    assert (folder.folder / "rows.csv").read_bytes() == before
    assert sorted(p.name for p in folder.folder.iterdir()) == ["answers.jsonl", "rows.csv"]


@pytest.mark.parametrize("kind", ["", "guessed", "Measured", "estimated"])
def test_an_unknown_kind_cannot_be_a_row(kind):
    with pytest.raises(ValueError, match="unknown kind"):
        Row("s", "m", 1.0, "s", kind, "x")


def test_a_figure_without_a_source_cannot_be_a_row():
    with pytest.raises(ValueError, match="needs a source"):
        Row("s", "m", 1.0, "s", "measured", "")


def test_a_run_id_is_the_time_in_utc_and_eight_hex_digits():
    now = datetime(2026, 11, 23, 9, 5, 7, tzinfo=UTC)
    assert re.fullmatch(r"20261123T090507Z-[0-9a-f]{8}", new_run_id(now))
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", new_run_id()) and new_run_id(now) != new_run_id(now)


def test_a_folder_without_a_run_is_a_missing_file(tmp_path):
    with pytest.raises(MissingFile):
        load_results(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [("manifest.json", "{"), ("rows.csv", ""), ("rows.csv", "a,b\n1,2\n"), ("rows.csv", 'a,b\n"1,2\n3'),
     ("trace.jsonl", "{")],
)  # fmt: skip
def test_a_damaged_run_is_refused_by_its_files_name(folder, name, text):
    folder.write_rows([])
    folder.write_manifest({})
    Path(folder.folder / name).write_text(text)
    with pytest.raises(BadFile, match=re.escape(name)) as error:
        load_results(folder.folder)
    assert "\n" not in str(error.value)
