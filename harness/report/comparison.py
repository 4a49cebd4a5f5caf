"""What tables and plots of a comparison share: its stacks, their names, colours and lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from harness.report import style
from harness.report.figures import Figure, Figures
from harness.report.plotting import CannotDraw
from harness.results import Results

_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))


def about(results: Results) -> dict[str, Any]:
    """What the manifest says of the comparison; empty for a run that compares no named stacks."""
    return results.manifest.get("comparison") or {}


def stack_name(results: Results, stack: str) -> str:
    """A stack in words."""
    return str(about(results).get("stacks", {}).get(stack, {}).get("name") or stack)


def stacks_with(results: Results, figures: Figures, metric: str) -> list[str]:
    """The compared stacks that have a value of a metric, in their order. Raises CannotDraw where none has."""
    found = [s for s in about(results).get("stacks", {}) if figures.with_value(metric, stack=s)]
    if not found:
        raise CannotDraw("the run compares no stacks by name")
    return found


def lines_of(results: Results, figures: Figures, metric: str) -> Iterator[tuple[str, str, str, Any]]:
    """(name, stack, colour, dash) of each stack that has a metric; colours come again with another dash."""
    for k, stack in enumerate(stacks_with(results, figures, metric)):
        turn, place = divmod(k, len(style.PALETTE))
        yield stack_name(results, stack), stack, style.PALETTE[place], _DASHES[turn % len(_DASHES)]


def concurrency_of(figure: Figure) -> int:
    """The requests at once of a point of a curve."""
    return int(figure.part.removeprefix("c="))


def wrapped(name: str, width: int = 34) -> str:
    """A long name on several lines, for an axis."""
    return "\n".join(textwrap.wrap(name, width))


def words_of(results: Results) -> str:
    """The workload in words: `8,192 tokens in, 1,024 out`."""
    isl, osl = (int(part[3:]) for part in about(results)["workload"].split("-")[:2])
    return f"{isl:,} tokens in, {osl:,} out"


def rows_named(ax: style.Axes, results: Results, stacks: list[str]) -> None:
    """A row a stack, its name on the left."""
    ax.set_ylim(len(stacks) - 0.4, -0.6)
    ax.set_yticks(range(len(stacks)), [wrapped(stack_name(results, s)) for s in stacks])
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
