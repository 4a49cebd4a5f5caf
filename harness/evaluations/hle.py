"""Humanity's Last Exam (Phan and others 2025, arXiv 2501.14249): expert questions, a short answer and a confidence.

The published score is a judgement by another model. Here an answer counts where it is the same text or number, so a
right answer in other words is missed: the figure is a lower bound, and no published one compares with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.errors import UserMistake
from harness.evaluations import Evaluation, Row
from harness.suites import Grade, Item

# As the evaluation's own script asks (github.com/centerforaisafety/hle).
_CHOICE = (
    "Your response should be in the following format:\nExplanation: {your explanation for your answer choice}\n"
    "Answer: {your chosen answer}\nConfidence: {your confidence score between 0% and 100% for your answer}"
)
_EXACT = ("Your response should be in the following format:\nExplanation: {your explanation for your final answer}\n"
          "Exact Answer: {your succinct, final answer}\n"
          "Confidence: {your confidence score between 0% and 100% for your answer}")  # fmt: skip
_ANSWER = re.compile(r"^\W*(?:Exact )?Answer\W*?:[ *]*(.+)$", re.MULTILINE | re.IGNORECASE)
_CONFIDENCE = re.compile(r"^\W*Confidence\W*?:[ *]*(\d+(?:\.\d+)?)", re.MULTILINE | re.IGNORECASE)


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    """The questions in words alone; those with a picture are left out. Raises UserMistake where none is left."""
    made = []
    for row in (row for row in rows if not row.get("image")):
        form = _CHOICE if row["answer_type"] == "multipleChoice" else _EXACT
        label = "Answer" if form is _CHOICE else "Exact Answer"
        made.append(Item(
            str(row["id"]), f"{form}\n\nQuestion: {row['question']}\n\n", f"{label}: {row['answer']}\nConfidence: 100%",
            0, lang, group=str(row.get("category") or ""), data={"gold": str(row["answer"])},
        ))  # fmt: skip
    if not made:
        raise UserMistake("hle: every question has a picture, and the models here read text alone")
    return made


def grade(item: Item, text: str) -> Grade:
    """1.0 where the last stated answer is the gold one, but for case, spaces, full stop and dollar signs."""
    stated = _ANSWER.findall(text)
    if not stated:
        return Grade(0.0, "unparsed")
    right = _bare(stated[-1]) == _bare(item.data["gold"])
    return Grade(float(right), "correct" if right else "wrong", stated[-1].strip())


def _bare(text: str) -> str:
    return re.sub(r"[\s$*]|\.\Z", "", text.strip().casefold())


def confidence(item: Item, text: str) -> float | None:
    """The confidence that an answer states, from 0 to 1; None where it states none."""
    stated = _CONFIDENCE.findall(text)
    return min(1.0, float(stated[-1]) / 100) if stated else None


EVALUATION = Evaluation(
    title="Humanity's Last Exam, its questions without pictures",
    family="reasoning",
    hub="cais/hle, , test",
    licence="MIT",
    follows="the evaluation's own script; scored by equal text, where that asks a model to judge",
    method="generate",
    max_tokens=8192,
    stop=lambda lang: (),
    fields=("id", "question", "answer", "answer_type"),
    items=items,
    grade=grade,
    trivial_answers=lambda item: {f"always {x}": f"Answer: {x}" for x in ("A", "B", "C", "D", "E", "0", "1", "2")},
    confidence=confidence,
    gated=True,
)
