"""Belebele (Bandarkar and others 2024, arXiv 2308.16884): a passage, a question and four options, in 122 languages."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers, _lettered
from harness.suites import Item


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    made = []
    for k, row in enumerate(rows):
        options = [row[f"mc_answer{n}"] for n in (1, 2, 3, 4)]
        # The colon after "Answer" is a full-width one there.
        prompt = (f"P: {row['flores_passage']}\nQ: {row['question'].strip()}\n"
                  f"{_lettered.listed(options, '{letter}: {option}' + chr(10))}Answer：")  # fmt: skip
        gold = int(row["correct_answer_num"]) - 1
        # Questions about one passage share its difficulty.
        passage = str(row.get("link", "")) or f"passage-{k}"
        made.append(_lettered.item(f"{row['dialect']}-{k}", prompt, "ABCD", gold, row["dialect"], passage))
    return made


EVALUATION = Evaluation(
    title="Belebele",
    family="multilingual",
    hub="facebook/belebele, {lang}, test",
    licence="CC-BY-SA-4.0",
    follows="lm-evaluation-harness belebele",
    method="choose",
    max_tokens=8,
    stop=lambda lang: ("\n",),
    fields=("flores_passage", "question", "mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4",
            "correct_answer_num", "dialect"),
    items=items,
    grade=_answers.option_of,
    trivial_answers=_lettered.by_letter,
    normalise="none",
    language_field="dialect",
)  # fmt: skip
