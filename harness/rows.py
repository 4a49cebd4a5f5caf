"""Rows of a file, read through `datasets`: the shipped samples and a user's own copy of an evaluation alike."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from harness.errors import BadFile


def rows_of(path: Path, columns: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Every row of a JSON-lines, CSV, TSV or Parquet file, packed by gzip or not; `columns` name a table's without a
    header. Raises BadFile."""
    import datasets  # slow to import, so only when rows are wanted

    kind = next((s.lower() for s in reversed(path.suffixes) if s.lower() != ".gz"), "")
    reader = {".jsonl": "json", ".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}.get(kind)
    if reader is None:
        raise BadFile(path, "file name", path.name, "one that ends in .jsonl, .csv, .tsv or .parquet (.gz too)")
    options: dict[str, Any] = {}
    if reader == "csv":
        options = {"delimiter": "\t" if kind == ".tsv" else ",", "keep_default_na": False}
        if columns:
            options |= {"column_names": list(columns), "quoting": 3}
    # Converted tables live in a temporary folder: a reader leaves nothing in the user's home. Progress bars are for
    # downloads; there is none here.
    bars_were_on = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        with tempfile.TemporaryDirectory(prefix="stackline-") as cache:
            table = datasets.load_dataset(reader, data_files=str(path), split="train", cache_dir=cache, **options)
            return table.to_list()
    except (datasets.exceptions.DatasetGenerationError, ValueError, UnicodeDecodeError, OSError) as error:
        raise BadFile(path, "file", str(error).splitlines()[0][:120], f"rows of {kind[1:]}") from error
    finally:
        if bars_were_on:
            datasets.enable_progress_bars()
