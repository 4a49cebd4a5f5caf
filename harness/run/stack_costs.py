"""What a whole stack gives at the compared workload, and what one costs beside another: speed, money, quality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from harness import profiles
from harness.errors import NotPredictable
from harness.profiles import Model
from harness.roofline.compare import ratio
from harness.roofline.point import Figure, Point, point
from harness.run import traffic
from harness.scores import Score, comparable, scores
from harness.stack import Stack

SPEED, MONEY = "output_tok_s_per_chip", "usd_per_m_output_tok"


@dataclass(frozen=True)
class Served:
    """A stack's operating point, or why it has none."""

    stack: Stack
    point: Point | None
    why: str = ""

    def figure(self, name: str) -> Figure | None:
        return self.point.figures.get(name) if self.point else None


@lru_cache(maxsize=256)
def _served(text: str) -> Served:
    from harness.stack import parse

    stack = parse(text)
    model = profiles.model(stack.model)
    try:
        return Served(stack, point(stack, model, profiles.chip(stack.chip), traffic.ISL, traffic.OSL,
                                   traffic.CONCURRENCY))  # fmt: skip
    except NotPredictable as error:
        return Served(stack, None, str(error))


def served(stack: Stack) -> Served:
    """The stack at the workload that large models are compared on."""
    return _served(str(stack))


def replaced(old: Stack, other: Stack, model_id: str, chip_id: str) -> Served:
    """A model on a chip, each from one of two stacks: laid out as the chip's own stack is, in the model's own format.

    Where that does not fit, the fewest chips of one server that hold it, in the widest format that does.
    """
    if (model_id, chip_id) == (other.model, other.chip):
        return served(other)
    layout = other if chip_id == other.chip else old
    dtype = old.weight_dtype if model_id == old.model else other.weight_dtype
    tried = served(replace(layout, model=model_id, weight_dtype=dtype, chip=chip_id))
    if tried.point:
        return tried
    try:
        return served(traffic.large_stack(profiles.model(model_id), profiles.chip(chip_id)))
    except NotPredictable as error:
        return Served(tried.stack, None, str(error))


def beside(new: Served, old: Served, name: str) -> Figure | None:
    """Figure `name` of the new stack over that of the old; what both rest on cancels. None where one has none."""
    if new.figure(name) is None or old.figure(name) is None:
        return None
    return ratio(new.point, old.point, name)


def compared_scores(new: Model, old: Model) -> Iterator[tuple[Score, Score]]:
    """Published scores of the two that were made alike, one pair a benchmark, the newest."""
    theirs = scores(old)
    best: dict[str, tuple[Score, Score]] = {}
    for mine in scores(new):
        for other in theirs:
            if comparable(mine, other) and (mine.name not in best or mine.date >= best[mine.name][0].date):
                best[mine.name] = (mine, other)
    yield from best.values()
