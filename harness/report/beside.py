"""What the tables of a comparison share: a stack's name, a ratio with its probability, a figure by name."""

from __future__ import annotations

from typing import Any

from harness.report.comparison import about, stack_name
from harness.report.figures import Figure, Figures, Owner
from harness.report.table import Cell, nothing
from harness.results import Results

SURE = 0.9  # the probability of being better from which a stack is called so


def name_cell(results: Results, stack: str) -> Cell:
    """A stack's name, and below it what was typed."""
    entry = about(results)["stacks"][stack]
    return Cell(text=stack_name(results, stack), below=entry["asked"], note=stack, owner=Owner(stack))


def others(results: Results) -> list[str]:
    """The stacks that are set against the baseline."""
    return [s for s in about(results)["stacks"] if s != about(results)["baseline"]]


def row_of(figures: Figures, metric: str, **at: Any) -> Figure | None:
    """A figure by its metric as rows.csv writes it, part in brackets."""
    base, _, part = metric.partition("[")
    return figures.one(base, part.rstrip("]"), **at)


def probability(figure: Figure) -> float:
    """That the stack is better than the baseline in this figure."""
    return float(figure.notes["better"])


def ratio_cell(row: Figure | None) -> Cell:
    """A ratio to the baseline; below it the verdict, which is none between the two ends of SURE."""
    if row is None or row.value is None:
        return nothing("one of the two has no such figure, or none with an interval")
    p = probability(row)
    word = "better" if p >= SURE else "worse" if p <= 1 - SURE else "not settled"
    return Cell(row.value, row.low, row.high, unit=row.unit if row.unit != "1" else "", kind=row.kind,
                sources=row.sources, below=f"{word}, p = {p:.2f}")  # fmt: skip
