"""Where the time of a token goes by operator, one bar a stack."""

from __future__ import annotations

from harness.report import style
from harness.report.comparison import about, rows_named, shared_model, stacks_with, words_of
from harness.report.figures import Figures, Owner, figures_of
from harness.results import Results

TITLE = "Modelled time of a decode step by operator, share of the step, by stack"
NEEDS = ("time_share",)
_MOST = 11  # operators with a colour of their own
_COLOURS = (*style.PALETTE, "#8c6d31", "#7d7d7d", "#117733", "#AA4499", "#44AA99")


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    stacks = stacks_with(results, figures, "time_share")
    names = _largest(figures, stacks, about(results)["workload"])
    figure.set_size_inches(13, 2.8 + 0.55 * len(stacks))
    ax = figure.add_subplot()
    for y, stack in enumerate(stacks):
        with style.of(ax, Owner(stack)):
            _bar(ax, figures, stack, names, y)
    rows_named(ax, results, stacks)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    ax.set_xlabel("share of the time of a decode step")
    labels = [
        (name.removeprefix("decode.").replace("_", " "), colour) for name, colour in zip(names, _COLOURS, strict=False)
    ]
    handles = [style.Patch(color=c, label=n) for n, c in [*labels, ("the rest", style.REST)]]
    figure.legend(handles=handles, loc="outside upper right", ncols=4)
    style.heading(figure, "Where the time goes: modelled", f"{words_of(results)}. {shared_model(results)}")


def _bar(ax: style.Axes, figures: Figures, stack: str, names: list[str], y: int) -> None:
    left = 0.0
    for name, colour in zip(names, _COLOURS, strict=False):
        row = figures.one("time_share", name, stack=stack)
        value = row.value if row is not None else 0.0
        ax.barh(y, value, 0.6, left=left, color=colour)
        if value > 0.06:
            ax.text(left + value / 2, y, f"{value:.0%}", ha="center", va="center", color=style.ink_on(colour),
                    fontsize=10, fontweight="bold")  # fmt: skip
        left += value
    ax.barh(y, max(1 - left, 0.0), 0.6, left=left, color=style.REST)


def _largest(figures: Figures, stacks: list[str], workload: str) -> list[str]:
    """The operators that take most over all stacks."""
    shares: dict[str, float] = {}
    for f in figures.with_value("time_share", workload=workload):
        if f.stack in stacks:
            shares[f.part] = shares.get(f.part, 0.0) + f.value
    return sorted(shares, key=shares.get, reverse=True)[:_MOST]
