"""Coding: matrix kernels to be tuned by measuring, as in the agent run of 35 hours.

A kernel's time follows from its tiling by a small roofline: arithmetic with what too little work a block and too few
warps leave idle, memory traffic that larger tiles save, whole waves of blocks, and stages that hide latency. Shared
memory bounds the tiles, and the bound falls while the work goes on. Some measurements are throttled and do not count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from harness.suites import beside

_shared, _drawing = beside(__file__, "_horizon"), beside(__file__, "_drawing")
Hands, Job, Judgement, Rng, State = _shared.Hands, _shared.Job, _shared.Judgement, _shared.Rng, _shared.State
known, page_of, between, pick = _shared.known, _shared.page_of, _drawing.between, _drawing.pick

# level -> kernels, and how near to the best of all tilings the target lies
SIZES = {1: (1, 1.25), 2: (2, 1.12), 3: (5, 1.08), 4: (11, 1.06), 5: (23, 1.05)}
CHOICES = {
    "tile_m": (16, 32, 64, 128, 256), "tile_n": (16, 32, 64, 128, 256), "tile_k": (16, 32, 64, 128),
    "stages": (1, 2, 3, 4), "warps": (1, 2, 4, 8),
}  # fmt: skip
ALL = np.array(list(product(*CHOICES.values())), float).T  # [5, 1600]
STARTS = (  # of an expert's search
    (64, 64, 32, 2, 4), (16, 128, 64, 3, 2), (128, 64, 64, 2, 8), (32, 32, 64, 4, 1), (16, 16, 128, 4, 1),
    (16, 256, 32, 4, 4), (256, 16, 32, 4, 4),
)  # fmt: skip
LAUNCH_US = 2.0
RUNS = (18, 50)  # of an expert, a kernel
START = (16, 16, 16, 1, 1)
# Tilings that do for many kernels; those for which one of them does are not in need of an agent.
CUSTOMARY = ((64, 64, 128, 4, 8), (32, 64, 128, 4, 8), (64, 64, 64, 4, 4), (32, 128, 128, 3, 8), (128, 128, 32, 3, 8))
ROOM_KB, LESS_KB = 192, 128  # shared memory of a block, before and after another tenant comes
_MODELS = ("crane", "egret", "heron", "ibis", "lark", "plover", "stork", "swift")
_FAMILIES = ("attn", "conv", "gemm", "moe", "norm", "proj", "rope", "topk")
Tiling = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Kernel:
    """Shape of the product, and the machine as this kernel's code finds it."""

    m: int
    n: int
    k: int
    peak: float  # operations a microsecond and core
    bandwidth: float  # bytes a microsecond, of all cores
    cores: int
    warp_values: float  # that a warp holds best: fewer leave its units idle, more spill its registers
    few_warps: float  # how much a block loses that has one warp
    latency: float  # of memory, in stages of 16 that hide half of it
    barrier_us: float
    skew: float  # what a byte of the second operand costs, of one of the first
    start_us: float = 0.0
    target_us: float = 0.0

    @property
    def near_us(self) -> float:
        return round(1.2 * self.target_us, 1)


@dataclass(frozen=True)
class Plan:
    kernels: Mapping[str, Kernel]
    runs: int
    tenant_at: int  # the call at which shared memory becomes less
    throttled: int  # every so many measurements


def shared_kb(t: Tiling) -> float:
    """Shared memory of a block: both tiles in two bytes a value, once a stage."""
    return t[3] * (t[0] + t[1]) * t[2] * 2 / 1024


def parts_us(k: Kernel, tilings: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(arithmetic, memory, all) times of one launch; tilings [5, ...] -> [...]."""
    tile_m, tile_n, tile_k, stages, warps = tilings
    waves = np.ceil(np.ceil(k.m / tile_m) * np.ceil(k.n / tile_n) / k.cores)
    busy = 1 / (1 + 0.35 * np.abs(np.log2(tile_m * tile_n / warps / k.warp_values))) / (1 + k.few_warps / warps)
    hidden = 1 / (1 + k.latency / (stages * (tile_k / 16) ** 0.5))
    arithmetic = waves * tile_m * tile_n * k.k * 2 / (k.peak * busy * hidden)
    memory = k.m * k.n * k.k * 2 * (1 / tile_n + k.skew / tile_m) / (k.bandwidth * hidden)
    barriers = np.ceil(k.k / tile_k) * waves * k.barrier_us * (stages + warps)
    return arithmetic, memory, np.maximum(arithmetic, memory) + barriers + LAUNCH_US


def time_us(k: Kernel, tiling: Tiling) -> float:
    return round(float(parts_us(k, np.array(tiling, float))[2]), 1)


def _draw(rng: Rng, level: int) -> tuple[list[str], Plan]:
    n, near = SIZES[level]
    kernels = {}
    while len(kernels) < n:
        one = _kernel(rng)
        best = float(parts_us(one, ALL)[2][shared_kb(ALL) <= LESS_KB].min())
        one = replace(one, start_us=time_us(one, START), target_us=round(best * near, 1))
        if one.start_us > 2.5 * one.target_us and min(time_us(one, t) for t in CUSTOMARY) > one.near_us:
            if _is_found(one):
                kernels[f"{pick(rng, _FAMILIES)}-{between(rng, 100, 999)}"] = one
    plan = Plan(kernels, 60 * n, 0 if level == 1 else 16 * n, 0 if level == 1 else 13 + level)
    if level == 1:
        [(name, one)] = kernels.items()
        return [f"For the kernel {name}, commit {_said(_comes_near(rng, one))}.",
                f"Tune the kernel {name}: near {one.near_us} us, target {one.target_us} us."], plan  # fmt: skip
    task = (
        f"Tune the {n} kernels of {pick(rng, _MODELS)}-{between(rng, 2, 99)}b on the new accelerator. Nothing is "
        f"documented: measure. Each kernel has a time that is near enough and a target time; commit for each a "
        f"tiling that reaches its target. You have {plan.runs} measurements. When all is done, say so."
    )
    return [task], plan


def _comes_near(rng: Rng, kernel: Kernel) -> Tiling:
    """A tiling that comes near the target, and does not reach it where there is such."""
    times = np.round(parts_us(kernel, ALL)[2], 1)
    near = (shared_kb(ALL) <= ROOM_KB) & (times <= kernel.near_us)
    short = near & (times > kernel.target_us)
    found = np.flatnonzero(short if short.any() else near)
    return tuple(int(value) for value in ALL[:, found[int(rng.integers(len(found)))]])


def _said(tiling: Tiling) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(CHOICES, tiling, strict=True))


def _is_found(kernel: Kernel) -> bool:
    """Whether climbing finds the target in a fair number of measurements, before and after the bound falls.

    Some are met by the first guesses; some landscapes are so broken by whole waves that only trying all would do.
    """
    for room in (ROOM_KB, LESS_KB):
        tried = []

        def us(tiling: Tiling, room: int = room, tried: list = tried) -> float:
            tried.append(tiling)
            return time_us(kernel, tiling) if shared_kb(tiling) <= room else math.inf

        try:
            _climb(us, kernel.target_us)
        except RuntimeError:
            return False
        if not RUNS[0] <= len(tried) <= RUNS[1]:
            return False
    return True


def _kernel(rng: Rng) -> Kernel:
    return Kernel(
        m=16 * 2 ** between(rng, 0, 8) + 16 * between(rng, 0, 3), n=256 * between(rng, 1, 16),
        k=256 * between(rng, 1, 16), peak=2e5 * 2 ** between(rng, -1, 1), bandwidth=between(rng, 8, 30) * 1e5,
        cores=between(rng, 60, 140, 4), warp_values=2.0 ** between(rng, 7, 12), few_warps=between(rng, 1, 12) / 4,
        latency=2.0 ** between(rng, -2, 2), barrier_us=0.002 * 2 ** between(rng, 0, 6),
        skew=2.0 ** between(rng, -2, 2),
    )  # fmt: skip


def _start(plan: Plan) -> dict[str, Any]:
    return {"commits": dict.fromkeys(plan.kernels, START), "runs": plan.runs, "room_kb": ROOM_KB, "measured": 0}


def _event(state: State) -> str:
    plan: Plan = state["plan"]
    if plan.tenant_at and state["clock"] >= plan.tenant_at and state["room_kb"] == ROOM_KB:
        state["room_kb"] = LESS_KB
        return f"Another tenant has come: a block has {LESS_KB} KB of shared memory now. Commits above it run no more."
    return ""


def _judge(state: Mapping[str, Any]) -> Judgement:
    """Two goals a kernel: the committed tiling comes near, and reaches the target."""
    goals = []
    for name, kernel in state["plan"].kernels.items():
        tiling = state["commits"][name]
        runs = shared_kb(tiling) <= state["room_kb"]
        goals += [runs and time_us(kernel, tiling) <= limit for limit in (kernel.near_us, kernel.target_us)]
    return Judgement(goals)


# ---- tools ----
def list_kernels(state: State, page: int = 1) -> dict:
    """The kernels, ten a page."""
    return page_of(list(state["plan"].kernels), page)


def show(state: State, kernel: str) -> dict:
    """A kernel's shape, its committed tiling, and its times to reach in microseconds"""
    k = known(state["plan"].kernels, kernel, "kernel")
    return {"shape": [k.m, k.n, k.k], "committed": dict(zip(CHOICES, state["commits"][kernel], strict=True)),
            "us_at_start": k.start_us, "us_near": k.near_us, "us_target": k.target_us}  # fmt: skip


def measure(state: State, kernel: str, tile_m: int, tile_n: int, tile_k: int, stages: int, warps: int) -> dict:
    """Compile and time a kernel with a tiling; there are only so many runs"""
    k = known(state["plan"].kernels, kernel, "kernel")
    tiling = _tiling(tile_m, tile_n, tile_k, stages, warps)
    if not state["runs"]:
        raise ValueError("no measurements are left")
    state["runs"] -= 1
    state["measured"] += 1
    if shared_kb(tiling) > state["room_kb"]:
        return {"failed": f"needs {shared_kb(tiling):g} KB of shared memory, {state['room_kb']} KB are there"}
    us = time_us(k, tiling)
    arithmetic, memory, _ = parts_us(k, np.array(tiling, float))
    if state["plan"].throttled and state["measured"] % state["plan"].throttled == 0:
        return {"us": round(us * 1.6, 1), "warning": "clocks were throttled, the time does not count"}
    return {"us": us, "bound_by": "arithmetic" if arithmetic > memory else "memory", "runs_left": state["runs"]}


def commit(state: State, kernel: str, tile_m: int, tile_n: int, tile_k: int, stages: int, warps: int) -> str:
    """Make a tiling the kernel's own; the last commit counts"""
    known(state["plan"].kernels, kernel, "kernel")
    state["commits"][kernel] = _tiling(tile_m, tile_n, tile_k, stages, warps)
    return "committed"


def _tiling(*values: int) -> Tiling:
    for (name, allowed), value in zip(CHOICES.items(), values, strict=True):
        if value not in allowed:
            raise ValueError(f"{name} is one of {', '.join(map(str, allowed))}")
    return values


# ---- an expert, who knows only what the tools return ----
def _expert(do: Hands, task: str) -> None:
    if told := re.match(r"For the kernel (\S+), commit (.*)\.", task):
        do("commit", kernel=told[1], **{key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", told[2])})
        return
    room, done = ROOM_KB, {}
    named = re.match(r"Tune the kernel (\S+):", task)
    for kernel in [named[1]] if named else do.pages("list_kernels"):
        done[kernel] = _tune(do, kernel, do("show", kernel=kernel)["us_target"])
    for kernel, tiling in done.items():  # those committed before the bound fell
        room = int(re.search(r"has (\d+) KB", do.notices[-1])[1]) if do.notices else room
        if shared_kb(tiling) > room:
            _tune(do, kernel, do("show", kernel=kernel)["us_target"])


def _tune(do: Hands, kernel: str, target: float) -> Tiling:
    """Measure until the target is reached, and commit."""

    def us(tiling: Tiling) -> float:
        while True:
            found = do("measure", kernel=kernel, **dict(zip(CHOICES, tiling, strict=True)))
            if "warning" not in found:
                return found.get("us", math.inf)

    try:
        best = _climb(us, target)
    except RuntimeError:  # the bound fell on the way: all over again below it
        best = _climb(us, target)
    do("commit", kernel=kernel, **dict(zip(CHOICES, best, strict=True)))
    return best


def _climb(measured: Callable[[Tiling], float], target: float) -> Tiling:
    """The first tiling found that reaches a target: from several starts, always on to the first better neighbour."""
    us = cache(measured)
    for start in STARTS:
        best, before = start, None
        while best != before:
            if us(best) <= target:
                return best
            before = best
            best = next((near for near in _near(best) if us(near) < us(best)), best)
    raise RuntimeError(f"no tiling reaches {target} us")


def _near(tiling: Tiling) -> list[Tiling]:
    """Tilings one step away, larger values first, then those two choices away."""
    places = [allowed.index(value) for allowed, value in zip(CHOICES.values(), tiling, strict=True)]
    found = []
    for one in [(i, s) for i in range(5) for s in (1, -1)]:
        for other in [(0, 0), *((j, s) for j in range(one[0]) for s in (1, -1))]:
            moved = list(places)
            for at, step in (one, other):
                moved[at] += step
            found.append((abs(other[1]), moved))
    found.sort(key=lambda pair: pair[0])
    options = list(CHOICES.values())
    return [tuple(o[p] for o, p in zip(options, moved, strict=True)) for _, moved in found
            if all(0 <= p < len(o) for o, p in zip(options, moved, strict=True))]  # fmt: skip


def _trivial(pieces: Sequence[str]) -> Mapping[str, str]:
    """A customary tiling for every kernel that is named."""
    named = re.findall(r"the kernel (\S+):", " ".join(pieces))
    return {"a customary tiling": "\n".join(f"Action: [commit(kernel={k!r}, {_said(CUSTOMARY[0])})]" for k in named)}


JOB = Job(
    rules=(
        "You tune kernels by calling functions: measure tilings, commit the best. tile_m and tile_n are 16, 32, 64, "
        "128 or 256; tile_k is 16, 32, 64 or 128; stages are 1 to 4; warps 1, 2, 4 or 8. A block's tiles have to fit "
        "into shared memory, both of them in two bytes a value, once a stage. Only what is "
        "committed at the end counts: half of it for coming near the targets, half for reaching them. Heed the notices."
    ),
    example=(
        "User: Tune the kernel scan-7: near 42.0 us, target 35.0 us.\n"
        "Action: [measure(kernel='scan-7', tile_m=64, tile_n=32, tile_k=32, stages=2, warps=2)]\n"
        "Observation: {\"us\": 41.5, \"bound_by\": \"memory\", \"runs_left\": 9}\n"
        "Action: [commit(kernel='scan-7', tile_m=64, tile_n=32, tile_k=32, stages=2, warps=2)]\n"
        'Observation: "committed"\nAnswer: scan-7 is tuned, but only near its target.'
    ),
    first_rules=(
        "You tune kernels by calling functions: measure tilings, commit the best. tile_m and tile_n are 16, 32, 64, "
        "128 or 256; tile_k is 16, 32, 64 or 128; stages are 1 to 4; warps 1, 2, 4 or 8. Only what is committed at the "
        "end counts: half of it for coming near the target, half for reaching it."
    ),
    first_example=(
        "User: Tune the kernel scan-7: near 42.0 us, target 35.0 us.\n"
        "Action: [measure(kernel='scan-7', tile_m=64, tile_n=32, tile_k=32, stages=2, warps=2)]\n"
        'Observation: {"us": 34.5, "bound_by": "memory", "runs_left": 9}\n'
        "Action: [commit(kernel='scan-7', tile_m=64, tile_n=32, tile_k=32, stages=2, warps=2)]\n"
        'Observation: "committed"\n'
        "Answer: scan-7 is tuned.\n"
        "User: For the kernel scan-8, commit tile_m=16, tile_n=32, tile_k=64, stages=3, warps=1.\n"
        "Action: [commit(kernel='scan-8', tile_m=16, tile_n=32, tile_k=64, stages=3, warps=1)]\n"
        'Observation: "committed"\n'
        "Answer: It is committed."
    ),
    tools=(list_kernels, show, measure, commit), told=(commit,), found=(measure, show), opens="Tune",
    draw=_draw, start=_start, judge=_judge, expert=_expert, event=_event, trivial=_trivial,
)  # fmt: skip
