"""Agents a chip at the service level, and what a session costs and takes, by server."""

from __future__ import annotations

from harness.report import agents, style
from harness.report.figures import Figure, Figures, figures_of
from harness.results import Results

TITLE = "Modelled coding agents per chip at the service level, with rent and energy of a session, by server, p10–p90"
NEEDS = ("agents_per_chip",)
_PANELS = (
    ("agents_per_chip", "agents per chip", False),
    ("usd_per_session", "USD rent a session (log)", True),
    ("energy_kwh_per_session", "kWh board energy a session (log)", True),
)


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    model = agents.drawn_model(figures)
    heads = agents.servers(figures, model)
    figure.set_size_inches(16, 2.6 + 0.42 * len(heads))
    for k, (ax, (metric, unit, log)) in enumerate(zip(figure.subplots(1, 3), _PANELS, strict=True)):
        for y, head in enumerate(heads):
            with style.of(ax, head.owner):
                _one(ax, figures.one(metric, stack=head.stack, workload=agents.AGENTS), y, style.PALETTE[k])
        if log and figures.with_value(metric, model=model, workload=agents.AGENTS):
            ax.set_xscale("log")
            style.plain_log(ax.xaxis)
        ax.set_xlabel(unit)
        ax.set_ylim(len(heads) - 0.4, -0.6)
        agents.name_rows(ax, results, heads, first=k == 0)
    figure.legend(handles=style.kind_handles(), loc="outside upper right", ncols=2)
    style.heading(figure, f"Agents per chip: {model}, modelled", _reading(figures, heads))


def _one(ax: style.Axes, f: Figure | None, y: int, colour: str) -> None:
    if f is not None and f.value is not None:
        style.interval_dot(ax, f.value, y, f.low, f.high, colour, f.kind == "assumed")
        return
    words = "cannot serve" if f is not None and "level" not in f.error and "no " not in f.error else "none held"
    words = "no value" if f is None or "in the profile" in f.error else words
    ax.text(0.5, y, words, transform=ax.get_yaxis_transform(), color=style.SOFT, fontsize=10, ha="center", va="center")


def _reading(figures: Figures, heads: list[Figure]) -> str:
    return (
        f"SLO: {agents.level(heads[0])}. 0: not even one agent a server. "
        "A session without a bar: none is held at the slow end."
    )
