"""stackline workloads: list, show, check, begin and fit workloads."""

from __future__ import annotations

import re
from pathlib import Path

import click

from harness.commands import _profiles
from harness.commands._tables import format_option, path_option, show

_SAMPLE_CALLS, _FEWEST_SESSIONS = 20_000, 20


@click.group("workloads")
def command() -> None:
    """Workloads: one TOML file a workload; what requests arrive, every figure with a source.

    \b
    Examples:
      stackline workloads list
      stackline workloads show coding-agent
      stackline workloads fit requests.csv -o tasks/workloads/ours.toml
    """


@command.command("list")
@format_option
@path_option
def list_(form: str) -> None:
    """One line a workload: calls a session, tokens in and out, gaps (medians), load and objectives, grade.

    \b
    Example:
      stackline workloads list --format csv
    """
    from harness.discovery import WORKLOAD
    from harness.evidence import grade

    columns = ("id", "calls", "first prompt", "growth", "answer", "tool gap", "person gap", "rate", "concurrency",
               "ttft", "tpot", "grade")  # fmt: skip
    keys = ("calls.p50", "first_prompt.p50", "growth.p50", "answer.p50", "tool_gap.p50", "person_gap.p50", "load.rate",
            "load.concurrency", "slo.ttft", "slo.tpot")  # fmt: skip
    rows = [
        (w.id, *(_profiles.shown(w, "message.p50" if k == "growth.p50" and not w.has(k) else k) for k in keys),
         str(grade(w)))
        for w in _profiles.readable(WORKLOAD)
    ]  # fmt: skip
    show(columns, rows, form)
    if form == "table":
        click.echo("\nmedians a session or call; `stackline workloads show ID` has the rest, and sources", err=True)


@command.command("show")
@click.argument("workload_id", metavar="ID")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample.")
@format_option
@path_option
def show_(workload_id: str, seed: int, form: str) -> None:
    """Every figure of a workload with range, kind and source, and what a sample drawn from it looks like.

    \b
    Example:
      stackline workloads show agent-35h
    """
    from harness.commands._show import show_profile
    from harness.profiles import workload

    show_profile(workload(workload_id), form, _sample(workload_id, seed))


def _sample(workload_id: str, seed: int) -> list[tuple]:
    """Rows of `_show.COLUMNS`: medians and 90th percentiles of a sample, and its reuse."""
    from harness.commands._show import record
    from harness.workloads import generate, mean_calls, trace_hit_rate

    sessions = max(_FEWEST_SESSIONS, round(_SAMPLE_CALLS / mean_calls(workload_id)))
    frame = generate(workload_id, sessions, seed)
    calls = frame.groupby("session").size()
    about = {"kind": "derived", "source": "derived here", "note": f"{sessions} sessions, seed {seed}"}
    rows = []
    gaps = frame["gap_s"].dropna()
    drawn = {"calls": calls, "isl": frame["isl"], "osl": frame["osl"], "gap": gaps}
    units = {"calls": "count", "isl": "token", "osl": "token", "gap": "s"}
    for name, values in drawn.items():
        if len(values):
            rows += [
                record(f"sample.{name}.{q}", float(f"{values.quantile(p):.4g}"), unit=units[name], **about)
                for q, p in (("p50", 0.5), ("p90", 0.9))
            ]
    reuse = {**about, "note": f"{about['note']}; input tokens that a prefix cache without limits would hold"}
    return [*rows, record("sample.prefix_hit", round(trace_hit_rate(frame), 4), unit="1", **reuse)]


@command.command("check")
@click.argument("names", nargs=-1, metavar="[ID|FILE]...")
@click.option("--all", "every", is_flag=True, help="Check every workload that is found.")
@path_option
def check(names: tuple[str, ...], every: bool) -> None:
    """Check workloads: each mistake with its file, key, what was found and what was expected.

    \b
    Example:
      stackline workloads check --all
    """
    from harness.discovery import WORKLOAD

    _profiles.check(WORKLOAD, names, every)


@command.command("new")
@click.argument("name")
@click.option("--like", required=True, metavar="WORKLOAD", help="The workload to begin from.")
@click.option("--out", type=click.Path(path_type=Path), help="Default ./tasks/workloads/NAME.toml.")
@path_option
def new(name: str, like: str, out: Path | None) -> None:
    """Begin a workload: a template with WORKLOAD's keys, every value marked as assumed until you cite it.

    \b
    Example:
      stackline workloads new our-agents --like coding-agent
    """
    from harness.discovery import WORKLOAD

    click.echo(_profiles.new(WORKLOAD, name, like, out))


@command.command("fit")
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--format", "form", metavar="FORMAT",
              help="Of the trace: csv, weka, mooncake, azure, vllm, tracelab; else by its beginning.")  # fmt: skip
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="The file to write; its name is the id. Else stdout."
)
def fit_(trace: Path, form: str | None, out: Path | None) -> None:
    """Write a workload's file from a recorded trace: what it measures, with the number of observations.

    A trace names no objective: they are left under [missing] for you to give.

    \b
    Example:
      stackline workloads fit sessions.jsonl.gz -o tasks/workloads/ours.toml
    """
    from harness.discovery import ID_PATTERN, WORKLOAD
    from harness.errors import CannotWrite, UserMistake
    from harness.profiles import load_file
    from harness.results import write_whole
    from harness.workloads import fit, load_trace

    if out is not None and not (ID_PATTERN.fullmatch(out.stem) and out.suffix == ".toml"):
        raise UserMistake(f"'{out.name}' is no workload's file: lower case letters, digits, dots, dashes, then .toml")
    if out is not None and out.exists():
        raise CannotWrite(out, "it is already there")
    frame = load_trace(trace, form)
    name = out.stem if out else re.sub(r"[^a-z0-9.-]+", "-", trace.name.split(".")[0].lower()).strip("-.") or "fitted"
    text = fit(frame, name, {"title": trace.name, "publisher": "own trace", "url": ""})
    click.echo(f"stackline: {len(frame)} calls of {frame['session'].nunique()} sessions", err=True)
    if out is None:
        click.echo(text, nl=False)
        return
    write_whole(out, text)
    load_file(WORKLOAD, out)
    click.echo(out)
