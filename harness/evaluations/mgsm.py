"""MGSM (Shi and others 2022, arXiv 2210.03057): 250 problems of GSM8K in eleven languages, asked in each."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers
from harness.suites import Item

# Before the question, and before the answer; as lm-evaluation-harness has them (its tasks mgsm_native_cot_*).
LABELS = {
    "bn": ("প্রশ্ন:", "ধাপে ধাপে উত্তর:"),
    "de": ("Frage:", "Schritt-für-Schritt-Antwort:"),
    "en": ("Question:", "Step-by-Step Answer:"),
    "es": ("Pregunta:", "Respuesta paso a paso:"),
    "fr": ("Question :", "Réponse étape par étape :"),
    "ja": ("問題:", "ステップごとの答え:"),
    "ru": ("Задача:", "Пошаговоерешение:"),
    "sw": ("Swali:", "Jibu la Hatua kwa Hatua:"),
    "te": ("ప్రశ్న:", "దశలవారీగా సమాధానం:"),
    "th": ("โจทย์:", "คำตอบทีละขั้นตอน:"),
    "zh": ("问题:", "逐步解答:"),
}


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    before, after = LABELS[lang]
    return [
        Item(f"{lang}-{k}", f"{before} {row['question']}\n{after}", str(row["answer_number"]), 0, lang,
             data={"question": row["question"], "number": str(row["answer_number"])})
        for k, row in enumerate(rows)
    ]  # fmt: skip


EVALUATION = Evaluation(
    title="MGSM",
    family="multilingual",
    hub="juletxara/mgsm, {lang}, test",
    licence="CC-BY-4.0",
    follows="lm-evaluation-harness mgsm_native_cot",
    method="generate",
    max_tokens=256,
    stop=lambda lang: (LABELS[lang][0], "</s>", "<|im_end|>"),
    fields=("question", "answer_number"),
    items=items,
    grade=_answers.last_number_is(_answers.bare),
    trivial_answers=_answers.last_number,
    languages=tuple(LABELS),
    columns=("question", "answer_number"),
    tried=True,
)
