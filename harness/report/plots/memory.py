"""Where a chip's memory goes: weights, the cache of the requests at hand, a step's activations, and what is left."""

from __future__ import annotations

from harness.report import style
from harness.report.comparison import rows_named, shared_model, stacks_with, words_of
from harness.report.figures import Figures, Owner, figures_of
from harness.report.tables_memory import PARTS
from harness.results import Results

TITLE = "Modelled memory of a chip by stack: weights, cache of the requests at hand, activations, the rest"
NEEDS = ("memory_gb",)
_IN_ORDER = (style.PALETTE[0], style.PALETTE[4], style.PALETTE[1], style.SHADE, style.REST)
_COLOURS = {part: colour for (part, _), colour in zip(PARTS, _IN_ORDER, strict=True)}


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
    handles = [style.Patch(color=_COLOURS[part], label=words.lower()) for part, words in PARTS]
    handles.append(style.Line2D([], [], color=style.INK, linewidth=1.6, label="p10–p90 of the activations"))
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    below = (
        f"{words_of(results)}, the compared number of requests at once. Activations: the largest live tensors of a "
        f"prefill step, at least. {shared_model(results)}"
    )
    style.heading(figure, "Memory of a chip: modelled", below)


def _bar(ax: style.Axes, figures: Figures, stack: str, y: int) -> None:
    left = 0.0
    for part, _ in PARTS:
        row = figures.one("memory_gb", part, stack=stack)
        if row is None or row.value is None:
            continue
        ax.barh(y, row.value, 0.6, left=left, color=_COLOURS[part])
        if row.value > 6:
            ax.text(left + row.value / 2, y, f"{row.value:,.0f}", ha="center", va="center",
                    color=style.ink_on(_COLOURS[part]), fontsize=11)  # fmt: skip
        if row.has_interval:
            style.span(ax, left + row.low, left + row.high, y)
        left += row.value
