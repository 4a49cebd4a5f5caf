"""The report as one HTML file that needs nothing else: style, script and pictures are inside it."""

from __future__ import annotations

import base64
from pathlib import Path

from harness.report.figures import Figures
from harness.report.numbers import ABSENT
from harness.report.plotting import Drawn
from harness.report.table import Cell, Section
from harness.report.tables_origin import source_numbers
from harness.results import Results

_HERE = Path(__file__).parent


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
    return environment.get_template("page.html.j2").render(
        head=head,
        manifest=results.manifest,
        sections=sections,
        plots={plot.name: plot for plot in plots},
        numbers=source_numbers(figures),
        picture=_picture,
        order=_order,
        absent=ABSENT,
        style=(_HERE / "page.css").read_text("utf-8"),
        script=(_HERE / "page.js").read_text("utf-8"),
    )


def _picture(plot: Drawn) -> str:
    """The PNG as a data address, so that the page stands alone."""
    return "data:image/png;base64," + base64.b64encode(plot.path.read_bytes()).decode("ascii")


def _order(cell: Cell) -> str:
    """What a column is sorted by; "" sorts last in either direction."""
    if cell.text.strip():
        return cell.text.replace(",", "") if cell.text.replace(",", "").isdigit() else cell.text
    return "" if cell.value is None else repr(cell.value)
