"""Throughput a chip against interactivity, one line a stack over the number of requests at once."""

from __future__ import annotations

from harness.report import crowd, style
from harness.report.comparison import about, concurrency_of, shared_model, short_name, stacks_with, words_of
from harness.report.figures import Figure, Figures, Owner, figures_of
from harness.results import Results

TITLE = "Modelled output per chip against tokens a second for each user, by stack and number of requests, p10–p90"
NEEDS = ("curve.tok_s_per_user", "curve.output_tok_s_per_chip")
Points = list[tuple[Figure, Figure]]  # tokens/s for a user, tokens/s a chip


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    ax = figure.add_subplot()
    figure.set_size_inches(15, 8)
    curves = {stack: _points(figures, stack) for stack in stacks_with(results, figures, NEEDS[0])}
    first = _spread(curves, about(results)["baseline"])
    shown = crowd.looks(first, [stack for stack in curves if stack not in first])
    names = {stack: short_name(results, stack) for stack in curves}
    for stack, look in shown.items():
        with style.of(ax, Owner(stack), look.when):
            _line(ax, curves[stack], names[stack], look)
        if not look.own:
            with style.of(ax, Owner(stack), crowd.CROWD):
                ax.plot(*_places(curves[stack]), color=style.CROWD, linewidth=1.2, zorder=1)
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("log")
        style.plain_log(axis)
    ax.set_xlabel("output tokens/s for each user (interactivity)")
    ax.set_ylabel("output tokens/s a chip")
    handles, _ = ax.get_legend_handles_labels()
    if len(shown) > len(first):
        handles.append(crowd.crowd_handle(len(shown) - len(first), "stacks"))
    legend = figure.legend(handles=handles, loc="outside right upper")
    below = (
        f"{words_of(results)}. Log axes. A point: a number of requests at once, from 1 on the right, the largest "
        "written at the left end; up and to the right is better. Band: from p10 to p90 of both; hollow and dashed: "
        f"rests on an assumed value. {shared_model(results)}"
    )
    style.heading(figure, "Throughput against interactivity: modelled", below)
    crowd.finish(figure, legend, names, shown)


def _points(figures: Figures, stack: str) -> Points:
    users = sorted(figures.with_value(NEEDS[0], stack=stack), key=concurrency_of)
    pairs = [(user, figures.one(NEEDS[1], user.part, stack=stack)) for user in users]
    return [(user, chip) for user, chip in pairs if chip is not None and chip.value is not None]


def _spread(curves: dict[str, Points], baseline: str) -> list[str]:
    """The stacks with a colour from the start: the baseline, and others evenly from the most output to the least."""
    others = sorted((s for s in curves if s != baseline), key=lambda s: -max(chip.value for _, chip in curves[s]))
    room = len(style.PALETTE) - (baseline in curves)
    if len(others) > room:
        others = [others[round(k * (len(others) - 1) / (room - 1))] for k in range(room)]
    return [baseline, *others] if baseline in curves else others


def _places(points: Points) -> tuple[list[float], list[float]]:
    return [user.value for user, _ in points], [chip.value for _, chip in points]


def _line(ax: style.Axes, points: Points, name: str, look: crowd.Look) -> None:
    hollow = any(user.kind == "assumed" for user, _ in points)
    ax.plot(*_places(points), color=look.colour, marker=look.marker, markersize=7, linewidth=2.2, zorder=3,
            label=name if look.own else "_", linestyle=(0, (4, 2)) if hollow else "-",
            markerfacecolor="white" if hollow else look.colour)  # fmt: skip
    if all(user.has_interval and chip.has_interval for user, chip in points):
        low, high = ([(getattr(u, end), getattr(c, end)) for u, c in points] for end in ("low", "high"))
        ax.fill(*zip(*low, *reversed(high), strict=True), color=look.colour, alpha=0.1, linewidth=0, zorder=2)
    user, chip = points[-1]
    ax.annotate(f"{concurrency_of(user)}", (user.value, chip.value), xytext=(-8, 0), textcoords="offset points",
                fontsize=10, ha="right", va="center", color=style.for_text(look.colour))  # fmt: skip
