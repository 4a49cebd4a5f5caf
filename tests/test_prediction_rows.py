"""Reading a table: any dtype, blanks and mistakes; each row keeps its own reason and stops no other."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.dates import day, year
from harness.errors import UserMistake
from harness.prediction.rows import INPUTS, NUMBERS, TEXTS, read
from harness.prediction.values import BLANKS


def frame(n: int = 1, **columns) -> pd.DataFrame:
    """n rows of a plain operating point, with some columns replaced."""
    plain = {"chip": ["h100-sxm"] * n, "model": ["llama-3.1-8b"] * n, "isl": [1024] * n, "osl": [128] * n}
    return pd.DataFrame(plain | columns)


def reasons(rows) -> list[str | None]:
    return [rows.error.values[code] if code >= 0 else None for code in rows.error.codes]


def words(text) -> list[str | None]:
    return [text.values[code] if code >= 0 else None for code in text.codes]


def test_every_column_of_the_contract_is_there_and_blank_where_it_is_not_given():
    rows = read(frame(3))

    assert set(rows.text) == set(TEXTS) and set(rows.number) == set(NUMBERS) and {*TEXTS, *NUMBERS} == set(INPUTS)
    assert words(rows.text["kv_dtype"]) == [None] * 3 and np.isnan(rows.number["tp"]).all()
    assert words(rows.text["chip"]) == ["h100-sxm"] * 3 and rows.number["isl"].tolist() == [1024.0] * 3
    assert reasons(rows) == [None] * 3


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([8, None, 16]),
        pd.Series([8, None, 16], dtype="Int64"),
        pd.Series([8, None, 16], dtype="Float32"),
        pd.Series([8, None, 16], dtype=pd.ArrowDtype(pa.int16())),
        pd.Series([8, None, 16], dtype=object),
        pd.Series(["8", None, "1.6e1"], dtype=object),
        pd.Series(["8", None, " 16 "], dtype="string[pyarrow]"),
        pd.Series(["8", "NA", "16.0"], dtype="string[python]"),
        pd.Series(["8", "", "16"], dtype=pd.ArrowDtype(pa.string())),
        pd.Series(["8", None, "16"], dtype="category"),
        pd.Series([8, None, 16], dtype="category"),
    ],
    ids=lambda s: str(s.dtype),
)
def test_a_number_is_read_from_any_dtype(column):
    rows = read(frame(3, concurrency=column))

    np.testing.assert_array_equal(rows.number["concurrency"], [8, np.nan, 16])
    assert reasons(rows) == [None] * 3


@pytest.mark.parametrize("dtype", [object, "category", "string[python]", "string[pyarrow]", pd.ArrowDtype(pa.string())])
def test_a_word_is_read_from_any_dtype(dtype):
    rows = read(frame(3, engine_family=pd.Series(["vllm", None, " vllm "], dtype=dtype)))

    assert words(rows.text["engine_family"]) == ["vllm", None, "vllm"]


@pytest.mark.parametrize("blank", [None, np.nan, pd.NA, "  ", *sorted(BLANKS)])
def test_a_blank_is_blank_in_words_and_in_numbers(blank):
    rows = read(frame(2, kv_dtype=["fp8", blank], tp=["2", blank], date=["2026", blank]))

    assert words(rows.text["kv_dtype"]) == ["fp8", None]
    np.testing.assert_array_equal(rows.number["tp"], [2, np.nan])
    np.testing.assert_array_equal(rows.number["date"], [2026.5, np.nan])
    assert reasons(rows) == [None, None]


BAD = [
    ("isl", "abc", "isl: found 'abc', expected a number of tokens from 1 to 1e9"),
    ("isl", -3, "isl: found -3, expected a number of tokens from 1 to 1e9"),
    ("isl", 0, "isl: found 0, expected a number of tokens from 1 to 1e9"),
    ("osl", float("inf"), "osl: found inf, expected a number of tokens from 1 to 1e9"),
    ("osl", 1e300, "osl: found 1e+300, expected a number of tokens from 1 to 1e9"),
    ("osl", "1_000", "osl: found '1_000', expected a number of tokens from 1 to 1e9"),
    ("chips", 2.5, "chips: found 2.5, expected a whole number from 1 to 1e9"),
    ("tp", "0", "tp: found 0, expected a whole number from 1 to 1e9"),
    ("ep", -1, "ep: found -1, expected a whole number from 0 to 1e9"),
    ("concurrency", [4], "concurrency: found '[4]', expected a whole number from 1 to 1e9"),
    ("requests", 0.5, "requests: found 0.5, expected a whole number from 1 to 1e9"),
    ("prefix_hit", 1.01, "prefix_hit: found 1.01, expected a share from 0 to 1"),
    ("date", "2026-13", "date: found '2026-13', expected YYYY, YYYY-MM or YYYY-MM-DD"),
    ("date", "yesterday", "date: found 'yesterday', expected YYYY, YYYY-MM or YYYY-MM-DD"),
    ("date", 1e300, "date: found '1e+300', expected YYYY, YYYY-MM or YYYY-MM-DD"),
    ("weight_dtype", "FP8", "weight_dtype: found 'FP8', did you mean 'fp8'?"),
    ("scenario", "server", "scenario: found 'server', expected one of closed-loop, static-batch, offline"),
    ("chip", None, "chip is blank"),
    ("model", "", "model is blank"),
    ("isl", None, "isl is blank"),
    ("osl", "NaN", "osl is blank"),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD)
def test_a_bad_value_is_its_rows_reason_alone(column, value, reason):
    good = {"date": "2026-03", "weight_dtype": "fp8", "scenario": "offline", "chip": "h100-sxm", "model": "qwen3-8b"}
    values = pd.Series([good.get(column, 1), value, good.get(column, 1)], dtype=object)

    rows = read(frame(3, **{column: values}))

    assert reasons(rows) == [None, reason, None]
    if column in NUMBERS:
        assert np.isnan(rows.number[column]).tolist() == [False, True, False]


def test_a_number_is_refused_alike_in_words_and_as_a_number():
    for values in ([0, -1, 1.5], ["0", "-1", "1.5"]):
        assert reasons(read(frame(3, tp=values))) == [
            f"tp: found {v}, expected a whole number from 1 to 1e9" for v in ("0", "-1", "1.5")
        ]


@pytest.mark.parametrize("dtype", [bool, "boolean", object])
def test_true_is_no_number(dtype):
    rows = read(frame(1, chips=pd.Series([True], dtype=dtype)))

    assert reasons(rows) == ["chips: found 'True', expected a whole number from 1 to 1e9"]


def test_the_first_reason_of_a_row_stands():
    rows = read(frame(2, isl=[-1, -1], osl=["x", 5], chips=[0, 1]))

    assert [r.split(":")[0] for r in reasons(rows)] == ["chips", "isl"]


def test_a_mean_length_need_not_be_whole_and_no_expert_parallelism_may_be_zero():
    assert reasons(read(frame(1, isl=[215.196], ep=[0]))) == [None]


def test_a_reason_is_one_short_line_whatever_was_found():
    rows = read(frame(2, isl=["a\nb\tc", "x" * 10_000], kv_dtype=["fp8", "fp8"]))

    assert all("\n" not in r and len(r) < 200 for r in reasons(rows))


def test_an_engine_that_nobody_knows_is_no_mistake():
    assert reasons(read(frame(1, engine_family=["my-engine"]))) == [None]


@pytest.mark.parametrize(
    ("given_date", "expected"),
    [
        ("2026", 2026.5),
        (2026, 2026.5),
        (2026.0, 2026.5),
        ("2026-03", 2026 + (31 + 28 + 15.5) / 365),
        ("2024-02-29", 2024 + 59.5 / 366),
        ("2026-01-01 13:00:00", 2026 + 0.5 / 365),
        (datetime.date(2026, 1, 1), 2026 + 0.5 / 365),
        (pd.Timestamp("2026-12-31T05:00", tz="UTC"), 2026 + 364.5 / 365),
        (pd.Period("2026-03"), 2026 + (31 + 28 + 15.5) / 365),
        ("2025..2027", 2026.5),
    ],
)
def test_a_date_is_the_middle_of_what_is_given(given_date, expected):
    rows = read(frame(2, date=[given_date, None]))

    np.testing.assert_allclose(rows.number["date"], [expected, np.nan], rtol=1e-12)
    assert reasons(rows) == [None, None]


@given(st.dates(datetime.date(1, 1, 1)))
def test_a_day_comes_back_from_its_fraction_of_a_year(date):
    assert day(year(str(date))) == str(date)


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=8), st.booleans()), max_size=20))
def test_nothing_in_a_cell_stops_the_reading(cells):
    n = len(cells)
    rows = read(frame(n, **{name: pd.Series(cells, dtype=object) for name in INPUTS}))

    assert rows.n == n == len(rows.error.codes)
    assert all(len(text.codes) == n and text.codes.dtype == np.int32 for text in rows.text.values())
    assert all(x.shape == (n,) and not np.isinf(x).any() for x in rows.number.values())


@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_a_number_is_the_same_whether_it_came_in_words(numbers):
    as_floats = read(frame(len(numbers), isl=numbers))
    as_words = read(frame(len(numbers), isl=pd.Series([repr(x) for x in numbers], dtype="str")))

    np.testing.assert_array_equal(as_floats.number["isl"], as_words.number["isl"])
    assert reasons(as_floats) == reasons(as_words)


def test_reading_leaves_the_frame_as_it_was():
    before = frame(3, isl=[-1.0, 5.0, np.nan], chip=pd.Categorical(["a", " a", None]))
    kept = before.copy(deep=True)

    read(before)

    pd.testing.assert_frame_equal(before, kept)


@pytest.mark.parametrize("missing", ["chip", "model", "isl", "osl"])
def test_a_required_column_that_is_missing_is_named(missing):
    with pytest.raises(UserMistake, match=f"column '{missing}' is missing"):
        harness.predict(frame().drop(columns=missing))


def test_a_misspelt_column_is_suggested():
    with pytest.raises(UserMistake, match="column 'isl' is missing; did you mean it by 'ISL '"):
        harness.predict(frame().rename(columns={"isl": "ISL "}))


def test_a_column_that_is_there_twice_is_refused():
    twice = pd.concat([frame(), frame()[["osl"]]], axis=1)

    with pytest.raises(UserMistake, match="column 'osl' is there twice"):
        harness.predict(twice)


def test_a_column_that_predict_writes_is_not_written_over():
    with pytest.raises(UserMistake, match="column 'tpot_ms' and 1 more would be written over"):
        harness.predict(frame(tpot_ms=[1.0], fits=[True]))


def test_the_frame_of_no_rows_has_every_column():
    out = harness.predict(frame()[:0])

    assert len(out) == 0 and list(out)[:5] == ["chip", "model", "isl", "osl", "ttft_ms"]
    assert "scenario_used" in out and out["tpot_ms_p90"].dtype == np.float64
