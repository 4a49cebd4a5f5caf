"""AIME (American Invitational Mathematics Examination): an integer from 0 to 999."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.errors import BadFile
from harness.evaluations import Evaluation, Row, _answers
from harness.suites import Grade, Item

# What two ways of writing one number differ by.
_ORNAMENTS = re.compile(r"\\!|\\\$|\\left|\\right|\^\{?\\circ\}?|\\?%|\\,|\s")


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    made = []
    for k, row in enumerate(rows):
        of = {key.lower(): value for key, value in row.items()}  # 2024 is published with capitals
        if of.get("problem") is None or of.get("answer") is None:
            raise BadFile("aime", f"row {k + 1}", f"fields {', '.join(row)}", "the fields 'problem' and 'answer'")
        question, number = of["problem"], str(of["answer"])
        made.append(Item(str(of.get("id", k)), f"Question: {question}\nAnswer:", f"$\\boxed{{{number}}}$", 0, lang,
                         data={"question": question, "number": number}))  # fmt: skip
    return made


def grade(item: Item, text: str) -> Grade:
    """1.0 where the last `\\boxed{}`, or else what stands between the first and last dollar, is the answer's number."""
    if not text.strip():
        return Grade(0.0, "unparsed")
    found = _ORNAMENTS.sub("", _answer(text))
    found = re.sub(r"\A\w{0,2}=(?=[^=]+\Z)", "", found)  # "n = 70" is 70
    right = found == item.data["number"]
    return Grade(float(right), "correct" if right else "wrong" if re.search(r"\d", found) else "unparsed", found[:200])


def _answer(text: str) -> str:
    """What the text gives as its answer; the whole of it where nothing is marked.

    >>> _answer("so $x = 7$ and \\\\boxed{070}."), _answer("thus $7$"), _answer("7")
    ('070', '7', '7')
    """
    boxed = re.findall(r"\\(?:boxed|fbox)\s*\{([^{}]*)\}", text) or re.findall(r"\\boxed (\S+?)(?:\$|\s|\Z)", text)
    if boxed:
        return boxed[-1]
    first, last = text.find("$"), text.rfind("$")
    return text[first + 1 : last] if first < last else text


def last_number(item: Item, text: str, nats: Mapping[str, float]) -> float:
    """1.0 where the last number of the text is the answer's, however it is marked."""
    return float(_answers.plain(_answers.flexible(text)) == item.data["number"])


EVALUATION = Evaluation(
    title="AIME",
    family="reasoning",
    hub="math-ai/aime25, , test",
    licence="of the Mathematical Association of America; look at the dataset's page",
    follows="lm-evaluation-harness aime25 (asked once, not ten times)",
    method="generate",
    max_tokens=32768,
    stop=lambda lang: ("Question:", "</s>", "<|im_end|>", "<|eot_id|>"),
    fields=(),
    items=items,
    grade=grade,
    trivial_answers=_answers.last_number,
    readings={"last-number": last_number},
)
