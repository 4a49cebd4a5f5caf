"""stackline predict: figures for every operating point of a table."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands._tables import path_option, show
from harness.errors import UserMistake

if TYPE_CHECKING:
    from harness.prediction.files import Summary
    from harness.roofline.constants import Constants


@click.command("predict")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--out", metavar="OUT", type=click.Path(path_type=Path), help="File to write.")
@click.option("--explain", "row", metavar="ROW", type=int, help="Show row ROW (from 1) term by term instead.")
@click.option("--constants", metavar="FILE", type=click.Path(path_type=Path), help="A chip's own, by `calibrate`.")
@path_option
def command(source: Path, out: Path | None, row: int | None, constants: Path | None) -> None:
    """Predict every row of IN: latency, throughput, power, energy and cost, each with p10 and p90.

    IN and OUT are CSV or Parquet by suffix (.csv, .csv.gz, .parquet). IN needs the columns chip, model, isl and
    osl; it may have chips, weight_dtype, act_dtype, kv_dtype, tp, pp, ep, dp, concurrency, engine_family, prefix_hit,
    date, requests and scenario. A blank takes its default, which OUT shows; other columns are passed on. A row that
    cannot be predicted keeps its place, with the reason in `error`.

    \b
    Example:
      printf 'chip,chips,model,isl,osl,concurrency\\nh100-sxm,1,llama-3.1-8b,1024,128,16\\n' > in.csv
      stackline predict in.csv -o out.csv
      stackline predict in.csv --explain 1
    """
    from harness.prediction.files import predict_file
    from harness.roofline.constants import load_own

    own = None if constants is None else load_own(constants)
    if row is not None and out is not None:
        raise UserMistake("-o writes a table, --explain shows a row: give one of them")
    if row is not None:
        _explain(source, row, own)
        return
    if out is None:
        raise UserMistake("nothing to write to: give -o OUT, or --explain ROW")

    begun = time.perf_counter()
    with ExitStack() as opened:
        summary = predict_file(source, out, _bar(f"predicting {source.name}, %", opened), own)
    click.echo(_said(summary, time.perf_counter() - begun), err=True)


def _explain(source: Path, row: int, constants: Constants | None) -> None:
    """One operating point as a table of operators, and what would narrow it most."""
    import pandas as pd

    from harness.errors import MissingFile
    from harness.prediction.terms import explain, row_of

    if not source.is_file():
        raise MissingFile(source, "table of operating points")
    frame = pd.read_parquet(source) if source.suffix == ".parquet" else pd.read_csv(source, dtype=object)
    table = explain(row_of(frame, row), constants)
    lines = [
        [t.phase, t.term, f"{t.seconds * 1e3:.3f}", f"{t.share:.1%}", t.bound,
         None if t.of_peak != t.of_peak else f"{t.of_peak:.0%}", t.constants]
        for t in table.itertuples()
    ]  # fmt: skip
    show(["step", "operator", "ms", "share", "bound", "of peak", "constants"], lines)
    click.echo(f"\n{_token_in_words(table.attrs['token'])}")
    click.echo("\nWhat would narrow the time a token most, by its share of the variance")
    show(["unknown", "share"], [[name, f"{share:.1%}"] for name, share in table.attrs["unknowns"].items()])


def _token_in_words(of: dict[str, float]) -> str:
    decode, prefill, saved = (f"{of[k] * 1e3:.4g} ms" for k in ("decode", "prefill", "saved"))
    whole_s = of["decode"] + of["prefills"] * of["prefill"] - of["saved"]
    less = f", less {saved} that running both in one step saves" if of["saved"] > 0 else ""
    others = f"{of['prefills']:.2g} prefill steps of others' prompts at {prefill} each{less}"
    return f"A token takes {whole_s * 1e3:.4g} ms: its decode step {decode}, and {others}."


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
