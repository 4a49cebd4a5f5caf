"""Credit for parts: a mean with an interval beside the share solved in full, from the grades to the report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.answers import Answer
from harness.report import build
from harness.report.figures import figures_of
from harness.report.summary import sentences
from harness.report.tables_quality import credit_table, quality_table
from harness.results import load_results
from harness.run.evaluate import Graded, SuiteRun
from harness.run.quality import quality_rows
from harness.suites import Grade, Item, Suite
from tests.test_report import measured, toy_run
from tests.test_report import quality_rows as toy_quality

SUITE = Suite("parts", "Parts", "agents", "nothing", "a toy", "Apache-2.0", "1", "generate", 4, (),
              lambda seed: [Item(str(k), f"Say {k}", str(k), 1 + k % 2) for k in range(6)],
              lambda item, text: Grade(float(text), "partial"), lambda item: {"nothing": "0"},
              partial=True)  # fmt: skip


def rows_of(values, suite=SUITE, epochs=1):
    graded = [Graded(suite.id, item, Answer(str(v), (), 1, 1, "stop"), suite.grade(item, str(v)), {}, "", e)
              for e in range(epochs) for item, v in zip(suite.items(), values, strict=False)]  # fmt: skip
    return {row.metric: row for row in quality_rows(SuiteRun(suite, graded, 1.0), "s", "m", "f32")}


def test_accuracy_counts_what_is_solved_and_credit_is_the_mean():
    rows = rows_of([1.0, 0.5, 0.25, 0.75, 0.0, 0.9])
    assert rows["accuracy"].value == pytest.approx(1 / 6)
    assert rows["credit"].value == pytest.approx(3.4 / 6) and rows["credit[level=1]"].value == pytest.approx(1.25 / 3)
    assert rows["credit.low95"].value <= rows["credit"].p10 < rows["credit"].value < rows["credit"].p90 <= 1.0


@pytest.mark.parametrize("value", [0.0, 1.0, 0.3])
def test_equal_credits_of_few_items_are_no_certainty(value):
    rows = rows_of([value] * 6)
    assert rows["credit"].value == pytest.approx(value)
    assert rows["credit.high95"].value - rows["credit.low95"].value > 0.3


def test_a_suite_without_parts_has_no_credit_row():
    whole = replace(SUITE, partial=False)
    assert "credit" not in rows_of([1.0, 0.0, 1.0], whole)
    assert rows_of([1.0, 0.5, 0.0], whole)["credit"].value == 0.5  # a user's own suite need not say it


def test_asked_again_only_full_solves_count_as_right():
    rows = rows_of([0.9, 1.0], epochs=2)
    assert rows["pass_at[k=2]"].value == rows["accuracy"].value == rows["accuracy[vote=2]"].value == 0.5
    assert rows["credit"].value == pytest.approx(0.95)


def test_the_report_shows_credit_beside_full_solves(tmp_path):
    ends, levels = {"": 0.6, ".low95": 0.45, ".high95": 0.75}, ("", "[level=1]", "[level=2]")
    credit = [measured(f"credit{end}{level}", v) for end, v in ends.items() for level in levels]
    run = toy_run(tmp_path / "run", [*toy_quality(), *credit])
    results = load_results(run)
    figures = figures_of(results)
    table = credit_table(figures)
    assert len(table.lines) == 1 and len(table.columns) == 6
    assert "yes" in [cell.main for cell in quality_table(results, figures).lines[0].cells]
    assert "credit for parts 60" in sentences(results, figures)[0]
    assert "Credit for parts" in build(run).read_text("utf-8")


def test_a_run_without_credit_has_no_such_table(tmp_path):
    run = toy_run(tmp_path / "run", toy_quality())
    assert credit_table(figures_of(load_results(run))).lines == ()
    assert "Credit for parts" not in build(run).read_text("utf-8")
