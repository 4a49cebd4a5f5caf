"""A column of a user's table as distinct texts, and texts as numbers.

Work is done once for each distinct value, never for each row: a million rows name few chips.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# How tables spell an absent value, compared in lower case.
BLANKS = frozenset({"", "nan", "na", "n/a", "<na>", "nat", "null", "none"})
LONGEST_TEXT = 80  # no id is longer; what is longer is cut, so that a reason stays one short line


def distinct(series: pd.Series) -> tuple[np.ndarray, list[str]]:
    """A column of any dtype -> (codes int32 [n], -1 where blank; its distinct texts, tidied to one line each)."""
    codes, found = _factorized(series)
    texts = [_tidied(str(value)) for value in found]
    known: dict[str, int] = {}
    merged = [-1 if text.lower() in BLANKS else known.setdefault(text, len(known)) for text in texts]
    if merged != list(range(len(texts))):  # blanks in words, or texts that differ in white space alone
        codes = spread(np.array(merged, np.int32), codes, -1)
    return codes.astype(np.int32, copy=False), list(known)


def numbers(series: pd.Series) -> tuple[np.ndarray, np.ndarray | None, Sequence[str] | None]:
    """A column of any dtype -> (float64 values, codes into them or None where they are the rows, texts or None).

    A value is NaN where it is blank, and where its text is no number.
    """
    if pd.api.types.is_any_real_numeric_dtype(series.dtype):
        if isinstance(series.dtype, np.dtype):
            return series.to_numpy(np.float64), None, None
        return series.to_numpy(np.float64, na_value=np.nan), None, None
    codes, found = _factorized(series)
    quick = _cast(found)
    if quick is not None and not np.isnan(quick).any():
        return quick, codes, None
    codes, texts = distinct(series)
    return np.array([_number(text) for text in texts], np.float64), codes, texts


def spread(values: np.ndarray, codes: np.ndarray, blank: float) -> np.ndarray:
    """Values of the distinct texts [m] -> values of the rows [n]; code -1 gives `blank`."""
    return np.append(values, np.array(blank, values.dtype))[codes]


def _factorized(series: pd.Series) -> tuple[np.ndarray, Sequence]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy(), series.cat.categories
    try:
        return pd.factorize(series)
    except TypeError:  # lists and the like, which have no hash: their words say what was found
        return pd.factorize(series.astype(str))


def _cast(found: Sequence) -> np.ndarray | None:
    """All texts as numbers at once, or None where one of them is no plain number."""
    try:
        texts = pa.array(found, pa.string(), from_pandas=True)
        return pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return None


def _number(text: str) -> float:
    try:
        return np.nan if "_" in text else float(text)  # Python's own 1_000 is no table's number
    except ValueError:
        return np.nan


def _tidied(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 3] + "..."
