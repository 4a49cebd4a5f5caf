"""One engine step: its kernels, its collectives, and the engine's own time; the parts sum to the total."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.roofline import laws
from harness.roofline.collectives import collective_time
from harness.roofline.kernels import Kernels, KernelTime
from harness.trace import COLLECTIVE_KINDS, Op, Trace


@dataclass(frozen=True)
class StepTime:
    """Draws of a step's time in seconds [n], by operator and in all."""

    parts: dict[str, np.ndarray]  # "phase.operator" -> seconds [n], all layers together
    bounds: dict[str, str]  # "phase.operator" -> memory | compute | network | overhead
    # "phase.operator" -> (operator, layers, time of one) of every layer plan that has it
    operators: dict[str, list[tuple[Op, int, KernelTime]]]

    @property
    def seconds(self) -> np.ndarray:
        return sum(self.parts.values())

    @property
    def bound_by(self) -> str:
        """What most of the step's time is bound by."""
        share: dict[str, float] = {}
        for name, seconds in self.parts.items():
            share[self.bounds[name]] = share.get(self.bounds[name], 0.0) + float(np.median(seconds))
        return max(share, key=share.get)


def step_time(kernels: Kernels, trace: Trace, engine: bool = True) -> StepTime:
    """Time of a step's operators run one after another, each scaled as a running engine shows (laws.Deployment),
    none faster than its own roofline.

    Left out: overlap of compute and communication beyond what the fitted scales hold.
    """
    scale = laws.deployment()
    parts: dict[str, np.ndarray] = {}
    bounds: dict[str, str] = {}
    operators: dict[str, list[tuple[Op, int, KernelTime]]] = {}
    largest: dict[str, float] = {}
    for op, count in trace:
        network = op.kind in COLLECTIVE_KINDS
        time = collective_time(kernels, op) if network else kernels.time(op)
        if network:
            seconds = scale.network * (time.fixed_s + time.work_s)
        else:
            work = scale.prefill_work if op.phase == "prefill" else scale.work
            seconds = scale.fixed * time.fixed_s + np.maximum(work * time.work_s, time.floor_s)
        name = f"{op.phase}.{op.name}"
        parts[name] = parts.get(name, 0.0) + count * seconds
        operators.setdefault(name, []).append((op, count, time))
        if (share := count * float(np.median(seconds))) >= largest.get(name, 0.0):
            largest[name], bounds[name] = share, "network" if network else time.bound
    if engine:
        parts["engine"] = np.full(kernels.n, scale.step_s)
        bounds["engine"] = "overhead"
    return StepTime(parts, bounds, operators)
