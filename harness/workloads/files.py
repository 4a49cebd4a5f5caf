"""Reading traces: plain or gzip text, and the format by name or by what the file begins with."""

from __future__ import annotations

import gzip
import importlib
import json
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO

import pandas as pd

from harness.errors import BadFile, MissingFile, UserMistake
from harness.workloads.columns import checked

_HEAD_CHARACTERS = 1 << 16


def load_trace(path: str | Path, format: str | None = None) -> pd.DataFrame:
    """The requests of a trace file as a checked frame; `.gz` is unpacked, whatever the format.

    format: a name of `formats()`; without it the file's beginning decides. Raises MissingFile, BadFile for a file
    that is not of the format, and UserMistake, naming the formats, for one that is of none or of an unknown one.
    """
    path = Path(path)
    try:
        name = format or guess(path)
        if name not in formats():
            raise UserMistake(f"no trace format '{name}': known are {', '.join(formats())}")
        frame = _loader(name).load(path)
    except FileNotFoundError as error:
        raise MissingFile(path) from error
    except (IsADirectoryError, PermissionError) as error:
        raise MissingFile(path, "readable file") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadFile(path, "file", str(error), "a whole gzip file") from error
    except UnicodeDecodeError as error:
        raise BadFile(path, "file", "bytes that are not UTF-8", "text") from error
    return checked(frame, path)


@cache
def formats() -> tuple[str, ...]:
    """The names of all formats."""
    folder = Path(__file__).parent / "loaders"
    return tuple(sorted(p.stem for p in folder.glob("*.py") if not p.name.startswith("_")))


def guess(path: Path) -> str:
    """The one format that a file's beginning fits. Raises UserMistake where none or several do."""
    with opened(path) as file:
        head = file.read(_HEAD_CHARACTERS)
    fitting = [name for name in formats() if _loader(name).matches(head)]
    if len(fitting) != 1:
        several = f"it may be {' or '.join(fitting)}" if fitting else "it is none of these"
        known = "; ".join(f"{name}: {_loader(name).NEEDS}" for name in fitting or formats())
        raise UserMistake(f"{path}: which format? {several}; name it with --format ({known})")
    return fitting[0]


def _loader(name: str) -> ModuleType:
    return importlib.import_module(f"harness.workloads.loaders.{name}")


def opened(path: Path) -> IO[str]:
    """A text file, unpacked where it is gzip (by its first bytes, not its name)."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8")


def json_lines(path: Path) -> Iterator[tuple[int, dict]]:
    """(line number from 1, object) of each line that is not empty. Raises BadFile for one that is no JSON object."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except json.JSONDecodeError as error:
                raise BadFile(path, f"line {number}", line.strip(), "a JSON object") from error
            if not isinstance(entry, dict):
                raise BadFile(path, f"line {number}", entry, "a JSON object")
            yield number, entry


def field(path: Path, number: int, entry: dict, name: str) -> object:
    """A field that every entry must have. Raises BadFile naming the line."""
    if name not in entry:
        raise BadFile(path, f"line {number}, {name}", "nothing", "a value")
    return entry[name]


def csv_frame(path: Path, needs: tuple[str, ...]) -> pd.DataFrame:
    """A CSV file with at least the columns `needs`. Raises BadFile for another."""
    with opened(path) as file:
        try:
            frame = pd.read_csv(file, skipinitialspace=True)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise BadFile(path, "file", str(error).strip(), "a CSV table") from error
    if absent := [name for name in needs if name not in frame]:
        raise BadFile(path, "columns", ", ".join(map(str, frame.columns)), f"also {', '.join(absent)}")
    return frame


def first_object(head: str) -> dict:
    """The JSON object that the first line is; empty where it is none."""
    try:
        entry = json.loads(head.split("\n", 1)[0])
    except json.JSONDecodeError:
        return {}
    return entry if isinstance(entry, dict) else {}


def header(head: str) -> list[str]:
    """The column names of a CSV's first line."""
    return [name.strip().strip('"') for name in head.split("\n", 1)[0].split(",")]
