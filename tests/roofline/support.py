"""What the tests of the model of time share: altered chips, operating points in words, other constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from hypothesis import assume
from hypothesis import strategies as st

from harness.errors import NotPredictable
from harness.profiles import Chip, chip, model
from harness.quantity import Cited
from harness.roofline import constants, laws
from harness.roofline.point import Point, point
from harness.stack import Stack, parse


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


# One of each kind of attention, of experts and of stored formats; the rest of the library repeats them.
MODELS = (
    "llama-3.1-8b", "qwen3-32b", "gpt-oss-120b", "qwen3-235b-a22b", "deepseek-r1", "deepseek-v3.2", "deepseek-v4-pro",
    "gemma-3-27b-it", "llama-4-maverick", "minimax-m1-80k", "qwen3-next-80b-a3b-instruct", "kimi-k3", "falcon-7b",
    "qwen3.6-27b-nvfp4", "mixtral-8x7b",
)  # fmt: skip
CHIPS = ("h100-sxm", "h20-96gb", "b200-sxm", "mi355x", "zhenwu-m890", "ascend-910b2", "kunlun-p800", "tpu-v6e", "l40s")


@dataclass(frozen=True)
class Case:
    """An operating point on a chip with memory enough, so that no property is tried on refusals alone."""

    model: str
    chip: Chip = field(repr=False)
    stack: Stack
    isl: int
    osl: int
    concurrency: int

    def on(self, other: Chip) -> Point:
        return point(self.stack, model(self.model), other, self.isl, self.osl, self.concurrency)

    @cached_property
    def point(self) -> Point:
        return self.on(self.chip)


@st.composite
def cases(draw, layouts=("tp=1", "tp=2", "tp=4", "tp=8", "tp=8,ep=8", "tp=2,pp=2", "tp=1,dp=8,ep=8")) -> Case:
    """Operating points over models, chips, layouts, formats, lengths and users that the model of time takes."""
    name, on = draw(st.sampled_from(MODELS)), roomy(draw(st.sampled_from(CHIPS)))
    words = draw(st.sampled_from(layouts))
    dtype, kv = draw(st.sampled_from(("", "bf16", "fp8", "int4"))), draw(st.sampled_from(("", ",kv=fp8", ",kv=bf16")))
    sizes = dict(w.split("=") for w in words.split(","))
    chips = int(sizes.get("tp", 1)) * int(sizes.get("pp", 1)) * int(sizes.get("dp", 1))
    stack = parse(f"{name}{dtype and '/' + dtype}@{on.id}:{chips},{words}{kv}")
    case = Case(name, on, stack, draw(st.integers(1, 6000)), draw(st.integers(2, 1500)), draw(st.integers(1, 600)))
    try:
        case.point  # noqa: B018 - heads do not divide, or the chip has no such peak or link
    except NotPredictable:
        assume(False)
    return case


@cache
def roomy(chip_id: str) -> Chip:
    """A chip with a hundred times its memory."""
    return altered(chip(chip_id), {"memory.capacity": 100.0})
