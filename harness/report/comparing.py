"""What the plots that compare chips share: which models, in what order the chips, one panel a model."""

from __future__ import annotations

from statistics import fmean

import numpy as np

from harness.report import style
from harness.report.figures import Figure, Figures, Owner, chip_name, unique
from harness.report.plotting import CannotDraw
from harness.report.tables_stacks import headline_model
from harness.results import Results

Group = tuple[str, str]  # model, workload


def chosen_models(figures: Figures, metric: str, most: int = 3) -> list[Group]:
    """Large models that half of the chips run: the headline one, the lightest and the heaviest."""
    groups = unique((f.model, f.workload) for f in figures.where(metric) if f.chip and not f.suite and f.model)
    running = {g: [f.value for f in _rows(figures, metric, g) if f.value is not None] for g in groups}
    running = {g: values for g, values in running.items() if values}
    if not running:
        raise CannotDraw("no large model runs on any chip of this run")
    enough = [g for g in running if len(running[g]) >= max(len(v) for v in running.values()) / 2]
    ordered = sorted(enough, key=lambda g: fmean(np.log(running[g])), reverse=metric.startswith("output"))
    wanted = [headline_model(figures), ordered[-1], ordered[0], *ordered[1:-1]]
    kept = unique(g for g in wanted if g in ordered)[:most]
    return [g for g in ordered if g in kept]


def _rows(figures: Figures, metric: str, group: Group) -> list[Figure]:
    return [f for f in figures.where(metric, model=group[0], workload=group[1], suite="") if f.chip]


def chip_order(figures: Figures, metric: str, groups: list[Group], best_high: bool) -> list[str]:
    """Chips sorted by the first group; one that cannot run it follows, by the next group that it runs."""
    places: dict[str, list[tuple[int, float]]] = {}
    for place, group in enumerate(groups):
        for f in _rows(figures, metric, group):
            found = places.setdefault(f.chip, [])
            if f.value is not None:
                found.append((place, -f.value if best_high else f.value))
    return sorted(places, key=lambda chip: (min(places[chip], default=(len(groups), 0.0)), chip))


def chip_rows(
    ax: style.Axes,
    figures: Figures,
    metric: str,
    group: Group,
    chips: list[str],
    colour: str,
    markers: dict | None = None,
) -> None:
    """One dot with its interval for each chip; several stacks of a chip share its row."""
    for y, chip in enumerate(chips):
        with style.of(ax, Owner(chip=chip)):
            _chip_row(ax, [f for f in _rows(figures, metric, group) if f.chip == chip], y, colour, markers or {})
    ax.set_xscale("log")
    ax.set_ylim(len(chips) - 0.4, -0.6)
    style.plain_log(ax.xaxis)
    ax.grid(axis="y", visible=False)


def _chip_row(ax: style.Axes, rows: list[Figure], y: int, colour: str, markers: dict[str, str]) -> None:
    beside = {"transform": ax.get_yaxis_transform(), "color": style.SOFT, "fontsize": 10, "va": "center"}
    alive = [f for f in rows if f.value]
    for f in alive:
        marker = markers.get(f.notes.get("price_class", ""), "o")
        style.interval_dot(ax, f.value, y, f.low, f.high, colour, f.kind == "assumed", marker)
    if not alive:
        ax.text(0.5, y, _why_empty(rows), ha="center", **beside)
    stacks = unique((f.chips, f.weight_dtype) for f in rows if f.chips)
    ax.text(1.01, y, ", ".join(f"×{n} {dtype}" for n, dtype in stacks), **beside)


def _why_empty(rows: list[Figure]) -> str:
    if not rows:
        return "not modelled"
    return "cannot run" if any(f.error for f in rows) else "no value"


def name_rows(ax: style.Axes, results: Results, chips: list[str], first: bool) -> None:
    """Chip names on the leftmost panel only."""
    ax.set_yticks(range(len(chips)), [chip_name(results, c) for c in chips] if first else [""] * len(chips))
    ax.tick_params(axis="y", length=0)
    for chip, words in zip(chips, ax.get_yticklabels(), strict=True):
        style.mark(words, Owner(chip=chip))


def panel_title(ax: style.Axes, group: Group, groups: list[Group], colour: str) -> None:
    """The model above its panel, with the workload where another panel has the same model."""
    model, workload = group
    alone = sum(other == model for other, _ in groups) == 1
    ax.set_title(model if alone else f"{model}\n{workload}", loc="left", color=style.for_text(colour),
                 fontweight="bold")  # fmt: skip


def reading_help(groups: list[Group]) -> str:
    """The line below such a plot."""
    workloads = " and ".join(unique(workload for _, workload in groups))
    return (
        f"Workload {workloads}. Log axes. ×: chips in the stack, with the format of the weights. "
        "Chips sorted by the first panel; overlapping intervals do not rank them."
    )
