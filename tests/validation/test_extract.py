"""The shipped table: cited, small, every corner of the scored rows in it, and what the larger one says."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.validation.compare import band
from harness.validation.extract import ROWS, SHIPPED, extract, text
from harness.validation.scored import NUMBERS, TARGETS, TEXTS, read, scored
from tests.conftest import OUTSIDE

TABLE = OUTSIDE / "measurements/operating_points.csv.gz"
whole_table = pytest.mark.skipif(
    not TABLE.exists(), reason="no measurements/operating_points.csv.gz in STACKLINE_REFERENCE_DATA"
)


def test_every_shipped_row_counts_and_is_cited():
    shipped = read(SHIPPED)
    assert len(shipped) == ROWS and SHIPPED.stat().st_size <= 150_000
    counts = scored(shipped)
    assert (counts["reason"] == "").all() and counts[list(TARGETS)].any().all()
    assert (shipped["source"] != "").all() and (shipped["source_ref"] != "").all()
    assert not shipped["source_ref"].str.contains("stored").any()


@pytest.mark.golden
@whole_table
def test_the_shipped_table_is_what_its_rule_gives_and_covers_every_corner():
    whole = read(TABLE)
    assert text(extract(whole)) == SHIPPED.read_text("utf-8")
    counting, shipped = whole[scored(whole)["reason"] == ""], read(SHIPPED)
    for column in ("chip", "model", "engine_family", "source"):
        assert set(counting[column]) == set(shipped[column]), column
    assert set(band(counting["concurrency"])) == set(band(shipped["concurrency"]))


@pytest.mark.golden
@whole_table
def test_the_shipped_table_says_what_the_whole_one_says():
    shipped, whole = (read(p).set_index("id") for p in (SHIPPED, TABLE))
    whole = whole.loc[shipped.index]
    texts = [c for c in TEXTS if c != "id"]
    pd.testing.assert_frame_equal(shipped[texts], whole[texts])
    pd.testing.assert_frame_equal(shipped[list(NUMBERS)], whole[list(NUMBERS)], rtol=1e-5)


@whole_table
def test_the_choice_does_not_hang_on_the_order_of_the_rows():
    whole = read(TABLE)
    counting = whole[scored(whole)["reason"] == ""]
    assert set(extract(counting)["id"]) == set(extract(counting.sample(frac=1, random_state=1))["id"])
