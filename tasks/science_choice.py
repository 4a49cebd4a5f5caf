"""science-choice: four-option questions in physics, chemistry and biology, from schoolbook to university level.

Imitates GPQA Diamond: four options, three sciences, distractors that a likely mistake would give.
Differs: the questions are generated, level 2 and up with computed answers and distractors computed from named
slips and from two at once, so that no option stands out among the others; levels 1 to 4 are far easier than GPQA,
so that small models can be told apart; options are compared by the log-likelihood of their text after "Answer:",
and the model does not see the other options.
Licence: Apache-2.0; every item is written or generated here.

    >>> items = SUITE.make(0)
    >>> len(items), sorted({item.level for item in items})
    (150, [1, 2, 3, 4, 5])
    >>> item = items[0]
    >>> item.prompt.endswith("Answer:"), item.answer in item.choices
    (True, True)
    >>> SUITE.grade(item, " " + item.answer).value
    1.0
    >>> SUITE.grade(item, "").outcome
    'unparsed'
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.options import option_meant
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside

PER_SUBJECT = 10  # of each level: 3 subjects x 10 = 30 items a level
SUBJECTS = {name: beside(__file__, f"_science_{name}").TEMPLATES for name in ("physics", "chemistry", "biology")}

# One of each subject, the same for every level. No item has one of these answers.
SHOTS = (
    ("What is the opposite pole of a magnet's north pole?", "the south pole"),
    ("At how many degrees Celsius does water freeze?", "0 °C"),
    ("What do bees collect from flowers?", "nectar"),
)
_HEAD = "".join(f"Question: {question}\nAnswer: {answer}\n\n" for question, answer in SHOTS)


def make(seed: int) -> list[Item]:
    """150 items: ten of each level and subject, the right option evenly in all four places."""
    items = []
    for level in LEVELS:
        places = [k % 4 for k in range(len(SUBJECTS) * PER_SUBJECT)]
        stream(seed, f"science-choice/{level}/places").shuffle(places)
        for subject in SUBJECTS:
            for k, (template, draft) in enumerate(_drafts(seed, level, subject)):
                items.append(_item(seed, level, subject, k, template, draft, places.pop()))
    return items


def _drafts(seed: int, level: int, subject: str):
    """PER_SUBJECT drafts of one level and subject, templates in turn, no question twice."""
    rng = stream(seed, f"science-choice/{level}/{subject}")
    templates = SUBJECTS[subject][level]
    first = PER_SUBJECT * list(SUBJECTS).index(subject)
    seen: set[str] = set()
    drafts = []
    for k in range(PER_SUBJECT):
        template = templates[k % len(templates)]
        draft = _draw(rng, template, first + k, seen)
        seen.add(draft.question)
        drafts.append((template.__name__, draft))
    return drafts


def _draw(rng, template, k: int, seen: set[str]):
    """A new draft whose right option is the shortest in a quarter of the items, the longest in another.

    Chemical symbols are shorter than the average wrong symbol, sums longer than their parts: left alone, the
    length of an option would give its correctness away. Where a template cannot do it, any new draft will do.
    """
    spare = None
    for _ in range(60):
        draft = template(rng)
        if draft.question in seen:
            continue
        if _lengths_fit(draft, k):
            return draft
        spare = spare or draft
    if spare is None:
        raise RuntimeError(f"{template.__name__} has too few different questions")
    return spare


def _lengths_fit(draft, k: int) -> bool:
    size, shortest, longest = len(draft.right), min(map(len, draft.wrong)), max(map(len, draft.wrong))
    between = shortest <= size <= longest
    return (size <= shortest, size >= longest, between, between)[k % 4]


def _item(seed: int, level: int, subject: str, k: int, template: str, draft, place: int) -> Item:
    choices = list(draft.wrong)
    choices.insert(place, draft.right)
    return Item(
        id=f"science-choice-{seed}-{level}-{subject}-{k}",
        prompt=f"{_HEAD}Question: {draft.question}\nAnswer:",
        answer=draft.right,
        level=level,
        choices=tuple(choices),
        group=f"{subject}/{template}",
        data={"question": draft.question, "subject": subject},
    )


def grade(item: Item, text: str) -> Grade:
    """1.0 for the right option's text or its letter."""
    chosen = option_meant(item, text)
    if chosen is None:
        return Grade(0.0, "unparsed")
    right = chosen == item.answer
    return Grade(float(right), "correct" if right else "wrong", chosen)


def trivial_answers(item: Item) -> Mapping[str, str]:
    """What a strategy that cannot read would choose."""
    question = item.data["question"]
    near = [len(set(c.lower().split()) & set(question.lower().split())) for c in item.choices]
    numbers = [w.strip(".,?()") for w in question.split()]
    last = next((w for w in reversed(numbers) if any(ch.isdigit() for ch in w)), "")
    return {
        "the longest option": max(item.choices, key=len),
        "the shortest option": min(item.choices, key=len),
        "the option nearest the question's words": item.choices[near.index(max(near))],
        "the last number in the question": next((c for c in item.choices if c.split()[0] == last), ""),
        **{f"the {name} number": choice for name, choice in zip(_RANKS, _by_size(item.choices), strict=False)},
        "the number of round ratios": _of_round_ratios(item.choices),
    } | {f"always {letter}": letter for letter in "ABCD"}


_RANKS = ("smallest", "second-smallest", "third-smallest", "largest")


def _by_size(choices: tuple[str, ...]) -> list[str]:
    """The options from the smallest number to the largest; none where they are not all numbers."""
    return [c for _, c in sorted(zip(_numbers(choices), choices, strict=False))]


def _of_round_ratios(choices: tuple[str, ...]) -> str:
    """The option that most others are a simple multiple or part of: what wrong options made from it would show."""
    values = _numbers(choices)
    ratios = [[max(abs(a), abs(b)) / min(abs(a), abs(b)) for b in values if a != b and a * b] for a in values]
    simple = [sum(any(abs(r / k - 1) < 0.006 for k in _SIMPLE) for r in of_one) for of_one in ratios]
    return choices[simple.index(max(simple))] if simple else ""


_SIMPLE = (1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 100, 1000)


def _numbers(choices: tuple[str, ...]) -> list[float]:
    """The options' numbers; none where they are not all numbers."""
    found = [re.match(r"[+-]?\d[\d.,]*(?:e[+-]?\d+)?", c.replace(" ", "").replace("−", "-")) for c in choices]
    return [float(m[0].replace(",", "").rstrip(".")) for m in found] if all(found) else []


SUITE = Suite(
    id="science-choice",
    title="Science questions with four options",
    family="reasoning",
    imitates="GPQA Diamond",
    differs="generated questions of five levels with computed answers; options compared by log-likelihood",
    licence="Apache-2.0",
    version="3",
    method="choose",
    max_tokens=16,
    stop=("\n",),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
)
