"""USD per million output tokens by chip, with the price class of each."""

from __future__ import annotations

from matplotlib.lines import Line2D

from harness.report import comparing, style
from harness.report.figures import figures_of, unique
from harness.results import Results

TITLE = "Modelled USD per million output tokens by chip, with p10–p90 and price class"
NEEDS = ("usd_per_m_output_tok",)
_METRIC = "usd_per_m_output_tok"
_MARKERS = ("o", "s", "D", "^", "v", "P")


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    groups = comparing.chosen_models(figures, _METRIC)
    chips = comparing.chip_order(figures, _METRIC, groups, best_high=False)
    shown = [f for f in figures.with_value(_METRIC) if (f.model, f.workload) in groups and not f.suite]
    classes = sorted(unique(f.notes.get("price_class", "") for f in shown))
    markers = dict(zip(classes, _MARKERS * len(classes), strict=False))
    figure.set_size_inches(14, 2.4 + 0.36 * len(chips))
    for column, (ax, group) in enumerate(zip(figure.subplots(1, len(groups), squeeze=False)[0], groups, strict=True)):
        comparing.chip_rows(ax, figures, _METRIC, group, chips, style.PALETTE[column], markers)
        comparing.name_rows(ax, results, chips, first=column == 0)
        comparing.panel_title(ax, group, groups, style.PALETTE[column])
        ax.set_xlabel("USD per million output tokens")
    figure.legend(handles=_legend(markers), loc="outside upper right", ncols=4)
    style.heading(figure, "Cost by chip: modelled", comparing.reading_help(groups))


def _legend(markers: dict[str, str]) -> list[Line2D]:
    dot = {"color": style.SOFT, "linestyle": "none", "markersize": 8}
    classes = [Line2D([], [], marker=m, label=f"price: {c or 'class not stated'}", **dot) for c, m in markers.items()]
    return [*style.kind_handles(marker=""), *classes]
