"""What the problems of contest-math share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.suites import beside


@dataclass(frozen=True)
class Problem:
    """A question, its answer, and the first words of the answer where they are given."""

    question: str
    answer: int
    begun: str = ""


Template = Callable[[beside(__file__, "_drawing").Rng], Problem]
