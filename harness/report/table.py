"""What a table is before it becomes HTML or Markdown: one model for both, so that they cannot differ."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.figures import Figure, Owner, read_note
from harness.report.numbers import ABSENT, interval, shown, unit_name

P10_P90 = "p10–p90"
CI95 = "95 %"
MEDIAN = "median of the range"


@dataclass(frozen=True)
class Cell:
    """A figure with its interval, kind and sources; or plain text (`text`). Without both it prints "—"."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    span: str = P10_P90  # what low and high are
    unit: str = ""
    kind: str = ""
    sources: tuple[str, ...] = ()
    note: str = ""  # more about it or, where the value is absent, why
    text: str = ""
    below: str = ""  # a smaller second line of words
    link: str = ""
    n: int | None = None
    owner: Owner | None = None  # the stack, chip and model that it speaks of

    @property
    def main(self) -> str:
        if self.text:
            return self.text
        return shown(self.value, self.unit)

    @property
    def interval(self) -> str:
        return interval(self.low, self.high, self.unit)

    @property
    def absent(self) -> bool:
        return not self.text and self.value is None

    @property
    def silent(self) -> bool:
        """Leads elsewhere, and speaks for itself."""
        return self.text == " " or bool(self.link)

    @property
    def own_unit(self) -> str:
        """The unit beside the value; "" for a count, and for a share, whose value carries its sign."""
        return unit_name(self.unit) if self.unit not in ("", "1") else ""

    @property
    def remarks(self) -> list[str]:
        """What is known of the figure beyond what its cell shows, a line each."""
        return _remarks(self.note) if self.note else []


def _remarks(note: str) -> list[str]:
    """A row's note in words: the weakest profile value on a line of its own, the rest on another."""
    pairs = read_note(note)
    if len(pairs) != len(note.split("; ")):
        return [note]
    weakest = pairs.pop("weakest", "")
    said = (words if words.startswith(key) else f"{key.replace('_', ' ')} {words}" for key, words in pairs.items())
    rest = ", ".join(said)
    return [line for line in (weakest and f"weakest profile value: {weakest}", rest) if line]


def text(words: str, note: str = "", link: str = "", why: str = "") -> Cell:
    """A cell of words, with a remark; empty words are absent, and `why` says the reason."""
    return Cell(text=words, note=note if words else why or note, link=link)


def nothing(why: str) -> Cell:
    return Cell(note=why)


def cell_of(figure: Figure | None, why: str = "the run holds no such row") -> Cell:
    """A figure as a cell with its p10..p90; `why` explains a row that is not there."""
    if figure is None:
        return nothing(why)
    note = figure.reason if figure.value is None else figure.note
    # Where only a range is known, its middle must not look like a published value.
    below = MEDIAN if MEDIAN in figure.note.split("; ") else ""
    return Cell(
        figure.value,
        figure.low,
        figure.high,
        unit=figure.unit,
        kind=figure.kind,
        sources=figure.sources,
        note=note,
        below=below,
        n=figure.n,
        owner=figure.owner,
    )


@dataclass(frozen=True)
class Column:
    title: str
    unit: str = ""
    words: bool = False  # holds text, so it is set flush left


@dataclass(frozen=True)
class Line:
    """One row of a table. With `cannot`, the cells are its heads and the rest says why not."""

    cells: tuple[Cell, ...]
    cannot: str = ""
    anchor: str = ""

    @property
    def owners(self) -> list[Owner]:
        return [cell.owner for cell in self.cells if cell.owner is not None]

    @property
    def kinds(self) -> list[str]:
        """The kinds of its figures, each once."""
        return sorted({cell.kind for cell in self.cells if cell.kind and not cell.absent})


@dataclass(frozen=True)
class Table:
    """`absent` says why there are no lines, in a sentence."""

    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    folded: bool = False  # long: closed until opened
    opened: bool = False  # folded, but open at first
    absent: str = "The run holds no rows for this table."
    reasons_below: bool = True

    @property
    def reasons(self) -> list[str]:
        """Why cells print "—", each reason once, in reading order: Markdown and paper have no hover."""
        found = {}
        for line in self.lines:
            for column, cell in zip(self.columns, line.cells, strict=False):
                if cell.absent and cell.note:
                    found[f"{column.title}: {cell.note}"] = None
        return list(found) if self.reasons_below else []

    @property
    def kinds(self) -> list[str]:
        return sorted({kind for line in self.lines for kind in line.kinds})


@dataclass(frozen=True)
class Section:
    """A part of the report: its tables and the plots that show them."""

    key: str
    title: str
    intro: str
    tables: tuple[Table, ...]
    plots: tuple[str, ...] = ()


__all__ = [
    "ABSENT",
    "CI95",
    "P10_P90",
    "Cell",
    "Column",
    "Line",
    "Section",
    "Table",
    "cell_of",
    "nothing",
    "text",
]
