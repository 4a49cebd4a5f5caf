"""XCOPA (Ponti and others 2020, EMNLP): the likelier cause or effect of a premise, in eleven languages."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluations import Evaluation, Row, _answers
from harness.suites import Item

# What joins premise and option, by what is asked for; as lm-evaluation-harness has it.
CONNECTORS = {
    "et": {"cause": "sest", "effect": "seetõttu"},
    "ht": {"cause": "poukisa", "effect": "donk sa"},
    "id": {"cause": "karena", "effect": "maka"},
    "it": {"cause": "perché", "effect": "quindi"},
    "qu": {"cause": "imataq", "effect": "chaymi"},
    "sw": {"cause": "kwa sababu", "effect": "kwa hiyo"},
    "ta": {"cause": "காரணமாக", "effect": "எனவே"},
    "th": {"cause": "เพราะ", "effect": "ดังนั้น"},
    "tr": {"cause": "çünkü", "effect": "bu yüzden"},
    "vi": {"cause": "bởi vì", "effect": "vì vậy"},
    "zh": {"cause": "因为", "effect": "所以"},
}


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    made = []
    for number, row in enumerate(rows):
        options = tuple(_joined(row[name]) for name in ("choice1", "choice2"))
        prompt = f"{row['premise'].strip()[:-1]} {CONNECTORS[lang][row['question']]}"  # without its full stop
        made.append(Item(f"{lang}-{row.get('idx', number)}", prompt, options[int(row["label"])], 0, lang, options))
    return made


def _joined(option: str) -> str:
    return option[0].lower() + option[1:]


EVALUATION = Evaluation(
    title="XCOPA",
    family="multilingual",
    hub="cambridgeltl/xcopa, {lang}, test",
    licence="CC-BY-4.0",
    follows="lm-evaluation-harness xcopa",
    method="choose",
    max_tokens=32,
    stop=lambda lang: ("\n",),
    fields=("premise", "choice1", "choice2", "question", "label"),
    items=items,
    grade=_answers.option_of,
    trivial_answers=_answers.by_place,
    normalise="none",
    languages=tuple(CONNECTORS),
    tried=True,
)
