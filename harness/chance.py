"""Chance level: the best that a strategy can do which does not understand the question.

Uniform guessing, the best constant answer (the most frequent right answer, or a fixed option), and what the
suite itself lists as trivial: the longest option, the last number in the prompt, a copied span, a constant
function body. A model has to beat the best of them before its score says anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from textwrap import shorten

from harness.suites import Item, Suite


@dataclass(frozen=True)
class Chance:
    """The best share right, or credit where parts count, without understanding; its strategy; all that were tried."""

    value: float
    strategy: str
    per_strategy: Mapping[str, float]


def chance_level(suite: Suite, items: Sequence[Item] | None = None) -> Chance:
    """The chance level on `items` (the shipped ones by default). Raises ValueError without any item."""
    items = suite.items() if items is None else items
    if not items:
        raise ValueError("a chance level needs items")
    shares: dict[str, list[float]] = {}
    for item in items:
        for strategy, answer in suite.trivial_answers(item).items():
            shares.setdefault(strategy, []).append(suite.score(item, answer))
    # A strategy that has no answer for some items gets nothing there.
    per_strategy = {strategy: sum(scores) / len(items) for strategy, scores in shares.items()}
    if all(item.choices for item in items):
        per_strategy["uniform guessing"] = fmean(1 / len(item.choices) for item in items)
    if not suite.needs_sandbox:
        constant, _ = Counter(item.answer for item in items).most_common(1)[0]
        per_strategy[f"always '{shorten(constant, 40)}'"] = fmean(suite.score(item, constant) for item in items)
    best = max(per_strategy, key=per_strategy.get)
    return Chance(per_strategy[best], best, per_strategy)
