"""Answers as columns: the contract's names, order and types, the same for a frame and for a file of any length."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from harness.dates import day
from harness.errors import UserMistake
from harness.prediction.rows import INPUTS, REQUIRED, TEXTS, Answers, Text

# Milliseconds; tokens/s; W (board); J; USD per million tokens. Each has `_p10` and `_p90` beside it.
FIGURES = (
    "ttft_ms", "tpot_ms", "ttft_p50_ms", "tpot_p50_ms", "tok_s_per_user", "output_tok_s_per_chip",
    "total_tok_s_per_chip", "power_w_per_chip", "energy_j_per_output_tok", "usd_per_m_output_tok",
)  # fmt: skip
FIGURE_COLUMNS = tuple(f"{figure}{part}" for figure in FIGURES for part in ("", "_p10", "_p90"))
# A required input is never blank, so nothing ever stands in for it.
MAY_BE_BLANK = tuple(name for name in INPUTS if name not in REQUIRED)
# Besides, the model whose architecture was modelled in the place of one that publishes none.
STANDS_IN = (*MAY_BE_BLANK, "model")


def _type(name: str) -> pa.DataType:
    if name in TEXTS or name == "date":
        return pa.string()
    return pa.float64() if name == "prefix_hit" else pa.int64()


OTHERS = pa.schema(
    [
        ("bound_by", pa.string()),
        ("fits", pa.bool_()),
        ("error", pa.string()),
        *((f"{name}_used", _type(name)) for name in STANDS_IN),
    ]
)
SCHEMA = pa.schema([*((name, pa.float64()) for name in FIGURE_COLUMNS), *OTHERS])


def check_free(columns: Iterable) -> None:
    """Raises UserMistake where a table already has a column that is to be written: nothing of the user's is lost."""
    if taken := [c for c in columns if c in SCHEMA.names]:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise UserMistake(
            f"column '{taken[0]}'{more} would be written over: predict writes it; rename or drop it first"
        )


def as_table(answers: Answers) -> pa.Table:
    """Answers -> the columns of SCHEMA; a blank is null, never zero."""
    figures = [pa.array(answers.figures[name], from_pandas=True) for name in FIGURE_COLUMNS]
    return pa.Table.from_arrays([*figures, *other_columns(answers).columns], schema=SCHEMA)


def other_columns(answers: Answers) -> pa.Table:
    """Answers -> the columns of OTHERS: what is said of a row beside its figures."""
    used = [_used(name, answers.used.get(name), len(answers.fits)) for name in STANDS_IN]
    said = [_words(answers.bound_by), _fits(answers.fits), _words(answers.error)]
    return pa.Table.from_arrays([*said, *used], schema=OTHERS)


def _words(text: Text) -> pa.Array:
    return pa.array(text.values, pa.string()).take(pa.array(text.codes, mask=text.codes < 0))


def _fits(fits: np.ndarray) -> pa.Array:
    return pa.array(fits == 1, mask=fits < 0)


def _used(name: str, stood_in: Text | np.ndarray | None, n: int) -> pa.Array:
    if stood_in is None:
        return pa.nulls(n, _type(name))
    if isinstance(stood_in, Text):
        return _words(stood_in)
    if name == "date":
        return _words(_days(stood_in))
    if _type(name) == pa.float64():
        return pa.array(stood_in, from_pandas=True)
    blank = np.isnan(stood_in)
    return pa.array(np.where(blank, 0, stood_in).astype(np.int64), mask=blank)


def _days(years: np.ndarray) -> Text:
    """Fractional years as days in words, in the form that `date` is read in."""
    known, codes = np.unique(years[~np.isnan(years)], return_inverse=True)
    rows = np.full(len(years), -1, np.int32)
    rows[~np.isnan(years)] = codes
    return Text(rows, tuple(day(year) for year in known))
