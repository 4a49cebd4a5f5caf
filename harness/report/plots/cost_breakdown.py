"""What an hour of a chip costs: its rent, and beside it a bought one's capital and electricity, added up."""

from __future__ import annotations

from matplotlib.lines import Line2D

from harness.report import style
from harness.report.comparison import rows_named, shared_model, stacks_with, words_of
from harness.report.figures import Figure, Figures, Owner, figures_of
from harness.results import Results

TITLE = "USD an hour and chip by stack: rent with p10–p90, and bought, split into capital and electricity"
NEEDS = ("usd_per_chip_h",)
_RENT = style.PALETTE[1]
_BOUGHT = (("capital", "bought: capital", style.PALETTE[5]),
           ("electricity", "its electricity", style.PALETTE[4]))  # fmt: skip


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    stacks = stacks_with(results, figures, NEEDS[0])
    figure.set_size_inches(13, 2.8 + 0.62 * len(stacks))
    ax = figure.add_subplot()
    for y, stack in enumerate(stacks):
        with style.of(ax, Owner(stack)):
            _bar(ax, figures, stack, y + 0.17)
            rent = _of(figures, "rent", stack)
            if rent is not None:
                style.interval_dot(ax, rent.value, y - 0.22, rent.low, rent.high, _RENT, rent.kind == "assumed", "s")
    rows_named(ax, results, stacks)
    ax.set_xlim(left=0)
    ax.set_xlabel("USD an hour and chip")
    handles = [Line2D([], [], color=_RENT, marker="s", linewidth=2.4, markersize=8, label="rent"),
               *(style.Patch(color=colour, label=words) for _, words, colour in _BOUGHT),
               Line2D([], [], color=style.INK, linewidth=1.6, label="p10–p90 of the sum")]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    below = (
        "Hollow, dashed: an assumed rent. Capital: price over the hours of an assumed life; electricity: board and "
        "share of the server, times PUE. Servers, network, buildings, staff and interest are in a rent, and left out "
        f"of what is bought. {words_of(results)} for the power. {shared_model(results)}"
    )
    style.heading(figure, "What an hour of a chip costs", below)


def _bar(ax: style.Axes, figures: Figures, stack: str, y: float) -> None:
    """A chip's capital and electricity end to end, with the interval of their sum."""
    left = 0.0
    for part, _, colour in _BOUGHT:
        row = _of(figures, part, stack)
        if row is None:
            return  # without one of them there is no sum to show
        ax.barh(y, row.value, 0.3, left=left, color=colour)
        left += row.value
    whole = _of(figures, "owned", stack)
    if whole is not None and whole.has_interval:
        style.span(ax, whole.low, whole.high, y)


def _of(figures: Figures, part: str, stack: str) -> Figure | None:
    row = figures.one(NEEDS[0], part, stack=stack)
    return row if row is not None and row.value is not None else None
