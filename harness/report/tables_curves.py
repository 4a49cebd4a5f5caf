"""The points of the curve of throughput against interactivity, and how a table names a compared stack."""

from __future__ import annotations

from harness.report.comparison import about, concurrency_of, stack_name
from harness.report.figures import Figures, Owner
from harness.report.table import Cell, Column, Line, Table, cell_of, text
from harness.results import Results


def stack_cell(results: Results, stack: str) -> Cell:
    """A stack's name, and below it what was typed."""
    entry = about(results)["stacks"][stack]
    return Cell(text=stack_name(results, stack), below=entry["asked"], note=stack, owner=Owner(stack))


def curves_table(results: Results, figures: Figures) -> Table:
    """A line a stack and number of requests at once."""
    lines = []
    for stack in about(results)["stacks"]:
        for user in sorted(figures.with_value("curve.tok_s_per_user", stack=stack), key=concurrency_of):
            chip = figures.one("curve.output_tok_s_per_chip", user.part, stack=stack)
            at = text(str(concurrency_of(user)))
            lines.append(Line((stack_cell(results, stack), at, cell_of(user), cell_of(chip))))
    columns = (Column("Stack", words=True), Column("Requests at once"), Column("For each user", "tok/s"),
               Column("Output per chip", "tok/s"))  # fmt: skip
    caption = "The points of the chart: the more requests at once, the more output a chip and the less for each user."
    return Table("compare-curves", "Throughput against interactivity", caption, columns, tuple(lines), folded=True)
