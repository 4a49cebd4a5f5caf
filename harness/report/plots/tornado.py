"""What would change the verdict on money: each input's own p10 and p90, the largest first, a panel a stack."""

from __future__ import annotations

from harness.report import style
from harness.report.comparison import about, shared_model, short_name, wrapped
from harness.report.figures import Figure, Figures, Owner, figures_of
from harness.report.plotting import CannotDraw
from harness.report.tables_comparison import cause
from harness.results import Results

TITLE = "Modelled ratio of USD a token to the baseline, moved by one input at a time from its p10 to its p90"
NEEDS = ("mover",)
_METRIC, _MOST, _PANELS, _ACROSS = "usd_per_m_output_tok", 5, 6, 2
_LOW, _HIGH = style.PALETTE[0], style.PALETTE[1]


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    stacks = [s for s in about(results).get("stacks", {}) if figures.where("mover", part=_METRIC, stack=s)][:_PANELS]
    if not stacks:
        raise CannotDraw("no two of the stacks have a price")
    across = min(_ACROSS, len(stacks))
    down = -(-len(stacks) // across)
    figure.set_size_inches(15, 2.0 + 3.3 * down)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for ax, stack in zip(panels, stacks, strict=False):
        with style.of(ax, Owner(stack)):
            _panel(ax, results, figures, stack)
    for ax in panels[len(stacks) :]:
        ax.set_axis_off()
    handles = [style.Patch(color=_LOW, label="the input at its p10"), style.Patch(color=_HIGH, label="at its p90")]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    style.heading(figure, "What would change the verdict on money", "The ratio as one input alone goes from its p10 to "
                  f"its p90. Left of 1 the stack is the cheaper one. {shared_model(results)}")  # fmt: skip


def _panel(ax: style.Axes, results: Results, figures: Figures, stack: str) -> None:
    rows = figures.where("mover", part=_METRIC, stack=stack)[:_MOST]
    middle = figures.one("ratio", _METRIC, stack=stack).value
    for y, row in enumerate(rows):
        for end, colour in (("low", _LOW), ("high", _HIGH)):
            reached = float(row.notes[end])
            ax.barh(y, reached - middle, 0.56, left=middle, color=colour)
    ax.axvline(middle, color=style.INK, linewidth=1.2)
    ax.axvline(1, color=style.SOFT, linewidth=1.4, linestyle=(0, (4, 3)))
    ax.set_xscale("log")
    ends = [float(row.notes[end]) for row in rows for end in ("low", "high")]
    ax.set_xlim(min(*ends, 1) / 1.3, max(*ends, 1) * 1.3)
    style.plain_log(ax.xaxis)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), [wrapped(_short(results, row, stack), 30) for row in rows], fontsize=10)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"USD a token over that of {short_name(results, about(results)['baseline'])} (log)", fontsize=10)
    ax.set_title(wrapped(short_name(results, stack), 52), loc="left", fontsize=12, fontweight="bold")


def _short(results: Results, row: Figure, stack: str) -> str:
    """A cause in few words: the panel says of which stack."""
    named = {"unexplained": "unexplained, both", "unexplained.a": "unexplained, this stack",
             "unexplained.b": "unexplained, the baseline"}  # fmt: skip
    return named.get(row.notes["cause"]) or cause(results, row.notes["cause"], stack).removeprefix("the ")
