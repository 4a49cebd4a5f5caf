"""stackline predict: figures for every operating point of a table."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands._tables import path_option

if TYPE_CHECKING:
    from harness.prediction.files import Summary


@click.command("predict")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, metavar="OUT", type=click.Path(path_type=Path), help="File to write.")
@path_option
def command(source: Path, out: Path) -> None:
    """Predict every row of IN: latency, throughput, power, energy and cost, each with p10 and p90.

    IN and OUT are CSV or Parquet by suffix (.csv, .csv.gz, .parquet). IN needs the columns chip, model, isl and
    osl; it may have chips, weight_dtype, act_dtype, kv_dtype, tp, pp, ep, dp, concurrency, engine_family, prefix_hit,
    date, requests and scenario. A blank takes its default, which OUT shows; other columns are passed on. A row that
    cannot be predicted keeps its place, with the reason in `error`.

    \b
    Example:
      printf 'chip,chips,model,isl,osl,concurrency\\nh100-sxm,1,llama-3.1-8b,1024,128,16\\n' > in.csv
      stackline predict in.csv -o out.csv
    """
    from harness.prediction.files import predict_file

    begun = time.perf_counter()
    with ExitStack() as opened:
        summary = predict_file(source, out, _bar(f"predicting {source.name}, %", opened))
    click.echo(_said(summary, time.perf_counter() - begun), err=True)


def _bar(title: str, opened: ExitStack) -> Callable[[float], None]:
    """Shows a share that grows. Opened with the first row answered, so that a mistake in the files is one line."""
    from harness.run.progress import Bars

    advance, shown = None, 0

    def progress(share: float) -> None:
        nonlocal advance, shown
        advance = advance or opened.enter_context(Bars()).bar(title, 100)
        advance(int(100 * share) - shown)
        shown = int(100 * share)

    return progress


def _said(summary: Summary, seconds: float) -> str:
    rate = f"{summary.rows / seconds:,.0f} rows/s"
    lines = [f"{summary.rows:,} rows in {seconds:.1f} s ({rate}), {summary.refused:,} refused"]
    lines += [f"  {count:>9,}  {reason}" for reason, count in summary.reasons.most_common(3)]
    return "\n".join(lines)
