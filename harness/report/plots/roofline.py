"""The chips' ceilings, and the run's operators under the ceiling of one chip, both against FLOP per byte."""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D

from harness.report import style
from harness.report.ceilings import Ceiling, Operators, ceilings_of, end_of, operator_panels, selected
from harness.report.figures import Owner, chip_name, figures_of, unique
from harness.report.labels import Point, label_points, spread
from harness.report.plotting import CannotDraw
from harness.results import Results

TITLE = "Rooflines: ceilings of the chips, and modelled rates of the operators that ran"
NEEDS = ("chip.bandwidth_tb_s", "chip.peak_bf16_tflop_s")
_PHASE_MARKER = {"prefill": "o", "decode": "^"}
_DASHES = (0, (4, 2))


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    ceilings = ceilings_of(figures)
    if not ceilings:
        raise CannotDraw("no chip has both a bandwidth and a BF16 peak")
    panels = operator_panels(figures, ceilings)
    figure.set_size_inches(16 if panels else 11, 9)
    grid = figure.add_gridspec(max(1, len(panels)), 2 if panels else 1)
    left = figure.add_subplot(grid[:, 0])
    _draw_ceilings(left, results, ceilings, selected(ceilings, [chip for chip, *_ in panels]))
    right = [figure.add_subplot(grid[i, 1]) for i in range(len(panels))]
    for ax, panel in zip(right, panels, strict=True):
        _draw_operators(ax, results, ceilings[panel[0]], panel)
    below = (
        "Log axes. Dense BF16 peak and memory bandwidth. Band: range of a ceiling. Dashed or hollow: rests "
        "on an assumed value. Points: modelled rate, bar p10–p90; names that find no room are left out."
    )
    style.heading(figure, "Rooflines: ceilings published or assumed, operators modelled", below)
    for ax, panel in zip(right, panels, strict=True):
        _label_operators(ax, ceilings[panel[0]], panel)


def _axes(ax: style.Axes, x: tuple[float, float], y: tuple[float, float]) -> np.ndarray:
    """Set both log axes; returns points along x."""
    ax.set(xscale="log", yscale="log", xlim=x, ylim=y, xlabel="FLOP per byte moved", ylabel="TFLOP/s")
    style.plain_log(ax.xaxis)
    style.plain_log(ax.yaxis)
    return np.geomspace(*x, 400)


def _draw_ceilings(ax: style.Axes, results: Results, ceilings: dict[str, Ceiling], chosen: list[str]) -> None:
    ridges = [c.peak.value / c.bandwidth.value for c in ceilings.values()]
    reach = (min(ridges) / 20, max(ridges) * 8)
    lows = [float(c.at(np.array(reach[:1]), "low")[0]) for c in ceilings.values()]
    x = _axes(ax, reach, (min(lows) / 1.3, max(end_of(c.peak, "high") for c in ceilings.values()) * 1.6))
    colours = dict(zip(chosen, style.PALETTE, strict=False))
    others = [c for c in ceilings if c not in colours]
    for chip in others:
        with style.of(ax, Owner(chip=chip)):
            ax.plot(x, ceilings[chip].at(x), color=style.CROWD, linewidth=1.1, zorder=1)
    for chip in chosen:
        with style.of(ax, Owner(chip=chip)):
            _one_ceiling(ax, ceilings[chip], colours[chip], x)
    # Names stand beside the ends of the lines, moved apart where peaks are alike.
    ends = [float(np.log10(ceilings[chip].peak.value)) for chip in chosen]
    span = np.diff(np.log10(ax.get_ylim()))[0]
    for chip, end, place in zip(chosen, ends, spread(ends, 0.034 * span), strict=True):
        name = ax.annotate(
            chip_name(results, chip),
            (x[-1], 10**end),
            xytext=(x[-1] * 1.12, 10**place),
            color=style.for_text(colours[chip]),
            fontsize=11,
            fontweight="bold",
            va="center",
            annotation_clip=False,
        )
        style.mark(name, Owner(chip=chip))
    ax.set_title("Ceilings of the chips", loc="left")
    handles = [
        Line2D([], [], color=style.SOFT, linewidth=2.2, label="published"),
        Line2D([], [], color=style.SOFT, linewidth=2.2, linestyle=_DASHES, label="rests on an assumed value"),
    ]
    if others:
        more = f"{len(others)} other chips (in the table)"
        handles.append(Line2D([], [], color=style.CROWD, linewidth=1.1, label=more))
    ax.legend(handles=handles, loc="lower right")


def _one_ceiling(ax: style.Axes, ceiling: Ceiling, colour: str, x: np.ndarray) -> None:
    low, high = ceiling.at(x, "low"), ceiling.at(x, "high")
    if np.any(high > low * 1.001):
        ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)
    ax.plot(
        x,
        ceiling.at(x),
        color=colour,
        linewidth=2.2,
        linestyle=_DASHES if ceiling.uncertain else "-",
        zorder=2,
    )


def _draw_operators(ax: style.Axes, results: Results, ceiling: Ceiling, panel: Operators) -> None:
    chip, model, ops = panel
    xs = [where.value for _, where, _ in ops]
    ends = [end_of(rate, end) for *_, rate in ops for end in ("low", "high")]
    # The window holds the points and the ridge, with room for labels round them.
    ridge = ceiling.peak.value / ceiling.bandwidth.value
    reach = (min([*xs, ridge / 4]) / 2.5, max([*xs, ridge * 4]) * 4)
    x = _axes(ax, reach, (min(e for e in ends if e > 0) / 2.5, max([*ends, end_of(ceiling.peak, "high")]) * 4))
    _one_ceiling(ax, ceiling, style.SOFT, x)
    for op, where, rate in ops:
        colour, marker = _look(op)
        if rate.has_interval:
            ax.plot([where.value] * 2, [rate.low, rate.high], color=colour, linewidth=1.8, alpha=0.8)
        hollow = rate.kind == "assumed"
        ax.plot(
            [where.value],
            [rate.value],
            marker=marker,
            color=colour,
            markersize=8,
            linestyle="none",
            markerfacecolor="white" if hollow else colour,
            markeredgewidth=1.6,
            zorder=3,
        )
    workload = ops[0][1].workload
    ax.set_title(f"Operators of {model}\non {chip_name(results, chip)}, {workload}", loc="left")
    dot = {"linestyle": "none", "markersize": 8}
    handles = []
    for phase in unique(op.split(".")[0] for op, *_ in ops):
        colour, marker = _look(phase)
        handles.append(Line2D([], [], marker=marker, color=colour, label=phase, **dot))
    ax.legend(handles=handles, loc="lower right")


def _look(op: str) -> tuple[str, str]:
    """Colour and marker of an operator's phase."""
    phase = op.split(".")[0]
    return (style.PALETTE[1] if phase == "decode" else style.PALETTE[0]), _PHASE_MARKER.get(phase, "s")


def _label_operators(ax: style.Axes, ceiling: Ceiling, panel: Operators) -> None:
    x = np.geomspace(*ax.get_xlim(), 300)
    points = [
        Point(at.value, rate.value, op.split(".", 1)[-1], _look(op)[0], rate.low, rate.high)
        for op, at, rate in panel[2]
    ]
    label_points(ax, points, zip(x, ceiling.at(x), strict=True))
