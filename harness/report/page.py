"""The report as one HTML file that needs nothing else: style, scripts and charts are inside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from harness.report.charts import inline
from harness.report.figures import Figures
from harness.report.numbers import ABSENT
from harness.report.picker import picker_of
from harness.report.plotting import Drawn
from harness.report.table import Cell, Section
from harness.report.tables_origin import source_numbers
from harness.results import Results

_HERE = Path(__file__).parent
# Floating UI places the box of a figure beside it. Sorting, filtering and picking are the page's own few lines: table
# libraries rebuild the table, and lose captions, anchors, kinds and the rule that an absent figure sorts last.
_SCRIPTS = ("vendor/floating-ui.core.umd.min.js", "vendor/floating-ui.dom.umd.min.js", "page.js")


def page(results: Results, figures: Figures, sections: list[Section], plots: list[Drawn], head: dict) -> str:
    """The whole page; `head` holds title, sentences and limits."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    picker = picker_of(results, figures)
    return environment.get_template("page.html.j2").render(
        head=head,
        manifest=results.manifest,
        sections=sections,
        plots={plot.name: plot for plot in plots},
        numbers=source_numbers(figures),
        picker=picker,
        chart=partial(inline, picker=picker),
        order=_order,
        absent=ABSENT,
        style=(_HERE / "page.css").read_text("utf-8"),
        scripts=[(_HERE / name).read_text("utf-8").strip() for name in _SCRIPTS],
    )


def _order(cell: Cell) -> str:
    """What a column is sorted by; "" sorts last in either direction."""
    if cell.text.strip():
        return cell.text.replace(",", "") if cell.text.replace(",", "").isdigit() else cell.text
    return "" if cell.value is None else repr(cell.value)
