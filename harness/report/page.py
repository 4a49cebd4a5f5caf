"""The report as one HTML file that needs nothing else: style, scripts and charts are inside it."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from harness.report.charts import Styles, inline
from harness.report.figures import Figures
from harness.report.numbers import ABSENT
from harness.report.picker import picker_of
from harness.report.plotting import Drawn
from harness.report.table import P10_P90, Cell, Column, Line, Section
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
    picker, styles, words = picker_of(results, figures), Styles(), Words(source_numbers(figures))
    charts = {plot.name: inline(plot, picker, styles) for plot in plots if plot.path}
    return environment.get_template("page.html.j2").render(
        head=head,
        manifest=results.manifest,
        sections=sections,
        plots={plot.name: plot for plot in plots},
        numbers=words.sources,
        picker=picker,
        charts=charts,
        words=words,
        absent=ABSENT,
        style=f"{(_HERE / 'page.css').read_text('utf-8')}{styles.css}",
        scripts=[(_HERE / name).read_text("utf-8").strip() for name in _SCRIPTS],
    )


class Words:
    """Remarks about figures, each of which many cells share: a cell says which by number."""

    def __init__(self, sources: dict[str, int]) -> None:
        self.sources, self.numbers = sources, {}

    def number(self, words: str) -> int:
        return self.numbers.setdefault(words, len(self.numbers))

    def about(self, line: Line, columns: tuple[Column, ...]) -> list[str]:
        """The attributes of a row's cells, from which page.js makes the box beside each; "" where nothing is to say.

        data-about: remarks by number; data-from: sources by theirs, where they are not those of the figure before. On a
        figure itself also: data-unit and data-span where they are not the column's unit and p10-p90, and data-n.
        """
        found, before = [], ""
        for cell, column in zip(line.cells, columns, strict=False):
            said = self._cell(cell, column)
            sources = " ".join(str(self.sources[source]) for source in sorted(cell.sources))
            found.append(said + _attribute("from", sources) if said and sources != before else said)
            before = sources if said else before
        return found

    def _cell(self, cell: Cell, column: Column) -> str:
        said = cell.value is not None
        if cell.silent or not (said or cell.interval or cell.remarks):
            return ""
        found = {"about": " ".join(str(self.number(line)) for line in cell.remarks)}
        if said:
            found["figure"] = ""
            if cell.own_unit != column.unit and not (cell.unit == "1" and column.unit == "%"):
                found["unit"] = cell.own_unit
        if cell.interval and cell.span != P10_P90:
            found["span"] = cell.span
        if cell.n is not None:
            found["n"] = f"{cell.n:,}"
        return "".join(_attribute(name, value) for name, value in found.items())

    @property
    def json(self) -> str:
        return json.dumps(list(self.numbers), ensure_ascii=False).replace("<", "\\u003c")


def _attribute(name: str, value: str) -> str:
    return f' data-{name}="{escape(value)}"' if value else f" data-{name}"
