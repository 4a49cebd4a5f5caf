"""What a further million tokens cost by kind, input, cached input and output, one row a stack."""

from __future__ import annotations

from matplotlib.lines import Line2D

from harness.report import style
from harness.report.comparison import rows_named, shared_model, stacks_with, words_of
from harness.report.figures import Owner, figures_of
from harness.results import Results

TITLE = "Modelled USD of rent for a further million tokens of input, cached input and output, by stack, p10–p90"
NEEDS = ("usd_per_m_tok",)
_KINDS = (("cached", "cached input", "D", style.PALETTE[2]), ("input", "input", "s", style.PALETTE[0]),
          ("output", "output", "o", style.PALETTE[1]))  # fmt: skip


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    stacks = stacks_with(results, figures, NEEDS[0])
    figure.set_size_inches(13, 2.8 + 0.55 * len(stacks))
    ax = figure.add_subplot()
    for y, stack in enumerate(stacks):
        with style.of(ax, Owner(stack)):
            for k, (part, _, marker, colour) in enumerate(_KINDS):
                row = figures.one(NEEDS[0], part, stack=stack)
                if row is not None and row.value:
                    style.interval_dot(ax, row.value, y + 0.2 * (k - 1), row.low, row.high, colour,
                                       row.kind == "assumed", marker)  # fmt: skip
    ax.set_xscale("log")
    style.plain_log(ax.xaxis)
    rows_named(ax, results, stacks)
    ax.set_xlabel("USD of rent for a further million tokens (log)")
    handles = [Line2D([], [], color=c, marker=m, linewidth=2.4, markersize=8, label=words) for _, words, m, c in _KINDS]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    below = f"{words_of(results)}. Hollow, dashed: rests on an assumed value. {shared_model(results)}"
    style.heading(figure, "What tokens cost, by kind: modelled", below)
