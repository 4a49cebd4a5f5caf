"""Predicted against published figures of a validation, a panel a figure, coloured by the chips' family."""

from __future__ import annotations

from collections import Counter

import numpy as np
from matplotlib.lines import Line2D

from harness.report import style
from harness.report.figures import Figure, Figures, figures_of
from harness.results import Results

TITLE = "Predicted against published figures, with p10–p90 of the prediction"
NEEDS = ("validation.published",)
_PANELS = {
    "tpot": ("Time per output token", "ms"), "ttft": ("Time to first token", "ms"),
    "throughput": ("Output tokens/s per chip", "token/s"),
    "saturated": ("Output tokens/s per chip, saturated", "token/s"), "energy": ("Energy per output token", "J"),
}  # fmt: skip
_COLOURS = (*style.PALETTE, "#7d7d7d")  # families by their count of rows; further ones share the last
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
Pair = tuple[Figure, Figure]  # published, predicted


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    pairs = {target: found for target in _PANELS if (found := _pairs(figures, target))}
    counts = Counter(predicted.notes["family"] for found in pairs.values() for _, predicted in found)
    families = [family for family, _ in counts.most_common()]
    figure.set_size_inches(16, 9)
    axes = figure.subplots(2, 3).ravel()  # the last is the legend's
    for ax, (target, found) in zip(axes, pairs.items(), strict=False):
        _panel(ax, target, found, families)
    for ax in axes[len(pairs) :]:
        ax.set_axis_off()
    handles = [_handle(i, family) for i, family in enumerate(families)]
    handles.append(Line2D([], [], color=style.SOFT, linewidth=1.4, label="predicted = published"))
    axes[-1].legend(handles=handles, loc="center", fontsize=15)
    below = "Log axes. Dot: a published figure; bar: p10 to p90 of the prediction; MAPE: mean error of n figures."
    style.heading(figure, f"Predicted and published, {results.manifest.get('left_out_of_fit', 'in sample')}", below)


def _pairs(figures: Figures, target: str) -> list[Pair]:
    predicted = {f.workload: f for f in figures.with_value("validation.predicted", part=target)}
    published = figures.with_value("validation.published", part=target)
    return [(f, predicted[f.workload]) for f in published if f.workload in predicted]


def _panel(ax: style.Axes, target: str, pairs: list[Pair], families: list[str]) -> None:
    title, unit = _PANELS[target]
    values = [f.value for pair in pairs for f in pair]
    ends = (min(values) / 1.5, max(values) * 1.5)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ax.set_xlabel(f"published, {unit}", fontsize=14)
    ax.set_ylabel(f"predicted, {unit}", fontsize=14)
    style.plain_log(ax.xaxis)
    style.plain_log(ax.yaxis)
    ax.plot(ends, ends, color=style.SOFT, linewidth=1.4, zorder=1)
    for i, family in enumerate(families):
        some = [pair for pair in pairs if pair[1].notes["family"] == family]
        x, y = [published.value for published, _ in some], [predicted.value for _, predicted in some]
        bars = [(at, f.low, f.high) for at, (_, f) in zip(x, some, strict=True) if f.has_interval]
        colour, marker = _look(i)
        # Thousands of marks: pixels also in the SVG, whose axes and words stay lines.
        if bars:
            ax.vlines(*zip(*bars, strict=True), colors=colour, linewidth=0.7, alpha=0.3, rasterized=True)
        ax.scatter(x, y, s=16, c=colour, marker=marker, alpha=0.75, linewidths=0, zorder=3, rasterized=True)
    error = np.mean([abs(predicted.value / published.value - 1) for published, predicted in pairs])
    ax.set_title(f"{title}\nn = {len(pairs):,}, MAPE {error:.0%}", loc="left", fontsize=15)


def _look(place: int) -> tuple[str, str]:
    last = len(_COLOURS) - 1
    return _COLOURS[min(place, last)], _MARKERS[min(place, last)]


def _handle(place: int, family: str) -> Line2D:
    colour, marker = _look(place)
    return Line2D([], [], color=colour, marker=marker, markersize=9, linestyle="none", label=family)
