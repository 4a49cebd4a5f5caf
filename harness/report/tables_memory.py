"""What fills a chip's memory, part by part."""

from __future__ import annotations

from harness.report.beside import name_cell
from harness.report.comparison import about
from harness.report.figures import Figures
from harness.report.table import Column, Line, Table, cell_of
from harness.results import Results

PARTS = (
    ("weights", "Weights"), ("kv", "Cache of the requests at hand"), ("activations", "Activations of a prefill step"),
    ("kept", "Kept back by the engine beside them"), ("free", "Left for more requests"),
)  # fmt: skip


def memory_table(results: Results, figures: Figures) -> Table:
    """A line a stack."""
    lines = []
    for stack in about(results)["stacks"]:
        rows = [figures.one("memory_gb", part, stack=stack) for part, _ in PARTS]
        if any(rows):
            lines.append(Line((name_cell(results, stack), *(cell_of(row) for row in rows))))
    columns = (Column("Stack", words=True), *(Column(title, "GB a chip") for _, title in PARTS))
    caption = (
        "Of the fullest chip. Activations: the largest live tensors of a step that prefills 8,192 tokens, p10–p90 over "
        "the assumed range of its tokens; a step needs at least so much. For them, graphs and the runtime together "
        "an assumed share of the memory is kept back, and it alone decides how many requests fit."
    )
    return Table("compare-memory", "Memory of a chip", caption, columns, tuple(lines), folded=True)
