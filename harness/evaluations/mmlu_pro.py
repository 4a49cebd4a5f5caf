"""MMLU-Pro (Wang and others 2024, arXiv 2406.01574): up to ten options in 14 fields, reasoned out before the letter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.evaluations import Evaluation, Row
from harness.suites import Grade, Item

_LETTERS = "ABCDEFGHIJ"
_ANSWER = re.compile(r"answer is \(?([ABCDEFGHIJ])\)?")
_BEGUN = "Answer: Let's think step by step."
_HEAD = ("The following are multiple choice questions (with answers) about {}. Think step by step and then finish your "
         'answer with "the answer is (X)" where X is the correct letter choice.')  # fmt: skip


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    shown: dict[str, str] = {}
    for row in examples:
        worked = row["cot_content"].replace(_BEGUN.replace("Answer", "A"), _BEGUN)
        shown[row["category"]] = shown.get(row["category"], "") + f"{_asked(row)}{worked}\n\n"
    return [
        Item(
            str(row["question_id"]),
            f"{_HEAD.format(row['category'])}{shown.get(row['category'], '')}{_asked(row)}{_BEGUN}",
            f"The answer is ({_LETTERS[int(row['answer_index'])]}).", 0, lang, group=row["category"],
            data={"letter": _LETTERS[int(row["answer_index"])], "options": len(row["options"])},
        )
        for row in rows
    ]  # fmt: skip


def _asked(row: Row) -> str:
    options = "".join(f"{letter}. {option}\n" for letter, option in zip(_LETTERS, row["options"], strict=False))
    return f"Question:\n{row['question']}\nOptions:\n{options}"


def grade(item: Item, text: str) -> Grade:
    """1.0 for the right letter after the first "answer is"."""
    found = _ANSWER.search(text)
    if found is None:
        return Grade(0.0, "unparsed")
    right = found[1] == item.data["letter"]
    return Grade(float(right), "correct" if right else "wrong", found[1])


def trivial_answers(item: Item) -> Mapping[str, str]:
    return {f"always {letter}": f"The answer is ({letter})." for letter in _LETTERS[: item.data["options"]]}


EVALUATION = Evaluation(
    title="MMLU-Pro",
    family="reasoning",
    hub="TIGER-Lab/MMLU-Pro, , test",
    licence="MIT",
    follows="lm-evaluation-harness mmlu_pro",
    method="generate",
    max_tokens=2048,
    stop=lambda lang: ("</s>", "Q:", "<|im_end|>"),
    fields=("question_id", "question", "options", "answer_index", "category"),
    items=items,
    grade=grade,
    trivial_answers=trivial_answers,
    shots=5,
    examples="validation",
    examples_by="category",
)
