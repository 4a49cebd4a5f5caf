"""One operating point operator by operator: where its time goes, and what would narrow its interval."""

from __future__ import annotations

from harness.report.figures import Figure, Figures, chip_name
from harness.report.table import Cell, Column, Line, Table, cell_of, nothing, text
from harness.report.tables_stacks import headline_model
from harness.results import Results

_MOST = 12  # operators of a step that are listed; the rest are in rows.csv
_STEPS = {"decode": "a decode step", "prefill": "one request's prefill"}


def operator_tables(results: Results, figures: Figures) -> tuple[Table, ...]:
    """The headline model on the run's first chip that holds it; nothing where the run has no such rows."""
    chosen = headline_model(figures)
    if chosen is None:
        return ()
    at = {"model": chosen[0], "workload": chosen[1], "suite": ""}
    rows = figures.with_value("op.ms", **at)
    if not rows:
        return ()
    where = f"{chosen[0]} on {chip_name(results, rows[0].chip)}"
    return (_operators(rows, where), _unknowns(figures.with_value("unknown_share", **at), where))


def _operators(rows: list[Figure], where: str) -> Table:
    lines = []
    for step, name in _STEPS.items():
        of_step = sorted((f for f in rows if f.part.startswith(f"{step}.")), key=lambda f: -f.value)
        lines += [_line(f, name, f.part.removeprefix(f"{step}.")) for f in of_step[:_MOST]]
    columns = (
        Column("Step", words=True), Column("Operator", words=True), Column("All layers", "ms"), Column("Share"),
        Column("Bound by", words=True), Column("Of the profile's peak"), Column("Constants", words=True),
        Column("Sources", words=True),
    )  # fmt: skip
    caption = (
        f"{rows[0].stack}, modelled; the {_MOST} longest operators of each step. The peak is the profile's bandwidth, "
        "FLOP/s or link, whichever binds. Constants: measured on this chip's kernels, other chips' prior, or "
        "fitted on deployments."
    )
    return Table("operators", f"Where the time goes: {where}", caption, columns, tuple(lines), folded=True)


def _line(f: Figure, step: str, name: str) -> Line:
    share, peak = (_share(f.notes.get(key)) for key in ("share", "of_peak"))
    return Line(
        (
            text(step),
            text(name),
            cell_of(f),
            share,
            text(f.notes.get("bound", "")),
            peak,
            text(f.notes.get("constants", "")),
            Cell(sources=f.sources, text=" "),
        )
    )


def _share(words: str | None) -> Cell:
    return nothing("a fixed time has no peak") if words is None else Cell(float(words), unit="1")


def _unknowns(rows: list[Figure], where: str) -> Table:
    lines = tuple(Line((text(f.part), cell_of(f))) for f in sorted(rows, key=lambda f: -f.value))
    caption = "By its share of the variance of the time a token. What is better known narrows the interval by so much."
    columns = (Column("Unknown", words=True), Column("Share"))
    return Table("unknowns", f"What would narrow it most: {where}", caption, columns, lines, folded=True)
