"""Latency of coding agents' calls against the agents a chip, with the service level's limits."""

from __future__ import annotations

from harness.report import agents, style
from harness.report.figures import Figure, Figures, figures_of
from harness.results import Results

TITLE = "Modelled TTFT and TPOT (p95 of calls) against coding agents per chip, with the service level, p10–p90"
NEEDS = ("ttft_p95_s", "tpot_p95_s", "agents_per_chip")
_PANELS = (("ttft", "time to first token (TTFT), p95 of calls, s"), ("tpot", "time per output token (TPOT), p95, s"))
_GREY = "#b4bac1"


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    model = agents.drawn_model(figures)
    heads = [h for h in agents.servers(figures, model) if agents.swept(figures, "ttft_p95_s", h.stack, "agents")]
    chosen = _spread(heads)
    figure.set_size_inches(16, 7.5)
    axes = figure.subplots(1, 2)
    for ax, (name, words) in zip(axes, _PANELS, strict=True):
        for head in sorted(heads, key=lambda h: h.stack not in chosen):
            with style.of(ax, head.owner):
                _line(ax, results, figures, head, name, chosen)
        ax.set(xscale="log", yscale="log", xlabel="coding agents per chip")
        style.plain_log(ax.xaxis)
        style.plain_log(ax.yaxis)
        ax.set_title(words, loc="left")
        agents.limit_line(ax, heads[0], name)
    legend = figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    style.mark_legend(legend, {agents.server_name(results, h): h.owner for h in heads if h.stack in chosen})
    below = (
        "Log axes. Band: p10–p90; hollow, dashed: rests on an assumed value. A line ends at the first of 1, 4, 16, ... "
        "agents on a server with which fewer calls than the SLO asks keep both limits."
    )
    style.heading(figure, f"Latency against load: {model}, modelled", below)


def _spread(heads: list[Figure]) -> dict[str, str]:
    """{stack: colour} of as many servers as there are colours, evenly over the order of agents per chip."""
    last, colours = len(heads) - 1, len(style.PALETTE)
    places = sorted({round(k * last / (colours - 1)) for k in range(colours)})
    return {heads[place].stack: colour for place, colour in zip(places, style.PALETTE, strict=False)}


def _line(ax: style.Axes, results: Results, figures: Figures, head: Figure, name: str, chosen: dict[str, str]) -> None:
    found = agents.swept(figures, f"{name}_p95_s", head.stack, "agents")
    x = [load / head.chips for load, _ in found]
    if head.stack in chosen:
        label = agents.server_name(results, head)
        agents.band(ax, x, [f for _, f in found], chosen[head.stack], label)
    else:
        others = "other servers" if "other servers" not in ax.get_legend_handles_labels()[1] else None
        ax.plot(x, [f.value for _, f in found], color=_GREY, linewidth=1.2, zorder=1, label=others)
