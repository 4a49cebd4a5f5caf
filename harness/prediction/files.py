"""`predict` from file to file: CSV or Parquet by suffix, a batch at a time, whatever the length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from harness.errors import MissingFile, UserMistake
from harness.prediction import BATCH_ROWS, answers
from harness.prediction.batches import Sink, Source
from harness.prediction.csv_file import CsvSink, CsvSource
from harness.prediction.parquet_file import ParquetSink, ParquetSource
from harness.prediction.rows import INPUTS, Text, check_columns
from harness.prediction.table import SCHEMA, as_table, check_free
from harness.results import whole

SUFFIXES = (".csv", ".csv.gz", ".parquet")
_KINDS_KEPT = 10_000  # distinct reasons counted: a file of any length may have as many


@dataclass
class Summary:
    """What a file gave: rows, how many were refused, and each reason with its count (the rarest are forgotten)."""

    rows: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, error: Text) -> None:
        refused = error.codes[error.codes >= 0]
        self.rows += len(error.codes)
        self.refused += len(refused)
        counts = np.bincount(refused, minlength=len(error.values))
        self.reasons.update({reason: int(n) for reason, n in zip(error.values, counts, strict=True) if n})
        if len(self.reasons) > 2 * _KINDS_KEPT:
            self.reasons = Counter(dict(self.reasons.most_common(_KINDS_KEPT)))


def predict_file(
    source: Path,
    target: Path,
    progress: Callable[[float], None] = lambda share: None,
    constants: Any = None,
    batch_rows: int = BATCH_ROWS,
) -> Summary:
    """Every row of `source` and its figures into `target`, which is written whole or not at all.

    The columns are those of `harness.predict`. CSV to CSV passes a row's own text on byte for byte; from CSV to
    Parquet the user's columns stay text. `progress` gets the share that is done. `batch_rows` bounds the memory and
    changes no figure. Raises UserMistake for a file or column that is missing, a suffix that is unknown, a broken file.
    """
    kinds = _suffix(source), _suffix(target)
    if not source.is_file():
        raise MissingFile(source)
    if target.exists() and source.samefile(target):
        raise UserMistake(f"{target} is the file that is read: write to another")
    read = ParquetSource(source) if kinds[0] == ".parquet" else CsvSource(source)
    names = read.schema.names
    check_columns(names)
    check_free(names)
    as_text = isinstance(read, CsvSource) and kinds[1] != ".parquet"
    wanted = [name for name in names if name in INPUTS]
    summary = Summary()
    with whole(target) as work, _sink(work, kinds[1], read) as sink:
        for batch in read.batches(batch_rows, wanted if as_text else None):
            answered = answers(batch.columns.select(wanted).to_pandas(ignore_metadata=True), constants)
            sink.write(batch, as_table(answered))
            summary.add(answered.error)
            progress(batch.done)
    return summary


def _sink(path: Path, kind: str, source: Source) -> Sink:
    schema = pa.schema([*source.schema, *SCHEMA], source.schema.metadata)
    if kind == ".parquet":
        return ParquetSink(path, schema)
    return CsvSink(path, kind == ".csv.gz", schema, source if isinstance(source, CsvSource) else None)


def _suffix(path: Path) -> str:
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise UserMistake(f"{path}: the name must end in {', '.join(SUFFIXES)}")
