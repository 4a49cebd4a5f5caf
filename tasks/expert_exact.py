"""expert-exact: short exact answers with a stated confidence, from a known word to what wants a program.

Imitates Humanity's Last Exam (HLE; Phan et al. 2025, arXiv 2501.14249): closed questions of many fields, a short
exact answer, the confidence in it, accuracy and the RMS calibration error.
Differs: the questions are generated, every answer computed, no pictures and no options; five levels, of which HLE's is
the last; the answer is judged by rules, not by a model; three examples before each question.
Licence: Apache-2.0; every question is written here.

    >>> items = SUITE.make(0)
    >>> len(items), sorted({item.level for item in items})
    (125, [1, 2, 3, 4, 5])
    >>> item = items[0]
    >>> SUITE.grade(item, f" {item.answer}\\nConfidence: 80%").value
    1.0
    >>> SUITE.confidence(item, f"Answer: {item.answer}\\nConfidence: 80%")
    0.8
    >>> SUITE.grade(item, "Confidence: 80%").outcome
    'unparsed'
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside

PER_LEVEL = 25
TEMPLATES = {**beside(__file__, "_expert_easy").TEMPLATES, **beside(__file__, "_expert_hard").TEMPLATES}

# The same for every level, sure and less sure. No item has one of these answers.
SHOTS = (
    ("What is the capital of Canada?", "Ottawa", 99),
    ("What is the chemical symbol of antimony?", "Sb", 70),
    ("What is 60 + 40?", "100", 95),
)
_HEAD = "Give each question a short exact answer and your confidence in it, from 0% to 100%.\n\n" + "".join(
    f"Question: {question}\nAnswer: {answer}\nConfidence: {sure}%\n\n" for question, answer, sure in SHOTS
)
_NAMED = re.compile(r"(?:^|\W)answer\W{0,4}?(?::\**| is:?)[ \t]*(.+)", re.IGNORECASE)
_LABEL_ALONE = re.compile(r"(answer\W{0,4}?:\**)[ \t]*\n\s*", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_SURE = re.compile(r"confidence\W{0,4}?(?::|is)?\W{0,4}?(\d+(?:\.\d+)?)\s*(\\?%|percent)?", re.IGNORECASE)


def make(seed: int) -> list[Item]:
    """125 questions: 25 a level, its templates in turn, no answer twice in a level."""
    return [item for level in LEVELS for item in _level(seed, level)]


def _level(seed: int, level: int) -> list[Item]:
    rng = stream(seed, f"expert-exact/{level}")
    seen = {normal(answer) for _, answer, _ in SHOTS}
    templates, items = TEMPLATES[level], []
    for k in range(PER_LEVEL):
        template = templates[k % len(templates)]
        problem = _draw(rng, template, seen)
        seen.add(normal(problem.answer))
        items.append(Item(
            id=f"expert-exact-{seed}-{level}-{k}", prompt=f"{_HEAD}Question: {problem.question}\nAnswer:",
            answer=problem.answer, level=level, group=template.__name__,
            data={"question": problem.question, "field": problem.field},
        ))  # fmt: skip
    return items


def _draw(rng, template, seen: set[str]):
    for _ in range(300):
        problem = template(rng)
        if normal(problem.answer) not in seen:
            return problem
    raise RuntimeError(f"{template.__name__} has too few different answers")


def normal(text: str) -> str:
    """An answer without what does not matter: case, spaces at the ends, marks around it, commas in numbers."""
    boxed = _BOXED.search(text)
    text = boxed[1] if boxed else text
    text = re.sub(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\[()\[\],;!]|[$`*“”\"]", "", text).replace("−", "-")
    text = " ".join(text.split()).strip(" .'‘’").casefold()
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    # 12.0 is 12, but dates and words stay as they are; so do leading zeros of base 2, which nobody writes.
    return re.sub(r"\A([+-]?\d+)\.0+\Z", r"\1", text).removeprefix("+")


def given_answer(text: str) -> str:
    """What the text calls its answer, the last such (a label or a box); else its first line that says anything."""
    text = _LABEL_ALONE.sub(r"\1 ", text)
    lines = [line for line in text.splitlines() if line.strip()]
    named = [m[1] for line in lines if (m := _NAMED.search(line) or _BOXED.search(line))]
    line = named[-1] if named else next(iter(lines), "")
    return normal(re.split(r"[,;(]?\s*\**confidence\b", line, maxsplit=1, flags=re.IGNORECASE)[0])


def grade(item: Item, text: str) -> Grade:
    """1.0 for the exact answer, after `normal`."""
    given = given_answer(text)
    if not given:
        return Grade(0.0, "unparsed")
    right = given == normal(item.answer)
    return Grade(float(right), "correct" if right else "wrong", given)


def confidence(item: Item, text: str) -> float | None:
    """The confidence that the text states last, 0..1; None where it states none or one above 100%.

    "80%" and "80" are 0.8; without a percent sign a decimal fraction up to 1 ("0.8") is the share itself.
    """
    stated = _SURE.findall(text)
    if not stated:
        return None
    figure, percent = stated[-1]
    value = float(figure)
    share = value if not percent and "." in figure and value <= 1 else value / 100
    return share if share <= 1 else None


def trivial_answers(item: Item) -> Mapping[str, str]:
    """Words and numbers copied from the question, and the likeliest small answers."""
    question = item.data["question"]
    words = re.findall(r"\w+", question)
    digits = [w for w in words if w.isdigit()]
    copied = {"the last word in the question": words[-1], "the longest word in the question": max(words, key=len)}
    copied |= {"the last number in the question": digits[-1]} if digits else {}
    return copied | {f"always {n}": str(n) for n in (0, 1, 2, 3, 12)}


SUITE = Suite(
    id="expert-exact",
    title="Short exact answers with a stated confidence",
    family="reasoning",
    imitates="HLE",
    differs="generated in five levels with computed answers; judged by rules; three examples; no pictures",
    licence="Apache-2.0",
    version="3",
    method="generate",
    max_tokens=96,
    stop=("\nQuestion:",),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
    confidence=confidence,
)
