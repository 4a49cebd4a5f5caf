"""What keeping caches between turns does: hit rate, TTFT and the memory that it takes."""

from __future__ import annotations

from harness.report import agents, crowd, style
from harness.report.figures import figures_of
from harness.report.plotting import CannotDraw
from harness.results import Results

TITLE = "Modelled prefix hit rate, TTFT (p95 of calls) and KV memory kept, by how long unused caches are kept, p10–p90"
NEEDS = ("prefix_hit_rate", "ttft_p95_s", "kv_kept_share", "agents_per_chip")
_PANELS = (
    ("prefix_hit_rate", "prefix hit rate, %", 100.0), ("ttft_p95_s", "TTFT, p95 of calls, s (log)", 1.0),
    ("kv_kept_share", "KV memory kept for later turns, %", 100.0),
)  # fmt: skip


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    model = agents.drawn_model(figures)
    heads = [h for h in agents.servers(figures, model) if agents.swept(figures, "ttft_p95_s", h.stack, "keep_s")]
    if not heads:
        raise CannotDraw("no server holds an agent at the service level, so that no caches were swept")
    heads = heads[: len(style.PALETTE)]
    looks = crowd.looks([head.stack for head in heads], [])
    figure.set_size_inches(16, 5.6)
    axes = figure.subplots(1, 3)
    for ax, (metric, words, times) in zip(axes, _PANELS, strict=True):
        for head, look in zip(heads, looks.values(), strict=True):
            found = agents.swept(figures, metric, head.stack, "keep_s")
            label = f"{agents.server_name(results, head)},\n{float(found[0][1].notes['agents']):g} agents"
            with style.of(ax, head.owner):
                agents.band(ax, list(range(len(found))), [f for _, f in found], look, label, times)
        ax.set_xticks(range(len(found)), ["∞" if k == float("inf") else f"{k:,.0f}" for k, _ in found])
        ax.set_xlabel("an unused cache is kept, s")
        ax.set_title(words, loc="left")
        if times > 1:
            ax.set_ylim(0, 103)
    axes[1].set_yscale("log")
    style.plain_log(axes[1].yaxis)
    agents.limit_line(axes[1], heads[0], "ttft")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    below = (
        "Each server with the coding agents that it holds at its service level when caches are kept until "
        "their memory is needed (∞). Values are evenly spaced. A band is p10–p90."
    )
    style.heading(figure, f"How long caches are kept: {model}, modelled", below)
