"""The report as Markdown: the same tables as the page, with links to the plots' files."""

from __future__ import annotations

from harness.report.figures import Figures
from harness.report.numbers import ABSENT
from harness.report.plotting import Drawn
from harness.report.table import Cell, Column, Line, Section, Table
from harness.report.tables_origin import source_numbers
from harness.results import Results


def markdown(results: Results, figures: Figures, sections: list[Section], plots: list[Drawn], head: dict) -> str:
    """The whole text; `head` holds title, sentences and limits."""
    numbers, by_name = source_numbers(figures), {plot.name: plot for plot in plots}
    parts = [
        f"# {head['title']}",
        *(f"- {_escape(s)}" for s in head["sentences"]),
        "",
        "## What this cannot tell you",
    ]
    parts += [f"- {_escape(s)}" for s in head["limits"]]
    for section in sections:
        parts += ["", f"## {section.title}", *([section.intro] if section.intro else [])]
        for name in section.plots:
            if name in by_name:
                parts += ["", _plot(by_name[name])]
        for table in section.tables:
            parts += ["", f"### {table.title}", table.caption, "", table_text(table, numbers)]
        if not section.tables and not section.plots:
            parts += ["", "The run holds no rows for this section."]
    return "\n".join(parts) + "\n"


def table_text(table: Table, numbers: dict[str, int]) -> str:
    if not table.lines:
        return table.absent
    titles = [_head(column) for column in table.columns]
    rule = [":--" if column.words else "--:" for column in table.columns]
    lines = [titles, rule, *([_escape(c) for c in _line(line, table, numbers)] for line in table.lines)]
    out = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    reasons = [f"- “{ABSENT}” {_escape(reason)}" for reason in table.reasons]
    return "\n".join([out, "", *reasons]) if reasons else out


def _head(column: Column) -> str:
    return _escape(f"{column.title}, {column.unit}" if column.unit else column.title)


def _line(line: Line, table: Table, numbers: dict[str, int]) -> list[str]:
    cells = [_cell(cell, numbers) for cell in line.cells]
    if line.cannot:
        cells.append(f"{ABSENT} {line.cannot}")
        cells += [ABSENT] * (len(table.columns) - len(cells))
    return cells


def _cell(cell: Cell, numbers: dict[str, int]) -> str:
    if cell.text == " ":
        return " ".join(f"[{numbers[s]}]" for s in sorted(cell.sources)) or ABSENT
    if cell.link:
        return f"{cell.text}"
    words = [cell.main, *([cell.below] if cell.below else [])]
    if cell.interval:
        words.append(f"({cell.interval})")
    if cell.kind and not cell.absent:
        words.append(cell.kind)
    return " ".join(words)


def _plot(plot: Drawn) -> str:
    return f"![{plot.title}](plots/{plot.path.name})" if plot.path else plot.sentence


def _escape(words: str) -> str:
    """No cell may end a table's cell or begin a tag."""
    return words.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
