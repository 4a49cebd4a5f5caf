"""Published quality against USD for each solved task, one point a stack."""

from __future__ import annotations

from harness.report import style
from harness.report.comparison import lines_of
from harness.report.figures import Figures, figures_of
from harness.results import Results

TITLE = "Published share of tasks solved against USD of rent for each solved task, by stack, p10–p90"
NEEDS = ("usd_per_solved_task",)
_MARKERS = ("o", "s", "D", "^", "v", "P")
_ROOM = 6.0  # points of a score above and below
_MOST = 3  # benchmarks, a panel each


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    parts = _most_shared(figures)
    figure.set_size_inches(6.2 * len(parts) + 1, 6.6)
    panels = figure.subplots(1, len(parts), squeeze=False)[0]
    for ax, part in zip(panels, parts, strict=True):
        for k, (name, stack, colour, _) in enumerate(lines_of(results, figures, NEEDS[0])):
            for row in figures.with_value(NEEDS[0], part=part, stack=stack)[:1]:
                label = name if ax is panels[0] else None
                style.interval_dot(ax, row.value, float(row.notes["score"]), row.low, row.high, colour, True,
                                   _MARKERS[k % len(_MARKERS)])  # fmt: skip
                ax.plot([], [], color=colour, marker=_MARKERS[k % len(_MARKERS)], linestyle="none", label=label,
                        markerfacecolor="white", markersize=8)  # fmt: skip
        ax.set_xscale("log")
        style.plain_log(ax.xaxis)
        scores = [float(row.notes["score"]) for row in figures.with_value(NEEDS[0], part=part)]
        ax.set_ylim(min(scores) - _ROOM, max(scores) + _ROOM)
        ax.set_title(part, loc="left", fontweight="bold")
        ax.set_xlabel("USD of rent for each solved task")
    panels[0].set_ylabel("% of tasks solved, published")
    figure.legend(loc="outside upper right", ncols=1)
    below = (
        "An attempt is assumed to be a session of the workload, alike for every model; the scores' own errors are not "
        "published. Up and left is better."
    )
    style.heading(figure, "Quality against the cost of a solved task", below)


def _most_shared(figures: Figures) -> list[str]:
    """The benchmarks that most stacks have a figure on."""
    counts: dict[str, int] = {}
    for row in figures.with_value(NEEDS[0]):
        counts[row.part] = counts.get(row.part, 0) + 1
    return sorted(counts, key=lambda part: (-counts[part], part))[:_MOST]
