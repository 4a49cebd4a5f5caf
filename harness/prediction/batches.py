"""What a file of rows is read as and written from: batches, each with the columns that matter and all it held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from harness.errors import UserMistake


@dataclass(frozen=True)
class Batch:
    """Rows of a file. `columns` are those asked for; `lines` the records as they stood, where the file is text."""

    columns: pa.Table
    lines: pa.Array | None
    done: float  # the share of the file that is read once this batch is


class Source(Protocol):
    """An opened file of rows; `schema` tells its columns before any row is read."""

    schema: pa.Schema

    def batches(self, rows: int, only: list[str] | None) -> Iterator[Batch]:
        """At most `rows` rows at a time; only the columns named, or all."""


class Sink(Protocol):
    """A file being written, closed by leaving it."""

    def __enter__(self) -> Sink: ...

    def __exit__(self, *_: object) -> None: ...

    def write(self, batch: Batch, answers: pa.Table) -> None: ...


def unreadable(path: Path, error: Exception) -> UserMistake:
    """Why a file could not be read, in one line."""
    why = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
    return UserMistake(f"cannot read {path}: {why}")
