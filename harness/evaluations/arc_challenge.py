"""ARC-Challenge (Clark and others 2018, arXiv 1803.05457): school science questions with three to five options.

Two shapes of row are read: `choices` as a list of texts with `gold` as its place, and the published
`choices = {text, label}` with `answerKey`.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers
from harness.suites import Item


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    made = []
    for row in rows:
        options, gold = _options(row)
        prompt = f"Question: {row['question']}\nAnswer:"
        made.append(Item(str(row["id"]), prompt, options[gold], 0, lang, options, data={"question": row["question"]}))
    return made


def _options(row: Row) -> tuple[tuple[str, ...], int]:
    choices = row["choices"]
    if isinstance(choices, dict):
        return tuple(choices["text"]), list(choices["label"]).index(row["answerKey"])
    return tuple(choices), int(row["gold"])


EVALUATION = Evaluation(
    title="ARC-Challenge",
    family="reasoning",
    hub="allenai/ai2_arc, ARC-Challenge, test",
    licence="CC-BY-SA-4.0",
    follows="lm-evaluation-harness arc_challenge",
    method="choose",
    max_tokens=16,
    stop=lambda lang: ("\n",),
    fields=("id", "question", "choices"),
    items=items,
    grade=_answers.option_of,
    trivial_answers=_answers.by_place,
    normalise="characters",
    readings={"acc": _answers.acc},
    tried=True,
)
