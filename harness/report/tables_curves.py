"""The points of the curve of throughput against interactivity."""

from __future__ import annotations

from harness.report.beside import name_cell
from harness.report.comparison import about, concurrency_of
from harness.report.figures import Figures
from harness.report.table import Column, Line, Table, cell_of, text
from harness.results import Results


def curves_table(results: Results, figures: Figures) -> Table:
    """A line a stack and number of requests at once."""
    lines = []
    for stack in about(results)["stacks"]:
        for user in sorted(figures.with_value("curve.tok_s_per_user", stack=stack), key=concurrency_of):
            chip = figures.one("curve.output_tok_s_per_chip", user.part, stack=stack)
            at = text(str(concurrency_of(user)))
            lines.append(Line((name_cell(results, stack), at, cell_of(user), cell_of(chip))))
    columns = (Column("Stack", words=True), Column("Requests at once"), Column("For each user", "tok/s"),
               Column("Output per chip", "tok/s"))  # fmt: skip
    caption = "The points of the chart: the more requests at once, the more output a chip and the less for each user."
    return Table("compare-curves", "Throughput against interactivity", caption, columns, tuple(lines), folded=True)
