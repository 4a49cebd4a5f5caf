"""CSV of any length: the columns that matter are parsed, the records themselves are passed on byte for byte.

The dialect is RFC 4180: commas, double quotes doubled inside quotes, line ends LF or CRLF, UTF-8 with or without
a mark at its beginning, `.gz` compressed or not. Empty lines are no rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from harness.errors import UserMistake
from harness.prediction.batches import Batch, unreadable

_PIECE = 4 << 20  # bytes read at a time
_MOST = 64 << 20  # bytes held at most: a block of rows, or one record
_WRITTEN_ROWS = 16_384  # rows made into text at a time
_MARK = b"\xef\xbb\xbf"


class CsvSource:
    """A CSV file opened for reading. Raises UserMistake where it cannot be read or is no table."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, max(1, path.stat().st_size)
        try:
            with self._open()[1] as stream:
                start = stream.read(_PIECE).removeprefix(_MARK)
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable(path, error) from error
        self.header = start[: _ends(start, whole=True)[0]] if start.strip() else b""
        try:
            names = next(csv.reader([self.header.decode("utf-8").rstrip("\r\n")], strict=True), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise unreadable(path, error) from error
        if not names:
            raise UserMistake(f"{path} is empty: a first line with the columns' names is needed")
        self.newline = b"\r\n" if self.header.endswith(b"\r\n") else b"\n"
        self.schema = pa.schema([(name, pa.string()) for name in names])

    def batches(self, rows: int, only: list[str] | None) -> Iterator[Batch]:
        """At most `rows` records at a time, all values as text. Raises UserMistake at a record that is broken."""
        try:
            before = 0
            for block, done in self._blocks(rows):
                lines, columns = _lines(block), self._parsed(block, only, before)
                before += len(lines)
                if len(lines) != len(columns) or block.count(b'"') % 2:
                    raise UserMistake(f"cannot read {self.path}: a quote or a carriage return stands inside a value")
                for i in range(0, len(lines), rows):
                    yield Batch(columns.slice(i, rows), lines.slice(i, rows), done)
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable(self.path, error) from error

    def _open(self) -> tuple[pa.NativeFile, pa.NativeFile]:
        """(the file itself, its text)."""
        file = pa.OSFile(str(self.path))
        return file, pa.CompressedInputStream(file, "gzip") if self.path.suffix.lower() == ".gz" else file

    def _blocks(self, rows: int) -> Iterator[tuple[bytes, float]]:
        """Whole records, about `rows` at a time, and the share of the file read so far."""
        file, stream = self._open()
        with file, stream:
            held, first = b"", True
            while piece := stream.read(_PIECE):
                held += piece
                if first:  # long enough: the header was found in one piece
                    held, first = held.removeprefix(_MARK)[len(self.header) :], False
                if held.count(b"\n") < rows and len(held) < _MOST:
                    continue
                ends = _ends(held, whole=False)
                if len(ends):
                    end = ends[len(ends) // rows * rows - 1]  # whole batches; all where there is not one
                    yield held[:end], file.tell() / self.size
                    held = held[end:]
                elif len(held) >= _MOST:
                    raise UserMistake(f"cannot read {self.path}: a quoted value does not end within {_MOST} bytes")
            if held.strip(b"\r\n"):
                yield held if held.endswith(b"\n") else held + b"\n", 1.0

    def _parsed(self, block: bytes, only: list[str] | None, before: int) -> pa.Table:
        """The columns of a block that begins after `before` rows."""
        names, broken = self.schema.names, []

        def remember(row: pa.csv.InvalidRow) -> str:
            broken.append(row)
            return "error"

        try:
            return pa.csv.read_csv(
                pa.BufferReader(block),
                pa.csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
                pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=remember),
                pa.csv.ConvertOptions(
                    include_columns=only,
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if not broken:
                raise
            where, row = f"row {before + broken[0].number}", broken[0]
            found = f"{row.actual_columns} values where the header names {row.expected_columns}"
            raise UserMistake(f"cannot read {self.path}: {where} has {found}") from error


class CsvSink:
    """A CSV file being written: records as they stood, or columns as text, then the answers."""

    def __init__(self, path: Path, compressed: bool, schema: pa.Schema, source: CsvSource | None) -> None:
        """schema: of the whole output; source: where the records come from as text, None where from columns."""
        self.newline = source.newline if source else b"\n"
        self.stream = pa.output_stream(str(path), compression="gzip" if compressed else None)
        try:
            if source:
                names = schema.names[len(source.schema) :]
                head = [source.header.rstrip(b"\r\n"), *(name.encode() for name in names)]
            else:
                _check_flat(schema)
                head = [name.encode() for name in _quoted(pa.array(schema.names, pa.large_string())).to_pylist()]
            self.stream.write(b",".join(head) + self.newline)
        except BaseException:
            self.stream.close()
            raise

    def __enter__(self) -> CsvSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def write(self, batch: Batch, answers: pa.Table) -> None:
        before = [batch.lines] if batch.lines is not None else batch.columns.columns
        for begin in range(0, len(answers), _WRITTEN_ROWS):
            columns = (column.slice(begin, _WRITTEN_ROWS) for column in (*before, *answers.columns))
            self.stream.write(self._records([_text(column).cast(pa.large_binary()) for column in columns]))

    def _records(self, cells: list[pa.Array]) -> pa.Buffer:
        """Columns of cells, null where empty -> the bytes of their records."""
        comma, nothing, newline = (pa.scalar(text, pa.large_binary()) for text in (b",", b"", self.newline))
        records = pc.binary_join_element_wise(*cells, comma, null_handling="replace", null_replacement=b"")
        ended = pc.binary_join_element_wise(records, nothing, newline)
        return pc.binary_join(pa.LargeListArray.from_arrays([0, len(ended)], ended), nothing)[0].as_buffer()


def _ends(block: bytes, whole: bool) -> np.ndarray:
    """Where records end: after each line feed outside quotes (an even number of quotes lies before it).

    whole: the block is all there is, so its end is an end too where none is found before.
    """
    data = np.frombuffer(block, np.uint8)
    feeds = np.flatnonzero(data == ord("\n"))
    if b'"' in block:
        quotes = np.flatnonzero(data == ord('"'))
        feeds = feeds[np.searchsorted(quotes, feeds) % 2 == 0]
    return feeds + 1 if len(feeds) or not whole else np.array([len(block)])


def _lines(block: bytes) -> pa.Array:
    """The records of a block without their line ends, empty ones left out."""
    data, ends = np.frombuffer(block, np.uint8), _ends(block, whole=True)
    begins = np.concatenate([[0], ends[:-1]])
    stops = ends - 1
    stops = stops - ((stops > begins) & (data[stops - 1] == ord("\r")))
    # Records and their line ends follow one another in the block: every other piece is a record.
    offsets = np.append(np.column_stack([begins, stops]).ravel(), len(block)).astype(np.int64)
    pieces = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 2 * len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    )
    return pieces.take(pa.array(2 * np.flatnonzero(stops > begins)))


def _text(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as it stands in a CSV file: nothing for null, quotes where needed; records as they are."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_large_binary(column.type):
        return column
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    is_words = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    column = column.cast(pa.large_string())
    return _quoted(column) if is_words else column


def _quoted(column: pa.LargeStringArray) -> pa.LargeStringArray:
    """Words in quotes where they hold a comma, a quote or a line end, or are empty (null is nothing at all)."""
    needs = pc.or_(pc.match_substring_regex(column, '[,"\r\n]'), pc.equal(column, ""))
    if not pc.any(needs).as_py():
        return column
    quote, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
    inside = pc.binary_join_element_wise(quote, pc.replace_substring(column, '"', '""'), quote, nothing)
    return pc.if_else(needs, inside, column)


def _check_flat(schema: pa.Schema) -> None:
    for field in schema:
        if pa.types.is_nested(field.type):
            raise UserMistake(f"column '{field.name}' holds {field.type}, which CSV cannot: write .parquet")
