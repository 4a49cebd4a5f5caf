"""The report of a run, made from its folder alone: the same folder gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.results import Results, load_results, write_whole


def build(run_folder: str | Path, say: Callable[[str], None] = lambda line: None) -> Path:
    """Write `report/` in a run folder and return its index.html. Raises MissingFile, BadFile or CannotWrite.

    `say` is told, a line each, what was left out and why, then the sentences that the report opens with.
    """
    from harness.report.figures import figures_of
    from harness.report.markdown import markdown
    from harness.report.page import page
    from harness.report.plotting import draw_all
    from harness.report.summary import limits, sentences, title
    from harness.report.table import Section
    from harness.report.tables import sections as all_sections
    from harness.report.tables_origin import undescribed_sources

    results = load_results(run_folder)
    figures, out = figures_of(results), Path(run_folder) / "report"
    plots = draw_all(results, out / "plots")
    sections = all_sections(results, figures)
    placed = {name for section in sections for name in section.plots}
    if more := tuple(plot.name for plot in plots if plot.name not in placed):
        sections.insert(-1, Section("more", "More plots", "Plots found beside the shipped ones.", (), more))
    head = {
        "title": title(results, Path(run_folder).name),
        "sentences": sentences(results, figures),
        "limits": limits(results, figures),
    }
    for plot in plots:
        if plot.sentence:
            say(plot.sentence)
    for source in undescribed_sources(results, figures):
        say(f"The manifest does not describe the source '{source}' that rows name.")
    write_whole(out / "rows.csv", (Path(run_folder) / "rows.csv").read_text("utf-8"))
    write_whole(out / "report.md", markdown(results, figures, sections, plots, head))
    write_whole(out / "index.html", page(results, figures, sections, plots, head))
    for line in (*head["sentences"], "What this cannot tell you:", *(f"- {limit}" for limit in head["limits"])):
        say(line)
    return out / "index.html"


def draw(name: str, results: Results, out: str | Path) -> Path:
    """Draw one plot of a run as a PNG. Raises UnknownId, or CannotDraw naming what the run lacks."""
    from harness.report.plotting import draw_one

    return draw_one(name, results, Path(out))
