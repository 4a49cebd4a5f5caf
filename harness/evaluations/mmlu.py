"""MMLU (Hendrycks and others 2021, arXiv 2009.03300): four options in 57 subjects, answered by a letter."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers, _lettered
from harness.suites import Item

HEAD = "The following are multiple choice questions (with answers) about {}.\n\n"


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    shown: dict[str, str] = {}
    for row in examples:
        shown[row["subject"]] = shown.get(row["subject"], "") + f"{_asked(row)} {'ABCD'[_gold(row)]}\n\n"
    return [
        _lettered.item(
            str(k), HEAD.format(row["subject"].replace("_", " ")) + shown.get(row["subject"], "") + _asked(row),
            "ABCD", _gold(row), lang, row["subject"],
        )
        for k, row in enumerate(rows)
    ]  # fmt: skip


def _asked(row: Row) -> str:
    return f"{row['question'].strip()}\n{_lettered.listed(row['choices'])}Answer:"


def _gold(row: Row) -> int:
    return int(row["answer"])


EVALUATION = Evaluation(
    title="MMLU",
    family="reasoning",
    hub="cais/mmlu, all, test",
    licence="MIT",
    follows="lm-evaluation-harness mmlu",
    method="choose",
    max_tokens=8,
    stop=lambda lang: ("\n",),
    fields=("question", "subject", "choices", "answer"),
    items=items,
    grade=_answers.option_of,
    trivial_answers=_lettered.by_letter,
    normalise="none",
    shots=5,
    examples="dev",
    examples_by="subject",
)
