"""What the templates of expert-exact share: problems, draws, words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.suites import beside

_drawing = beside(__file__, "_drawing")
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick


@dataclass(frozen=True)
class Problem:
    """A question, its short exact answer, and the field it belongs to."""

    question: str
    answer: str
    field: str


Template = Callable[[Rng], Problem]

# None is a palindrome, none the answer of an example.
WORDS = (
    "river stone bread cloud horse table green paper music sugar water plant tiger chair house light train ocean "
    "mouse apple night queen lemon field glass sheep smoke storm brick wheel"
).split()
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def some(rng: Rng, options: Sequence, n: int) -> list:
    """n different ones, in a drawn order."""
    return [options[int(i)] for i in rng.permutation(len(options))[:n]]
