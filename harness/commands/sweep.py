"""stackline sweep: a stack under more and more load, or keeping caches longer and longer, with a plot."""

from __future__ import annotations

import math
from pathlib import Path

import click

from harness.commands._serving import own_load, policy_options
from harness.commands._tables import format_option, path_option, show
from harness.errors import UserMistake

# What is swept -> the values where none are given.
OVER = {
    "users": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    "rate": (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
    "keep": (0, 10, 30, 60, 300, 900, 3600, math.inf),
    "hold": (0, 10, 30, 60, 300, 900, 3600),
    "host-gb": (0, 16, 64, 256, 1024, 4096),
}


@click.command("sweep")
@click.argument("stack")
@click.option("--workload", required=True, metavar="ID", help="What is served (`stackline workloads list`).")
@click.option("--over", type=click.Choice(list(OVER)), default="users", show_default=True, help="What is varied.")
@click.option("--values", metavar="A,B,...", help="Its values; inf for keeping as long as memory allows.")
@click.option("--users", type=click.IntRange(1), metavar="N", help="Sessions at once while something else is varied.")
@click.option("--slo", metavar="SPEC", help="Service level, drawn as lines (default: the workload's own).")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the sessions drawn.")
@policy_options
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for sweep.csv and sweep.png.",
)
@format_option
@path_option
def command(
    stack: str, workload: str, over: str, values: str | None, users: int | None, slo: str | None, seed: int,
    routing: str, keep_s: float | None, hold_s: float, host_gb: float, preempt: str, out: Path | None, form: str,
) -> None:  # fmt: skip
    """Serve a workload in full swing on STACK at every value of one setting.

    users and rate are the load; keep is how long (s) an unused prefix stays, hold how long a session's cache is held
    against others, host-gb the host memory that evicted prefixes move to. Modelled.

    \b
    Example:
      stackline sweep deepseek-v4-flash@b200-sxm:8 --workload coding-agent -o load
      stackline sweep deepseek-v4-flash@b200-sxm:8 --workload coding-agent --over keep --users 128 -o retention
    """
    from harness.commands.capacity import limits_of
    from harness.serving.deploy import deploy
    from harness.serving.steady import pool
    from harness.serving.sweep import rows

    asked = OVER[over] if values is None else _values(values, over)
    if over in ("users", "rate") and users is not None:
        raise UserMistake(f"--users is the load while something else is varied; --over {over} varies the load itself")
    deployment, sessions = deploy(stack), pool(workload, seed)
    limits = limits_of(slo, sessions.workload)
    varies = over in ("users", "rate")
    load = 0 if varies else users or own_load(sessions.workload)[1] or _no_users(sessions.workload.id)
    fixed = {"routing": routing, "keep_s": math.nan if keep_s is None else keep_s, "hold_s": hold_s,
             "host_bytes": host_gb * 1e9, "swaps": preempt == "swap"}  # fmt: skip
    found = rows(deployment, sessions, over, asked, load, limits, fixed, lambda line: click.echo(f"  {line}", err=True))
    show(list(found.columns), [[_cell(x) for x in row] for row in found.itertuples(index=False)], form)
    if out is not None:
        from harness.commands._sweep_plot import draw
        from harness.results import write_whole

        write_whole(out / "sweep.csv", found.to_csv(index=False, lineterminator="\n"))
        draw(found, deployment, workload, over, load, limits, out / "sweep.png")
        click.echo(f"wrote {out}/sweep.csv, sweep.png", err=True)


def _no_users(workload: str) -> int:
    raise UserMistake(f"workload '{workload}' names a rate, no number of users: give --users N")


def _values(text: str, over: str) -> tuple[float, ...]:
    try:
        out = tuple(float(x) for x in text.split(","))
    except ValueError:
        raise UserMistake(f"--values {text!r}: numbers with commas between") from None
    lowest = 0.0 if over in ("keep", "hold", "host-gb") else 1e-9
    if not all(x >= lowest for x in out) or (over != "keep" and math.inf in out):
        raise UserMistake(f"--values {text!r}: not all are values of {over}")
    if over == "users" and any(x != int(x) for x in out):
        raise UserMistake(f"--values {text!r}: users are whole numbers")
    return tuple(sorted(out))


def _cell(x: object) -> str | None:
    if isinstance(x, float):
        return None if math.isnan(x) else f"{x:.4g}"
    return str(x)
