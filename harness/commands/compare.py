"""stackline compare: named stacks side by side, each against a baseline, with what would change the verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.commands._tables import path_option


@click.command("compare")
@click.argument("stacks", metavar="STACK STACK...", nargs=-1)
@click.option("--from", "file", type=click.Path(path_type=Path), help="Stacks from a file too, one a line, # a remark.")
@click.option("--baseline", metavar="STACK", default="", help="Set the others against it; default the first that runs.")
@click.option("--workload", "workloads", multiple=True, metavar="ID",
              help="Simulate its sessions on each stack (repeatable; default coding-agent).")  # fmt: skip
@click.option(
    "--no-sessions", is_flag=True, help="One operating point alone, no simulation: seconds instead of minutes."
)
@click.option("--isl", type=click.IntRange(min=2), default=8192, show_default=True, help="Input tokens of the point.")
@click.option("--osl", type=click.IntRange(min=2), default=1024, show_default=True, help="Its output tokens.")
@click.option("--concurrency", type=click.IntRange(min=1), default=16, show_default=True, help="Its requests at once.")
@click.option("--means", multiple=True, metavar="ID", help="Also a point at this workload's mean lengths (repeatable).")
@click.option("--least", metavar="SPEC", help="Also the fewest chips for users=N,tpot_ms=T at these lengths.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws the sessions.")
@click.option("--digits", type=click.IntRange(1, 6), default=6, show_default=True, help="Significant ones of rows.csv.")
@click.option("--out", type=click.Path(path_type=Path), help="The run folder; default results/<run-id>.")
@path_option
def command(stacks, file, baseline, workloads, no_sessions, isl, osl, concurrency, means, least, seed, digits,
            out) -> None:
    """Compare stacks: speed, cost, energy, agents, published quality, cost of a solved task, who may have them.

    STACK is model/weight_dtype@chip:count,option=value, or a file's name of `stackline stacks list`. Everything but the
    scores is modelled, with p10 to p90; no winner is named where the probability of being better is below 0.9.

    \b
    Examples:
      stackline compare qwen3-235b-a22b/fp8@zhenwu-m890:8 qwen3-235b-a22b/fp8@h20-96gb:8 --no-sessions
      stackline compare alibaba-m890-qwen3.8 nvidia-h200-qwen3.5 huawei-910c-deepseek --out results/three
      stackline compare --from results/baseline/stacks.txt --no-sessions
    """
    from harness.errors import UserMistake
    from harness.report import build
    from harness.run.compare import Options, run, stacks_of
    from harness.run.rows_of_least import parse_least

    def say(text: str) -> None:
        click.echo(text, err=True)

    if no_sessions and workloads:
        raise UserMistake("--no-sessions and --workload contradict each other: give one of them")
    asked = () if no_sessions else workloads or Options.workloads
    options = Options((*stacks, *(stacks_of(file) if file else ())), baseline, asked, isl, osl, concurrency,
                      means, parse_least(least) if least else None, seed,                      digits=digits, out=out,
                      command=" ".join(["stackline", *sys.argv[1:]]))  # fmt: skip
    folder = run(options, say)
    click.echo(build(folder, say))
