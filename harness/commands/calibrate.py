"""stackline calibrate: fit the kernel laws and deployment scales on measurements."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import UserMistake


@click.command("calibrate")
@click.option("--kernels", type=click.Path(path_type=Path), help="Folder of measured kernel times (*.csv.gz).")
@click.option("--points", type=click.Path(path_type=Path), help="Table of published operating points (CSV).")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to write; default the shipped constants.")
def command(kernels: Path | None, points: Path | None, out: Path | None) -> None:
    """Fit the constants of the model of time and write them as TOML with data, date and error.

    \b
    Example:
      stackline calibrate --kernels KERNELS_FOLDER --points POINTS.csv -o constants
    """
    from harness.roofline import laws
    from harness.roofline.fit import fit_folder
    from harness.validation.fit import fit_file
    from harness.validation.scored import read

    if kernels is None and points is None:
        raise UserMistake("nothing to fit on: give --kernels DIR, --points FILE, or both")
    target, written = out or laws.FOLDER, []

    def say(text: str) -> None:
        click.echo(text, err=True)

    if kernels is not None:
        written += fit_folder(kernels, target, say)
    if points is not None:
        written.append(fit_file(read(points), points.name, target, say))
    for path in written:
        click.echo(path)
