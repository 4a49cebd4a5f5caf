"""What tables and plots of agents share: which rows they are, in what order the servers, the service level."""

from __future__ import annotations

from harness.report import style
from harness.report.crowd import Look
from harness.report.figures import Figure, Figures, chip_name, unique
from harness.report.plotting import CannotDraw
from harness.results import Results

AGENTS, ALONE, SHARED = "coding-agent", "agent-35h-alone", "agent-35h-shared"


def models_of(figures: Figures) -> list[str]:
    """Models whose serving of agents the run holds, those that serve anywhere first."""
    heads = figures.where("agents_per_chip")
    return unique([f.model for f in heads if f.value is not None] + [f.model for f in heads])


def drawn_model(figures: Figures) -> str:
    """The model that plots show. Raises CannotDraw."""
    serving = [f.model for f in figures.with_value("agents_per_chip")]
    if not serving:
        raise CannotDraw("no server of this run serves the agents")
    return serving[0]


def servers(figures: Figures, model: str, metric: str = "agents_per_chip", workload: str = AGENTS) -> list[Figure]:
    """One figure of each server, the largest value first; those that cannot serve last."""
    rows = figures.where(metric, model=model, workload=workload, part="")
    return sorted(rows, key=lambda f: (f.value is None, -(f.value or 0.0), -(f.high or 0.0), f.chip))


def swept(figures: Figures, metric: str, stack: str, name: str) -> list[tuple[float, Figure]]:
    """[(value, figure)] of `metric[name=value]` of a stack, by value."""
    rows = figures.with_value(metric, stack=stack, workload=AGENTS)
    found = [(float(f.part.removeprefix(f"{name}=")), f) for f in rows if f.part.startswith(f"{name}=")]
    return sorted(found, key=lambda pair: pair[0])


def server_name(results: Results, f: Figure) -> str:
    return f"{chip_name(results, f.chip)} ×{f.chips}"


def name_rows(ax: style.Axes, results: Results, heads: list[Figure], first: bool) -> None:
    """A row a server, named on the leftmost panel only."""
    ax.set_yticks(range(len(heads)), [server_name(results, head) if first else "" for head in heads])
    for head, words in zip(heads, ax.get_yticklabels(), strict=True):
        style.mark(words, head.owner)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)


def level(figure: Figure) -> str:
    """The service level in words: `TTFT 5 s, TPOT 30 ms, kept by 95 % of calls`."""
    n = figure.notes
    if not {"slo_ttft_s", "slo_tpot_s", "attain"} <= set(n):
        return "the workload's own"
    tpot, share = float(n["slo_tpot_s"]) * 1e3, float(n["attain"]) * 100
    return f"TTFT within {n['slo_ttft_s']} s and TPOT within {tpot:g} ms, kept by {share:g} % of calls"


def calls_of(figure: Figure) -> str:
    """The calls of a long run in words: `1,158 calls`."""
    return f"{int(figure.notes['calls']):,} calls" if "calls" in figure.notes else "many calls"


def limit_line(ax: style.Axes, figure: Figure, name: str) -> None:
    """The service level's limit as a dashed line with its words; none where the rows do not say it."""
    limit = figure.notes.get(f"slo_{name}_s")
    if limit is None:
        return
    ax.axhline(float(limit), color=style.INK, linestyle=(0, (4, 3)), linewidth=1.4, zorder=4)
    words = f"SLO {float(limit):g} s" if float(limit) >= 1 else f"SLO {float(limit) * 1e3:g} ms"
    ax.text(0.01, float(limit), words, transform=ax.get_yaxis_transform(), fontsize=10,
            va="bottom", color=style.INK)  # fmt: skip


def band(ax: style.Axes, x: list[float], rows: list[Figure], look: Look, label: str, times: float = 1.0) -> None:
    """A line with its p10..p90 as a band (a bar for a lone point); dashed where it rests on an assumed value."""
    dashed, colour = any(f.kind == "assumed" for f in rows), look.colour
    ax.plot(x, [f.value * times for f in rows], marker=look.marker, color=colour, label=label, linewidth=2,
            linestyle=(0, (4, 2)) if dashed else "-", markerfacecolor="white" if dashed else colour)  # fmt: skip
    known = [(a, f.low * times, f.high * times) for a, f in zip(x, rows, strict=True) if f.has_interval]
    if len(known) == 1:
        ax.vlines(*zip(*known, strict=True), color=colour, linewidth=2, alpha=0.6)
    elif known:
        ax.fill_between(*zip(*known, strict=True), color=colour, alpha=0.14, linewidth=0)
