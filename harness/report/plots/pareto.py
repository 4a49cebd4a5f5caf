"""Throughput a chip against interactivity, one line a stack over the number of requests at once."""

from __future__ import annotations

from harness.report import style
from harness.report.comparison import concurrency_of, lines_of, words_of
from harness.report.figures import Figures, figures_of
from harness.results import Results

TITLE = "Modelled output per chip against tokens a second for each user, by stack and number of requests, p10–p90"
NEEDS = ("curve.tok_s_per_user", "curve.output_tok_s_per_chip")


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    ax = figure.add_subplot()
    figure.set_size_inches(13, 7.4)
    for name, stack, colour, dash in lines_of(results, figures, NEEDS[0]):
        _line(ax, figures, name, stack, colour, dash)
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("log")
        style.plain_log(axis)
    ax.set_xlabel("output tokens/s for each user (interactivity)")
    ax.set_ylabel("output tokens/s a chip")
    figure.legend(loc="outside upper right", ncols=1)
    below = (
        f"{words_of(results)}. Each point is a number of requests at once, written beside it; up and to the right is "
        "better. Bars: p10–p90 of both; dashed rests on an assumed value."
    )
    style.heading(figure, "Throughput against interactivity: modelled", below)


def _line(ax: style.Axes, figures: Figures, name: str, stack: str, colour: str, dash: str) -> None:
    users = sorted(figures.with_value("curve.tok_s_per_user", stack=stack), key=concurrency_of)
    pairs = [(u, figures.one("curve.output_tok_s_per_chip", u.part, stack=stack)) for u in users]
    x, y = [u.value for u, _ in pairs], [c.value for _, c in pairs]
    hollow = any(u.kind == "assumed" for u, _ in pairs)
    ax.plot(x, y, color=colour, marker="o", linewidth=2, linestyle=dash, label=name,
            markerfacecolor="white" if hollow else colour)  # fmt: skip
    for u, c in pairs:
        ax.plot([u.low, u.high], [c.value] * 2, color=colour, alpha=0.3, linewidth=1.4)
        ax.plot([u.value] * 2, [c.low, c.high], color=colour, alpha=0.3, linewidth=1.4)
    for u, c in (pairs[0], pairs[-1]):
        ax.annotate(f"{concurrency_of(u)}", (u.value, c.value), xytext=(5, 5), textcoords="offset points", fontsize=10,
                    color=style.for_text(colour))  # fmt: skip
