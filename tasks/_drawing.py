"""Draws that the generators of several suites share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Rng = np.random.Generator


def pick(rng: Rng, options: Sequence):
    return options[int(rng.integers(len(options)))]


def between(rng: Rng, low: int, high: int, step: int = 1) -> int:
    """A whole number from low to high, both included, in steps."""
    return low + step * int(rng.integers((high - low) // step + 1))
