"""stackline report: rebuild the report of a run, without running anything."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands._tables import path_option


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@path_option
def command(runs: tuple[Path, ...]) -> None:
    """Rebuild `report/` in each run folder from its manifest and rows alone.

    \b
    Example:
      stackline report results/20261123T120000Z-1a2b3c4d
    """
    from harness.report import build

    for folder in runs:
        click.echo(build(folder, lambda text: click.echo(text, err=True)))
