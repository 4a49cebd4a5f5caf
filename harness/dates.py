"""Dates in words as fractional years, and back: a date of a table, of a stack and of a measurement are one."""

from __future__ import annotations

import calendar
import datetime
import math
import re

_DATE = re.compile(r"(\d{4})(?:\.0|-(\d\d)(?:-(\d\d)(?:[T ].*)?)?)?\Z", re.A)


def year(text: str) -> float:
    """A date as a fractional year, the middle of what is given; NaN where it is none.

    "2026" -> 2026.5; "2026-03" -> the middle of March; a full date, with or without a time -> its noon;
    "2025-10..2026-08" -> the middle of the span.
    """
    first, dots, last = text.partition("..")
    if dots:
        return (year(first) + year(last)) / 2
    parts = _DATE.match(text)
    if not parts:
        return math.nan
    try:
        begin = datetime.date(int(parts[1]), int(parts[2] or 1), int(parts[3] or 1))
    except ValueError:
        return math.nan
    in_year = 365 + calendar.isleap(begin.year)
    days = 1 if parts[3] else calendar.monthrange(begin.year, begin.month)[1] if parts[2] else in_year
    return begin.year + (begin.timetuple().tm_yday - 1 + days / 2) / in_year


def day(year: float) -> str:
    """A fractional year -> YYYY-MM-DD, the day it falls on."""
    begin = datetime.date(int(year), 1, 1)
    in_year = 365 + calendar.isleap(begin.year)
    return str(begin + datetime.timedelta(days=int((year - begin.year) * in_year + 1e-6)))
