"""Output rate per chip and time per output token over the chips, for a few large models."""

from __future__ import annotations

from harness.report import comparing, style
from harness.report.figures import figures_of
from harness.results import Results

TITLE = "Modelled output tokens per second per chip, and time per output token, by chip, with p10–p90"
NEEDS = ("output_tok_s_per_chip", "tpot_ms")
_ROWS = (
    ("output_tok_s_per_chip", "output tokens/s per chip"),
    ("tpot_ms", "time per output token (TPOT), ms"),
)


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    groups = comparing.chosen_models(figures, "output_tok_s_per_chip")
    chips = comparing.chip_order(figures, "output_tok_s_per_chip", groups, best_high=True)
    figure.set_size_inches(14, 2.6 + 0.62 * len(chips))
    axes = figure.subplots(len(_ROWS), len(groups), squeeze=False)
    for line, (metric, unit) in zip(axes, _ROWS, strict=True):
        for column, (ax, group) in enumerate(zip(line, groups, strict=True)):
            comparing.chip_rows(ax, figures, metric, group, chips, style.PALETTE[column])
            comparing.name_rows(ax, results, chips, first=column == 0)
            ax.set_xlabel(unit)
            if metric == _ROWS[0][0]:
                comparing.panel_title(ax, group, groups, style.PALETTE[column])
    figure.legend(handles=style.kind_handles(), loc="outside upper right", ncols=2)
    style.heading(figure, "Chips compared: modelled, not measured", comparing.reading_help(groups))
