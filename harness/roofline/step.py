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

from harness.roofline.blocks import GROUPS, LINKS, Block

# What a part of a step is bound by; the parts of `Seconds`.
PARTS = ("memory", "compute", "overhead", "network", "hops")
_SMALL_SHARE = 0.6  # of the bandwidth that a streaming kernel reaches before its scale: measured GEMMs read at 0.7-0.83
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
    bounds: dict[str, str] = field(default_factory=dict)  # of the first row

    def part(self, rows: slice) -> Seconds:
        """Some of the rows."""
        bound, name = ({k: v[rows] for k, v in held.items()} for held in (self.by_bound, self.by_name))
        return Seconds(bound, name, self.bounds)

    @property
    def total(self) -> np.ndarray:
        return sum(self.by_bound.values())


def step(blocks: Sequence[Block], scales: Mapping[str, float], pace: Pace, named: bool = False) -> Seconds:
    """Seconds of a step; `named` keeps every operator's, for explaining one."""
    zero = np.zeros(len(pace.kernels))
    parts = {name: zero for name in PARTS}
    by_name: dict[str, np.ndarray] = {}
    bounds: dict[str, str] = {}
    of_work, of_fixed = work_scales(scales), fixed_scales(scales)
    for block in blocks:
        work, fixed, memory_bound = times(block, of_work[block.group], of_fixed[block.group], pace)
        if block.group in LINKS:
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
                bounds[name] = _bound(block, work[i, 0], fixed[i, 0], memory_bound[i, 0])
    return Seconds(parts, by_name, bounds)


def engine_seconds(scales: Mapping[str, float], batch: np.ndarray) -> np.ndarray:
    """The engine's own time of a decode step of `batch` sequences a rank [rows]: scheduling, sampling, sending.

    Each data-parallel rank schedules its own sequences, side by side with the others.
    """
    return scales["step_s"] + scales["sequence_s"] * batch


def _bound(block: Block, work: float, fixed: float, memory: bool) -> str:
    if block.group in LINKS:
        return "network"
    return "overhead" if fixed > work else "memory" if memory else "compute"


def times(
    block: Block, of_work: float, of_fixed: tuple[float, float], pace: Pace
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(work, fixed) seconds of one layer's operators [operators, rows], and where memory binds.

    of_work, of_fixed: the group's, of `work_scales` and `fixed_scales`.
    """
    start, layer = of_fixed
    longer, shorter = np.maximum(block.memory, block.compute), np.minimum(block.memory, block.compute)
    work = of_work * (longer + block.overlap * shorter)
    fixed = start * block.fixed + layer
    if block.group in LINKS:
        return work, fixed, block.memory >= 0
    return work * pace.kernels, fixed * pace.fixed, block.memory >= block.compute


def work_scales(scales: Mapping[str, float]) -> dict[str, float]:
    """What each group's memory, compute or link time is multiplied by."""
    out = {group: scales[f"work.{group}"] for group in (*GROUPS, *LINKS)}
    return out | {"small": out["small"] / _SMALL_SHARE}


def fixed_scales(scales: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """What each group's fixed time is multiplied by, and what each of its kernels takes besides, s."""
    out = {g: (scales["fixed.attention"], 0.0) for g in GROUPS}
    out |= {g: (scales[f"fixed.{g}"], 0.0) for g in (*GROUPS, *LINKS) if f"fixed.{g}" in scales}
    out |= {g: (out[g][0], scales["moe_layer_s"]) for g in GROUPS if g.startswith("moe")}
    return out | {"small": (scales["launch_s"], 0.0)}
