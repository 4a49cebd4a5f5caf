"""A demand in chips, servers, racks, megawatts and money: copies of the deployment that was simulated.

Assumes that demand spreads evenly over the copies and over the day, that sessions stay with their copy, and that
copies do not disturb each other; no spare copies, no growth, no idle nights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import UserMistake
from harness.profiles import Chip, shared_value
from harness.roofline import cost
from harness.serving.capacity import RATE, USERS, Capacity, Load
from harness.serving.deploy import Deployment

DAY_S = 86_400.0
RACK_KW = 40.0  # assumed: an air-cooled row today; liquid-cooled racks take 120 and more
ASSUMPTIONS = (
    "copies of the simulated deployment, each with its even share of the demand, all day",
    "no spare copies, no growth, no idle nights; sessions stay with their copy",
    "power: board, plus the server's share, times PUE (both shared estimates)",
)


@dataclass(frozen=True)
class Demand:
    """What is asked: `amount` users at once, or sessions that begin a second."""

    workload: str
    kind: str
    amount: float


_KINDS = {"users": (USERS, 1.0), "rate": (RATE, 1.0), "sessions_per_day": (RATE, 1 / DAY_S)}


def parse_demand(text: str) -> Demand:
    """`workload=coding-agent,sessions_per_day=1e8` -> Demand. Raises UserMistake in one line."""
    pairs = [[w.strip() for w in part.partition("=")[::2]] for part in text.split(",")]
    parts = dict(pairs)
    amounts = [k for k in parts if k in _KINDS]
    twice = len(parts) < len(pairs)
    if twice or set(parts) - {"workload", *_KINDS} or len(amounts) != 1 or not parts.get("workload"):
        raise UserMistake(
            f"demand {text!r}: write workload=ID and one of users=N (at once), rate=R (sessions a second) or "
            "sessions_per_day=N"
        )
    kind, times = _KINDS[amounts[0]]
    try:
        amount = float(parts[amounts[0]]) * times
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise UserMistake(f"demand {text!r}: {amounts[0]}={parts[amounts[0]]!r} is not a number above 0")
    return Demand(parts["workload"], kind, amount)


def fleet(d: Deployment, demand: Demand, held: Load, rack_kw: float = RACK_KW) -> dict[str, float]:
    """{name: value} of copies of the deployment that meet the demand, each at its most; power and money where known."""
    copies = math.ceil(demand.amount / held.load - 1e-9)
    chips = copies * d.stack.chips
    used = demand.amount / (copies * held.load)
    out = {"copies": float(copies), "chips": float(chips), "share_of_capacity": used}
    a_server = d.chip.get("server.chips").point if d.chip.has("server.chips") else None
    if a_server:
        out["servers"] = float(math.ceil(chips / a_server))
    out |= _power(chips, held, rack_kw) | _money(d.chip, d, chips, copies * held.sessions_per_s * used)
    return out


def per_unit(d: Deployment, held: Load) -> dict[str, float]:
    """What one chip, one server and one megawatt hold of the load."""
    a_chip = held.load / d.stack.chips
    out = {"per_chip": a_chip}
    if d.chip.has("server.chips"):
        out["per_server"] = a_chip * d.chip.get("server.chips").point
    facility = facility_w(held)
    return out | ({"per_mw": a_chip * 1e6 / facility} if facility else {})


def facility_w(held: Load) -> float:
    """Watts of a chip at the meter of the site; 0 where its own are not known."""
    if math.isnan(held.power_w_per_chip):
        return 0.0
    return (held.power_w_per_chip + shared_value("server.overhead_power").point) * shared_value("datacentre.pue").point


def _power(chips: int, held: Load, rack_kw: float) -> Mapping[str, float]:
    facility = facility_w(held)
    if not facility:
        return {}
    at_rack = chips * (held.power_w_per_chip + shared_value("server.overhead_power").point)
    return {"racks": float(math.ceil(at_rack / (rack_kw * 1e3))), "facility_mw": chips * facility / 1e6}


def _money(chip: Chip, d: Deployment, chips: int, sessions_per_s: float) -> Mapping[str, float]:
    price = cost.price(chip, d.stack.options.get("price"))
    if price is None:
        return {}
    usd_s = price.cited.point * chips
    out = {"usd_per_hour": usd_s * 3600}
    return out | ({"usd_per_session": usd_s / sessions_per_s} if sessions_per_s else {})


def reach(c: Capacity) -> tuple[Load | None, Load | None]:
    """The smallest and largest load found; None, None where the steps' p90 holds nothing."""
    if c.low is None or c.middle is None or c.high is None:
        return None, None
    ends = sorted((c.low, c.middle, c.high), key=lambda x: x.load)
    return ends[0], ends[-1]
