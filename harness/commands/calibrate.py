"""stackline calibrate: fit the kernel laws and deployment scales on measurements."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import MissingFile, UserMistake


@click.command("calibrate")
@click.argument("runs", metavar="[MY.csv]", required=False, type=click.Path(path_type=Path))
@click.option("--chip", "chip_id", metavar="ID", help="Narrow this chip's figures or kernels with the rows of MY.csv.")
@click.option("--kernels", type=click.Path(path_type=Path), help="Folder of measured kernel times (*.csv.gz).")
@click.option("--points", type=click.Path(path_type=Path), help="Table of published operating points (CSV).")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to write; with --chip a TOML file.")
def command(
    runs: Path | None, chip_id: str | None, kernels: Path | None, points: Path | None, out: Path | None
) -> None:
    """Fit the constants of the model of time and write them as TOML with data, date and error.

    With MY.csv and --chip: your own runs (columns as in published operating points) narrow one chip's figures; your own
    kernel times (columns as in the measured kernels of one family: products, attention, experts or collectives) narrow
    the laws of its kernels. Which of them a file holds is told by its columns. The file written is yours, and
    `stackline predict --constants FILE` reads it; shipped constants stay as they are.

    \b
    Example:
      stackline calibrate my-runs.csv --chip h20-96gb -o h20-own.toml
      stackline calibrate my-gemm.csv --chip h20-96gb -o h20-gemm.toml
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


def _narrow(source: Path, chip_id: str, out: Path) -> None:
    """One chip's figures or kernel laws, by what the file's columns are."""
    from harness.profiles import chip
    from harness.roofline.own_kernels import family_of
    from harness.validation.scored import FIGURES, NEEDED

    chip(chip_id)  # an unknown id is one line
    names = _columns(source)
    if set(NEEDED) <= set(names) and set(FIGURES) & set(names):
        _narrow_figures(source, chip_id, out)
    elif family_of(names):
        _narrow_kernels(source, chip_id, out)
    else:
        raise UserMistake(_neither(source, names))
    click.echo(out)


def _columns(source: Path) -> list[str]:
    """The columns of a table. Raises MissingFile, or UserMistake where it is none."""
    import pandas as pd

    if not source.is_file():
        raise MissingFile(source, "table of operating points or kernel times")
    try:
        return list(pd.read_parquet(source) if source.suffix == ".parquet" else pd.read_csv(source, nrows=0))
    except (ValueError, OSError) as error:
        raise UserMistake(f"{source}: not a table: {str(error).splitlines()[0]}") from error


def _neither(source: Path, names: list[str]) -> str:
    """Why a table is neither runs nor kernels: what the nearest of them lacks."""
    from harness.roofline import own_kernels
    from harness.validation.scored import NEEDED

    kinds = {"operating points": NEEDED} | {
        f"kernels ({family})": ("chip", "time_us", *needed) for family, needed in own_kernels.COLUMNS.items()
    }
    near = min(kinds, key=lambda kind: len(set(kinds[kind]) - set(names)) / len(kinds[kind]))
    lacking = ", ".join(c for c in kinds[near] if c not in names)
    return f"{source}: neither operating points nor kernel times; nearest to {near}, but for the columns {lacking}"


def _narrow_kernels(source: Path, chip_id: str, out: Path) -> None:
    from harness.commands._tables import show
    from harness.roofline.fit import read
    from harness.roofline.own_kernels import narrow, write

    found = narrow(read(source), chip_id)
    write(found, chip_id, source.name, out)
    lines = [
        [name, str(n.used), str(n.kept_out), f"{n.before:.1%}", f"{n.after:.1%}"] for name, n in found.items()
    ]  # fmt: skip
    show(["kernel class", "used", "kept out", "median error before", "after"], lines)
    click.echo()
    rows = [
        [name, part, *(f"{v:.4g}" for v in n.prior[part]), *(f"{v:.4g}" for v in values)]
        for name, n in found.items()
        for part, values in n.constants.items()
    ]
    show(["kernel class", "constant", "prior", "5 %", "95 %", "yours", "5 %", "95 %"], rows)


def _narrow_figures(runs: Path, chip_id: str, out: Path) -> None:
    from harness.commands._tables import show
    from harness.validation.own import narrow, write
    from harness.validation.scored import read

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
