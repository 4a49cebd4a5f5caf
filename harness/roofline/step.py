"""Time of an engine step from its blocks: each group scaled as a running engine shows, summed over operators.

    kernels   k [ work (max(memory, compute) + overlap min) + e g fixed ],   collectives   work link + fixed
    k: the vendor's software at a date, e: the engine, g: (3.35 TB/s / bandwidth)^generation

The roofline bound (Williams, Waterman and Patterson, CACM 52:4, 2009) is in the blocks; every scale is one of
`scales.SCALES`. A step's parts sum to its total. Left out: overlap of computing and communicating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.roofline.blocks import Block

# What a part of a step is bound by; the parts of `Seconds`.
PARTS = ("memory", "compute", "overhead", "network", "hops")
_SMALL_SHARE = 0.6  # of the bandwidth that a streaming kernel reaches before its scale
REFERENCE_BANDWIDTH = 3.35e12


@dataclass(frozen=True)
class Pace:
    """Factors of rows [rows]: kernels (vendor and date), fixed times (engine, generation) and experts' layers."""

    kernels: np.ndarray
    fixed: np.ndarray


@dataclass
class Seconds:
    """A step's time [rows] by what binds it, and by operator where asked for."""

    by_bound: dict[str, np.ndarray]
    by_name: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def total(self) -> np.ndarray:
        return sum(self.by_bound.values())


def step(blocks: Sequence[Block], scales: Mapping[str, float], pace: Pace, named: bool = False) -> Seconds:
    """Seconds of a step; `named` keeps every operator's, for explaining one."""
    zero = np.zeros(len(pace.kernels))
    parts = {name: zero for name in PARTS}
    by_name: dict[str, np.ndarray] = {}
    for block in blocks:
        work, fixed, memory_bound = times(block, scales, pace)
        if block.group in ("link", "exchange"):
            split = {"network": (block.count * work).sum(0), "hops": (block.count * fixed).sum(0)}
        else:
            memory = (block.count * np.where(memory_bound, work, 0.0)).sum(0)
            whole = (block.count * work).sum(0)
            split = {"memory": memory, "compute": whole - memory, "overhead": (block.count * fixed).sum(0)}
        for name, seconds in split.items():
            parts[name] = parts[name] + seconds
        if named:
            for i, name in enumerate(block.names):
                by_name[name] = by_name.get(name, 0.0) + (block.count * (work + fixed))[i]
    return Seconds(parts, by_name)


def times(block: Block, scales: Mapping[str, float], pace: Pace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(work, fixed) seconds of one layer's operators [operators, rows], and where memory binds."""
    if block.group in ("link", "exchange"):
        return scales[f"work.{block.group}"] * block.memory, scales[f"fixed.{block.group}"] * block.fixed, block.memory >= 0
    if block.group == "small":
        return (scales["work.small"] / _SMALL_SHARE) * block.memory * pace.kernels, (
            scales["launch_s"] * block.fixed * pace.fixed
        ), block.memory >= 0
    longer, shorter = np.maximum(block.memory, block.compute), np.minimum(block.memory, block.compute)
    work = scales[f"work.{block.group}"] * (longer + block.overlap * shorter) * pace.kernels
    return work, fixed_scale(block, scales) * pace.fixed, block.memory >= block.compute


def fixed_scale(block: Block, scales: Mapping[str, float]) -> np.ndarray:
    """Fixed seconds of one layer's kernels before the pace."""
    if block.group.startswith("moe"):
        return scales["fixed.moe"] * block.fixed + scales["moe_layer_s"]
    key = block.group if block.group.startswith("gemm") else "attention"
    return scales[f"fixed.{key}"] * block.fixed
