"""How far a profile can be trusted: its grade, and which of its prices are old.

The grade is the share of its claims (numbers and facts) that were read on a page, with the weakest kind among its
numbers: A from 90 %, B from 75 %, C from 50 %, else D; one letter lower where a number is merely assumed.
A profile without a number or a fact has no grade.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from harness.profile_types import Profile
from harness.quantity import Cited

STALE_DAYS = 180
_LETTERS = ((0.90, "A"), (0.75, "B"), (0.50, "C"), (0.0, "D"))
_MONEY = ("usd", "cny")


@dataclass(frozen=True)
class Grade:
    """`opened` of `total` claims have a page; `weakest` is the weakest kind among the numbers."""

    opened: int
    total: int
    weakest: str

    @property
    def letter(self) -> str:
        share = self.opened / self.total
        letters = [letter for _, letter in _LETTERS]
        rank = next(i for i, (least, _) in enumerate(_LETTERS) if share >= least)
        return letters[min(rank + (self.weakest == "assumed"), len(letters) - 1)]

    def __str__(self) -> str:
        if not self.total:
            return "no claims"
        return f"{self.letter} ({self.opened} of {self.total} claims read on a page, weakest {self.weakest})"


def grade(profile: Profile) -> Grade:
    """The grade of a profile. A page is a source with an address."""
    claims = [*profile.all_values, *profile.facts.values()]
    pages = {name for name, source in profile.sources.items() if source.url}
    return Grade(sum(c.source in pages for c in claims), len(claims), profile.weakest_kind)


def age_days(date: str, today: dt.date) -> int:
    """Days since a date as profiles write it; a year or a month counts from its first day."""
    parts = [int(part) for part in date.split("-")]
    return (today - dt.date(*[*parts, 1, 1][:3])).days


def stale(cited: Cited, today: dt.date | None = None) -> int:
    """The age in days of a dated sum of money or exchange rate past STALE_DAYS; 0 where it is young or undated."""
    if not cited.date or not cited.dimension.startswith(_MONEY):
        return 0
    age = age_days(cited.date, today or dt.datetime.now(dt.UTC).date())
    return age if age > STALE_DAYS else 0
