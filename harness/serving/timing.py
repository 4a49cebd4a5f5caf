"""Seconds of an engine's steps by the roofline stage, many at once: what a stack's step table is made of.

A step holds `batch` decoding sequences a rank and chunks of prompts. Its time is that of the decode step, plus what
the chunks add:

    T = max( E(batch) + D(batch, context) + G(chunks + batch) - G(batch), G(chunks + batch) ) + sum A(chunk, past)

E, the engine's own time, D, the decode step, and a lone prompt's prefill G(n) + A(n, 0) are those of `predict`; G is
all of a prefill step but what grows with the context, A the rest (attention). Weights are read once for both, which is
the saving of chunked prefill. Left out: the overlap of two batches in flight, tiles that a mixed batch fills better.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.architecture import Architecture
from harness.operators import Dtypes, Group, Load
from harness.profiles import Chip
from harness.roofline.blocks import blocks
from harness.roofline.compiled import Layout, compiled
from harness.roofline.constants import Constants
from harness.roofline.hardware import Hardware, View
from harness.roofline.operate import Asked, pace
from harness.roofline.scales import prefill_scales
from harness.roofline.step import Pace, Seconds, engine_seconds, step


@dataclass(frozen=True)
class StepModel:
    """One replica's steps: sequences and tokens are those of one of its `ranks` (attention ranks x stages)."""

    arch: Architecture
    dtypes: Dtypes
    layout: Layout
    chip: Chip
    constants: Constants
    engine: str = ""
    year: float = np.nan  # of the software; NaN: the newest known
    accepted: float = 1.0  # tokens that a decode step yields a sequence: speculation's acceptance length

    @property
    def ranks(self) -> int:
        return self.layout.dp * self.layout.pp

    @cached_property
    def hardware(self) -> Hardware:
        return Hardware.of([self.chip], self.constants.left_out, self.constants.own_laws)

    @cached_property
    def _pace(self) -> Pace:
        one = np.ones(1)
        asked = Asked(one, one, one, one, one, np.array([self.year]), one, np.array([self.engine]), one > 1)
        return pace(asked, self.view(1), self.constants.scales)

    def view(self, rows: int) -> View:
        return View(self.hardware, np.zeros(rows, int))

    def decode(self, batch: np.ndarray, context: np.ndarray) -> Seconds:
        """Decode steps of `batch` sequences a rank [rows] with `context` tokens each, without the engine's time."""
        load = Load((Group(batch, float(np.ceil(self.accepted)), context),))
        return self._step("decode", load, len(batch), self.constants.scales)

    def engine_s(self, batch: int) -> float:
        """The engine's own time of a step that decodes `batch` sequences of the whole replica."""
        return float(engine_seconds(self.constants.scales, np.array(batch / self.ranks)))

    def prefill(self, tokens: np.ndarray, past: np.ndarray) -> np.ndarray:
        """Seconds [rows] of a prefill step of one prompt's `tokens` after `past` cached ones."""
        load = Load((Group(np.ones(len(tokens)), tokens, past),))
        scales = self.constants.scales
        return scales["first"] * self._step("prefill", load, len(tokens), prefill_scales(scales)).total

    def dense(self, tokens: np.ndarray) -> np.ndarray:
        """Of a prefill step all but attention, seconds [rows]."""
        load = Load((Group(np.ones(len(tokens)), tokens, np.zeros(len(tokens))),))
        scales = self.constants.scales
        found = self._step("prefill", load, len(tokens), prefill_scales(scales), attention=False)
        return scales["first"] * found.total

    def _step(self, phase: str, load: Load, rows: int, scales: dict, attention: bool = True) -> Seconds:
        engine = np.full(rows, self.engine, object)
        found = blocks(compiled(self.arch, self.dtypes, self.layout, phase), load, self.view(rows), engine)
        if not attention:
            found = [b for b in found if b.group != "prefill_attention"]
        one = self._pace
        return step(found, scales, Pace(np.repeat(one.kernels, rows), np.repeat(one.fixed, rows)))
