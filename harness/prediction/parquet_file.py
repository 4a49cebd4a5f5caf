"""Parquet of any length: a batch of a row group at a time; columns keep their types, the schema its metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import UserMistake
from harness.prediction.batches import Batch, unreadable

_BUFFER = 1 << 20  # bytes of a column read at a time, so that a large row group is never held whole


class ParquetSource:
    """A Parquet file opened for reading. Raises UserMistake where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.file = pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
            self.schema = self.file.schema_arrow
        except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise unreadable(path, error) from error

    def batches(self, rows: int, only: list[str] | None) -> Iterator[Batch]:
        """At most `rows` rows at a time. Raises UserMistake at a page that is broken."""
        total, done = max(1, self.file.metadata.num_rows), 0
        try:
            for part in self.file.iter_batches(rows, columns=only):
                done += len(part)
                yield Batch(pa.Table.from_batches([part]), None, done / total)
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable(self.path, error) from error


class ParquetSink:
    """A Parquet file being written; what the batches hold, then the answers."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """schema: of the whole output. Raises UserMistake where two columns have one name."""
        if twice := [name for i, name in enumerate(schema.names) if name in schema.names[:i]]:
            raise UserMistake(f"column '{twice[0]}' is there twice, which Parquet cannot hold")
        self.schema = schema
        # Figures hardly repeat, so a dictionary of them is work for nothing.
        words = [field.name for field in schema if not pa.types.is_floating(field.type)]
        self.writer = pq.ParquetWriter(path, schema, use_dictionary=words)

    def __enter__(self) -> ParquetSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()

    def write(self, batch: Batch, answers: pa.Table) -> None:
        columns = [*batch.columns.columns, *answers.columns]
        self.writer.write_table(pa.Table.from_arrays(columns, schema=self.schema))
