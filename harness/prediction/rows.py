"""What `predict` reads and answers: operating points as columns of codes and numbers, each with its reasons.

Text is factorised once a column, numbers are checked as arrays; a mistake of one row is that row's `error`
and stops nothing. A required column that is missing altogether is the user's mistake.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.dates import year
from harness.errors import UserMistake
from harness.prediction import values
from harness.profiles import DTYPES

# The contract's input columns, in its order.
INPUTS = (
    "chip", "chips", "model", "weight_dtype", "tp", "isl", "osl", "concurrency", "act_dtype", "kv_dtype", "pp", "ep",
    "dp", "engine_family", "prefix_hit", "date", "requests", "scenario",
)  # fmt: skip
REQUIRED = ("chip", "model", "isl", "osl")
TEXTS = ("chip", "model", "weight_dtype", "act_dtype", "kv_dtype", "engine_family", "scenario")
SCENARIOS = ("closed-loop", "static-batch", "offline")
# An engine that is none of the known ones is no mistake: it takes the prior.
_CHOICES = {"weight_dtype": DTYPES, "act_dtype": DTYPES, "kv_dtype": DTYPES, "scenario": SCENARIOS}
_MOST = 1e9  # no deployment counts, and no context holds, as many


@dataclass(frozen=True)
class _Bounds:
    """What a number may be: low <= x <= high, whole or not."""

    low: float
    high: float
    whole: bool
    words: str

    def refuse(self, x: np.ndarray) -> np.ndarray:
        """Which numbers are out of bounds; NaN is blank, not wrong."""
        good = (x >= self.low) & (x <= self.high)
        if self.whole:
            good &= x == np.rint(x)
        return ~(good | np.isnan(x))


_COUNT = _Bounds(1, _MOST, True, "a whole number from 1 to 1e9")
_LENGTH = _Bounds(1, _MOST, False, "a number of tokens from 1 to 1e9")  # a mean length need not be whole
_BOUNDS = {
    **dict.fromkeys(("chips", "tp", "pp", "dp", "concurrency", "requests"), _COUNT),
    "ep": _Bounds(0, _MOST, True, "a whole number from 0 to 1e9"),
    "isl": _LENGTH,
    "osl": _LENGTH,
    "prefix_hit": _Bounds(0, 1, False, "a share from 0 to 1"),
}
NUMBERS = (*_BOUNDS, "date")


@dataclass(frozen=True)
class Text:
    """A column of words: `codes` int32 [n] into `values`, -1 where blank."""

    codes: np.ndarray
    values: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """n operating points. `text` has all of TEXTS, `number` all of NUMBERS (float64 [n], NaN = blank).

    `date` is a fractional year. `error` holds what was wrong in reading, -1 = nothing; a wrong value is blank too.
    """

    n: int
    text: dict[str, Text]
    number: dict[str, np.ndarray]
    error: Text


@dataclass(frozen=True)
class Answers:
    """What n rows give. `figures`: float64 [n] by name, each with `_p10` and `_p90`, NaN = blank.

    `fits`: int8, 1 true, 0 false, -1 blank. `error`: the final reasons, reading's included. `used`: what stood
    in for blank inputs, by input column; blank where the input was given and where the row is refused.
    """

    figures: dict[str, np.ndarray]
    bound_by: Text
    fits: np.ndarray
    error: Text
    used: dict[str, Text | np.ndarray]


class _Reasons:
    """The first reason of each row, as codes into distinct sentences."""

    def __init__(self, n: int) -> None:
        self.codes = np.full(n, -1, np.int32)
        self.known: dict[str, int] = {}

    def add(self, rows: np.ndarray, sentence: str) -> None:
        """One sentence for every row of a mask [n]."""
        if rows.any():
            self.codes[rows & (self.codes < 0)] = self.known.setdefault(sentence, len(self.known))

    def add_each(self, bad: np.ndarray, codes: np.ndarray | None, sentences: Sequence[str]) -> None:
        """A sentence for each bad value of a mask [m]; `codes` [n] says which value a row has (None: its own)."""
        which = np.full(len(bad), -1, np.int32)
        which[bad] = [self.known.setdefault(s, len(self.known)) for s in sentences]
        found = which if codes is None else values.spread(which, codes, -1)
        self.codes = np.where(self.codes < 0, found, self.codes)

    def text(self) -> Text:
        return Text(self.codes, tuple(self.known))


def read(frame: pd.DataFrame) -> Rows:
    """A table with the contract's columns -> Rows; other columns are left alone.

    Raises UserMistake where a required column is missing or a column is there twice.
    """
    check_columns(frame.columns)
    n, reasons = len(frame), _Reasons(len(frame))
    text, number = {}, {}
    for name in INPUTS:
        if name in TEXTS:
            text[name] = _text(name, frame[name], reasons) if name in frame else Text(np.full(n, -1, np.int32), ())
            blank = text[name].codes < 0
        else:
            number[name] = _number(name, frame[name], reasons) if name in frame else np.full(n, np.nan)
            blank = np.isnan(number[name]) if name in REQUIRED else None
        if name in REQUIRED:
            reasons.add(blank, f"{name} is blank")
    return Rows(n, text, number, reasons.text())


def check_columns(columns: Sequence) -> None:
    """Raises UserMistake: a required column that is missing, with the name that may have been meant, or a double."""
    names = [c for c in columns if isinstance(c, str)]
    if twice := [n for n in INPUTS if names.count(n) > 1]:
        raise UserMistake(f"column '{twice[0]}' is there twice")
    for name in REQUIRED:
        if name not in names:
            free = [n for n in names if n not in INPUTS]
            near = difflib.get_close_matches(name, [n.strip().lower() for n in free], n=1, cutoff=0.6)
            meant = [n for n in free if near and n.strip().lower() == near[0]]
            hint = f"; did you mean it by '{meant[0]}'?" if meant else f" (required: {', '.join(REQUIRED)})"
            raise UserMistake(f"column '{name}' is missing{hint}")


def _text(name: str, series: pd.Series, reasons: _Reasons) -> Text:
    codes, texts = values.distinct(series)
    if name in _CHOICES:
        bad = np.array([t not in _CHOICES[name] for t in texts], bool)
        if bad.any():
            wrong = [t for t, b in zip(texts, bad, strict=True) if b]
            reasons.add_each(bad, codes, [_unknown(name, t) for t in wrong])
    return Text(codes, tuple(texts))


def _unknown(name: str, text: str) -> str:
    known = _CHOICES[name]
    near = difflib.get_close_matches(text.lower(), known, n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(known)}"
    return f"{name}: found '{text}', {hint}"


def _number(name: str, series: pd.Series, reasons: _Reasons) -> np.ndarray:
    if name == "date":
        codes, texts = values.distinct(series)
        found = np.array([year(t) for t in texts], np.float64)
        bad, words = np.isnan(found), "YYYY, YYYY-MM or YYYY-MM-DD"
    else:
        found, codes, texts = values.numbers(series)
        bad, words = _BOUNDS[name].refuse(found), _BOUNDS[name].words
        if texts is not None:  # blanks are no texts, so what has no value here is no number
            bad |= np.isnan(found)
    if bad.any():
        shown = [_shown(found[i], texts and texts[i]) for i in np.flatnonzero(bad)]
        reasons.add_each(bad, codes, [f"{name}: found {s}, expected {words}" for s in shown])
        found = np.where(bad, np.nan, found)
    return found if codes is None else values.spread(found, codes, np.nan)


def _shown(number: float, text: str | None) -> str:
    """A number plainly, whether it came as one or in words; other words in quotes."""
    return f"'{text}'" if np.isnan(number) else f"{number:.6g}"
