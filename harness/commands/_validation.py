"""A validation on the terminal and in files."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from harness.commands._tables import show
from harness.results import write_whole
from harness.validation import errors, outside
from harness.validation.goals import Goal
from harness.validation.outcome import Outcome

LEFT_OUT = {"none": "nothing left out: in sample", "chip": "one chip left out", "family": "one family left out",
            "model": "one model left out"}  # fmt: skip
_COUNTS, _RATIOS = ("n", "chips", "rows"), ("sharpness",)
_HEADINGS = {"sharpness": "p90/p10", "mape": "MAPE", "left_out": "left out", "band": "concurrency"}


def say_what(outcome: Outcome, file: Path, say: Callable[[str], None]) -> None:
    """What was compared: the file, how many rows count, why the others do not."""
    counted = int((outcome.counts["reason"] == "").sum())
    say(f"{file}: {counted} of {len(outcome.frame)} rows count")
    for why, rows in outcome.excluded().itertuples(index=False):
        say(f"  {rows} do not: {why}")


def show_all(outcome: Outcome, form: str) -> None:
    """Goals and tables on stdout: sections of text, one long CSV, or one JSON document."""
    tables, goals = outcome.tables(), outcome.goals()
    if form == "json":
        records = {name: [_record(row) for _, row in table.iterrows()] for name, table in tables.items()}
        document = {"by": outcome.by, "goals": [_goal_record(g) for g in goals], "tables": records}
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([("table", "target", "group", "measure", "value"), *_long(tables, goals)])
    else:
        click.echo(f"Goals ({LEFT_OUT[outcome.by]})")
        show(("figure", "reached", "goal", "met", "of"), [_goal_row(g) for g in goals])
        for name, table in tables.items():
            if len(table):
                _section(name, table)


def write_all(outcome: Outcome, folder: Path) -> Iterator[Path]:
    """rows.csv, goals.csv, a CSV a table, the worst rows with their terms, the pairs as a run and their scatter plot.

    Yields each path.
    """
    from harness.commands._validation_run import write_run
    from harness.report import draw

    yield _written(folder / "rows.csv", outcome.main)
    yield _written(folder / "goals.csv", pd.DataFrame([_goal_record(g) for g in outcome.goals()]))
    for name, table in {**outcome.tables(), "excluded": outcome.excluded()}.items():
        yield _written(folder / "tables" / f"{name.replace(',', '').replace(' ', '-')}.csv", table)
    worst = errors.worst(outcome.main)
    yield _written(folder / "worst.csv", worst)
    yield _written(folder / "worst-terms.csv", _terms(outcome, worst))
    results = write_run(outcome.main, LEFT_OUT[outcome.by], folder / "run")
    for suffix in ("png", "svg"):
        yield draw("validation", results, folder / f"scatter.{suffix}")


def served(file: Path, stack: str, form: str, out: Path | None) -> None:
    """A real run beside its simulation: the table on stdout, and into `out` with one row a request."""
    from harness.validation.serving import compare_run

    found = compare_run(file, stack)
    click.echo(f"{file}: {len(found.requests)} requests; {found.stack}, {found.capacity:,} tokens of cache", err=True)
    if form == "table":
        rows = [(r.figure, f"{r.measured:.4g}", f"{r.simulated:.4g}", f"{r.error:+.1%}", f"{r.goal:.0%}",
                 "yes" if r.met else "no") for r in found.table.itertuples()]  # fmt: skip
        show(("figure", "measured, s", "simulated, s", "error", "goal", "met"), rows)
    else:
        show(list(found.table.columns), [list(row.values()) for row in found.table.to_dict("records")], form)
    if out is not None:
        for name, table in (("serving", found.table), ("serving-requests", found.requests)):
            click.echo(str(_written(out / f"{name}.csv", table)), err=True)


def _terms(outcome: Outcome, worst: pd.DataFrame) -> pd.DataFrame:
    """The worst rows' modelled time, term by term, with the shipped constants."""
    from harness.prediction import explain

    rows = outcome.frame.set_index("id", drop=False)
    parts = []
    for line in worst.itertuples():
        terms = explain(outside.inputs(rows.loc[[line.id]]))
        parts.append(terms.assign(id=line.id, target=line.target, error=line.error))
    whole = pd.concat(parts) if parts else pd.DataFrame(columns=["term", "seconds", "share", "bound", "error"])
    return whole[["id", "target", "error", "term", "seconds", "share", "bound"]] if parts else whole


def _written(path: Path, table: pd.DataFrame) -> Path:
    write_whole(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    return path


def _section(name: str, table: pd.DataFrame) -> None:
    click.echo(f"\n{name[0].upper()}{name[1:]}")
    rows = [[_cell(column, value) for column, value in row.items()] for _, row in table.iterrows()]
    show([_HEADINGS.get(c, c) for c in table.columns], rows)


def _cell(column: str, value: object) -> object:
    """A number for people: counts whole, ratios as they are, the rest in percent."""
    if not isinstance(value, float):
        return value
    if np.isnan(value):
        return None
    if column in _COUNTS:
        return f"{value:.0f}"
    return f"{value:.2f}" if column in _RATIOS else _percent(value)


def _percent(share: float) -> str:
    return f"{round(share * 100, 1) + 0.0:.1f} %"  # + 0.0: no minus before a zero


def _goal_row(goal: Goal) -> tuple:
    met = {True: "yes", False: "no", None: None}[goal.met]
    figure = None if np.isnan(goal.figure) else _percent(goal.figure) if goal.percent else f"{goal.figure:.3f}"
    return goal.name, figure, goal.goal, met, goal.note or None


def _goal_record(goal: Goal) -> dict:
    return {"figure": goal.name, "value": _plain(goal.figure), "goal": goal.goal, "met": goal.met, "of": goal.note}


def _long(tables: dict[str, pd.DataFrame], goals: list[Goal]) -> Iterator[tuple]:
    for goal in goals:
        yield "goals", goal.name, goal.note, "value", _plain(goal.figure)
        yield "goals", goal.name, goal.note, "met", None if goal.met is None else int(goal.met)
    for name, table in tables.items():
        for row in table.to_dict("records"):
            group = " ".join(str(v) for k, v in row.items() if not isinstance(v, float) and k != "target")
            for measure, value in row.items():
                if isinstance(value, float):
                    yield name, row["target"], group, measure, _plain(value)


def _record(row: pd.Series) -> dict:
    return {column: _plain(value) for column, value in row.items()}


def _plain(value: object) -> object:
    return (None if np.isnan(value) else float(f"{value:.6g}")) if isinstance(value, float) else value
