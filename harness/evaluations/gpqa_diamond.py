"""GPQA Diamond (Rein and others 2023, arXiv 2311.12022): 198 graduate questions in three sciences, four options."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers, _lettered
from harness.quantity import stream
from harness.suites import Item

_WRONG = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
_LETTERS = ("(A)", "(B)", "(C)", "(D)")


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    made = []
    for k, row in enumerate(rows):
        texts = [_clean(row["Correct Answer"]), *(_clean(row[name]) for name in _WRONG)]
        order = stream(k, "gpqa-diamond").permutation(4)  # the same at every reading; shuffled afresh there
        options = [texts[int(i)] for i in order]
        prompt = (f"What is the correct answer to this question:{row['Question']}\nChoices:\n"
                  f"{_lettered.listed(options, '({letter}) {option}' + chr(10))}Answer:")  # fmt: skip
        gold = list(order).index(0)
        made.append(_lettered.item(str(k), prompt, _LETTERS, gold, lang, str(row.get("High-level domain") or "")))
    return made


def _clean(text: str) -> str:
    return text.strip().replace(" [title]", ". ").replace("  ", " ")


EVALUATION = Evaluation(
    title="GPQA Diamond",
    family="reasoning",
    hub="Idavidrein/gpqa, gpqa_diamond, train",
    licence="CC-BY-4.0",
    follows="lm-evaluation-harness gpqa_diamond_zeroshot",
    method="choose",
    max_tokens=8,
    stop=lambda lang: ("\n",),
    fields=("Question", "Correct Answer", *_WRONG),
    items=items,
    grade=_answers.option_of,
    trivial_answers=_lettered.by_letter,
    normalise="none",
    gated=True,
)
