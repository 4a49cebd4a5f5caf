"""How lm-evaluation-harness finds a number in an answer and compares it (its tasks gsm8k and mgsm)."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping

from harness.options import likeliest, option_meant
from harness.suites import Grade, Item

_FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")


def flexible(text: str) -> str:
    """The last number of a text; "" where there is none.

    >>> flexible("3 + 4 is $7.")
    '$7.'
    """
    found = _FLEXIBLE.findall(text)
    return next((part for part in found[-1] if part), "") if found else ""


def strict(text: str) -> str:
    """The first number after "#### "; "" where there is none."""
    found = _STRICT.search(text)
    return found[1] if found else ""


def plain(number: str) -> str:
    """A number as gsm8k compares it: no commas, dollars, working before "####" or last full stop.

    >>> plain("$1,234.")
    '1234'
    """
    for pattern in (",", r"\$", r"(?s).*#### ", r"\.$"):
        number = re.sub(pattern, "", number)
    return number


def bare(number: str) -> str:
    """A number as mgsm compares it: without any ASCII punctuation, a minus and a decimal point included.

    >>> bare("1.234"), bare("-5")
    ('1234', '5')
    """
    return number.translate(str.maketrans("", "", string.punctuation))


def last_number_is(same_as: Callable[[str], str]) -> Callable[[Item, str], Grade]:
    """A scorer: 1.0 where the last number of the text, as `same_as` writes it, is the answer's."""

    def grade(item: Item, text: str) -> Grade:
        found = flexible(text)
        if not found:
            return Grade(0.0, "unparsed")
        right = same_as(found) == same_as(item.data["number"])
        return Grade(float(right), "correct" if right else "wrong", found)

    return grade


def strict_match(item: Item, text: str, nats: Mapping[str, float]) -> float:
    """1.0 where the number after "####" is the answer's."""
    return float(plain(strict(text) or "[invalid]") == plain(item.data["number"]))


def last_number(item: Item) -> Mapping[str, str]:
    """The strategy that cannot read: the last number of the question."""
    return {"the last number in the question": flexible(item.data["question"])}


def option_of(item: Item, text: str) -> Grade:
    """1.0 for the right option's text or letter."""
    chosen = option_meant(item, text)
    if chosen is None:
        return Grade(0.0, "unparsed")
    return Grade(float(chosen == item.answer), "correct" if chosen == item.answer else "wrong", chosen)


def acc(item: Item, text: str, nats: Mapping[str, float]) -> float | None:
    """1.0 where the option with the highest log-likelihood, its length left alone, is the right one."""
    chosen = likeliest(item, nats, "none")
    return None if chosen is None else float(chosen == item.answer)


def by_place(item: Item) -> Mapping[str, str]:
    """Strategies that look at an option's place or length alone."""
    places = {f"always option {k}": option for k, option in enumerate(item.choices, 1)}
    return {"the longest option": max(item.choices, key=len), **places}
