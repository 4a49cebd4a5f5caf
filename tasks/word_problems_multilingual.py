"""word-problems-multilingual: grade-school word problems in fifteen languages, answered by one exact number.

Imitates MGSM: short stories with numbers, the same in every language, examples in the item's own language.
Differs: generated, so a seed gives fresh numbers; level 1 only continues a number series, and its answer line
is already begun, so that very small models can be told apart; examples reason in equations, without words.
Languages: the eleven of MGSM, Hindi, Italian, Korean and Portuguese. Licence: Apache-2.0; every text was written for
this project.

    >>> items = SUITE.make(0)
    >>> len(items), len({item.lang for item in items})
    (225, 15)
    >>> item = next(i for i in items if i.lang == "de" and i.level == 3)
    >>> SUITE.grade(item, f" 3 + 4 = 7. Also sind es {item.answer}.").value
    1.0
    >>> SUITE.grade(item, "keine Ahnung").outcome
    'unparsed'
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

from harness.numbers import numbers
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite

PER_STRATUM = 3  # items a language and level
SHOT_ANSWERS = (10, 12)
_STOPS = {"zh": "。", "ja": "。", "bn": "।", "hi": "।", "th": ""}
_UNSPACED = ("zh", "ja")
# Of each series its steps, and about where it begins at most: no plant grows by 100 cm a week. Over all six no step
# comes in more than three of twenty, so that none is a good guess.
_SERIES = (
    ((1, 2, 4, 20), 200), ((1, 2, 4, 5, 10), 60), ((1, 2, 4, 5, 10), 100), ((2, 4, 5, 10), 60),
    ((5, 10, 20, 25, 50, 100), 900), ((1, 20, 50, 100), 900),
)  # fmt: skip


@cache
def texts() -> dict[str, dict]:
    return tomllib.loads(Path(__file__).with_name("_word_problem_texts.toml").read_text("utf-8"))


# The six stories: what is drawn, and the running answer after each sentence. A draw whose answers are not
# whole positive numbers is drawn again, so every sentence holds for every level.


def farm(a, k, c, p, d):
    both_days = a + a * k
    unsold = both_days - c
    kept = unsold * Fraction(100 - p, 100)
    return both_days, unsold, kept, kept + 7 * d


def tank(a, h, b, c):
    rained = a + h * b
    used = rained - c
    leaked = used * Fraction(3, 4)
    return rained, used, leaked, 3 * leaked


def savings(a, b, c, r):
    given = a + 3 * b
    spent = given - c
    interest = spent * Fraction(100 + r, 100)
    return given, spent, interest, interest / 2


def drive(a, b, h, v, c):
    first_day = a + a - b
    two_days = first_day + h * v
    there = two_days * Fraction(3, 2)
    return first_day, two_days, there, 2 * there - c


def bakery(a, b, c):
    friday = a - 5 * b
    saturday = friday + c
    sunday = saturday * Fraction(2, 3)
    return friday, saturday, sunday, sunday + 3 * c


def reading(a, b, h, m, p):
    tuesday = a + a + b
    wednesday = 2 * tuesday
    thursday = wednesday + 60 * h + m
    return tuesday, wednesday, thursday, thursday * Fraction(100 + p, 100)


STORIES: dict[str, tuple[Callable, dict[str, tuple[int, int, int]]]] = {
    # name: (answers, {number: (low, high, step) at level 2; both bounds grow with the level})
    "a": (farm, {"a": (20, 90, 1), "c": (11, 60, 1), "d": (12, 40, 1)}),
    "b": (tank, {"a": (40, 150, 1), "b": (11, 35, 1), "c": (15, 70, 1)}),
    "c": (savings, {"a": (30, 120, 1), "b": (15, 60, 1), "c": (14, 60, 1)}),
    "d": (drive, {"a": (60, 180, 1), "b": (11, 50, 1), "c": (12, 60, 1)}),
    "e": (bakery, {"a": (150, 400, 1), "b": (11, 25, 1), "c": (30, 120, 1)}),
    "f": (reading, {"a": (21, 60, 1), "b": (11, 40, 1)}),
}
_UNSCALED = {
    "k": (2, 4, 1),
    "h": (3, 8, 1),
    "p": (5, 60, 5),
    "v": (45, 95, 5),
    "m": (10, 50, 5),
    "r": (2, 10, 1),
}
_SCALE = {2: 1, 3: 2, 4: 10, 5: 60}


def make(seed: int) -> list[Item]:
    """225 items: three of each of fifteen languages and five levels."""
    items = []
    for lang, words in texts().items():
        for level in LEVELS:
            rng = stream(seed, f"word-problems/{lang}/{level}")
            for k, template in enumerate(rng.permutation(6)[:PER_STRATUM]):
                items.append((_pattern if level == 1 else _story)(rng, seed, lang, words, level, k, int(template)))
    return items


def _pattern(rng: np.random.Generator, seed: int, lang: str, words: dict, level: int, k: int, template: int) -> Item:
    steps, most = _SERIES[template]
    step = steps[int(rng.integers(len(steps)))]
    first = step * int(rng.integers(11 // step + 1, most // step + 1))
    series = [first + step * i for i in range(4)]
    question = _series_question(words, lang, template, series)
    begun = ", ".join(map(str, series)) + ","
    prompt = f"{_shots(lang)}{words['question']}: {question}\n{words['answer']}: {begun}"
    data = {"question": question, "begun": series}
    return _item(seed, lang, level, k, f"pattern-{template}", prompt, first + 4 * step, data)


def _story(rng: np.random.Generator, seed: int, lang: str, words: dict, level: int, k: int, template: int) -> Item:
    name = list(STORIES)[template]
    told = level  # level 2 tells two sentences, level 5 all five
    while True:
        values = _draw(rng, name, level)
        answers = STORIES[name][0](**values)[: told - 1]
        sentences = [*words[name][:told], words[name][5]]
        question = ("" if lang in _UNSPACED else " ").join(sentences).format(**values)
        if _usable(answers, question, lang):
            break
    prompt = f"{_shots(lang)}{words['question']}: {question}\n{words['answer']}:"
    return _item(seed, lang, level, k, f"story-{name}", prompt, int(answers[-1]), {"question": question})


def _draw(rng: np.random.Generator, name: str, level: int) -> dict[str, int]:
    answers, ranges = STORIES[name]
    values = {}
    for key in answers.__code__.co_varnames[: answers.__code__.co_argcount]:
        low, high, step = ranges.get(key) or _UNSCALED[key]
        scale = _SCALE[level] if key in ranges and name not in "df" else 1  # days have 24 h
        values[key] = scale * low + step * int(rng.integers(scale * (high - low) // step + 1))
    return values


def _usable(answers, question: str, lang: str) -> bool:
    """Whole positive answers; the last one neither in the question nor an answer of an example."""
    whole = all(x == int(x) and x > 0 for x in answers)
    return whole and Decimal(int(answers[-1])) not in {*numbers(question, lang), *SHOT_ANSWERS}


def _series_question(words: dict, lang: str, template: int, series: list[int]) -> str:
    colon, space = ("：", "") if lang in _UNSPACED else (" : " if lang == "fr" else ": ", " ")
    told = f"{words['patterns'][template]}{colon}{', '.join(map(str, series))}{_STOPS.get(lang, '.')}"
    return f"{told}{space}{words['next']}"


@cache
def _shots(lang: str) -> str:
    """Two examples, the same for every level: a continued series and a sum."""
    words = texts()[lang]
    series = _series_question(words, lang, 5, [6, 7, 8, 9])
    total = words["shot"].format(x=7, y=5)
    pairs = [(total, "7 + 5 = 12"), (series, "6, 7, 8, 9, 10")]
    return "".join(f"{words['question']}: {q}\n{words['answer']}: {a}\n\n" for q, a in pairs)


def _item(seed: int, lang: str, level: int, k: int, group: str, prompt: str, answer: int, data: dict) -> Item:
    return Item(
        id=f"word-problems-multilingual-{seed}-{lang}-{level}-{k}",
        prompt=prompt,
        answer=str(answer),
        level=level,
        lang=lang,
        group=group,
        data=data,
    )


def grade(item: Item, text: str) -> Grade:
    """The last number is the answer; after a begun series, the first that continues it."""
    found = numbers(text, item.lang)
    begun = list(map(Decimal, item.data.get("begun", ())))
    if begun and found[: len(begun)] == begun and len(found) > len(begun):
        found = found[len(begun) :]  # a model that does not continue the line repeats it
    if not found:
        return Grade(0.0, "unparsed")
    given = found[0] if begun else found[-1]
    right = given == Decimal(item.answer)
    return Grade(float(right), "correct" if right else "wrong", f"{given.normalize():f}")


def trivial_answers(item: Item) -> Mapping[str, str]:
    """Numbers copied from the question, and a blind step on from the last; a repeated series counts as its last."""
    found = numbers(item.data["question"], item.lang)
    steps = sorted({step for own, _ in _SERIES for step in own})
    return {f"{step} more than the last number in the question": f"{found[-1] + step:f}" for step in steps} | {
        "the last number in the question": f"{found[-1]:f}",
        "the first number in the question": f"{found[0]:f}",
        "the largest number in the question": f"{max(found):f}",
        "the question again": item.data["question"],
    }


SUITE = Suite(
    id="word-problems-multilingual",
    title="Word problems in fifteen languages",
    family="multilingual",
    imitates="MGSM",
    differs="generated, in five levels; level 1 continues a number series; four languages beside MGSM's",
    licence="Apache-2.0",
    version="4",
    method="generate",
    max_tokens=48,
    stop=("\n",),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
)
