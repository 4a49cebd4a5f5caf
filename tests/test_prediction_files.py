"""Files of rows: what the user wrote passes on byte for byte, answers stand beside it, broken files are one line."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserMistake
from harness.prediction.csv_file import CsvSink, CsvSource
from harness.prediction.files import Summary, predict_file
from harness.prediction.parquet_file import ParquetSink, ParquetSource
from harness.prediction.rows import Answers, Text
from harness.prediction.table import FIGURE_COLUMNS, FIGURES, MAY_BE_BLANK, SCHEMA, as_table

HEAD = "chip,model,isl,osl"


def refusals(reasons: list[str | None]) -> Answers:
    """Answers that refuse the rows with a reason and give 1.5 of everything for the others."""
    known = tuple(dict.fromkeys(r for r in reasons if r is not None))
    codes = np.array([-1 if r is None else known.index(r) for r in reasons], np.int32)
    figures = {name: np.where(codes < 0, 1.5, np.nan) for name in FIGURE_COLUMNS}
    good = codes < 0
    used = {"date": np.where(good, 2026.5, np.nan), "tp": np.where(good, 8.0, np.nan)}
    return Answers(
        figures,
        Text(np.where(good, 0, -1).astype(np.int32), ("memory",)),
        good.astype(np.int8),
        Text(codes, known),
        used,
    )


def written(source: Path, target: Path, rows: int = 2) -> None:
    """Pass every row of a file on with answers made up, as `predict_file` does with true ones."""
    read = ParquetSource(source) if source.suffix == ".parquet" else CsvSource(source)
    schema = pa.schema([*read.schema, *SCHEMA], read.schema.metadata)
    if target.suffix == ".parquet":
        sink = ParquetSink(target, schema)
    else:
        sink = CsvSink(target, target.suffix == ".gz", schema, read if isinstance(read, CsvSource) else None)
    with sink:
        for batch in read.batches(rows, None):
            reasons = [None, 'a "quoted", long\treason']
            sink.write(batch, as_table(refusals([reasons[i % 2] for i in range(len(batch.columns))])))


def test_answers_have_the_contracts_columns_in_its_order():
    out = as_table(refusals([None, "no"]))

    assert out.column_names[:4] == ["ttft_ms", "ttft_ms_p10", "ttft_ms_p90", "tpot_ms"]
    assert out.column_names[30:33] == ["bound_by", "fits", "error"] and len(FIGURES) == 10
    assert out.column_names[33:] == [f"{name}_used" for name in (*MAY_BE_BLANK, "model")]
    assert out.slice(1).select(FIGURE_COLUMNS).to_pylist() == [dict.fromkeys(FIGURE_COLUMNS)]
    row = out.slice(0, 1).to_pylist()[0]
    assert (row["fits"], row["bound_by"], row["error"]) == (True, "memory", None)
    assert (row["date_used"], row["tp_used"], row["kv_dtype_used"]) == ("2026-07-02", 8, None)


def test_a_fit_that_nobody_can_tell_is_blank():
    answers = refusals([None, None, None])
    answers.fits[:] = (1, 0, -1)

    assert as_table(answers)["fits"].to_pylist() == [True, False, None]


CELLS = ["007", "1e3", "1.50", '"a, ""b"""', '"two\nlines"', '""', "", " x ", "ünï", "NA", "0x10", "'"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_csv_cells_pass_on_byte_for_byte(tmp_path, newline, rows):
    records = [f'h100-sxm,llama-3.1-8b,1e3,"128",{cell}' for cell in CELLS]
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(newline.join([f'{HEAD},"my ""x"""', *records, ""]).encode())

    written(source, target, rows)

    out = target.read_bytes()
    for record in records:
        assert newline.encode() + record.encode() + b"," in out
    assert out.startswith(f'{HEAD},"my ""x""",ttft_ms,'.encode()) and out.endswith(newline.encode())
    parsed = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    assert len(parsed) == len(CELLS) and parsed[0]["tpot_ms"] == "1.5" and parsed[0]["tp_used"] == "8"
    if rows > 1:
        assert parsed[1]["error"] == 'a "quoted", long\treason' and parsed[1]["tpot_ms"] == ""


@given(st.lists(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])), max_size=8))
def test_csv_as_python_writes_it_comes_back_whole(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[*HEAD.split(","), "note"], *(["a", "b", "1", "2", cell] for cell in cells)])

    written(folder / "in.csv", folder / "out.csv", 3)

    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["note"] for row in csv.DictReader(file)] == cells


def test_a_file_without_a_last_line_end_empty_lines_and_a_mark_are_read(tmp_path):
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbf" + f"{HEAD}\n\na,b,1,2\n\n\nc,d,3,4".encode())

    written(tmp_path / "in.csv", tmp_path / "out.csv")

    out = pd.read_csv(tmp_path / "out.csv")
    assert out.chip.tolist() == ["a", "c"] and next(iter(out)) == "chip"


def test_a_compressed_file_is_the_same_file(tmp_path):
    text = f"{HEAD}\n" + "".join(f"a,b,{i},2\n" for i in range(5))
    (tmp_path / "in.csv").write_text(text)
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(text.encode()))

    written(tmp_path / "in.csv", tmp_path / "out.csv")
    written(tmp_path / "in.csv.gz", tmp_path / "out.csv.gz")

    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == (tmp_path / "out.csv").read_bytes()


def test_blocks_of_a_long_file_join_without_a_seam(tmp_path, monkeypatch):
    """Records that fall across the pieces a file is read in, quotes and line feeds inside."""
    monkeypatch.setattr("harness.prediction.csv_file._PIECE", 61)
    text = "".join(f'a,b,{i},2,"{"x" * (i % 17)}\n""{i},"\n' for i in range(200))
    (tmp_path / "in.csv").write_text(f"{HEAD},note\n{text}")

    source = CsvSource(tmp_path / "in.csv")
    batches = list(source.batches(7, ["isl"]))

    assert [int(v) for batch in batches for v in batch.columns["isl"].to_pylist()] == list(range(200))
    assert b"".join(line + b"\n" for batch in batches for line in batch.lines.to_pylist()).decode() == text
    assert max(len(batch.columns) for batch in batches) <= 7 and batches[-1].done == 1.0


def test_csv_becomes_parquet_as_text_and_parquet_keeps_its_types(tmp_path):
    (tmp_path / "in.csv").write_text(f"{HEAD},id\na,b,1e3,2,007\nc,d,3,4,\n")
    written(tmp_path / "in.csv", tmp_path / "mid.parquet")
    table = pq.read_table(tmp_path / "mid.parquet")
    assert table["id"].to_pylist() == ["007", None] and table["isl"].to_pylist() == ["1e3", "3"]

    frame = pd.DataFrame({"chip": ["a"] * 3, "model": pd.Categorical(["m", "n", "m"]), "isl": [1, 2, 3], "osl": 2.5})
    frame["on"], frame["tags"] = pd.Timestamp("2026-01-02"), [[1], [], None]
    frame.to_parquet(tmp_path / "in.parquet", row_group_size=2)
    written(tmp_path / "in.parquet", tmp_path / "out.parquet")

    out = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(out[list(frame)], pd.read_parquet(tmp_path / "in.parquet"))
    assert out["tpot_ms"].tolist()[0] == 1.5 and out["fits"].tolist() == [True, False, True]


def test_parquet_becomes_csv(tmp_path):
    frame = pd.DataFrame({"chip": ["a,b", '"', None], "isl": [1, 2, 3], "x": [0.1, np.nan, 3.0], "e": ["", "y", None]})
    frame["day"], frame["c"] = pd.Timestamp("2026-01-02").date(), pd.Categorical(["p", None, "q"])
    frame.to_parquet(tmp_path / "in.parquet")

    written(tmp_path / "in.parquet", tmp_path / "out.csv", 3)

    first = (tmp_path / "out.csv").read_text().split("\n")
    assert first[0].startswith("chip,isl,x,e,day,c,ttft_ms,")
    assert first[1].startswith('"a,b",1,0.1,"",2026-01-02,p,1.5,1.5')
    assert first[2].startswith('"""",2,,y,2026-01-02,,,')
    assert first[3].startswith(",3,3,,2026-01-02,q,1.5")


def mistake(*words, **options) -> str:
    with pytest.raises(UserMistake) as caught:
        predict_file(*words, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("chip;model;isl;osl\n", "column 'chip' is missing"),
        ("chip,model,isl\n", "column 'osl' is missing"),
        (f"{HEAD},isl\n", "column 'isl' is there twice"),
        (f"{HEAD},error\n", "column 'error' would be written over"),
        (f"{HEAD}\na,b,1,2,3\n", "row 1 has 5 values where the header names 4"),
        (f"{HEAD}\na,b,1\n", "row 1 has 3 values where the header names 4"),
        (f'{HEAD}\na,b,1,"2\n', "quote"),
        (f'{HEAD}\na,b,1,5" disk\nc,d,1,2\n', "quote"),
        (f"{HEAD}\na,b\udcff,1,2\n", "UTF8"),
    ],
)
def test_a_broken_csv_file_is_one_line_and_leaves_no_file(tmp_path, text, said):
    (tmp_path / "in.csv").write_bytes(text.encode(errors="surrogateescape"))

    assert said in mistake(tmp_path / "in.csv", tmp_path / "out.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_the_row_that_is_broken_is_counted_from_the_beginning_of_the_file(tmp_path):
    (tmp_path / "in.csv").write_text(f"{HEAD}\n" + "a,b,1,2\n" * 10 + "a,b\n")

    with pytest.raises(UserMistake, match="row 11 has 2 values"):
        list(CsvSource(tmp_path / "in.csv").batches(3, None))


def test_files_that_cannot_be_read_or_written_are_one_line(tmp_path):
    good = tmp_path / "in.csv"
    good.write_text(f"{HEAD}\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no parquet PAR1")
    (tmp_path / "broken.csv.gz").write_bytes(b"no gzip")
    (tmp_path / "link.csv").symlink_to(good)

    assert "no such file" in mistake(tmp_path / "none.csv", tmp_path / "out.csv")
    assert "no such file" in mistake(tmp_path.with_suffix(".csv"), tmp_path / "out.csv")
    assert ".csv, .csv.gz, .parquet" in mistake(good, tmp_path / "out.xlsx")
    assert ".csv, .csv.gz, .parquet" in mistake(tmp_path / "in.tsv", tmp_path / "out.csv")
    assert "is the file that is read" in mistake(good, good)
    assert "is the file that is read" in mistake(good, tmp_path / "link.csv")
    assert "cannot read" in mistake(tmp_path / "broken.parquet", tmp_path / "out.csv")
    assert "cannot read" in mistake(tmp_path / "broken.csv.gz", tmp_path / "out.csv")
    assert "cannot write" in mistake(good, good / "out.csv")
    assert good.read_text() == f"{HEAD}\n"


def test_what_csv_cannot_hold_is_named(tmp_path):
    columns = {name: ["1"] for name in HEAD.split(",")}
    pq.write_table(pa.table(columns | {"tags": [[1, 2]]}), tmp_path / "in.parquet")

    assert "column 'tags' holds list" in mistake(tmp_path / "in.parquet", tmp_path / "out.csv")


def test_two_columns_of_one_name_pass_from_csv_to_csv_and_are_refused_by_parquet(tmp_path):
    (tmp_path / "in.csv").write_text(f"{HEAD},x,x\na,b,1,2,y,z\n")
    written(tmp_path / "in.csv", tmp_path / "out.csv", 1)
    assert (tmp_path / "out.csv").read_text().split("\n")[1].startswith("a,b,1,2,y,z,1.5")

    assert "column 'x' is there twice" in mistake(tmp_path / "in.csv", tmp_path / "out.parquet")


def test_a_file_of_no_rows_has_the_columns(tmp_path):
    (tmp_path / "in.csv").write_text(HEAD)

    assert predict_file(tmp_path / "in.csv", tmp_path / "out.csv").rows == 0
    assert (tmp_path / "out.csv").read_text() == ",".join([HEAD, *SCHEMA.names]) + "\n"
    predict_file(tmp_path / "in.csv", tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").names == [*HEAD.split(","), *SCHEMA.names]


def test_reasons_are_counted_over_batches():
    summary = Summary()
    for reasons in (["a", None, "b"], ["b", None, None], []):
        summary.add(refusals(reasons).error)

    assert (summary.rows, summary.refused) == (6, 3)
    assert summary.reasons.most_common() == [("b", 2), ("a", 1)]


def test_the_count_of_reasons_stays_small_whatever_the_file(monkeypatch):
    monkeypatch.setattr("harness.prediction.files._KINDS_KEPT", 10)
    summary = Summary()
    for begin in range(0, 1000, 10):
        summary.add(refusals(["common"] * 5 + [f"rare {begin + i}" for i in range(10)]).error)

    assert len(summary.reasons) <= 20 and summary.refused == 1500
    assert summary.reasons.most_common(1) == [("common", 500)]
