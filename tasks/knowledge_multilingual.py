"""knowledge-multilingual: the same four-option questions in sixteen languages, from the next month to far-off weekdays.

Imitates MMMLU and INCLUDE: knowledge asked in many languages, parallel items, four options, accuracy by language.
Differs: generated, so a seed gives fresh questions; facts that everybody can check (months, weekdays, capitals,
official languages, time zones), from level 3 on joined in two or three steps; no school subjects and nothing that one
culture alone knows. Names stand as dictionaries have them, so that no language has to bend one; figures are 0 to 9
everywhere. Chinese, Japanese and Korean number their months, which makes questions about months easier there. Options
are compared by the log-likelihood of their text after the word for "Answer:".
Languages: ar bn de en es fr hi it ja ko pl pt ru te th zh. Licence: Apache-2.0; every phrase was written for this
project, names are those of CLDR (Unicode License v3) but for some forty that running text has otherwise.

    >>> items = SUITE.make(0)
    >>> len(items), len({item.lang for item in items}), sorted({item.level for item in items})
    (480, 16, [1, 2, 3, 4, 5])
    >>> item = next(i for i in items if i.lang == "de")
    >>> SUITE.grade(item, item.answer).value, SUITE.grade(item, "").outcome
    (1.0, 'unparsed')
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from harness.options import option_meant, plain
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside

_facts, _drawing = beside(__file__, "_knowledge_facts"), beside(__file__, "_drawing")
OFFSETS, LANGUAGE_OF, DAYS_OF_MONTHS = _facts.OFFSETS, _facts.LANGUAGE_OF, _facts.DAYS_OF_MONTHS
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick

DAY = 24 * 60  # minutes


@dataclass(frozen=True)
class Asked:
    """A question before it is put in a language: its phrase, what fills it, and four options, the right one first.

    Whatever has a name in a language is a pair (table, key): ("months", 3), ("countries", "fr"). A list is enumerated.
    """

    phrase: str
    fills: Mapping[str, Any]
    options: tuple[Any, ...]


@cache
def texts() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("_knowledge_texts.toml").read_text("utf-8"))


def _places(rng: Rng, table: str, size: int, right: int, shown: Collection[int] = ()) -> tuple[tuple[str, int], ...]:
    """The right place of a cycle and three others, drawn at random: of neighbours alone the middle would be right.

    What a question shows is no option: it is never right, and to know that would be half an answer.
    """
    others = [k for k in range(size) if k != right and k not in shown]
    return tuple((table, k) for k in (right, *rng.permutation(others)[:3].tolist()))


def _cycle(table: str, size: int, phrase: str, low: int, high: int, way: int) -> Callable[[Rng], Asked]:
    """So many steps on (way 1) or back (way -1) from a month or a day."""

    def draw(rng: Rng) -> Asked:
        start, n = int(rng.integers(size)), between(rng, low, high)
        while n % size == 0:
            n = between(rng, low, high)
        right = (start + way * n) % size
        return Asked(phrase, {"x": (table, start), "n": n}, _places(rng, table, size, right, [start]))

    return draw


def _row(table: str, size: int, phrase: str) -> Callable[[Rng], Asked]:
    """Three months or days in a row, and the next."""

    def draw(rng: Rng) -> Asked:
        first = int(rng.integers(size))
        *shown, right = ((first + k) % size for k in range(4))
        return Asked(phrase, {"x": [(table, k) for k in shown]}, _places(rng, table, size, right, shown))

    return draw


def _months(phrase: str, low: int, high: int, way: int) -> Callable[[Rng], Asked]:
    return _cycle("months", 12, phrase, low, high, way)


def _days(phrase: str, low: int, high: int, way: int) -> Callable[[Rng], Asked]:
    return _cycle("days", 7, phrase, low, high, way)


def _series(step: int) -> Callable[[Rng], Asked]:
    """A series of numbers. No option is one that it shows; how many lie below the right one is left to chance.

    One below it stands between the last number shown and the next, for which every step leaves room: of numbers that
    are all further off, the nearest would be right.
    """

    def draw(rng: Rng) -> Asked:
        first, below = step * between(rng, 7, 60), between(rng, 0, 3)
        slips = [(-5 - int(k)) * step for k in rng.permutation(5)[:below]]
        slips += [(1 + int(k)) * step for k in rng.permutation(5)[below:3]]
        if below:
            slips[0] = -between(rng, 1, step - 1)
        shown = [str(first + k * step) for k in range(4)]
        return Asked("series", {"x": shown}, tuple(str(first + 4 * step + slip) for slip in (0, *slips)))

    return draw


def _countries(rng: Rng, n: int, known: Collection[str]) -> list[str]:
    """n of the countries of which something is known."""
    return [sorted(known)[int(k)] for k in rng.permutation(len(known))[:n]]


def _capital(rng: Rng) -> Asked:
    found = _countries(rng, 4, _facts.WELL_KNOWN)
    return Asked("capital", {"x": ("countries", found[0])}, tuple(("capitals", c) for c in found))


def _country(rng: Rng) -> Asked:
    found = _countries(rng, 4, _facts.WELL_KNOWN)
    return Asked("country", {"x": ("capitals", found[0])}, tuple(("countries", c) for c in found))


def _language(phrase: str, table: str, known: Collection[str]) -> Callable[[Rng], Asked]:
    def draw(rng: Rng) -> Asked:
        found = _countries(rng, len(known), known)
        spoken = list(dict.fromkeys(LANGUAGE_OF[c] for c in found))[:4]
        return Asked(phrase, {"x": (table, found[0])}, tuple(("languages", code) for code in spoken))

    return draw


def _nth_day(rng: Rng) -> Asked:
    first, n = int(rng.integers(7)), between(rng, 10, 28)
    return Asked("nth_day", {"x": ("days", first), "n": n}, _places(rng, "days", 7, (first + n - 1) % 7))


def _day_of_year(rng: Rng) -> Asked:
    n = between(rng, 40, 350)
    right = next(k for k in range(12) if n <= sum(DAYS_OF_MONTHS[: k + 1]))
    return Asked("day_of_year", {"n": n}, _places(rng, "months", 12, right))


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _times(rng: Rng, right: int, offset: int) -> tuple[str, ...]:
    """A local time and three slips: the difference the other way, none at all, or half an hour to two hours off.

    How many of them are too early is left to chance, or the middle ones would be right more often.
    """
    slips = [-2 * offset, -offset, *(way * minutes for minutes in (30, 60, 120) for way in (1, -1))]
    differing = list({slip % DAY: slip for slip in slips if slip % DAY}.values())
    slips = [differing[int(k)] for k in rng.permutation(len(differing))]
    late = between(rng, 0, 3)
    chosen = [s for s in slips if s > 0][:late] + [s for s in slips if s < 0][: 3 - late]
    return tuple(_clock(right + slip) for slip in (0, *chosen))


def _local(phrase: str, table: str, flown: bool) -> Callable[[Rng], Asked]:
    """The time in one capital from that in another, after a flight or at once."""

    def draw(rng: Rng) -> Asked:
        while True:
            here, there = _countries(rng, 2, OFFSETS)
            if offset := OFFSETS[there] - OFFSETS[here]:
                break
        hours, minutes = (between(rng, 5, 14), between(rng, 10, 55, 5)) if flown else (0, 0)
        leaves = 60 * between(rng, 0, 23) + 5 * between(rng, 0, 11)
        fills = {"x": ("capitals", here), "y": (table, there), "t": _clock(leaves), "n": hours, "m": minutes}
        return Asked(phrase, fills, _times(rng, leaves + offset + 60 * hours + minutes, offset))

    return draw


def _far_day(rng: Rng) -> date:
    """A day of a time that no calendar on a wall shows, in the Gregorian calendar everywhere."""
    return date(2030, 1, 1) + timedelta(days=int(rng.integers(135_000)))


def _weekday_of(rng: Rng) -> Asked:
    day = _far_day(rng)
    return Asked("weekday_of", {"x": day.isoformat()}, _places(rng, "days", 7, day.weekday()))


def _year_day(rng: Rng) -> Asked:
    year, n = _far_day(rng).year, between(rng, 40, 350)
    right = (date(year, 1, 1) + timedelta(days=n - 1)).weekday()
    return Asked("year_day", {"y": year, "n": n}, _places(rng, "days", 7, right))


def _month_after(rng: Rng) -> Asked:
    day, n = _far_day(rng), between(rng, 200, 999)
    right = (day + timedelta(days=n)).month - 1
    return Asked("month_after", {"x": day.isoformat(), "n": n}, _places(rng, "months", 12, right))


KINDS: dict[int, dict[str, Callable[[Rng], Asked]]] = {
    1: {"next-month": _row("months", 12, "month_next"), "next-day": _row("days", 7, "day_next"), "by-2": _series(2),
        "by-3": _series(3), "by-5": _series(5), "by-10": _series(10)},
    2: {"capital": _capital, "country": _country, "previous-month": _months("month_prev", 1, 1, -1),
        "previous-day": _days("day_prev", 1, 1, -1), "months-later": _months("months_later", 2, 3, 1),
        "days-later": _days("days_later", 2, 3, 1)},
    3: {"language": _language("language", "countries", _facts.UNLIKE_ITS_LANGUAGE),
        "language-of-city": _language("language_city", "capitals", LANGUAGE_OF),
        "months-later": _months("months_later", 4, 9, 1), "months-before": _months("months_before", 3, 8, -1),
        "days-later": _days("days_later", 8, 13, 1), "days-before": _days("days_before", 3, 6, -1)},
    4: {"nth-day": _nth_day, "day-of-year": _day_of_year, "clock": _local("clock", "capitals", False),
        "clock-of-country": _local("clock_country", "countries", False),
        "months-before": _months("months_before", 13, 40, -1), "days-later": _days("days_later", 15, 99, 1)},
    5: {"flight": _local("flight", "capitals", True), "weekday-of-date": _weekday_of, "day-of-far-year": _year_day,
        "month-after-days": _month_after, "days-later": _days("days_later", 10_000, 99_999, 1),
        "days-before": _days("days_before", 10_000, 99_999, -1)},
}  # fmt: skip


def make(seed: int) -> list[Item]:
    """480 items: six kinds a level, each drawn once and asked in every language."""
    drawn = []
    for level in LEVELS:
        rng = stream(seed, f"knowledge/{level}")
        drawn += [(level, kind, draw(rng)) for kind, draw in KINDS[level].items()]
    # The right option moves on by one place from question to question and from language to language.
    return [
        _item(seed, level, kind, asked, (number + turn) % 4, lang)
        for turn, lang in enumerate(texts())
        for number, (level, kind, asked) in enumerate(drawn)
    ]


def _item(seed: int, level: int, kind: str, asked: Asked, place: int, lang: str) -> Item:
    words = texts()[lang]
    question = words[asked.phrase].format(**{key: _named(words, value) for key, value in asked.fills.items()})
    right, *choices = (_named(words, option) for option in asked.options)
    choices.insert(place, right)
    return Item(
        id=f"knowledge-multilingual-{seed}-{lang}-{level}-{kind}",
        prompt=_shots(lang) + _line(words, question),
        answer=right,
        level=level,
        lang=lang,
        choices=tuple(choices),
        group=f"{level}/{kind}",  # translations of one question share its difficulty
        data={"question": question, "kind": kind},
    )


def _named(words: Mapping[str, Any], value: Any) -> str:
    """A pair (table, key) by its name in the language, a list enumerated, anything else as it is."""
    if isinstance(value, list):
        return words["comma"].join(_named(words, one) for one in value)
    return words[value[0]][value[1]] if isinstance(value, tuple) else str(value)


def _line(words: Mapping[str, Any], question: str) -> str:
    return f"{words['question']}: {question}\n{words['answer']}:"


@cache
def _shots(lang: str) -> str:
    """Three examples in the language, of nothing that an item asks for."""
    words = texts()[lang]
    shots = ((words["country"].format(x=words["capitals"]["ke"]), words["countries"]["ke"]),
             (words["series"].format(x=_named(words, [6, 7, 8, 9])), "10"),
             (words["capital"].format(x=words["countries"]["ie"]), words["capitals"]["ie"]))  # fmt: skip
    return "".join(f"{_line(words, question)} {answer}\n\n" for question, answer in shots)


def grade(item: Item, text: str) -> Grade:
    """1.0 for the right option's text or its letter, or another word for it: "11月" is "十一月"."""
    chosen = option_meant(item, text) or option_meant(item, _also(item.lang).get(plain(text).strip(" .。।"), ""))
    if chosen is None:
        return Grade(0.0, "unparsed")
    return Grade(float(chosen == item.answer), "correct" if chosen == item.answer else "wrong", chosen)


@cache
def _also(lang: str) -> Mapping[str, str]:
    """Other words for the names of a language's tables."""
    return {plain(word): name for word, name in texts()[lang].get("also", {}).items()}


def trivial_answers(item: Item) -> Mapping[str, str]:
    """What a strategy that cannot read would choose."""
    question = item.data["question"]
    answers = {f"always option {k}": option for k, option in enumerate(item.choices, 1)} | {
        "the longest option": max(item.choices, key=len), "the shortest option": min(item.choices, key=len),
        "the option nearest to the question": max(item.choices, key=lambda c: sum(c.count(x) for x in set(question))),
        "an option that the question has": next((c for c in item.choices if c in question), item.choices[0]),
    }  # fmt: skip
    if all(choice.replace(":", "").isdecimal() for choice in item.choices):
        ranked = sorted(item.choices, key=lambda c: int(c.replace(":", "")))
        answers |= {f"figure {k} by size": option for k, option in enumerate(ranked, 1)}
    last = re.findall(r"\d+", question)[-1:] if all(choice.isdecimal() for choice in item.choices) else []
    nearest = min(item.choices, key=lambda c: abs(int(c) - int(last[0]))) if last else item.choices[0]
    return answers | {"the number nearest to the last one, or option 1": nearest}


SUITE = Suite(
    id="knowledge-multilingual",
    title="Parallel knowledge questions in sixteen languages",
    family="multilingual",
    imitates="MMMLU, INCLUDE",
    differs="generated, parallel items of checkable facts in five levels; no school subjects, no regional knowledge",
    licence="Apache-2.0",
    version="3",
    method="choose",
    max_tokens=64,  # of an answer that is written: a Thai name takes a token a byte
    stop=("\n",),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
    sample=80,
)
