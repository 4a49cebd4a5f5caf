"""A run folder: an append-only record of what was asked, answered, measured and modelled.

    manifest.json   versions, commit, seed, machine, suites, profile hashes, and every source that a row names
    answers.jsonl   one line an answer, written as it is finished
    turns.jsonl     one line a turn of a suite that acts; its sessions as requests-<suite>.csv
    precision.jsonl one line an item and emulated precision (`run --precision`)
    trace.jsonl     one line an operator name of a suite: how often, FLOPs, bytes
    rows.csv        long table: one figure a row, each with kind, source, interval and note
    report/         made from manifest, trace and rows alone

An absent figure is an empty cell, never a zero. Figures in rows are rounded to 6 significant digits.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadFile, CannotWrite, MissingFile

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
FIGURE_DIGITS = 6
KINDS = ("measured", "published", "modelled", "assumed")


@dataclass(frozen=True)
class Row:
    """One figure. `value` None means absent, and `note` says why; p10 and p90 None mean no interval.

    `metric` may carry a part in brackets: `accuracy[level=1]`, `time_share[decode.experts]`.
    `source` holds ids that resolve in the manifest's `sources`, separated by spaces.
    """

    stack: str
    metric: str
    value: float | None
    unit: str
    kind: str
    source: str
    model: str = ""
    weight_dtype: str = ""
    chip: str = ""
    chips: int | None = None
    suite: str = ""
    workload: str = ""
    p10: float | None = None
    p90: float | None = None
    n: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.metric}: unknown kind '{self.kind}'")
        if not self.source:
            raise ValueError(f"{self.metric}: a figure needs a source")


COLUMNS = (
    "schema_version", "run", "stack", "model", "weight_dtype", "chip", "chips", "suite", "workload", "metric", "value",
    "p10", "p90", "unit", "kind", "source", "n", "note",
)  # fmt: skip
assert set(COLUMNS) == {"schema_version", "run"} | {f.name for f in fields(Row)}


def new_run_id(now: datetime | None = None) -> str:
    """`YYYYMMDDTHHMMSSZ-<8 hex>`, UTC."""
    return f"{(now or datetime.now(UTC)):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


class RunFolder:
    """Writes a run. Raises CannotWrite at once where the folder cannot be made or already holds a run."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder, self.run_id = folder, run_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # A run that died without its manifest is a run too: its answers are kept.
            if any((folder / f).exists() for f in ("manifest.json", "rows.csv", "trace.jsonl", "answers.jsonl")):
                raise CannotWrite(folder, "it already holds a run")
            (folder / "answers.jsonl").open("x").close()
        except OSError as error:
            raise CannotWrite(folder, error.strerror or str(error)) from error

    def append_answers(self, answers: Iterable[dict[str, Any]]) -> None:
        """Append finished answers; what is on disk survives whatever happens next."""
        self.append("answers.jsonl", answers)

    def append(self, name: str, answers: Iterable[dict[str, Any]]) -> None:
        path = self.folder / name
        lines = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
        try:
            # Half a surrogate pair, which a model may write, becomes the JSON escape of itself.
            with path.open("a", encoding="utf-8", errors="backslashreplace") as out:
                out.write(lines)
        except OSError as error:
            raise CannotWrite(path, error.strerror or str(error)) from error

    def write_trace(self, lines: Iterable[dict[str, Any]]) -> None:
        write_whole(self.folder / "trace.jsonl", "".join(json.dumps(line) + "\n" for line in lines))

    def write_rows(self, rows: Iterable[Row], digits: int = FIGURE_DIGITS) -> None:
        """`digits`: significant ones of each figure."""
        write_whole(self.folder / "rows.csv", _csv_text(rows, self.run_id, digits))

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        whole = {"schema_version": SCHEMA_VERSION, "run": self.run_id, **manifest}
        write_whole(self.folder / "manifest.json", json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=False))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is either whole or not there. Raises CannotWrite."""
    with whole(path) as work:
        work.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A working file that takes the name `path` once its writer is done, and is gone if it was not.

    Raises CannotWrite for whatever the system refuses meanwhile.
    """
    work = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield work
        work.replace(path)
    except OSError as error:
        raise CannotWrite(path, error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(OSError):  # where the folder itself is no folder, the reason above stands
            work.unlink(missing_ok=True)


def _csv_text(rows: Iterable[Row], run_id: str, digits: int) -> str:
    import io

    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {k: _cell(v, digits) for k, v in asdict(row).items()}
        writer.writerow({"schema_version": SCHEMA_VERSION, "run": run_id, **cells})
    return out.getvalue()


def _cell(value: Any, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Results:
    """A loaded run: the manifest, and `rows` as a frame with the columns of `COLUMNS` (absent is NaN)."""

    folder: Path
    manifest: dict[str, Any]
    rows: pd.DataFrame
    trace: list[dict[str, Any]]


def load_results(path: str | Path) -> Results:
    """Read a run folder. Raises MissingFile or BadFile."""
    import pandas as pd

    folder = Path(path)
    for name in ("manifest.json", "rows.csv"):
        if not (folder / name).exists():
            raise MissingFile(folder / name, "run file")
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except ValueError as error:
        raise BadFile(folder / "manifest.json", "file", str(error), "JSON") from error
    text = {c: str for c in ("run", "stack", "model", "weight_dtype", "chip", "suite", "workload", "metric", "unit",
                             "kind", "source", "note")}  # fmt: skip
    numbers = dict.fromkeys(("value", "p10", "p90", "n", "chips"), float)
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
        found = manifest.get("schema_version") if isinstance(manifest, dict) else type(manifest).__name__
        raise BadFile(folder / "manifest.json", "schema_version", found, str(SCHEMA_VERSION))
    try:
        rows = pd.read_csv(folder / "rows.csv", dtype=text | numbers, keep_default_na=False,
                           na_values={c: [""] for c in numbers})  # fmt: skip
    except ValueError as error:  # pandas' own parser errors are ValueErrors
        raise BadFile(folder / "rows.csv", "file", str(error).splitlines()[0], "CSV") from error
    if missing := set(COLUMNS) - set(rows.columns):
        raise BadFile(folder / "rows.csv", min(missing), "no such column", "the columns of a run's rows")
    if unknown := set(rows["kind"]) - set(KINDS):
        raise BadFile(folder / "rows.csv", "kind", min(unknown, key=str), f"one of {', '.join(KINDS)}")
    if manifest.get("rows", len(rows)) != len(rows):
        raise BadFile(folder / "rows.csv", "rows", len(rows), f"{manifest['rows']}, as the manifest says")
    trace_file = folder / "trace.jsonl"
    lines = trace_file.read_text("utf-8").splitlines() if trace_file.exists() else []
    try:
        trace = [json.loads(line) for line in lines]
    except ValueError as error:
        raise BadFile(trace_file, "file", str(error), "one JSON object a line") from error
    return Results(folder, manifest, rows, trace)
