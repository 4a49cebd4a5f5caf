"""A stack -> what serves it: model, chip, layout, engine, and how its steps are timed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness import profiles
from harness.architecture import Architecture, of_model
from harness.dates import year
from harness.errors import NotPredictable, UserMistake
from harness.operators import Dtypes
from harness.profiles import Chip, Model, stand_in
from harness.roofline import constants as fitted
from harness.roofline.compiled import Layout
from harness.roofline.constants import Constants
from harness.roofline.layouts import place
from harness.roofline.point import used_values
from harness.serving.engine import Engine, engine
from harness.serving.timing import StepModel
from harness.stack import Stack, parse, resolve_dtypes


@dataclass(frozen=True, eq=False)  # a deployment is itself alone: its parts hold what has no hash
class Deployment:
    """`entry` replicas take requests; `decoders` more decode what those prefilled (0: all do both)."""

    stack: Stack
    model: Model
    chip: Chip
    arch: Architecture
    dtypes: Dtypes
    layout: Layout
    entry: int
    decoders: int
    engine: Engine
    steps: StepModel
    most_context: int

    @property
    def replicas(self) -> int:
        return self.entry + self.decoders

    def transfer_ns(self, tokens: int) -> int:
        """Nanoseconds that a prompt's cache takes from a prefill to a decode replica: every chip sends its part.

        Over the network between servers, or the scale-up link where the profile has no network. Left out: latency of
        the transfer's start, and sending layers while others are computed.
        """
        key = "scaleout.bandwidth" if self.chip.has("scaleout.bandwidth") else "scaleup.bandwidth"
        if not self.chip.has(key):
            raise NotPredictable(f"{self.chip.name} has no link that a prompt's cache could be sent over")
        a_chip = tokens * self.engine.bytes_per_token / self.layout.chips * self.layout.dp
        return round(a_chip / self.chip.get(key).point * 1e9)


def deploy(stack: Stack | str, constants: Constants | None = None) -> Deployment:
    """Raises UserMistake where the words are wrong, NotPredictable with the reason where it cannot be served."""
    stack = parse(stack) if isinstance(stack, str) else stack
    if not stack.chip:
        raise UserMistake(f"stack {str(stack)!r} names no chip: write model@chip:count")
    model, chip = profiles.model(stack.model), profiles.chip(stack.chip)
    constants = constants or fitted.load()
    arch, dtypes = of_model(model), resolve_dtypes(stack, stand_in(model), chip)
    where = place(arch, stack.chips, *(stack.number(k) for k in ("tp", "pp", "ep", "dp")))
    used_values(chip, where, dtypes)  # refuses a profile without what times rest on
    entry, decoders = _split(stack, where.replicas)
    date = year(stack.options["date"]) if "date" in stack.options else np.nan
    steps = StepModel(arch, dtypes, where.layout, chip, constants, stack.options.get("engine", ""), date,
                      float(stack.options.get("spec", 1.0)))  # fmt: skip
    limits = engine(stack, arch, dtypes, where.layout, chip)
    return Deployment(stack, model, chip, arch, dtypes, where.layout, entry, decoders, limits, steps,
                      int(model.get("context").point))  # fmt: skip


def _split(stack: Stack, replicas: int) -> tuple[int, int]:
    """(replicas that take requests, replicas that only decode) of `disagg=PxD`."""
    text = stack.options.get("disagg")
    if text is None:
        return replicas, 0
    parts = text.split("x")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and int(p) > 0 for p in parts):
        raise UserMistake(f"disagg={text!r} is not PxD, prefill and decode replicas: disagg=1x2")
    prefill, decode = map(int, parts)
    if prefill + decode != replicas:
        raise UserMistake(f"disagg={text}: {prefill} + {decode} replicas, the stack's chips make {replicas}")
    return prefill, decode
