"""Accuracy by language with 95 % intervals, one panel a suite that has languages."""

from __future__ import annotations

from harness.report import style
from harness.report.figures import figures_of
from harness.report.plotting import CannotDraw
from harness.report.tables_quality import LANGUAGES, suites_measured, with_95
from harness.results import Results

TITLE = "Measured accuracy by language, with 95 % intervals"
NEEDS = ("accuracy",)


def draw(results: Results, figure: style.Figure) -> None:
    figures = figures_of(results)
    panels = []
    for suite, stack in suites_measured(figures):
        rows = [f for f in figures.with_value("accuracy", suite=suite, stack=stack) if f.part.startswith("lang=")]
        if len(rows) > 1:  # one language is no comparison
            panels.append((suite, stack, sorted(rows, key=lambda f: (-f.value, f.part))))
    if not panels:
        raise CannotDraw("no suite of this run has accuracy in two or more languages")
    most = max(len(rows) for *_, rows in panels)
    figure.set_size_inches(12, 2.2 + 0.42 * most)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (suite, stack, rows) in zip(axes, panels, strict=True):
        for y, row in enumerate(rows):
            cell = with_95(figures, "accuracy", row.part, suite=suite, stack=stack)
            low, high = (None if end is None else 100 * end for end in (cell.low, cell.high))
            style.interval_dot(ax, 100 * cell.value, y, low, high, style.PALETTE[0], hollow=False)
        codes = [row.part.removeprefix("lang=") for row in rows]
        counts = [f", n={row.n}" if row.n else "" for row in rows]
        ax.set_yticks(range(len(rows)), [f"{LANGUAGES.get(c, c)} ({c}){n}" for c, n in zip(codes, counts, strict=True)])
        ax.set_ylim(len(rows) - 0.4, -1.0)
        chance = figures.one("chance", suite=suite, stack=stack)
        if chance and chance.value is not None:
            ax.axvline(100 * chance.value, color=style.CHANCE, linestyle=(0, (3, 1.5)), linewidth=2)
            ax.text(100 * chance.value, -0.7, " chance, whole suite", color=style.CHANCE, fontsize=10, va="center")
        ax.set_xlim(left=0)
        ax.set_title(f"{suite}\n{stack}", loc="left")
        ax.set_xlabel("accuracy, %")
        ax.grid(axis="y", visible=False)
    below = "Dots: accuracy. Bars: 95 % interval. Languages whose bars overlap are not ranked."
    style.heading(figure, "Accuracy by language: measured", below)
