"""What the three subjects of science-choice share: drafts of questions, and how numbers are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import floor, inf, log10

from harness.suites import beside

_drawing = beside(__file__, "_drawing")
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick


@dataclass(frozen=True)
class Draft:
    """A question, its right option, and three wrong ones."""

    question: str
    right: str
    wrong: tuple[str, str, str]


Template = Callable[[Rng], Draft]


def shown(x: float, unit: str = "", full: bool = False) -> str:
    """Three significant digits, without an exponent between 0.001 and 100,000; `full` rounds none off before the
    decimal point there."""
    if x == 0:
        text = "0"
    else:
        exponent = floor(log10(abs(float(f"{x:.2e}"))))
        if -3 <= exponent < 5:
            place = max(0, 2 - exponent) if full else 2 - exponent
            rounded = Decimal(repr(float(x))).quantize(Decimal(1).scaleb(-place), ROUND_HALF_UP)
            text = f"{rounded:.{max(0, 2 - exponent)}f}"
            text = text.rstrip("0").rstrip(".") if "." in text else text
        else:
            mantissa = f"{x / 10**exponent:.2f}".rstrip("0").rstrip(".")
            text = f"{mantissa} × 10^{exponent}"
    return f"{text} {unit}".strip()


def numeric(
    rng: Rng,
    question: str,
    right: float,
    slips: Sequence[float],
    unit: str = "",
    whole: bool = False,
    most: float = inf,
    step: int = 1,
) -> Draft:
    """Options from the values that common slips give: one slip, another, and both at once.

    Both at once, so that the four are a parallelogram: any option is to the others as the right one is to the wrong
    ones. Were all three made from the right value, that one would be known by being half or twice each of the rest.
    How many of the wrong values lie below the right one is drawn first, or "the second smallest" would be a good
    guess. Plain factors, or steps where the value is whole, stand in where the slips do not give that. A whole right
    value is shown in full, and the others then to the unit at least. No option is more than `most`, or it would be
    known as wrong, question unread: no probability is above 1. Whole values are `step` apart: legs come in pairs.
    """
    full = right == int(right) and shown(right) != shown(right, full=True)
    found = _wrong(rng, right, list(slips), whole, most, step)
    first, *rest = (shown(v, unit, full) for v in (right, *found))
    return Draft(question, first, tuple(rest))


def _wrong(
    rng: Rng, right: float, slips: list[float], whole: bool, most: float, step: int
) -> tuple[float, float, float]:
    """Three wrong values with the drawn number of them below the right one, or the nearest number that there is."""
    fillers = [right + step * s for s in (-1, 1, 2, -2, 3, 4, -3, 5, 6)] if whole else [
        right * f for f in (0.5, 2.0, 1.5, 0.75, 0.25, 3.0, 1.25, 4.0, 0.6, 5.0)
    ]  # fmt: skip
    rng.shuffle(slips)
    rng.shuffle(fillers)
    below = int(rng.integers(4))
    values = [*slips, *fillers]
    best, best_miss = None, 10**6
    # Pairs of two slips come first, then those of a slip and a filler, then those of two fillers.
    for j in range(1, len(values)):
        for i in range(j):
            three = _corners(right, values[i], values[j], whole)
            if not all(_fits(v, right, whole) and v <= most for v in three):
                continue
            four = (right, *three)
            if not all(_apart(a, b, whole) for k, a in enumerate(four) for b in four[:k]):
                continue
            miss = abs(sum(v < right for v in three) - below)
            if miss < best_miss:
                best, best_miss = three, miss
            if not miss:
                return three
    if best is None:
        raise ValueError(f"no three wrong values apart from {right} and each other")
    return best


def _corners(right: float, one: float, other: float, whole: bool) -> tuple[float, float, float]:
    """Two wrong values and what both slips at once give: added where values are whole or signs differ."""
    if whole or not (right * one > 0 and right * other > 0):
        return one, other, one + other - right
    return one, other, one * other / right


def _fits(value: float, right: float, whole: bool) -> bool:
    """Whether a value can stand beside the right one: whole and not negative, or not of another size altogether."""
    if whole:
        return value == int(value) and value >= 0
    return value == 0 or right == 0 or 1 / _WIDEST < abs(value / right) < _WIDEST


_WIDEST = 2000  # times larger or smaller than the right value; beyond that nobody would choose it


def _apart(a: float, b: float, whole: bool) -> bool:
    return shown(a) != shown(b) and (whole or abs(a - b) > 0.04 * max(abs(a), abs(b)))


def recall(name: str, question: str, table: dict[str, str]) -> Template:
    """A template that asks for one entry of a table; the wrong options are its other entries."""

    def draft(rng: Rng) -> Draft:
        key = pick(rng, list(table))
        others = sorted(set(table.values()) - {table[key]})
        rng.shuffle(others)
        return Draft(question.format(key), table[key], tuple(others[:3]))

    draft.__name__ = name
    return draft


def words(question: str, right: str, others: Sequence[str], rng: Rng) -> Draft:
    """A worded answer and three of the others, in a drawn order."""
    wrong = [o for o in dict.fromkeys(others) if o != right]
    rng.shuffle(wrong)
    return Draft(question, right, tuple(wrong[:3]))
