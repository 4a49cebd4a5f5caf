"""MMMLU (OpenAI 2024, huggingface.co/datasets/openai/MMMLU): MMLU translated by people into fourteen languages."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers, _lettered
from harness.evaluations.mmlu import HEAD
from harness.suites import Item

# What asks for the answer; as lm-evaluation-harness has it (its tasks openai_mmmlu_default_*).
ANSWER = {
    "ar": "الإجابة:", "bn": "উত্তর:", "de": "Antwort:", "es": "Respuesta:", "fr": "Réponse :", "hi": "उत्तर:",
    "id": "Jawaban:", "it": "Risposta:", "ja": "答え：", "ko": "답변:", "pt": "Resposta:", "sw": "Jibu:",
    "yo": "Ìdáhùn:", "zh": "答案：",
}  # fmt: skip
# The dataset's own names of its configurations.
HUB = {"ar": "AR_XY", "bn": "BN_BD", "de": "DE_DE", "es": "ES_LA", "fr": "FR_FR", "hi": "HI_IN", "id": "ID_ID",
       "it": "IT_IT", "ja": "JA_JP", "ko": "KO_KR", "pt": "PT_BR", "sw": "SW_KE", "yo": "YO_NG",
       "zh": "ZH_CN"}  # fmt: skip


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    made = []
    for k, row in enumerate(rows):
        options = [str(row[letter]).strip() for letter in "ABCD"]
        prompt = (f"{HEAD.format(row['Subject'])}{str(row['Question']).strip()}\n"
                  f"{_lettered.listed(options)}{ANSWER[lang]}")  # fmt: skip
        gold = "ABCD".index(row["Answer"].strip())
        made.append(_lettered.item(f"{lang}-{k}", prompt, "ABCD", gold, lang, row["Subject"]))
    return made


EVALUATION = Evaluation(
    title="MMMLU",
    family="multilingual",
    hub="openai/MMMLU, {lang}, test",
    hub_codes=HUB,
    licence="MIT",
    follows="lm-evaluation-harness openai_mmmlu_default",
    method="choose",
    max_tokens=8,
    stop=lambda lang: ("\n",),
    fields=("Question", "A", "B", "C", "D", "Answer", "Subject"),
    items=items,
    grade=_answers.option_of,
    trivial_answers=_lettered.by_letter,
    normalise="none",
    languages=tuple(ANSWER),
)
