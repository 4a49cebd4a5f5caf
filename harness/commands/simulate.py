"""stackline simulate: serve a trace or a workload on a stack, request by request."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands._serving import Number, bar, own_load, policy, policy_options, request_options, requests
from harness.commands._tables import path_option, show
from harness.errors import UserMistake

if TYPE_CHECKING:
    from harness.serving.summary import Simulated


@click.command("simulate")
@click.argument("stack")
@request_options
@click.option(
    "--rate",
    type=Number(0, least_open=True),
    metavar="R",
    help="Sessions that begin a second; stretches a trace.",
)
@click.option("--concurrency", type=click.IntRange(1), metavar="N", help="So many sessions at once instead.")
@click.option("--slo", metavar="SPEC", help="Service level for goodput: ttft_ms=500,tpot_ms=50.")
@click.option("--warmup", type=Number(0), metavar="S",
              help="Leave the first S seconds out of the figures (default: a closed loop's first wave).")  # fmt: skip
@policy_options
@click.option("--interval/--no-interval", default=True, help="Two further runs for p10 and p90 (default), or none.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder for the results."
)
@path_option
def command(
    stack: str, trace: Path | None, form: str | None, workload: str | None, count: int | None, seed: int,
    rate: float | None, concurrency: int | None, slo: str | None, warmup: float | None, routing: str,
    keep_s: float | None, hold_s: float, host_gb: float, preempt: str, interval: bool, out: Path | None,
) -> None:  # fmt: skip
    """Simulate the serving of requests by STACK (model/dtype@chip:count,option=value,...).

    Requests come from a recorded trace or are drawn from a workload. Open loop: they arrive when the trace says, or
    --rate sessions a second. Closed loop: --concurrency sessions at once, a new one when one ends. A workload names its
    own load and service level, which --rate, --concurrency and --slo replace. Writes requests.csv (one row a request),
    summary.json (every figure with p10 and p90) and timeline.png into DIR.

    \b
    Example:
      stackline simulate llama-3.1-8b@h100-sxm --workload chat --rate 2 --slo ttft_ms=500,tpot_ms=50 -o sim
      stackline simulate qwen3-235b-a22b/fp8@zhenwu-m890:8 --workload coding-agent --concurrency 8 -o agents
    """
    from harness import profiles
    from harness.serving.deploy import deploy
    from harness.serving.slo import own_limits, parse_slo
    from harness.serving.summary import simulated

    if rate is not None and concurrency is not None:
        raise UserMistake("--rate is an open loop, --concurrency a closed one: give one of them")
    deployment, limits = deploy(stack), parse_slo(slo)
    if workload is not None:
        drawn = profiles.workload(workload)
        limits = limits or own_limits(drawn)
        if rate is None and concurrency is None:
            rate, concurrency = own_load(drawn)
    frame = requests(trace, form, workload, count, seed, rate)
    begun = time.perf_counter()
    with ExitStack() as opened:
        runs = 3 if interval else 1
        told = bar(f"simulating {len(frame):,} requests", runs * len(frame), opened)
        settings = policy(routing, keep_s, hold_s, host_gb, preempt)
        found = simulated(deployment, frame, limits, concurrency, settings, warmup, interval,
                          lambda n, k: told(n + k * len(frame)))  # fmt: skip
    if out is not None:
        _write(found, out, seed, limits)
    _say(found, time.perf_counter() - begun)


def _write(found: Simulated, out: Path, seed: int, limits: dict[str, float]) -> None:
    from harness.commands._timeline import draw
    from harness.results import whole, write_whole
    from harness.serving.summary import summary

    with whole(out / "requests.csv") as work:
        found.requests.to_csv(work, index=False, lineterminator="\n")
    document = summary(found, seed, limits)
    write_whole(out / "summary.json", json.dumps(document, indent=1) + "\n")
    draw(found, out / "timeline.png")
    click.echo(f"wrote {out}/requests.csv, summary.json, timeline.png", err=True)


_SHOWN = {
    "ttft_s": ("TTFT", 1e3, "ms"), "tpot_s": ("TPOT", 1e3, "ms"), "e2e_s": ("end to end", 1.0, "s"),
    "queue_s": ("queue", 1e3, "ms"), "session_s": ("session", 1.0, "s"),
}  # fmt: skip


def _say(found: Simulated, seconds: float) -> None:
    figures = found.figures
    rejected = found.requests[found.requests["status"] == "rejected"]
    w = found.window
    click.echo(f"{found.run.deployment.stack}: {len(found.requests):,} requests in {seconds:.1f} s, "
               f"{len(rejected):,} rejected.\nModelled; p10..p90 in brackets; figures of the simulated time from "
               f"{w.begin_s:,.0f} to {w.end_s:,.0f} s.\n")  # fmt: skip
    rows = []
    for name, (title, times, unit) in _SHOWN.items():
        if f"{name}.p50" in figures:
            rows.append([f"{title}, {unit}", *(_cell(figures.get(f"{name}.{s}"), times)
                                               for s in ("mean", "p50", "p90", "p99"))])  # fmt: skip
    if rows:
        show(["latency", "mean", "p50", "p90", "p99"], rows)
        click.echo("")
    from harness.serving.outcome import UNITS

    show(["figure", "value", "unit"], [[n, _cell(figures[n], 1.0), u] for n, u in UNITS.items() if n in figures])
    for reason, n in rejected["reason"].str.replace(r"\d+", "N", regex=True).value_counts().head(3).items():
        click.echo(f"\nrejected {n:,}: {reason}", err=True)


def _cell(found: tuple[float, float, float] | None, times: float) -> str | None:
    if found is None:
        return None
    value, low, high = (f"{x * times:,.4g}" if abs(x * times) < 1e5 else f"{x * times:,.0f}" for x in found)
    return value if low == high else f"{value} [{low}..{high}]"
