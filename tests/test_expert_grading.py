"""How expert-exact reads answers and confidences, and what a run makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.answers import Answer
from harness.run.evaluate import Graded, SuiteRun
from harness.run.quality import quality_rows
from harness.suites import Item, suite

ONE = suite("expert-exact")


def item_with(answer: str):
    return Item("x", "p", answer, 1)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("1234", " 1,234\nConfidence: 80%"),
        ("1234", "We count.\nAnswer: $\\boxed{1234}$\nConfidence: 80%"),
        ("1234", "so \\(\\boxed{1{,}234}\\)".replace("{,}", ",")),
        ("12", "**Answer:** 12.0\n**Confidence:** 90%"),
        ("12", "Answer:\n12\nConfidence: 5%"),
        ("12", "The answer is 12."),
        ("-3", "Answer: −3"),
        ("Paris", "  paris. \nConfidence: 99%"),
        ("Paris", "Answer: **Paris**, confidence: 99%"),
        ("Au", "Answer: $\\mathrm{Au}$"),
        ("1923-03-14", "Answer: 1923-03-14"),
        ("abba", "Answer: 7\nNo, wait.\nAnswer: “abba”"),
    ],
)
def test_an_answer_is_read_however_it_is_written(answer, text):
    assert ONE.grade(item_with(answer), text).outcome == "correct"


@pytest.mark.parametrize("text", ["", " \n", "Confidence: 80%", "Answer:\nConfidence: 80%"])
def test_a_missing_answer_is_unparsed(text):
    assert ONE.grade(item_with("12"), text).outcome == "unparsed"


def test_a_longer_answer_is_another_answer():
    for text in ("12 13", "112", "1.2", "12 or 13"):
        assert ONE.grade(item_with("12"), text).outcome == "wrong"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("12\nConfidence: 80%", 0.8), ("Answer: 12\n**Confidence:** 7.5 %", 0.075), ("Confidence: 85", 0.85),
        ("Confidence: 0.85", 0.85), ("confidence is 60 percent", 0.6), ("Confidence: 100%", 1.0),
        ("Confidence: 0%", 0.0), ("Confidence: 20%\nConfidence: 30%", 0.3), ("Confidence: 90\\%", 0.9),
        ("Confidence: 180%", None), ("Confidence: high", None), ("12", None), ("Answer: 80%", None),
    ],
)  # fmt: skip
def test_the_confidence_stated_last_is_read(text, stated):
    assert ONE.confidence(item_with("12"), text) == stated


def rows_of(one, texts, langs=("en",)):
    """The measured rows of items answered with these texts; the right answer is 12."""
    items = [replace(item_with("12"), id=str(k), lang=langs[k % len(langs)]) for k in range(len(texts))]
    pairs = zip(items, texts, strict=True)
    graded = [Graded(one.id, i, Answer(t, (), 1, 1, "stop"), one.grade(i, t), {}, "12") for i, t in pairs]
    return {row.metric: row for row in quality_rows(SuiteRun(one, graded, 1.0), "s", "m", "f32")}


def test_a_run_reports_the_calibration_error_of_those_that_state_a_confidence():
    rows = rows_of(ONE, ["12\nConfidence: 90%", "7\nConfidence: 90%", "12\nConfidence: 60%", "7"])
    found = rows["calibration_error_rms"]
    assert found.value == pytest.approx(0.8 - 2 / 3) and found.n == 3 and "1 answers state no" in found.note
    assert rows["calibration_error_rms.low95"].value <= found.p10 <= found.p90
    assert rows["confidence_stated"].value == 0.75


def test_no_confidence_is_an_absent_error_with_its_reason():
    found = rows_of(ONE, ["12", "7"])["calibration_error_rms"]
    assert found.value is None and "no answer states" in found.note


def test_a_suite_that_asks_for_no_confidence_has_no_such_row():
    rows = rows_of(replace(ONE, confidence=None), ["12\nConfidence: 90%", "7"])
    assert not any(metric.startswith(("calibration", "confidence")) for metric in rows)


def test_the_spread_between_languages_is_the_highest_minus_the_lowest():
    texts = ["12", "12", "7", "12", "7", "12"]  # English one of three right, German all
    row = rows_of(ONE, texts, ("en", "de"))["accuracy_spread[lang]"]
    assert row.value == pytest.approx(2 / 3) and "highest (de) minus lowest (en)" in row.note
    assert "accuracy_spread[lang]" not in rows_of(ONE, texts)
