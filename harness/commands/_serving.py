"""What the commands of serving share: options, the requests they ask for, and bars of progress."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import UserMistake

if TYPE_CHECKING:
    import pandas as pd

    from harness.profile_types import Workload
    from harness.serving.simulate import Policy

REQUESTS = 1000  # of a drawn workload, where nothing is said: as many whole sessions as come nearest


class Number(click.FloatRange):
    """A number in a range that is neither NaN nor, unless `endless`, infinite."""

    def __init__(self, least: float, least_open: bool = False, endless: bool = False):
        super().__init__(least, min_open=least_open)
        self.endless = endless

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if math.isnan(number) or (math.isinf(number) and not self.endless):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


def request_options(command: Callable) -> Callable:
    """Where requests come from."""
    for option in reversed((
        click.option("--trace", type=click.Path(path_type=Path), metavar="FILE", help="A recorded trace."),
        click.option("--format", "form", metavar="NAME", help="Its format: csv, weka, mooncake, azure, vllm, tracelab; "
                     "guessed where the file says it."),
        click.option("--workload", metavar="ID", help="A workload to draw requests from (`stackline workloads list`)."),
        click.option("--requests", "count", type=click.IntRange(1), metavar="N",
                     help=f"The first N (else a trace's all, whole sessions of about {REQUESTS} of a workload)."),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the requests drawn."),
    )):  # fmt: skip
        command = option(command)
    return command


def policy_options(command: Callable) -> Callable:
    """What is done with requests and the cache that they leave."""
    for option in reversed((
        click.option("--routing", type=click.Choice(["cache-aware", "least-loaded", "round-robin"]),
                     default="cache-aware", show_default=True, help="Which replica takes a request."),
        click.option("--keep", "keep_s", type=Number(0, endless=True), metavar="S",
                     help="Drop a prefix that nobody used for S seconds (else: when its memory is needed)."),
        click.option("--hold", "hold_s", type=Number(0), default=0.0, metavar="S",
                     help="Hold a session's cache S seconds for its next turn, against requests that wait."),
        click.option("--host-gb", type=Number(0), default=0.0, metavar="GB",
                     help="Host memory of a replica that evicted prefixes move to."),
        click.option("--preempt", type=click.Choice(["recompute", "swap"]), default="recompute", show_default=True,
                     help="What a request whose memory is taken does: compute again, or wait in host memory."),
    )):  # fmt: skip
        command = option(command)
    return command


def policy(routing: str, keep_s: float | None, hold_s: float, host_gb: float, preempt: str) -> Policy:
    """The policy of `policy_options`."""
    from harness.serving.simulate import Policy

    keep_s = math.nan if keep_s is None or math.isinf(keep_s) else keep_s
    return Policy(routing, keep_s, hold_s, host_gb * 1e9, preempt == "swap")


def requests(
    trace: Path | None, form: str | None, workload: str | None, count: int | None, seed: int, rate: float | None
) -> pd.DataFrame:
    """The checked frame of the requests asked for. Raises UserMistake where they contradict each other."""
    from harness.workloads import generate, load_trace, mean_calls

    if (trace is None) == (workload is None):
        raise UserMistake("give the requests: either --trace FILE or --workload ID")
    if trace is not None:
        frame = load_trace(trace, form)
        frame = frame if count is None else frame.iloc[:count].reset_index(drop=True)
        return frame if rate is None else at_rate(frame, rate, trace)
    sessions = max(1, round((count or REQUESTS) / mean_calls(workload)))
    frame = generate(workload, sessions, seed, rate)
    while count is not None and len(frame) < count:
        sessions += max(1, sessions // 4)
        frame = generate(workload, sessions, seed, rate)
    return frame if count is None else frame.iloc[:count].reset_index(drop=True)


def at_rate(frame: pd.DataFrame, rate: float, trace: Path) -> pd.DataFrame:
    """A trace whose sessions begin at another mean rate: the time between their arrivals is stretched."""
    first = frame["arrival_s"].dropna()
    span = float(first.max() - first.min())
    if not span:
        raise UserMistake(f"{trace}: all sessions begin at once, which no rate can stretch; give --concurrency N")
    stretch = (len(first) - 1) / rate / span
    return frame.assign(arrival_s=(frame["arrival_s"] - first.min()) * stretch)


def own_load(workload: Workload) -> tuple[float | None, int | None]:
    """(sessions a second, sessions at once) that a workload's file names, one of them None. Raises UserMistake."""
    if workload.has("load.rate"):
        return workload.get("load.rate").point, None
    if workload.has("load.concurrency"):
        return None, max(1, round(workload.get("load.concurrency").point))
    raise UserMistake(f"workload '{workload.id}' names no load: give --rate R sessions a second, or --concurrency N")


def bar(title: str, total: int, opened: ExitStack) -> Callable[[int], None]:
    """Shows how many of `total` are done; told the whole number each time."""
    from harness.run.progress import Bars

    advance, shown = opened.enter_context(Bars()).bar(title, total), 0

    def told(done: int) -> None:
        nonlocal shown
        if done - shown >= total / 200 or done == total:
            advance(done - shown)
            shown = done

    return told
