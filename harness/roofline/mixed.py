"""What an engine saves that runs prompts and decoding requests in one step: weights are read once, kernels start once.

Two steps apart take max(M, C1) + max(M, C2) for their products, M reading the weights, C1 and C2 computing; together
they take max(M, C1 + C2). What they start (launches, hops, the engine's own time) they start once. Weights that only
one of them touches (experts that few tokens choose) are read by it alone: M is the smaller of the two.
Sums over a step's products stand for M, C1 and C2. Left out: products that are bound otherwise than most; attention and
element-wise kernels, which share nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.roofline.blocks import Block
from harness.roofline.step import Pace, Seconds, work_scales

# Engines that run a prompt's step apart: decoding waits for it. The others mix both in a step (chunked prefill).
PREFILL_FIRST = ("sglang",)


@dataclass(frozen=True)
class Sharing:
    """Of a step, seconds [rows]: reading and computing its products, and all that it starts."""

    reading: np.ndarray
    computing: np.ndarray
    starting: np.ndarray

    def part(self, rows: slice) -> Sharing:
        """Some of the rows."""
        return Sharing(self.reading[rows], self.computing[rows], self.starting[rows])


def products(group: str) -> bool:
    """Whether a group of kernels multiplies by weights."""
    return group.startswith(("gemm", "moe"))


def sharing(blocks: Sequence[Block], seconds: Seconds, scales: Mapping[str, float], pace: Pace) -> Sharing:
    """Of the step whose `seconds` these are."""
    work, reading, computing = work_scales(scales), 0.0, 0.0
    for block in (b for b in blocks if products(b.group)):
        count = work[block.group] * block.count[:, 0]
        reading, computing = reading + count @ block.memory, computing + count @ block.compute
    starting = seconds.by_bound["overhead"] + seconds.by_bound["hops"]
    return Sharing(reading * pace.kernels, computing * pace.kernels, starting)


def mixes(engine: np.ndarray) -> np.ndarray:
    """Which engines (family names) run a prompt's step and a decode step as one (bool)."""
    return ~np.isin(engine, PREFILL_FIRST)


def saved_s(decode: Sharing, prefill: Sharing) -> np.ndarray:
    """Seconds that a decode step and a prefill step take less as one step [rows]."""
    read = np.minimum(decode.reading, prefill.reading)
    together = np.maximum(read, decode.computing + prefill.computing)
    work = np.maximum(read, decode.computing) + np.maximum(read, prefill.computing) - together
    return work + np.minimum(decode.starting, prefill.starting)
