"""The scatter plot of a validation: predicted against measured, a panel a figure, coloured by family."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.lines import Line2D

from harness.report import style
from harness.validation import errors

PANELS = {
    "tpot": ("Time per output token", "ms"), "ttft": ("Time to first token", "ms"),
    "throughput": ("Output tokens/s per chip", "token/s"),
    "saturated": ("Output tokens/s per chip, saturated", "token/s"), "energy": ("Energy per output token", "J"),
}  # fmt: skip
_COLOURS = (*style.PALETTE, style.INK)  # families by their count of rows; further ones share the last
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def draw(lines: pd.DataFrame, left_out: str, folder: Path) -> Iterator[Path]:
    """Write scatter.png and scatter.svg of the lines of `compare`; yields their paths."""
    shown = lines[lines["predicted"].notna() & (lines["statistic"] != "power")]
    panels = [target for target in PANELS if (shown["target"] == target).any()]
    families = list(shown["family"].value_counts().index)
    with style.figure() as figure:
        figure.set_size_inches(16, 9)
        axes = figure.subplots(2, 3).ravel()  # the last is the legend's
        for ax, target in zip(axes, panels, strict=False):
            _panel(ax, shown[shown["target"] == target], target, families)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        handles = [_handle(i, family) for i, family in enumerate(families)]
        handles.append(Line2D([], [], color=style.SOFT, linewidth=1.4, label="predicted = measured"))
        axes[-1].legend(handles=handles, loc="center", fontsize=15)
        below = "Log axes. Dot: a published figure; bar: p10 to p90 of the prediction; MAPE: mean error of n figures."
        style.heading(figure, f"Predicted and measured, {left_out}", below)
        for path in (folder / "scatter.png", folder / "scatter.svg"):
            style.save(figure, path)
            yield path


def _panel(ax: style.Axes, lines: pd.DataFrame, target: str, families: list[str]) -> None:
    figures = lines[["measured", "predicted"]]
    ends = (float(figures.min().min()) / 1.5, float(figures.max().max()) * 1.5)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    title, unit = PANELS[target]
    ax.set_xlabel(f"measured, {unit}", fontsize=14)
    ax.set_ylabel(f"predicted, {unit}", fontsize=14)
    style.plain_log(ax.xaxis)
    style.plain_log(ax.yaxis)
    ax.plot(ends, ends, color=style.SOFT, linewidth=1.4, zorder=1)
    for i, family in enumerate(families):
        some = lines[lines["family"] == family]
        colour, marker = _look(i)
        # Thousands of marks: pixels also in the SVG, whose axes and words stay lines and text.
        ax.vlines(some["measured"], some["p10"], some["p90"], colors=colour, linewidth=0.7, alpha=0.3, rasterized=True)
        ax.scatter(some["measured"], some["predicted"], s=16, c=colour, marker=marker, alpha=0.75, linewidths=0,
                   zorder=3, rasterized=True)  # fmt: skip
    mape = errors.measures(lines)["mape"] * 100
    ax.set_title(f"{title}\nn = {len(lines):,}, MAPE {mape:.0f} %", loc="left", fontsize=15)


def _look(place: int) -> tuple[str, str]:
    last = len(_COLOURS) - 1
    return _COLOURS[min(place, last)], _MARKERS[min(place, last)]


def _handle(place: int, family: str) -> Line2D:
    colour, marker = _look(place)
    return Line2D([], [], color=colour, marker=marker, markersize=9, linestyle="none", label=family)
