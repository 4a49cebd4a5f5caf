"""stackline calibrate: fit the kernel laws and deployment scales on measurements."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import UserMistake


@click.command("calibrate")
@click.argument("runs", metavar="[MY.csv]", required=False, type=click.Path(path_type=Path))
@click.option("--chip", "chip_id", metavar="ID", help="Narrow this chip's figures with the runs of MY.csv.")
@click.option("--kernels", type=click.Path(path_type=Path), help="Folder of measured kernel times (*.csv.gz).")
@click.option("--points", type=click.Path(path_type=Path), help="Table of published operating points (CSV).")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to write; with --chip a TOML file.")
def command(
    runs: Path | None, chip_id: str | None, kernels: Path | None, points: Path | None, out: Path | None
) -> None:
    """Fit the constants of the model of time and write them as TOML with data, date and error.

    With MY.csv and --chip: your own runs (columns as in published operating points) narrow one chip's figures. The
    file written is yours, and `stackline predict --constants FILE` reads it; shipped constants stay as they are.

    \b
    Example:
      stackline calibrate my-runs.csv --chip h20-96gb -o h20-own.toml
      stackline calibrate --kernels KERNELS_FOLDER --points POINTS.csv -o constants
    """
    from harness.roofline import laws
    from harness.roofline.fit import fit_folder
    from harness.validation.fit import fit_file
    from harness.validation.scored import read

    if runs is not None or chip_id is not None:
        if runs is None or chip_id is None or out is None or kernels or points:
            raise UserMistake("to narrow a chip: stackline calibrate MY.csv --chip ID -o FILE.toml")
        _narrow(runs, chip_id, out)
        return
    if kernels is None and points is None:
        raise UserMistake("nothing to fit on: give MY.csv --chip ID -o FILE.toml, or --kernels DIR, --points FILE")
    target, written = out or laws.FOLDER, []

    def say(text: str) -> None:
        click.echo(text, err=True)

    if kernels is not None:
        written += fit_folder(kernels, target, say)
    if points is not None:
        written.append(fit_file(read(points), points.name, target, say))
    for path in written:
        click.echo(path)


def _narrow(runs: Path, chip_id: str, out: Path) -> None:
    from harness.commands._tables import show
    from harness.profiles import chip
    from harness.validation.own import narrow, write
    from harness.validation.scored import read

    chip(chip_id)  # an unknown id is one line
    found = narrow(read(runs), chip_id)
    write(found, chip_id, runs.name, out)
    lines = [
        [name, str(n.used), f"{n.own.factor:.3f}", f"{n.own.q10:+.2f} .. {n.own.q90:+.2f}", str(n.kept_out),
         f"{n.before:.1%}", f"{n.after:.1%}"]
        for name, n in found.items()
    ]  # fmt: skip
    show(
        ["figure", "runs", "measured over modelled", "log p10 .. p90", "kept out", "median error before", "after"],
        lines,
    )
    click.echo(out)
