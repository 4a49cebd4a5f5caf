"""The shipped extract of published operating points: `python -m harness.validation.extract FILE`.

Rule: of the rows that count, those of one chip, model, engine, band of concurrency and set of figures are a cell. In
rounds, each cell gives its next row until 430 are chosen, so that every cell is there once before any is there
twice. Within a cell rows come in the order of a seeded hash of (model, isl, osl, concurrency): cells of several chips
give the same operating points, whose ranks can then be compared. Nothing is chosen by how well it is predicted.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pandas as pd

from harness.errors import StacklineError, UserMistake
from harness.results import write_whole
from harness.validation.compare import band
from harness.validation.scored import COLUMNS, TARGETS, TEXTS, read, scored

SHIPPED = Path(__file__).with_name("measurements.csv")
ROWS, SEED = 430, 20261123
_ORDER = ("id", "source", "source_ref", *(c for c in TEXTS if c not in ("id", "source")))


def extract(frame: pd.DataFrame, rows: int = ROWS) -> pd.DataFrame:
    """The chosen rows of a frame of `read` with its citations, by id."""
    counts = scored(frame)
    kept = frame[counts["reason"] == ""]
    cell = [kept["chip"], kept["model"], kept["engine_family"], band(kept["concurrency"]).astype(str)]
    cell += [counts.loc[kept.index, target] for target in TARGETS]
    point = kept[["model", "isl", "osl", "concurrency"]].itertuples(index=False)
    place = pd.Series([_hash("/".join(map(str, p))) for p in point], kept.index)
    order = pd.DataFrame({"place": place, "own": kept["id"].map(_hash)}).sort_values(["place", "own"]).index
    turn = pd.Series(0, index=order).groupby([c.loc[order] for c in cell]).cumcount()
    first = turn.sort_values(kind="stable").index[:rows]
    return kept.loc[first].sort_values("id")


def _hash(text: str) -> str:
    return hashlib.sha256(f"{SEED}/{text}".encode()).hexdigest()


def text(chosen: pd.DataFrame) -> str:
    """The extract as CSV: six significant digits, and without remarks on how a page was stored."""
    ref = chosen["source_ref"].str.replace(r" \(stored (?:page|copy)[^)]*\)", "", regex=True)
    ordered = chosen.assign(source_ref=ref)[[*_ORDER, *(c for c in COLUMNS if c not in _ORDER)]]
    return ordered.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise UserMistake("usage: python -m harness.validation.extract FILE")
    frame = read(Path(arguments[0]))
    if "source_ref" not in frame.columns:
        raise UserMistake(f"{arguments[0]}: no column source_ref: the extract cites every row")
    write_whole(SHIPPED, text(extract(frame)))
    print(SHIPPED)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except StacklineError as error:
        sys.exit(f"extract: {error}")
