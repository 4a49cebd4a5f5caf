"""GSM8K (Cobbe and others 2021, arXiv 2110.14168): school word problems, the working shown, the number after "####"."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers
from harness.suites import Item


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    head = "".join(f"{_asked(row)} {row['answer']}\n\n" for row in examples)
    return [
        Item(str(k), head + _asked(row), row["answer"], 0, lang,
             data={"question": row["question"], "number": row["answer"].rpartition("#### ")[2].strip()})
        for k, row in enumerate(rows)
    ]  # fmt: skip


def _asked(row: Row) -> str:
    return f"Question: {row['question']}\nAnswer:"


EVALUATION = Evaluation(
    title="GSM8K",
    family="reasoning",
    hub="openai/gsm8k, main, test",
    licence="MIT",
    follows="lm-evaluation-harness gsm8k",
    method="generate",
    max_tokens=256,
    stop=lambda lang: ("Question:", "</s>", "<|im_end|>"),
    fields=("question", "answer"),
    items=items,
    grade=_answers.last_number_is(_answers.plain),
    trivial_answers=_answers.last_number,
    readings={"strict-match": _answers.strict_match},
    shots=5,
    tried=True,
)
