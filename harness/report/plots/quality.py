"""Accuracy of each suite with its 95 % interval beside the chance level; below, by level."""

from __future__ import annotations

from matplotlib.lines import Line2D

from harness.report import style
from harness.report.figures import Figures, figures_of, unique
from harness.report.table import Cell
from harness.report.tables_quality import suites_measured, with_95
from harness.results import Results

TITLE = "Measured accuracy by suite and by level, with 95 % intervals and the chance level"
NEEDS = ("accuracy",)
_COLOUR = style.PALETTE[0]
_CREDIT = "D"  # marks the credit for parts, beside the dot of the accuracy
_ABREAST = 4  # panels of levels in a row; more would leave no room for their names
_CHANCE = {"color": style.CHANCE, "linestyle": (0, (3, 1.5)), "linewidth": 2.2}


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    suites = [p for p in suites_measured(figures) if figures.with_value("accuracy", suite=p[0], stack=p[1])]
    levelled = [pair for pair in suites if _levels(figures, *pair)]
    upper, rows = 1.2 + 0.5 * len(suites), -(-len(levelled) // _ABREAST)
    figure.set_size_inches(12, upper + (1.0 + 3.6 * rows if levelled else 0.9))
    if levelled:
        columns = min(len(levelled), _ABREAST)
        grid = figure.add_gridspec(1 + rows, columns, height_ratios=[upper, *[3.6] * rows])
        _by_suite(figure.add_subplot(grid[0, :]), figures, suites)
        for k, pair in enumerate(levelled):
            row, column = divmod(k, columns)
            _by_level(figure.add_subplot(grid[1 + row, column]), figures, pair, _top(figures), first=column == 0)
    else:
        _by_suite(figure.add_subplot(), figures, suites)
    bars = {
        "color": _COLOUR,
        "marker": "o",
        "markersize": 8,
        "linewidth": 2.4,
        "label": "accuracy, 95 % interval",
    }
    handles = [Line2D([], [], **bars), Line2D([], [], label="chance", **_CHANCE)]
    if figures.with_value("credit"):
        handles.insert(1, Line2D([], [], **bars | {"marker": _CREDIT, "label": "credit for parts"}))
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    below = "Chance: the best strategy that does not understand the question, over the whole suite."
    who = ", ".join(unique(stack for _, stack in suites))
    style.heading(figure, f"Accuracy of {who}: measured", below)


def _top(figures: Figures) -> float:
    """The highest point of any bar by level or of any chance line, so that the panels share one scale."""
    ends = [
        f.value
        for metric in ("accuracy", "credit")
        for end in ("", ".high95")
        for f in figures.with_value(metric + end)
        if "level=" in f.part
    ]
    return 104 * max([*ends, *(f.value for f in figures.with_value("chance"))])


def _by_suite(ax: style.Axes, figures: Figures, suites: list[tuple[str, str]]) -> None:
    reach = 0.0
    for y, (suite, stack) in enumerate(suites):
        cell, chance = (
            with_95(figures, "accuracy", suite=suite, stack=stack),
            figures.one("chance", suite=suite, stack=stack),
        )
        credit = with_95(figures, "credit", suite=suite, stack=stack)
        _dot(ax, cell, y)
        if not credit.absent:
            _dot(ax, credit, y + 0.22, _CREDIT)
        for one in (cell, credit):
            reach = max(reach, 0 if one.absent else 100 * (one.high if one.high is not None else one.value))
        if chance and chance.value is not None:
            ax.plot(
                [100 * chance.value] * 2,
                [y - 0.36, y + 0.36],
                color=style.CHANCE,
                linestyle=(0, (3, 1.5)),
                linewidth=2.2,
            )
            reach = max(reach, 100 * chance.value)
    for y, (suite, stack) in enumerate(suites):
        cell = with_95(figures, "accuracy", suite=suite, stack=stack)
        ax.text(reach * 1.05, y, f"{cell.main}  ({cell.interval or 'no interval'})", va="center", fontsize=11)
    ax.set_xlim(0, min(max(reach, 10) * 1.45, 145))  # where nothing is right, the axis still has a length
    # Beyond 100 % stand the figures, and no marks.
    ax.set_xticks([t for t in ax.get_xticks() if 0 <= t <= min(100, ax.get_xlim()[1])])
    ax.set_ylim(len(suites) - 0.4, -0.6)
    ax.set_yticks(range(len(suites)), [_label(suite, stack, suites) for suite, stack in suites])
    ax.set_xlabel("accuracy, %")
    ax.grid(axis="y", visible=False)


def _label(suite: str, stack: str, suites: list[tuple[str, str]]) -> str:
    return suite if len({s for _, s in suites}) == 1 else f"{suite}\n{stack}"


def _dot(ax: style.Axes, cell: Cell, y: float, marker: str = "o") -> None:
    low, high = (None if end is None else 100 * end for end in (cell.low, cell.high))
    style.interval_dot(ax, 100 * cell.value, y, low, high, _COLOUR, hollow=False, marker=marker)


def _levels(figures: Figures, suite: str, stack: str) -> list[str]:
    rows = figures.with_value("accuracy", suite=suite, stack=stack)
    return sorted(
        {f.part.removeprefix("level=") for f in rows if f.part.startswith("level=")},
        key=lambda x: (len(x), x),
    )


def _by_level(ax: style.Axes, figures: Figures, pair: tuple[str, str], top: float, first: bool) -> None:
    suite, stack = pair
    levels = _levels(figures, suite, stack)
    for x, level in enumerate(levels):
        for metric, marker, aside in (("accuracy", "o", 0.0), ("credit", _CREDIT, 0.25)):
            cell, at = with_95(figures, metric, f"level={level}", suite=suite, stack=stack), x + aside
            if cell.absent:
                continue
            if cell.low is not None and cell.high is not None:
                ax.plot([at, at], [100 * cell.low, 100 * cell.high], "_-", color=_COLOUR, markersize=9, linewidth=2.2)
            ax.plot([at], [100 * cell.value], marker, color=_COLOUR, markersize=8, clip_on=False, zorder=3)
    chance = figures.one("chance", suite=suite, stack=stack)
    if chance and chance.value is not None:
        ax.axhline(100 * chance.value, **_CHANCE)
    ax.set_title(_label(suite, stack, [pair]), loc="left")
    ax.set_xticks(range(len(levels)), levels)
    ax.set(xlim=(-0.5, len(levels) - 0.5), ylim=(0, top), xlabel="level (1 is the easiest)")
    ax.grid(axis="x", visible=False)
    ax.tick_params(labelleft=first)
    if first:
        ax.set_ylabel("accuracy, %")
