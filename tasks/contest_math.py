"""contest-math: problems whose answer is a whole number from 0 to 999, from a first sum to contest level.

Imitates AIME: no options, no partial credit, an integer that exact match can judge.
Differs: the problems are generated, every answer found by counting through the cases; five levels, the first within
reach of a very small model, which is given the working's beginning; two examples before each problem; an answer of 96
tokens at most, so no long working.
Licence: Apache-2.0; every problem is written here.

    >>> items = SUITE.make(0)
    >>> len(items), sorted({item.level for item in items})
    (125, [1, 2, 3, 4, 5])
    >>> item = items[-1]
    >>> SUITE.grade(item, f"Counting the cases gives 12 + 7. The answer is {item.answer}.").value
    1.0
    >>> SUITE.grade(item, "I do not know").outcome
    'unparsed'
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.numbers import numbers
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside

PER_LEVEL = 25
TEMPLATES = beside(__file__, "_contest_first").TEMPLATES | beside(__file__, "_contest_higher").TEMPLATES

# The same for every level. No item has one of these answers.
SHOTS = (
    ("What is 2 + 3?", "2 + 3 = 5", 5),
    ("A pattern goes 14, 16, 18. Which number comes next?", "14, 16, 18, 20", 20),
)
_HEAD = "".join(f"Question: {question}\nAnswer: {working}\n\n" for question, working, _ in SHOTS)
_SHOWN = re.compile(r"\\boxed\{\s*(\d+)\s*\}|answer(?: is|:)[\s*$]*(\d[\d,]*)", re.IGNORECASE)


def make(seed: int) -> list[Item]:
    """125 problems: 25 a level, its templates in turn, no answer twice in a level."""
    return [item for level in LEVELS for item in _level(seed, level)]


def _level(seed: int, level: int) -> list[Item]:
    rng = stream(seed, f"contest-math/{level}")
    seen = {answer for _, _, answer in SHOTS}
    templates, items = TEMPLATES[level], []
    for k in range(PER_LEVEL):
        template = templates[k % len(templates)]
        problem = _draw(rng, template, seen)
        seen.add(problem.answer)
        asked = f"{_HEAD}Question: {problem.question}\nAnswer: {problem.begun}".rstrip()
        items.append(Item(
            id=f"contest-math-{seed}-{level}-{k}", prompt=asked, answer=str(problem.answer), level=level,
            group=template.__name__, data={"question": problem.question, "begun": problem.begun},
        ))  # fmt: skip
    return items


def _draw(rng, template, seen: set[int]):
    """A problem with a new answer from 0 to 999 that does not stand in its question."""
    for _ in range(300):
        problem = template(rng)
        if 0 <= problem.answer <= 999 and problem.answer not in {*seen, *numbers(problem.question)}:
            return problem
    raise RuntimeError(f"{template.__name__} has too few different answers")


def grade(item: Item, text: str) -> Grade:
    """The number that the text calls its answer (boxed or "answer is"), the last such; else the first line's last.

    After a begun working the first number counts. A small model goes on after its answer: the lines after the first
    are not read unless one names the answer.
    """
    named = _SHOWN.findall(text)
    line = next((line for line in text.splitlines() if line.strip()), "")
    found = numbers((named[-1][0] or named[-1][1]) if named else line)
    if not found:
        return Grade(0.0, "unparsed")
    given = found[0] if item.data["begun"] and not named else found[-1]
    right = given == int(item.answer)
    return Grade(float(right), "correct" if right else "wrong", f"{given.normalize():f}")


def trivial_answers(item: Item) -> Mapping[str, str]:
    """Numbers copied from the question, a blind step on from the last, one rule for the last two, and round ones."""
    found = numbers(item.data["question"])
    last, before = found[-1], found[-2] if found[1:] else 1
    copied = {"the last number in the question": last, "the largest number in the question": max(found),
              "the product of the last two numbers": last * before, "the sum of the last two numbers": last + before,
              "the difference of the last two numbers": abs(last - before), "twice the last number": 2 * last,
              "half the last number": last / 2, "the square of the last number": last * last}  # fmt: skip
    copied |= {f"{step} more than the last number in the question": last + step for step in (1, 2, 3, 4, 5, 10, 20, 25)}
    return {name: f"{value:f}" for name, value in copied.items()} | {f"always {n}": str(n) for n in (0, 1, 2, 10, 100)}


SUITE = Suite(
    id="contest-math",
    title="Contest problems with a whole number from 0 to 999",
    family="reasoning",
    imitates="AIME",
    differs="generated in five levels, each answer counted out; two examples; at level 1 the working is begun; answers "
    "of 96 tokens at most",
    licence="Apache-2.0",
    version="4",
    method="generate",
    max_tokens=96,
    stop=("\nQuestion:", "\n\n"),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
)
