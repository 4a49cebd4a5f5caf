"""`predict`: operating points in a table, their modelled figures beside them.

values, rows    a table's columns -> codes and numbers, with the reason of each row that is wrong
answer          rows -> figures with their intervals
table           answers -> the contract's columns
files           CSV and Parquet of any length, a batch at a time
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.prediction.rows import check_columns, read
from harness.prediction.table import FIGURE_COLUMNS, OTHERS, check_free, other_columns

if TYPE_CHECKING:
    from harness.prediction.rows import Answers

# Rows of one model, format and layout are timed together: more rows at once are more of each. A file is read in
# batches that bound the memory (400 MB of answers), a frame is in memory anyway.
BATCH_ROWS, FRAME_ROWS = 524_288, 1_048_576
_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def predict(frame: pd.DataFrame, constants: Any = None) -> pd.DataFrame:
    """Operating points [n rows] -> the same rows, columns and index, then the figures of each.

    Needs the columns chip, model, isl, osl; takes chips, weight_dtype, act_dtype, kv_dtype, tp, pp, ep, dp,
    concurrency, engine_family, prefix_hit, date, requests and scenario, where a blank stands for the default that
    `<column>_used` then shows. Figures are in ms, tokens/s, W, J and USD per million tokens, each with `_p10` and
    `_p90`: the model's uncertainty of the figure. A row that cannot be predicted has `error` filled, figures blank.
    Where a proxy stands in for a model that publishes no architecture, `model_used` names it.

    constants: the constants of the model of time; None takes the shipped ones.
    Raises UserMistake where a required column is missing, a column is there twice, or an output's name is taken.
    """
    check_columns(frame.columns)
    check_free(frame.columns)
    parts = [answers(frame.iloc[begin : begin + FRAME_ROWS], constants) for begin in range(0, len(frame), FRAME_ROWS)]
    said = pa.concat_tables([OTHERS.empty_table(), *(other_columns(p) for p in parts)]).to_pandas(
        types_mapper=_NULLABLE.get
    )
    said.index = frame.index
    figures = {name: _joined([p.figures[name] for p in parts]) for name in FIGURE_COLUMNS}
    return pd.concat([frame, pd.DataFrame(figures, frame.index, copy=False), said], axis=1)


def _joined(columns: list[np.ndarray]) -> np.ndarray:
    """One column of all batches; a single one is not copied."""
    return columns[0] if len(columns) == 1 else np.concatenate([np.empty(0), *columns])


def explain(frame: pd.DataFrame, constants: Any = None) -> pd.DataFrame:
    """The first row of a frame, term by term; see `terms.py`."""
    from harness.prediction.terms import explain as terms

    return terms(frame, constants)


def answers(frame: pd.DataFrame, constants: Any = None) -> Answers:
    """A batch of rows, read and answered."""
    from harness.prediction.answer import answer

    return answer(read(frame), constants)
