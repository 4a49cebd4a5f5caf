"""A stack at the mean lengths of a workload: seconds where sessions of thousands of users take minutes to simulate."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import NotPredictable
from harness.profiles import Chip, Model
from harness.results import Row
from harness.roofline.point import Point, point
from harness.run.rows_of_comparison import against
from harness.run.rows_of_point import Workload, figure_rows, refused_rows
from harness.serving.steady import Pool
from harness.stack import Stack

_LEFT_OUT = ("time_share", "op.", "mover", "even_usd")  # of interest at the compared point alone


def mean_load(sessions: Pool, concurrency: int) -> Workload:
    """The mean prompt and answer of a workload's calls. No cache: what sessions share is left out, and said."""
    isl, osl = (round(float(sessions.rows[name].mean())) for name in ("isl", "osl"))
    return Workload(f"{sessions.workload.id}-isl{isl}-osl{osl}-c{concurrency}", isl, osl, concurrency)


def mean_point(stack: Stack, model: Model, chip: Chip, load: Workload) -> Point | str:
    """The stack's operating point, or why it has none."""
    try:
        return point(stack, model, chip, load.isl, load.osl, load.concurrency)
    except NotPredictable as error:
        return str(error)


def mean_rows(stack: Stack, chip: Chip, at: Point | str, first: Point | str, load: Workload) -> Iterator[Row]:
    """Its figures and, beside the baseline, its ratios."""
    if isinstance(at, str):
        yield from refused_rows(stack, load, at, chip)
        return
    rows = [*figure_rows(at, load), *(against(at, first, load) if isinstance(first, Point) and at is not first else ())]
    yield from (row for row in rows if not row.metric.startswith(_LEFT_OUT))
