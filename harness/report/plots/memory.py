"""Where a chip's memory goes: weights, the cache of the requests at hand, and what is left."""

from __future__ import annotations

from harness.report import style
from harness.report.comparison import rows_named, shared_model, stacks_with, words_of
from harness.report.figures import Figures, Owner, figures_of
from harness.results import Results

TITLE = "Modelled memory of a chip by stack: weights, cache of the requests at hand, the rest"
NEEDS = ("memory_gb",)
PARTS = (("weights", "weights", style.PALETTE[0]), ("kv", "cache of the requests at hand", style.PALETTE[4]),
         ("free", "left for more requests, activations and the engine", style.GRID))  # fmt: skip


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    stacks = stacks_with(results, figures, "memory_gb")
    figure.set_size_inches(13, 2.6 + 0.55 * len(stacks))
    ax = figure.add_subplot()
    for y, stack in enumerate(stacks):
        with style.of(ax, Owner(stack)):
            _bar(ax, figures, stack, y)
    rows_named(ax, results, stacks)
    ax.set_xlabel("GB a chip")
    handles = [style.Patch(color=colour, label=words) for _, words, colour in PARTS]
    figure.legend(handles=handles, loc="outside upper right", ncols=1)
    below = f"{words_of(results)}, the compared number of requests at once. {shared_model(results)}"
    style.heading(figure, "Memory of a chip: modelled", below)


def _bar(ax: style.Axes, figures: Figures, stack: str, y: int) -> None:
    left = 0.0
    for part, _, colour in PARTS:
        value = figures.one("memory_gb", part, stack=stack).value
        ax.barh(y, value, 0.6, left=left, color=colour)
        if value > 6:
            ax.text(left + value / 2, y, f"{value:,.0f}", ha="center", va="center", color=style.ink_on(colour),
                    fontsize=11)  # fmt: skip
        left += value
