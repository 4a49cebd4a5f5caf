"""Rows of agents on a server: at their service level, under load, by how long caches are kept, and over 35 hours.

Workloads are written `coding-agent`, `agent-35h-alone` (the server to itself) and `agent-35h-shared` (beside as many
others as keep the service level). p10 and p90 are the least and the most over the middle, p10 and p90 of a step's time;
of money and energy also those of the rent and of the power, whose squares add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.profile_types import Workload, weakest
from harness.profiles import shared_value
from harness.quantity import Cited
from harness.results import Row
from harness.roofline.point import Point
from harness.run.rows_of_point import joined, price_notes, source_id, sources_of, stated_notes
from harness.serving.capacity import Capacity, Load
from harness.serving.fleet import facility_w
from harness.serving.slo import own_limits
from harness.serving.steady import Pool
from harness.stack import Stack

ALONE, SHARED = "alone", "shared"
_J_A_KWH, _S_AN_H = 3.6e6, 3600.0
UNITS = {
    "agents_per_chip": "count", "agents_per_server": "count", "agents_per_mw": "count", "prefix_hit_rate": "1",
    "session_h": "h", "chip_wait_h": "h", "tool_wait_h": "h", "usd_per_session": "USD", "energy_kwh_per_session": "kWh",
    "sessions_at_once": "count", "ttft_p95_s": "s", "tpot_p95_s": "s", "kv_kept_share": "1",
    "goodput_req_s_per_chip": "request/s",
}  # fmt: skip
_LEVEL = (
    "agents_per_chip", "agents_per_server", "agents_per_mw", "prefix_hit_rate", "usd_per_session",
    "energy_kwh_per_session", "session_h", "goodput_req_s_per_chip",
)  # fmt: skip
_LONG = ("session_h", "chip_wait_h", "tool_wait_h", "usd_per_session", "energy_kwh_per_session", "sessions_at_once")
# Figures of an operating point whose profile values a figure rests on; the others rest on times and memory alone.
_RESTS = {
    "usd_per_session": "usd_per_m_output_tok", "energy_kwh_per_session": "energy_j_per_output_tok",
    "agents_per_mw": "energy_j_per_output_tok",
}  # fmt: skip
_COST = ("usd_per_session", "energy_kwh_per_session", "session_h")  # what there is less of where steps are faster
_TIMES = ("ttft_ms", "tpot_ms", "memory_used_share")
_NONE = "does not hold one agent at the service level"

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Seen:
    """One load with the steps' middle time, their p10 and their p90."""

    middle: Load
    fast: Load
    slow: Load

    def of(self, figure) -> Triple:
        """(value, least, most) of a figure of a load."""
        return _triple([figure(x) for x in (self.middle, self.fast, self.slow)])


def level_rows(p: Point, found: Capacity, sessions: Pool, attain: float, close: float) -> Iterator[Row]:
    """At the service level; a server that does not hold one agent holds 0, and then has no figures of a session.

    close: how much more than the load it found a search leaves open; it is added to p90. Where the p90 of the steps'
    time holds no agent, what a session costs has a p10 and no p90.
    """
    loads = (found.middle, found.low, found.high)
    at = [None if x is None else _of_load(p, x, sessions) for x in loads]
    notes = _level_notes(sessions.workload, attain)
    if found.middle is not None:
        notes |= {"agents": f"{found.middle.load:g}", "busy": f"{found.middle.busy:.3g}"}
    for name in _LEVEL:
        counted = name.startswith(("agents", "goodput"))
        values = [(0.0 if counted else math.nan) if x is None else x.get(name, math.nan) for x in at]
        why = _NONE if at[0] is None else _unknown(name)
        value, low, high = _triple(values)
        if at[1] is None and name in _COST:  # a stack that holds no session at its slowest has no dearest one
            low = min(value, values[2])
        triple = (value, low, high * (1 + close)) if counted else (value, low, high)
        yield _row(p, sessions.workload.id, name, triple, sessions.workload, notes, why)


def swept_rows(p: Point, part: str, seen: Seen, workload: Workload, attain: float) -> Iterator[Row]:
    """Latencies, hit rate and kept memory at one value of what is swept; `part` names it."""
    figures = {
        "ttft_p95_s": seen.of(lambda x: x.latency["ttft_s.p95"]),
        "tpot_p95_s": seen.of(lambda x: x.latency["tpot_s.p95"]),
        "prefix_hit_rate": seen.of(lambda x: x.hit_rate), "kv_kept_share": seen.of(lambda x: x.memory[1]),
    }  # fmt: skip
    notes = {"agents": f"{seen.middle.load:g}", **_level_notes(workload, attain)}
    for name, triple in figures.items():
        yield _row(p, workload.id, name, triple, workload, notes, "nothing was seen in the window", part)


def long_rows(p: Point, alone: Mapping[str, Triple], shared: Seen | None, sessions: Pool,
              attain: float) -> Iterator[Row]:  # fmt: skip
    """The 35-hour run with the server to itself, and beside as many others as keep the service level."""
    workload = sessions.workload
    notes = {"calls": f"{sessions.mean_calls:.0f}", **_level_notes(workload, attain)}
    names = {
        "session_h": ("session_s.mean", _S_AN_H), "chip_wait_h": ("chip_wait_s_per_session", _S_AN_H),
        "tool_wait_h": ("tool_wait_s_per_session", _S_AN_H), "usd_per_session": ("usd_per_session", 1.0),
        "energy_kwh_per_session": ("energy_j", _J_A_KWH),
    }  # fmt: skip
    own = {k: tuple(x / by for x in alone.get(name, (math.nan,) * 3)) for k, (name, by) in names.items()}
    own["sessions_at_once"] = (1.0, 1.0, 1.0)
    given = ("tool_wait_h", "sessions_at_once")  # no time of a step is in them
    for name in _LONG:
        triple = (own[name][0], math.nan, math.nan) if name in given else own[name]
        yield _row(p, f"{workload.id}-{ALONE}", name, triple, workload, notes, _unknown(name))
    at = [] if shared is None else [_of_load(p, x, sessions) for x in (shared.middle, shared.fast, shared.slow)]
    for name in _LONG:
        triple = _triple([x.get(name, math.nan) for x in (at[:1] if name in given else at)] or [math.nan])
        yield _row(p, f"{workload.id}-{SHARED}", name, triple, workload, notes, _unknown(name) if at else _NONE)


def refused_rows(stack: Stack, weight_dtype: str, workload: str, reason: str) -> Iterator[Row]:
    """One empty row a figure: a refusal is a result."""
    for name in _LONG if workload.endswith((ALONE, SHARED)) else _LEVEL:
        yield Row(str(stack), name, None, UNITS[name], "modelled", "model-of-time", stack.model, weight_dtype,
                  stack.chip, stack.chips, "", workload, note=f"error={reason}")  # fmt: skip


def _of_load(p: Point, seen: Load, sessions: Pool) -> dict[str, float]:
    """Figures of one load in full swing. A session lasts its gaps and its calls' mean time at the chip; by Little's law
    load / that many begin a second, and share the server's rent and energy."""
    waited_s = sessions.mean_calls * seen.call_s
    lasts_s, chips = sessions.mean_life_s + waited_s, p.stack.chips
    out = {
        "agents_per_chip": seen.load / chips, "agents_per_server": seen.load, "prefix_hit_rate": seen.hit_rate,
        "session_h": lasts_s / _S_AN_H, "chip_wait_h": waited_s / _S_AN_H,
        "tool_wait_h": sessions.mean_life_s / _S_AN_H, "sessions_at_once": seen.load,
        "goodput_req_s_per_chip": seen.requests_per_s * seen.held / chips,
    }  # fmt: skip
    chip_s = chips * lasts_s / seen.load
    if p.price is not None:
        out["usd_per_session"] = p.price.cited.point * chip_s
    if watts := facility_w(seen):
        out["agents_per_mw"] = seen.load / chips * 1e6 / watts
        out["energy_kwh_per_session"] = seen.power_w_per_chip * chip_s / _J_A_KWH
    return out


def _triple(values: Sequence[float]) -> Triple:
    """(value, least, most); the ends are NaN where one of the three is not known or there is only one."""
    whole = len(values) == 3 and not any(map(math.isnan, values))
    ends = (min(values), max(values)) if whole else (math.nan, math.nan)
    return (values[0], *ends)


def _widened(p: Point, name: str, triple: Triple) -> Triple:
    """An interval of step times with that of the rent or the power beside it: logarithms add up as squares."""
    value, low, high = triple
    more = _beside_times(p, name)
    if not more or not low > 0:
        return triple
    # A NaN, an end that is not known, stays one.
    down, up = (math.hypot(math.log(x), *side) for x, side in
                zip((value / low, high / value), zip(*more, strict=True), strict=True))  # fmt: skip
    return value, value * math.exp(-down), value * math.exp(up)


def _beside_times(p: Point, name: str) -> list[tuple[float, float]]:
    """(down, up) of each cause of a figure's spread that is no time of a step, as logarithms."""
    if name.startswith("usd") and p.price is not None:
        return [_of_cited(p.price.cited)]
    power = p.figures.get("power_w_per_chip")
    if power is None or name not in ("energy_kwh_per_session", "agents_per_mw"):
        return []
    board = (math.log(power.value / power.p10), math.log(power.p90 / power.value))
    if name == "energy_kwh_per_session":
        return [board]
    server = shared_value("server.overhead_power")
    part = power.value / (power.value + server.point)  # the board's share of what the meter shows
    watts = [tuple(part * x for x in board), tuple((1 - part) * x for x in _of_cited(server)),
             _of_cited(shared_value("datacentre.pue"))]  # fmt: skip
    return [(up, down) for down, up in watts]  # more watts are fewer agents


def _of_cited(cited: Cited) -> tuple[float, float]:
    return math.log(cited.point / cited.quantile(0.1)), math.log(cited.quantile(0.9) / cited.point)


def _row(p: Point, workload_id: str, name: str, triple: Triple, workload: Workload, notes: Mapping[str, str], why: str,
         part: str = "") -> Row:  # fmt: skip
    value, low, high = (None if math.isnan(x) else x for x in _widened(p, name, triple))
    rests = [f for f in (*_TIMES, *([_RESTS[name]] if name in _RESTS else [])) if f in p.used]
    kinds = [c.kind for f in rests for c in p.used[f].values()]
    weak = weakest([*kinds, *_kinds(workload)])
    sources = {s for f in rests for s in sources_of(p, f).split()} | {
        source_id(s) for c in workload.all_values for s in c.sources}  # fmt: skip
    more = {"weakest": weak, **stated_notes(p.stack, p.chip, p.dtypes.weight), **notes, **p.notes}
    if name.startswith("usd") and p.price is not None:
        more |= price_notes(p.price)
    return Row(
        str(p.stack), f"{name}[{part}]" if part else name, value, UNITS[name],
        "assumed" if weak == "assumed" else "modelled", " ".join(sorted(sources)), p.stack.model, p.dtypes.weight,
        p.stack.chip, p.stack.chips, "", workload_id, low, high,
        note=f"error={why}" if value is None else joined(more),
    )  # fmt: skip


def _kinds(workload: Workload) -> list[str]:
    """Kinds of what a session is made of: its load and service level are asked for, not known."""
    asked = ("load.", "slo.", "run.")
    return [c.kind for key, listed in workload.values.items() if not key.startswith(asked) for c in listed]


def _level_notes(workload: Workload, attain: float) -> dict[str, str]:
    """The service level, and how much of the workload is assumed."""
    kinds = _kinds(workload)
    level = {f"slo_{k.removesuffix('_ms')}_s": f"{v / 1e3:g}" for k, v in own_limits(workload).items()}
    return {**level, "attain": f"{attain:g}", "workload_assumed": f"{kinds.count('assumed')} of {len(kinds)}"}


def _unknown(name: str) -> str:
    """Why a figure of a server that serves is absent."""
    return "no rental price in the profile" if name.startswith("usd") else "no board power in the profile"
