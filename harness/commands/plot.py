"""stackline plot: draw one plot of a run."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands._tables import path_option


@click.command("plot")
@click.argument("name")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The PNG or SVG to write; default NAME.png.")
@path_option
def command(name: str, run: Path, out: Path | None) -> None:
    """Draw plot NAME of the run folder RUN.

    \b
    Example:
      stackline plot roofline results/20261123T120000Z-1a2b3c4d --out roofline.png
    """
    from harness.report import draw
    from harness.results import load_results

    target = out or Path(f"{name}.png")
    draw(name, load_results(run), target)
    click.echo(target)
