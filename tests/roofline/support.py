"""What the tests of the model of time share: altered chips, operating points in words, other constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harness.profiles import Chip, chip, model
from harness.quantity import Cited
from harness.roofline import constants, laws
from harness.roofline.point import Point, point
from harness.stack import parse


def scaled(cited: Cited, factor: float) -> Cited:
    """The same quantity, `factor` times as large, its range too."""
    numbers = {k: getattr(cited, k) and getattr(cited, k) * factor for k in ("value", "low", "high")}
    return replace(cited, **numbers, readings=tuple(replace(r, value=r.value * factor) for r in cited.readings))


def altered(base: Chip, factors: Mapping[str, float]) -> Chip:
    """A chip with some values scaled; a key that ends in a dot stands for all below it."""

    def factor(key: str) -> float:
        return next((f for k, f in factors.items() if key == k or (k.endswith(".") and key.startswith(k))), 1.0)

    return replace(base, values={k: tuple(scaled(c, factor(k)) for c in v) for k, v in base.values.items()})


def without(base: Chip, *keys: str) -> Chip:
    """A chip whose profile does not have some values, and says so."""
    values = {k: v for k, v in base.values.items() if k not in keys}
    return replace(base, values=values, missing={**base.missing, **dict.fromkeys(keys, "not published")})


def at(text: str, isl: float = 2048, osl: float = 256, concurrency: float = 8, on: Chip | None = None) -> Point:
    """The operating point of a stack in words."""
    stack = parse(text)
    return point(stack, model(stack.model), on or chip(stack.chip), isl, osl, concurrency)


@contextmanager
def constants_of(folder: Path) -> Iterator[None]:
    """The laws read another folder's constants for a while."""
    shipped = laws.FOLDER
    cached = (laws.tables, laws._assumed, laws.constant_sources, constants._table)
    try:
        laws.FOLDER = folder
        for function in cached:
            function.cache_clear()
        yield
    finally:
        laws.FOLDER = shipped
        for function in cached:
            function.cache_clear()
