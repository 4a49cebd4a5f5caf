"""What the three subjects of science-choice share: drafts of questions, and how numbers are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import floor, log10

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
    rng: Rng, question: str, right: float, slips: Sequence[float], unit: str = "", whole: bool = False
) -> Draft:
    """Options from the values that common slips give; too near or repeated ones are replaced.

    How many of the wrong values lie below the right one is drawn first, and slips are taken from each side until
    it is full: slips tend to one side, and would make "the second smallest" a good guess. A whole right value is
    shown in full, and the others then to the unit at least.
    """
    factors = [0.5, 2.0, 1.5, 0.75, 0.25, 3.0, 1.25, 4.0, 0.6, 5.0]
    rng.shuffle(factors)
    if whole:
        steps = [s for s in (-1, 1, 2, -2, 3, 4, 5, 6) if right + s >= 0]
        rng.shuffle(steps)
        fillers = [right + s for s in steps]
    else:
        fillers = [right * f for f in factors]
    slips = list(slips)
    rng.shuffle(slips)
    below = int(rng.integers(4))
    room = {True: below, False: 3 - below}  # is the value below the right one? -> places left on that side
    values, spare = [right], []
    for value in [*slips, *fillers]:
        if whole and (value != int(value) or value < 0):
            continue
        if not all(_apart(value, kept, whole) for kept in values):
            continue
        if room[value < right] > 0:
            room[value < right] -= 1
            values.append(value)
        else:
            spare.append(value)
    for value in spare:  # a small whole number has too little below it
        if len(values) < 4 and all(_apart(value, kept, whole) for kept in values):
            values.append(value)
    full = right == int(right) and shown(right) != shown(right, full=True)
    first, *rest = (shown(v, unit, full) for v in values)
    return Draft(question, first, tuple(rest))


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
