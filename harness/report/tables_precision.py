"""What number formats cost in answers, measured on the model that ran, beside the speed they give the chips."""

from __future__ import annotations

from dataclasses import replace

from harness.report.figures import Figure, Figures, chip_name, unique
from harness.report.numbers import shown
from harness.report.table import Cell, Column, Line, Table, cell_of, nothing, text
from harness.report.tables_quality import with_95
from harness.results import Results

SIXTEEN_BIT = ("bf16", "fp16")
# A chip whose 16-bit rate is below this share of its best lives on the shorter format.
FAST_ONLY = 0.5


def precision_tables(results: Results, figures: Figures) -> tuple[Table, ...]:
    """The two tables, or none where no precision was emulated."""
    names = [p.removeprefix("precision=") for p in unique(f.part for f in figures.where("answers_changed"))]
    return (_effects(results, figures, names), _speeds(results, figures)) if names else ()


def _effects(results: Results, figures: Figures, names: list[str]) -> Table:
    about, lines = results.manifest.get("precisions") or {}, []
    for suite in unique(f.suite for f in figures.where("answers_changed")):
        for name in names:
            part = f"precision={name}"
            cells = [
                with_95(figures, metric, part, suite=suite)
                for metric in ("bits_per_byte_change", "kl_per_token", "answers_changed", "accuracy_change")
            ]
            lines.append(Line((text(suite), text(name, about.get(name, "")), *cells, _verdict(cells[0]))))
    columns = (
        Column("Suite", words=True),
        Column("Format", words=True),
        Column("Bits per byte, change", "95 %, paired"),
        Column("KL to float32", "nat/token"),
        Column("Answers changed", "95 %"),
        Column("Accuracy, change", "95 %, paired"),
        Column("Worse?", words=True),
    )
    caveat = next((f.note for f in figures.where("answers_changed") if f.note), "")
    caption = (
        "Measured: the same items answered by the same model with weights, activations and cache rounded to each "
        f"format; differences are to float32, item by item. This is {caveat or 'an effect on the model that ran'}. "
        "“Worse” is yes where the 95 % interval of bits per byte lies above no change."
    )
    return Table("precision", "Answers in each format", caption, columns, tuple(lines))


def _verdict(change: Cell) -> Cell:
    if change.low is None:
        return nothing("no interval")
    return text("yes" if change.low > 0 else "better" if change.high < 0 else "not shown")


def _speeds(results: Results, figures: Figures) -> Table:
    rows = figures.where("precision_tok_s_per_chip")
    parts = unique(f.part for f in rows)
    lines = []
    for chip in unique(f.chip for f in rows):
        cells = [_rate(figures.one("precision_tok_s_per_chip", part, chip=chip)) for part in parts]
        names = [part.removeprefix("precision=") for part in parts]
        warning = _warning(dict(zip(names, cells, strict=True)))
        lines.append(Line((text(chip_name(results, chip), chip), *cells, warning)))
    columns = (
        Column("Chip", words=True),
        *(Column(part.removeprefix("precision="), "tok/s per chip") for part in parts),
        Column("Mind", words=True),
    )
    model = rows[0].model if rows else ""
    caption = (
        f"Modelled, p10–p90: output of {model} on one chip at {rows[0].workload if rows else ''}. Its answers were not "
        "measured in any format: the effects above are the small model's and do not carry over."
    )
    return Table("precision-speed", "Speed in each format", caption, columns, tuple(lines))


def _rate(figure: Figure | None) -> Cell:
    """A rate, with what the chip computes in where it has no such format."""
    instead = figure.notes.get("computes_in") if figure else None
    cell = cell_of(figure)
    return replace(cell, below=f"computes in {instead}") if instead and not cell.absent else cell


def _warning(by_name: dict[str, Cell]) -> Cell:
    rates = {name: cell.value for name, cell in by_name.items() if cell.value is not None}
    if not rates:
        return nothing("nothing runs")
    best = max(rates, key=rates.get)
    wide = max((rate for name, rate in rates.items() if name in SIXTEEN_BIT), default=None)
    if wide is None:
        return text(f"runs in {best} only")
    if wide >= FAST_ONLY * rates[best]:
        return text("no warning")
    return text(f"fast only in {best}", f"in 16 bits {shown(wide / rates[best], '1')} of its rate in {best}")
