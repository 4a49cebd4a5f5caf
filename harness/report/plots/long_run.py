"""The 35-hour agent run by server: time, split into tools and chip, and what it costs."""

from __future__ import annotations

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from harness.report import agents, style
from harness.report.figures import Figure, Figures, figures_of
from harness.report.plotting import CannotDraw
from harness.results import Results

TITLE = "Modelled 35-hour agent run by server: hours waiting for tools and for the chip, rent and energy, with p10–p90"
NEEDS = ("session_h", "agents_per_chip")
_WAYS = ((agents.ALONE, -0.2, style.PALETTE[5], "o"), (agents.SHARED, 0.2, style.PALETTE[1], "s"))
_COSTS = (
    ("usd_per_session", "USD rent (log)"),
    ("energy_kwh_per_session", "kWh board energy (log)"),
)


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    model = agents.drawn_model(figures)
    heads = agents.servers(figures, model, "session_h", agents.ALONE)
    if not heads:
        raise CannotDraw("no run of 35 hours was simulated")
    heads.sort(key=lambda f: (f.value is None, f.value or 0.0, f.chip))
    figure.set_size_inches(16, 2.4 + 0.6 * len(heads))
    axes = figure.subplots(1, 3, width_ratios=[2.2, 1, 1])
    for y, head in enumerate(heads):
        with style.of(axes, head.owner):
            _row(axes, figures, head, y)
    for ax, (metric, words) in zip(axes[1:], _COSTS, strict=True):
        if any(figures.with_value(metric, model=model, workload=w) for w, *_ in _WAYS):
            ax.set_xscale("log")
            style.plain_log(ax.xaxis)
        ax.set_xlabel(words)
    axes[0].set_xlim(left=0)
    axes[0].set_xlabel("hours until the session is done")
    for k, ax in enumerate(axes):
        ax.set_ylim(len(heads) - 0.4, -0.6)
        agents.name_rows(ax, results, heads, first=k == 0)
    figure.legend(handles=_legend(), loc="outside right upper")
    below = (
        f"One session of {agents.calls_of(heads[0])}. Contexts, answers and the tools' times are assumed, "
        "so every figure is; p10–p90 is of the chip's part alone. none: not even one such session keeps the SLO."
    )
    style.heading(figure, f"The 35-hour agent run: {model}, modelled on assumed lengths", below)


def _row(axes, figures: Figures, head: Figure, y: int) -> None:
    for workload, off, colour, marker in _WAYS:

        def one(metric: str, at: str = workload) -> Figure | None:
            return figures.one(metric, stack=head.stack, workload=at)

        whole, tools = one("session_h"), one("tool_wait_h")
        if whole is None or whole.value is None or tools is None or tools.value is None:
            words = "none" if workload == agents.SHARED and head.value is not None else "cannot serve"
            axes[0].text(0.4, y + off, words, color=style.SOFT, fontsize=9, va="center")
            continue
        axes[0].barh(y + off, tools.value, 0.34, color=style.REST)
        axes[0].barh(y + off, whole.value - tools.value, 0.34, left=tools.value, color=colour)
        if whole.has_interval:
            style.span(axes[0], whole.low, whole.high, y + off)
        for ax, (metric, _) in zip(axes[1:], _COSTS, strict=True):
            f = one(metric)
            if f is not None and f.value is not None:
                style.interval_dot(ax, f.value, y + off, f.low, f.high, colour, f.kind == "assumed", marker)


def _legend() -> list:
    alone, shared = "waits for the chip,\nserver to itself", "waits for the chip,\nas many sessions as\nkeep the SLO"
    return [
        Patch(color=style.REST, label="waits for tools\n(assumed)"), Patch(color=_WAYS[0][2], label=alone),
        Patch(color=_WAYS[1][2], label=shared), Line2D([], [], color=style.INK, linewidth=1.6, label="p10–p90"),
    ]  # fmt: skip
