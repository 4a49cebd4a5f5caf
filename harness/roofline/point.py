"""One operating point: a stack serving `concurrency` requests of isl input and osl output tokens, closed loop.

Per replica, b sequences run together (no more than memory holds):
  TPOT  = decode step(b, isl + osl/2) + w (b - 1) prefill / osl   (the others' prefills, spread over the steps)
  TTFT  = prefill + half a decode step + q (b - 1) prefill        (waiting for the step in hand and the others)
  E2E   = TTFT + (osl - 1) TPOT,  output tokens/s = b osl / E2E
with w and q fitted on published operating points (laws.Deployment), whose remaining spread is drawn into
TPOT and TTFT. The decode step is taken at the mean context. Left out: chunked prefill's mixing with decode
inside one kernel, speculative decoding, disaggregation, pipeline and expert parallelism; a stack that asks
for what is left out is refused. Where b is less than asked, requests queue and TTFT grows by their wait.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from harness import operators
from harness.architecture import Architecture, from_table
from harness.errors import NotPredictable
from harness.operators import Group, Load
from harness.profiles import Chip, Model, stand_in
from harness.quantity import Cited, weakest
from harness.roofline import cost, energy, laws, memory
from harness.roofline.kernels import Kernels
from harness.roofline.step import StepTime, step_time
from harness.stack import Deployment, Stack, read_deployment, resolve_dtypes

DRAWS = 512
P10, P50, P90 = 0.1, 0.5, 0.9
_NOT_MODELLED = ("spec", "disagg", "chunk", "prefix", "max_batched_tokens", "engine", "date", "region")


@dataclass(frozen=True)
class Figure:
    """A modelled figure: the median of its draws, p10 and p90."""

    value: float
    p10: float
    p90: float
    unit: str

    @classmethod
    def of(cls, draws: np.ndarray, unit: str) -> Figure:
        p10, p50, p90 = (float(q) for q in np.quantile(draws, (P10, P50, P90)))
        return cls(p50, p10, p90, unit)


@dataclass(frozen=True)
class Point:
    """What one operating point gives: figures by name, what bounds it, what it was made of."""

    figures: dict[str, Figure]
    bound_by: str
    deployment: Deployment
    batch: int
    dtypes: operators.Dtypes
    decode: StepTime
    prefill: StepTime
    memory: memory.Fit
    used: dict[str, dict[str, Cited]]  # figure -> the profile values it rests on
    price: cost.Price | None
    notes: dict[str, str] = field(default_factory=dict)

    def weakest_kind(self, figure: str) -> str:
        """The weakest kind among the profile values that a figure rests on."""
        return weakest([cited.kind for cited in self.used[figure].values()])


def architecture(model: Model) -> Architecture:
    """The layer plan of a model, or of its proxy. Raises NotPredictable where neither is published."""
    body = stand_in(model)
    return from_table(body.tables["architecture"], body.path)


def point(
    stack: Stack,
    model: Model,
    chip: Chip,
    isl: float,
    osl: float,
    concurrency: int,
    *,
    n: int = DRAWS,
    seed: int = 0,
) -> Point:
    """Model one operating point. Raises NotPredictable with the reason where it cannot be."""
    for key in _NOT_MODELLED:
        if key in stack.options:
            raise NotPredictable(f"'{key}' is not modelled")
    body = stand_in(model)
    arch = architecture(body)
    if isl + osl > model.get("context").point:
        raise NotPredictable(f"{isl + osl:.0f} tokens are past the context of {model.get('context').point:.0f}")
    dtypes = resolve_dtypes(stack, body, chip)
    where = read_deployment(stack.chips, *(stack.number(k) for k in ("tp", "pp", "ep", "dp")))
    if where.pp > 1 or where.dp > 1 or where.ep > 1:
        raise NotPredictable("pipeline, expert and data-parallel attention are not modelled")
    gpu_mem = float(stack.options["gpu_mem"]) if "gpu_mem" in stack.options else None
    room = memory.fit(arch, dtypes, chip, math.ceil(isl + osl), where.tp, where.ep, gpu_mem)
    asked = max(1, math.ceil(concurrency / where.replicas))  # on the fullest replica
    batch = min(asked, room.sequences, stack.number("max_seqs") or asked)
    kernels = Kernels(chip, n, seed)
    kernels.used["memory.capacity"] = chip.get("memory.capacity")
    prefill, decode = _steps(kernels, arch, dtypes, isl, osl, batch, where)
    ttft, tpot = latencies(prefill.seconds, decode.seconds, batch, osl)
    scale, names = laws.deployment(), (chip.id, model.id, n, seed)
    ttft = ttft * laws.residual("ttft", scale.sigma_ttft, *names)
    tpot = tpot * laws.residual("tpot", scale.sigma_tpot, *names)
    e2e = ttft + (osl - 1) * tpot
    if asked > batch:  # requests beyond the batch wait for whole requests to finish
        ttft = ttft + (asked - batch) / batch * e2e
    # Requests in flight on a replica, in the mean: fewer than one where there are more replicas than requests.
    running = min(concurrency / where.replicas, batch)
    per_chip = running * osl / e2e / where.tp
    figures = {
        "ttft_ms": Figure.of(ttft * 1e3, "ms"),
        "tpot_ms": Figure.of(tpot * 1e3, "ms"),
        "tok_s_per_user": Figure.of(1 / tpot, "token/s"),
        "output_tok_s_per_chip": Figure.of(per_chip, "token/s"),
        "total_tok_s_per_chip": Figure.of(per_chip * (isl + osl) / osl, "token/s"),
        "memory_used_share": Figure.of(_used_share(kernels, room, batch), "1"),
    }
    timed = dict(kernels.used)
    used = {name: timed for name in figures}
    used["memory_used_share"] = {"memory.capacity": timed["memory.capacity"]}
    if chip.has("power.tdp"):
        power, power_used = energy.board_power_w(chip, n, seed)
        figures["power_w_per_chip"] = Figure.of(power, "W")
        figures["energy_j_per_output_tok"] = Figure.of(power / per_chip, "J/token")
        used |= {"power_w_per_chip": power_used, "energy_j_per_output_tok": timed | power_used}
    price = cost.price(chip, stack.options.get("price"))
    if price is not None:
        rent = price.cited.sample(n, seed)
        figures["usd_per_m_output_tok"] = Figure.of(rent / per_chip * 1e6, "USD/Mtoken")
        used["usd_per_m_output_tok"] = timed | {f"price.{price.price_class}": price.cited}
    queue = batch < asked
    bound = "capacity" if queue else decode.bound_by
    notes = {"batch": str(batch)} if queue else {}
    if body is not model:
        notes["proxy"] = body.id
    return Point(figures, bound, where, batch, dtypes, decode, prefill, room, used, price, notes)


def _steps(kernels, arch, dtypes, isl, osl, batch, where) -> tuple[StepTime, StepTime]:
    """(prefill of one request, decode of the batch at its mean context)."""
    alone = Load((Group(1, isl, 0),))
    mean = Load((Group(batch, 1, isl + osl / 2),))
    prefill = operators.trace(arch, alone, dtypes, phase="prefill", tp=where.tp, ep=where.ep)
    decode = operators.trace(arch, mean, dtypes, phase="decode", tp=where.tp, ep=where.ep)
    return step_time(kernels, prefill), step_time(kernels, decode)


def latencies(prefill_s, decode_s, batch, osl):
    """(TTFT, TPOT) in seconds from one prefill's and one decode step's; see the module's equations."""
    scale = laws.deployment()
    tpot = decode_s + scale.interleave * (batch - 1) * prefill_s / osl
    ttft = prefill_s + 0.5 * decode_s * (batch > 1) + scale.queue * (batch - 1) * prefill_s
    return ttft, tpot


def _used_share(kernels: Kernels, room: memory.Fit, batch: int) -> np.ndarray:
    return (room.weight_bytes + batch * room.sequence_bytes) / kernels.draw("memory.capacity")
