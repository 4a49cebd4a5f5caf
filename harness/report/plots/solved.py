"""Published quality against USD for each solved task: a row a stack, in order of its model's score, a panel a score."""

from __future__ import annotations

from harness.report import style
from harness.report.comparison import shared_model, short_name, stacks_with, wrapped
from harness.report.figures import Figure, Figures, Owner, figures_of
from harness.results import Results

TITLE = "Published share of tasks solved against USD of rent for each solved task, by stack, p10–p90"
NEEDS = ("usd_per_solved_task",)
_MOST = 2  # benchmarks, a panel each


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    stacks = stacks_with(results, figures, NEEDS[0])
    parts = _most_shared(figures)
    rows = {part: _rows(figures, part, stacks) for part in parts}
    figure.set_size_inches(9 * len(parts), 3.0 + 0.55 * max(len(found) for found in rows.values()))
    axes = figure.subplots(1, len(parts), squeeze=False)[0]
    for ax, part in zip(axes, parts, strict=True):
        _panel(ax, results, part, rows[part])
    axes[0].set_ylabel("stack, and % of tasks solved (published)")
    below = (
        "Sorted by the score: models that solve more stand above, and left is cheaper. An attempt is assumed to be a "
        "session of the workload, alike for every model; the scores' own errors are not published. "
        f"{shared_model(results)}"
    )
    style.heading(figure, "Quality against the cost of a solved task", below)


def _rows(figures: Figures, part: str, stacks: list[str]) -> list[Figure]:
    """One figure a stack, the best score first, then the cheapest."""
    found = [row for stack in stacks for row in figures.with_value(NEEDS[0], part=part, stack=stack)[:1]]
    return sorted(found, key=lambda row: (-float(row.notes["score"]), row.value))


def _panel(ax: style.Axes, results: Results, part: str, rows: list[Figure]) -> None:
    models = list(dict.fromkeys(row.model for row in rows))
    for y, row in enumerate(rows):
        with style.of(ax, Owner(row.stack)):
            colour = style.PALETTE[models.index(row.model) % len(style.PALETTE)]
            style.interval_dot(ax, row.value, y, row.low, row.high, colour, row.kind == "assumed")
    for above, row in enumerate(rows[1:]):
        if row.notes["score"] != rows[above].notes["score"]:
            ax.axhline(above + 0.5, color=style.SOFT, linewidth=0.8)
    ax.set_xscale("log")
    style.plain_log(ax.xaxis)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    names = [f"{wrapped(short_name(results, row.stack), 40)}: {float(row.notes['score']):g} %" for row in rows]
    ax.set_yticks(range(len(rows)), names)
    for row, words in zip(rows, ax.get_yticklabels(), strict=True):
        style.mark(words, Owner(row.stack))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_title(part, loc="left", fontweight="bold")
    ax.set_xlabel("USD of rent for each solved task (log)")


def _most_shared(figures: Figures) -> list[str]:
    """The benchmarks that most stacks have a figure on."""
    counts: dict[str, int] = {}
    for row in figures.with_value(NEEDS[0]):
        counts[row.part] = counts.get(row.part, 0) + 1
    return sorted(counts, key=lambda part: (-counts[part], part))[:_MOST]
