"""stackline validate: compare predictions with published measurements, out of sample."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands._tables import path_option
from harness.errors import UserMistake


@click.command("validate")
@click.option(
    "--measurements", "file", type=click.Path(path_type=Path), metavar="FILE",
    help="Table of operating points (.csv, .csv.gz, .parquet). Default: the shipped extract of 430 cited rows.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for rows, tables, plot, worst rows."
)
@click.option(
    "--by", type=click.Choice(["chip", "family", "model", "none"]), default="chip", show_default=True,
    help="What the constants have not seen; none: the shipped constants as they are, in sample.",
)  # fmt: skip
@click.option("--refit", is_flag=True, help="Fit without each group here, on the given rows: about a minute a group.")
@click.option("--serving", "run", type=click.Path(path_type=Path), metavar="FILE",
              help="A real engine's run, request by request, to compare with a simulation on --stack.")  # fmt: skip
@click.option("--stack", metavar="STACK", help="What served that run, with the limits that its engine was given.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True,
    help="How the tables are printed.",
)  # fmt: skip
@path_option
def command(
    file: Path | None, out: Path | None, by: str, refit: bool, run: Path | None, stack: str | None, form: str
) -> None:
    """Compare predictions with published measurements: error, bias, refusals, coverage, beside the goals.

    Which rows count, and what a figure is compared with, is in docs/validation.md. Every figure is out of sample but
    with --by none. With --serving: latencies and total time of one run of a real engine, beside a simulation of the
    same arrivals.

    \b
    Examples:
      stackline validate
      stackline validate --measurements operating_points.csv.gz --out validation
      stackline validate --measurements mine.csv --by model --refit --format json
      stackline validate --serving requests.jsonl --stack llama-3.1-8b@rtx-4090,engine=vllm,max_seqs=256
    """
    from harness.commands import _validation

    if (run is None) != (stack is None):
        raise UserMistake("--serving FILE and --stack STACK go together: a run, and what served it")
    if run is not None and stack is not None:
        _validation.served(run, stack, form, out)
        return
    from harness.validation.extract import SHIPPED
    from harness.validation.outcome import validate

    def say(text: str) -> None:
        click.echo(text, err=True)

    outcome = validate(file or SHIPPED, by, refit, say)
    _validation.say_what(outcome, file or SHIPPED, say)
    _validation.show_all(outcome, form)
    if out is not None:
        for path in _validation.write_all(outcome, out):
            say(str(path))
