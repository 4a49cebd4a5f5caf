"""Listings: one function prints rows as a table, CSV or JSON."""

from __future__ import annotations

import csv
import itertools
import json
import sys
import textwrap
from collections.abc import Sequence

import click

from harness.quantity import Cited

format_option = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True,
    help="How the listing is printed.",
)  # fmt: skip
path_option = click.option(
    "--path", "paths", multiple=True, metavar="DIR", expose_value=False, callback=lambda _c, _p, v: _add(v),
    help="A folder with your own chips, models, suites, workloads, plots.",
)  # fmt: skip


def _add(paths: tuple[str, ...]) -> None:
    if paths:
        from harness.discovery import add_paths

        add_paths(paths)


def show(columns: Sequence[str], rows: Sequence[Sequence[object]], form: str = "table", wrap: int = 0) -> None:
    """Print rows on stdout; an absent cell is "—" in a table, empty in CSV, null in JSON.

    wrap: cells of a table longer than that go on in the next line.
    """
    if form == "json":
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False, indent=1))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([columns, *(["" if c is None else c for c in row] for row in rows)])
    else:
        cells = [[str(c) for c in columns], *([_cell(c) for c in row] for row in rows)]
        lines = [line for row in cells for line in _wrapped(row, wrap)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(columns))]
        for line in lines:
            click.echo("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip())


def value_shown(cited: Cited, digits: int = 4) -> str:
    """A value for people: ~ marks the median of a range; a link of unknown direction shows both its readings."""
    if cited.direction == "unknown" and cited.value is not None:
        return f"{cited.shown(cited.value / 2, digits)} or {cited.shown(cited.value, digits)}"
    return ("~" if cited.is_median else "") + cited.shown(cited.point, digits)


def _wrapped(row: list[str], wrap: int) -> list[tuple[str, ...]]:
    """A row as one line, or as many as its longest cell takes."""
    parts = [textwrap.wrap(cell, wrap) or [""] if wrap else [cell] for cell in row]
    return list(itertools.zip_longest(*parts, fillvalue=""))


def _cell(value: object) -> str:
    return "—" if value is None or value == "" else str(value)
