"""What tables and plots of a comparison share: its stacks, their names, colours and lines."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any

from harness.report import style
from harness.report.figures import Figure, Figures, Owner
from harness.report.plotting import CannotDraw
from harness.results import Results


def about(results: Results) -> dict[str, Any]:
    """What the manifest says of the comparison; empty for a run that compares no named stacks."""
    return results.manifest.get("comparison") or {}


def stack_name(results: Results, stack: str) -> str:
    """A stack in words."""
    return str(about(results).get("stacks", {}).get(stack, {}).get("name") or stack)


def shared_words(results: Results) -> str:
    """What the names of most stacks begin with: the model and format that they share; "" where none is."""
    starts = Counter(stack_name(results, stack).partition(" on ")[0] for stack in about(results).get("stacks", {}))
    (most, count), *_ = starts.most_common(1) or [("", 0)]
    return most if count > max(1, starts.total() / 2) else ""


def short_name(results: Results, stack: str) -> str:
    """A stack in few words: without the model where most stacks have the same, which `shared_model` then says."""
    name, shared = stack_name(results, stack), shared_words(results)
    return name.removeprefix(f"{shared} on ") if shared else name


def shared_model(results: Results) -> str:
    """The sentence that goes with short names; "" where they are whole."""
    shared = shared_words(results)
    return f"A stack named by its chip alone runs {shared}." if shared else ""


def stacks_with(results: Results, figures: Figures, metric: str) -> list[str]:
    """The compared stacks that have a value of a metric, in their order. Raises CannotDraw where none has."""
    found = [s for s in about(results).get("stacks", {}) if figures.with_value(metric, stack=s)]
    if not found:
        raise CannotDraw("the run compares no stacks by name")
    return found


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


def concurrency_of_workload(results: Results) -> int:
    """The requests at once of the compared workload."""
    return int(about(results)["workload"].split("-c")[-1])


def rows_named(ax: style.Axes, results: Results, stacks: list[str]) -> None:
    """A row a stack, its name on the left."""
    ax.set_ylim(len(stacks) - 0.4, -0.6)
    ax.set_yticks(range(len(stacks)), [wrapped(short_name(results, s)) for s in stacks])
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    for stack, words in zip(stacks, ax.get_yticklabels(), strict=True):
        style.mark(words, Owner(stack))
