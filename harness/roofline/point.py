"""One operating point: a stack serving requests of isl input and osl output tokens, closed loop; see `evaluate.py`.

The same path as a million of them, for one row, with what it was made of: the times of every operator, the profile
values each figure rests on, and which unknown holds how much of the answer's spread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from harness import operators
from harness.architecture import of_model
from harness.dates import year
from harness.errors import NotPredictable
from harness.operators import Group, Load
from harness.profiles import Chip, Model, stand_in
from harness.quantity import Cited, weakest
from harness.roofline import constants as fitted
from harness.roofline import cost, energy, memory
from harness.roofline.evaluate import BOUNDS, Timed, bound, figures, timed
from harness.roofline.hardware import Hardware, View
from harness.roofline.layouts import Placement, place
from harness.roofline.operate import Asked, Work, prepare
from harness.stack import Stack, resolve_dtypes
from harness.trace import Op

_NOT_MODELLED = ("disagg", "chunk", "prefix", "max_batched_tokens", "region")


@dataclass(frozen=True)
class Figure:
    """A modelled figure: its value, p10 and p90."""

    value: float
    p10: float
    p90: float
    unit: str


UNITS = {
    "ttft_ms": "ms", "tpot_ms": "ms", "tok_s_per_user": "token/s", "output_tok_s_per_chip": "token/s",
    "total_tok_s_per_chip": "token/s", "power_w_per_chip": "W", "energy_j_per_output_tok": "J/token",
    "usd_per_m_output_tok": "USD/Mtoken",
}  # fmt: skip


@dataclass(frozen=True)
class StepTime:
    """A step's seconds by operator, all layers together, and the operators of the trace by name."""

    phase: str
    parts: dict[str, float]
    bounds: dict[str, str]
    operators: dict[str, list[tuple[Op, int]]]

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())


@dataclass(frozen=True)
class Point:
    """What one operating point gives: figures by name, what bounds it, what it was made of."""

    stack: Stack
    chip: Chip
    lengths: tuple[float, float]  # input and output tokens
    concurrency: float
    figures: dict[str, Figure]
    bound_by: str
    placement: Placement
    batch: float  # requests that run together on a replica
    dtypes: operators.Dtypes
    decode: StepTime
    prefill: StepTime  # of one request, alone
    room: float  # sequences of this length that a replica's memory holds
    used: dict[str, dict[str, Cited]]  # figure -> the profile values it rests on
    price: cost.Price | None
    timed: Timed
    work: Work
    notes: dict[str, str] = field(default_factory=dict)

    def weakest_kind(self, figure: str) -> str:
        """The weakest kind among the profile values that a figure rests on."""
        return weakest([cited.kind for cited in self.used[figure].values()])


def point(
    stack: Stack, model: Model, chip: Chip, isl: float, osl: float, concurrency: float,
    constants: fitted.Constants | None = None,
) -> Point:  # fmt: skip
    """Model one operating point. Raises NotPredictable with the reason where it cannot be."""
    constants = constants or fitted.load()
    for key in _NOT_MODELLED:
        if key in stack.options:
            raise NotPredictable(f"'{key}' is not modelled")
    body, arch = stand_in(model), of_model(model)
    if isl + osl > model.get("context").point:
        raise NotPredictable(f"{isl + osl:.0f} tokens are past the context of {model.get('context').point:.0f}")
    dtypes = resolve_dtypes(stack, body, chip)
    where = place(arch, stack.chips, *(stack.number(k) for k in ("tp", "pp", "ep", "dp")),
                  concurrency < (stack.number("tp") or 0))  # fmt: skip
    view = View(Hardware.of([chip], constants.left_out, constants.own_laws), np.zeros(1, int))
    used = used_values(chip, where, dtypes)
    asked = _asked(stack, where.replicas, isl, osl, concurrency)
    work = prepare(arch, dtypes, where.layout, where.split, view, asked)
    if work.room.sequences[0] < 1:
        raise NotPredictable(memory.too_small(chip, work.room, where.layout.chips))
    t = timed(work, asked, constants, named=True)
    price = cost.price(chip, stack.options.get("price"))
    found = figures(t, work, constants, dtypes.act, stack.options.get("price"))
    shown = {
        k: Figure(*(float(x[0]) for x in found[k]), unit) for k, unit in UNITS.items() if np.isfinite(found[k][0][0])
    }
    held = work.room.weight_bytes + float(work.demand.batch[0]) / where.layout.dp * float(work.room.sequence_bytes[0])
    capacity = chip.get("memory.capacity")
    shown["memory_used_share"] = Figure(
        *(held / x for x in (capacity.point, capacity.quantile(0.9), capacity.quantile(0.1))), "1"
    )
    batch = float(work.demand.batch[0])
    notes = {"batch": f"{batch:g}"} if batch < work.demand.asked[0] else {}
    if body is not model:
        notes["proxy"] = body.id
    decode, prefill = _steps(t, work, arch, dtypes, where, isl, osl)
    bound_by, room = BOUNDS[bound(t, work)[0]], float(work.room.sequences[0])
    return Point(stack, chip, (isl, osl), concurrency, shown, bound_by, where, batch, dtypes, decode, prefill, room,
                 _rests_on(shown, used, chip, price), price, t, work, notes)  # fmt: skip


def _asked(stack: Stack, replicas: int, isl: float, osl: float, concurrency: float) -> Asked:
    blank = np.full(1, np.nan)
    one = {k: np.array([float(v)]) for k, v in (("isl", isl), ("osl", osl), ("concurrency", concurrency))}
    more = {"reserve": 1 - float(stack.options["gpu_mem"])} if "gpu_mem" in stack.options else {}
    engine = np.array([stack.options.get("engine", "")])
    date = np.array([year(stack.options["date"])]) if "date" in stack.options else blank
    return Asked(
        **one, replicas=np.full(1, float(replicas)), requests=blank, prefix_hit=blank, date=date,
        engine=engine, static=np.zeros(1, bool),
        accepted=float(stack.options.get("spec", 1.0)),
        max_sequences=stack.number("max_seqs"), **more,
    )  # fmt: skip


def used_values(chip: Chip, where: Placement, dtypes: operators.Dtypes) -> dict[str, Cited]:
    """The profile values that times rest on. Raises NotPredictable with the profile's reason where one is absent."""
    layout = where.layout
    keys = [
        "memory.capacity",
        "memory.bandwidth",
        *dict.fromkeys(chip.peak_key(d) for d in (dtypes.act, dtypes.stream)),
    ]
    if layout.tp * layout.ep > 1:
        keys.append("scaleup.bandwidth")
        if chip.has("scaleup.domain"):
            keys.append("scaleup.domain")
            if max(layout.tp, layout.ep) > chip.get("scaleup.domain").quantile(0.05) and chip.has("scaleout.bandwidth"):
                keys.append("scaleout.bandwidth")
    for key in keys:
        if not chip.has(key):
            raise NotPredictable(f"{chip.name} has no {key}: {chip.missing.get(key, 'not in the profile')}")
    return {key: chip.get(key) for key in keys}


def _rests_on(shown: dict, used: dict[str, Cited], chip: Chip, price: cost.Price | None) -> dict[str, dict[str, Cited]]:
    out = {name: used for name in shown}
    out["memory_used_share"] = {"memory.capacity": used["memory.capacity"]}
    if "power_w_per_chip" in shown:
        power = energy.rests_on(chip)
        out |= {"power_w_per_chip": power, "energy_j_per_output_tok": used | power}
    if price is not None:
        out["usd_per_m_output_tok"] = used | {f"price.{price.price_class}": price.cited}
    return out


def _steps(t: Timed, work: Work, arch, dtypes, where: Placement, isl: float, osl: float) -> tuple[StepTime, StepTime]:
    layout, x = where.layout, work.demand
    rank = max(float(x.batch[0]) / (layout.dp * layout.pp), 1)
    loads = {"decode": Load((Group(rank, 1, isl + osl / 2),)), "prefill": Load((Group(1, isl, 0),))}
    out = []
    for phase, seconds in (("decode", t.decode), ("prefill", t.alone)):
        ops: dict[str, list[tuple[Op, int]]] = {}
        for op, count in operators.plan(
            arch, loads[phase], dtypes, phase=phase, tp=layout.tp, ep=layout.ep, dp=layout.dp
        ):
            ops.setdefault(f"{phase}.{op.name}", []).append((op, count))
        parts = {f"{phase}.{k}" if k != "engine" else k: float(v[0]) for k, v in seconds.by_name.items()}
        bounds = {f"{phase}.{k}" if k != "engine" else k: v for k, v in seconds.bounds.items()}
        out.append(StepTime(phase, parts, bounds, ops))
    return out[0], out[1]
