"""Rows of one model on one layout -> their figures, what binds them, and what is uncertain about them.

Times by `step.py` and `serve.py`; board power, energy and cost follow. Each figure's uncertainty is first-order: the
share of the time that a cause holds, times the cause's own spread (a profile's range), beside the errors that remain
when a chip is left out (split conformal: their 10 % and 90 % points, by how well the chip's software is known).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.profiles import Chip
from harness.roofline import cost, energy
from harness.roofline.constants import DISTANCES, Constants
from harness.roofline.hardware import View, how_known
from harness.roofline.mixed import saved_s, sharing
from harness.roofline.operate import Asked, Work, pace
from harness.roofline.scales import prefill_scales
from harness.roofline.serve import Latency, latency, tokens_s
from harness.roofline.step import Pace, Seconds, engine_seconds, step

_Z90 = 1.2816  # standard normal quantile at 90 %
# What a part of a step's time is uncertain by: key of the profile, or None where only the fit's errors speak.
CAUSES = {"memory": "memory.bandwidth", "compute": "peak", "network": "scaleup.bandwidth"}
BOUNDS = ("memory", "compute", "overhead", "network", "queue", "capacity")


@dataclass(frozen=True)
class Timed:
    """The steps and latencies of rows."""

    latency: Latency
    decode: Seconds
    alone: Seconds
    batched: Seconds
    pace: Pace
    accepted: float = 1.0

    @property
    def shares(self) -> dict[str, np.ndarray]:
        """Share of the time a token that each bound holds, [rows]; they sum to 1.

        What a mixed step saves is taken off all parts of its prefill alike.
        """
        prefilling = self.latency.prefilling / self.batched.total
        return {
            k: (v / self.accepted + prefilling * self.batched.by_bound[k]) / self.latency.tpot
            for k, v in self.decode.by_bound.items()
        }


def timed(work: Work, asked: Asked, constants: Constants, named: bool = False) -> Timed:
    """Seconds of every row's steps and latencies; `named` keeps each operator's."""
    scales, rows = constants.scales, len(asked.isl)
    own = pace(asked, work.view, scales)
    decode = step(work.decode, scales, own, named)
    engine = engine_seconds(scales, work.demand.batch / work.demand.ranks)
    decode.by_bound["overhead"] = decode.by_bound["overhead"] + engine
    if named:
        decode.by_name["engine"], decode.bounds["engine"] = engine, "overhead"
    twice = Pace(np.tile(own.kernels, 2), np.tile(own.fixed, 2))
    both = step(work.prefill, prefill_scales(scales), twice, named)
    alone, batched = both.part(slice(0, rows)), both.part(slice(rows, 2 * rows))
    x = work.demand
    shared = sharing(work.prefill, both, prefill_scales(scales), twice).part(slice(rows, 2 * rows))
    saved = saved_s(sharing(work.decode, decode, scales, own), shared)
    return Timed(
        latency(x, decode.total, alone.total, batched.total, saved, scales), decode, alone, batched, own, x.accepted
    )


def bound(t: Timed, work: Work) -> np.ndarray:
    """What binds each row, as an index into BOUNDS."""
    s = t.shares
    held = np.stack([s["memory"], s["compute"], s["overhead"], s["network"] + s["hops"]])
    out = held.argmax(0)
    waiting = t.latency.prefilling / t.latency.tpot > 0.5  # decoding waits for prefill half its time
    out[waiting] = BOUNDS.index("queue")
    out[work.demand.batch < work.demand.asked] = BOUNDS.index("capacity")
    return out


Figures = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]  # value, p10, p90; [rows] each


def figures(t: Timed, work: Work, constants: Constants, dtype: str, price_class: str | None = None) -> Figures:
    """All figures of the contract. dtype: the products' activations, whose peak's range counts."""
    x, view, lat = work.demand, work.view, t.latency
    up, down = _profile_spread(t, view, dtype)
    low, high, factor = {}, {}, {}
    for target in ("tpot", "ttft", "throughput"):
        q10, q90 = _errors(constants, target, view, x.split)
        factor[target] = np.ones(len(x.isl))
        for i in (i for i, c in enumerate(view.hardware.chips) if target in constants.own.get(c.id, {})):
            own, rows = constants.own[view.hardware.chips[i].id][target], view.index == i
            factor[target][rows], q10[rows], q90[rows] = own.factor, -own.q10, own.q90
        low[target], high[target] = np.hypot(q10, _Z90 * down), np.hypot(q90, _Z90 * up)
    out: Figures = {}

    def put(name: str, value: np.ndarray, below: np.ndarray, above: np.ndarray) -> None:
        out[name] = (value, value * np.exp(-below), value * np.exp(above))

    for name, value, target in (
        ("ttft_ms", lat.ttft, "ttft"), ("tpot_ms", lat.tpot, "tpot"),
        ("ttft_p50_ms", lat.ttft_median, "ttft"), ("tpot_p50_ms", lat.tpot_median, "tpot"),
    ):  # fmt: skip
        put(name, value * factor[target] * 1e3, low[target], high[target])
    put("tok_s_per_user", 1 / (lat.tpot * factor["tpot"]), high["tpot"], low["tpot"])
    per_chip = tokens_s(x, lat.e2e) / work.chips * factor["throughput"]
    put("output_tok_s_per_chip", per_chip, high["throughput"], low["throughput"])
    put("total_tok_s_per_chip", per_chip * (work.isl + x.osl) / x.osl, high["throughput"], low["throughput"])
    limit = tuple(_Z90 * view.column(f"spread.{side}.power.tdp", _spread("power.tdp", side)) for side in (0, 1))
    watts, watts_down, watts_up = energy.board_power_w(view, t.shares["memory"] + t.shares["compute"], limit)
    put("power_w_per_chip", watts, watts_down, watts_up)
    put("energy_j_per_output_tok", watts / per_chip, np.hypot(watts_down, low["throughput"]),
        np.hypot(watts_up, high["throughput"]))  # fmt: skip
    rent, rent_down, rent_up = (view.column(f"price.{price_class}.{i}", _price(price_class, i)) for i in range(3))
    put("usd_per_m_output_tok", rent / per_chip * 1e6, np.hypot(rent_down, low["throughput"]),
        np.hypot(rent_up, high["throughput"]))  # fmt: skip
    return out


def _errors(constants: Constants, target: str, view: View, inferred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(-q10, q90) of log(measured / predicted), none below 0, by the chips' software or an inferred layout [rows]."""
    found = [constants.errors[f"{target}.{d}"] for d in DISTANCES]
    code, guess = view.column("known", lambda c: DISTANCES.index(how_known(c))), DISTANCES.index("inferred")
    out = []
    for side, sign in ((0, -1), (1, 1)):
        reach = np.array([max(sign * q[side], 0.0) for q in found])
        # An inferred layout is no better known than the chip's software.
        out.append(np.where(inferred, np.maximum(reach[guess], reach[code]), reach[code]))
    return out[0], out[1]


def _profile_spread(t: Timed, view: View, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """(longer, shorter): log standard deviation of the time that the ranges of the profile's values make [rows]."""
    up = down = 0.0
    for part, key in CAUSES.items():
        key = f"peak.{dtype}" if key == "peak" else key
        # A value below its point makes the time longer.
        for side in (0, 1):
            spread = (t.shares[part] * view.column(f"spread.{side}.{key}", _spread(key, side))) ** 2
            up, down = (up + spread, down) if side == 0 else (up, down + spread)
    return np.sqrt(up), np.sqrt(down)


def spreads(t: Timed, work: Work, constants: Constants, dtype: str) -> dict[str, float]:
    """Of the first row: how much of the variance (log) of the time a token each unknown holds; shares that sum to 1.

    The largest is the one that would narrow the answer most if it were known better.
    """
    held = {}
    for part, key in CAUSES.items():
        name = f"peak.{dtype}" if key == "peak" else key
        sides = [float(t.shares[part][0]) * _spread(name, side)(work.view.hardware.chips[work.view.index[0]])
                 for side in (0, 1)]  # fmt: skip
        held[f"profile: {name}"] = float(np.mean(np.square(sides)))
    below, above = _errors(constants, "tpot", work.view, work.demand.split)
    held["what the fit leaves unexplained on chips it did not see"] = float(((below + above)[0] / 2 / _Z90) ** 2)
    whole = sum(held.values())
    return dict(sorted(((k, v / whole) for k, v in held.items()), key=lambda kv: -kv[1]))


def _spread(key: str, side: int) -> Callable[[Chip], float]:
    """Log distance of a value's 10 % (side 0) or 90 % (side 1) point from its point, in standard deviations."""

    def of(chip: Chip) -> float:
        name = chip.peak_key(key.removeprefix("peak.")) if key.startswith("peak.") else key
        if name is None or not chip.has(name):
            return 0.0
        cited = chip.get(name)
        ratio = cited.point / cited.quantile(0.1) if side == 0 else cited.quantile(0.9) / cited.point
        return max(float(np.log(ratio)), 0.0) / _Z90

    return of


def _price(wanted: str | None, part: int) -> Callable[[Chip], float]:
    """Rent of one chip, USD a second, and how far down and up (log) 10..90 % reach; NaN where none is published."""

    def of(chip: Chip) -> float:
        found = cost.price(chip, wanted)
        if found is None:
            return np.nan
        cited = found.cited
        return (cited.point, np.log(cited.point / cited.quantile(0.1)), np.log(cited.quantile(0.9) / cited.point))[part]

    return of
