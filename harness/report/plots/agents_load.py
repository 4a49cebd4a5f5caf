"""Latency of coding agents' calls against the agents a chip, with the service level's limits."""

from __future__ import annotations

from harness.report import agents, crowd, style
from harness.report.figures import Figure, Figures, figures_of
from harness.results import Results

TITLE = "Modelled TTFT and TPOT (p95 of calls) against coding agents per chip, with the service level, p10–p90"
NEEDS = ("ttft_p95_s", "tpot_p95_s", "agents_per_chip")
_PANELS = (("ttft", "time to first token (TTFT), p95 of calls, s"), ("tpot", "time per output token (TPOT), p95, s"))


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    model = agents.drawn_model(figures)
    heads = [h for h in agents.servers(figures, model) if agents.swept(figures, "ttft_p95_s", h.stack, "agents")]
    first = _spread(heads)
    shown = crowd.looks(first, [h.stack for h in heads if h.stack not in first])
    names = {head.stack: agents.server_name(results, head) for head in heads}
    figure.set_size_inches(16, 7.5)
    axes = figure.subplots(1, 2)
    for ax, (name, words) in zip(axes, _PANELS, strict=True):
        for head in heads:
            _line(ax, figures, head, name, shown[head.stack], names[head.stack])
        ax.set(xscale="log", yscale="log", xlabel="coding agents per chip")
        style.plain_log(ax.xaxis)
        style.plain_log(ax.yaxis)
        ax.set_title(words, loc="left")
        agents.limit_line(ax, heads[0], name)
    handles, _ = axes[0].get_legend_handles_labels()
    if len(heads) > len(first):
        handles.append(crowd.crowd_handle(len(heads) - len(first), "servers"))
    legend = figure.legend(handles=handles, loc="outside right upper")
    below = (
        "Log axes. Band: p10–p90; hollow, dashed: rests on an assumed value. A line ends at the first of 1, 4, 16, ... "
        "agents on a server with which fewer calls than the SLO asks keep both limits."
    )
    style.heading(figure, f"Latency against load: {model}, modelled", below)
    crowd.finish(figure, legend, names, shown)


def _spread(heads: list[Figure]) -> list[str]:
    """As many servers as there are colours, evenly over the order of agents per chip."""
    last, colours = len(heads) - 1, len(style.PALETTE)
    return [heads[place].stack for place in sorted({round(k * last / (colours - 1)) for k in range(colours)})]


def _line(ax: style.Axes, figures: Figures, head: Figure, name: str, look: crowd.Look, words: str) -> None:
    found = agents.swept(figures, f"{name}_p95_s", head.stack, "agents")
    x = [load / head.chips for load, _ in found]
    with style.of(ax, head.owner, look.when):
        agents.band(ax, x, [f for _, f in found], look, words if look.own else "_")  # "_": not in the legend
    if not look.own:
        with style.of(ax, head.owner, crowd.CROWD):
            ax.plot(x, [f.value for _, f in found], color=style.CROWD, linewidth=1.2, zorder=1)
