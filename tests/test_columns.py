"""docs/columns.md describes every column and every figure that is written."""

from __future__ import annotations

import csv
import re

import pandas as pd
import pytest

import harness
from harness.prediction.rows import INPUTS
from harness.prediction.table import FIGURES, OTHERS
from harness.results import COLUMNS
from harness.run.rows_of_agents import UNITS as OF_SESSIONS
from harness.run.rows_of_point import FIGURES as OF_POINT
from harness.serving.outcome import UNITS as OF_SUMMARY
from harness.serving.summary import CONTRACT
from tests.conftest import ROOT

TEXT = (ROOT / "docs/columns.md").read_text("utf-8")
NAMED = {name.partition("[")[0] for name in re.findall(r"`([^`]+)`", TEXT)}
_SAID_BY_RULE = re.compile(r"(.*_used|.*_p10|.*_p90)\Z")  # of each column, in a sentence


@pytest.mark.parametrize("columns", [INPUTS, FIGURES, OTHERS.names, COLUMNS, OF_SUMMARY, CONTRACT,
                                     OF_SESSIONS, OF_POINT])  # fmt: skip
def test_no_column_is_missing(columns):
    assert not {c for c in columns if not _SAID_BY_RULE.match(c)} - NAMED


def test_no_column_of_a_simulated_request_is_missing():
    requests = pd.DataFrame({"arrival_s": [0.0], "isl": [100], "osl": [10]})
    assert not set(harness.simulate("llama-3.1-8b@h100-sxm", requests).columns) - NAMED


def test_every_figure_of_the_worked_example_is_described():
    with (ROOT / "results/baseline/rows.csv").open(encoding="utf-8") as lines:
        metrics = {row["metric"].partition("[")[0] for row in csv.DictReader(lines)}
    assert not metrics - NAMED
