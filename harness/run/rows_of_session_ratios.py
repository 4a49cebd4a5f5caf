"""Agents' figures of a stack over the baseline's: who holds more sessions, whose session costs less, and how sure.

A session's figure comes from a simulation, whose interval is that of the steps' time, rent and power. Of two such
intervals as much cancels as cancels between the two stacks' operating points in the figure's twin (TWINS): what both
rest on alike (one chip, one model, one vendor's software) moves both the same way there and here.
A stack that holds no session at the p90 of its step times has no end on that side, nor has its ratio: better than the
baseline it is then never called. Left out: what the search for the load leaves open, which is no property of the stack.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from harness.results import Row
from harness.roofline.compare import ratio
from harness.roofline.point import Figure, Point
from harness.run.rows_of_comparison import better_with
from harness.run.rows_of_point import joined

# Figure of a session -> (its twin at an operating point, whether more of it is better).
TWINS = {
    "agents_per_chip": ("output_tok_s_per_chip", True), "agents_per_mw": ("energy_j_per_output_tok", True),
    "goodput_req_s_per_chip": ("output_tok_s_per_chip", True), "usd_per_session": ("usd_per_m_output_tok", False),
    "energy_kwh_per_session": ("energy_j_per_output_tok", False), "session_h": ("tpot_ms", False),
}  # fmt: skip


def session_ratio_rows(
    p: Point, first: Point, ours: Mapping[str, Row], theirs: Mapping[str, Row], to: str
) -> Iterator[Row]:
    """A row for each figure that both have above zero, with the probability that the stack is the better one."""
    for name, (twin, more) in TWINS.items():
        a, b = ours.get(name), theirs.get(name)
        if not (_has(a) and _has(b) and twin in p.figures and twin in first.figures):
            continue
        kept = _kept(p, first, twin)
        (a_down, a_up), (b_down, b_up) = _reach(a), _reach(b)
        value = a.value / b.value
        low, high = (value * math.exp(sign * kept * math.hypot(x, y))
                     for sign, x, y in ((-1, a_down, b_up), (1, a_up, b_down)))  # fmt: skip
        found = Figure(value, low, high, "1")
        high = high if high < math.inf else None  # no end to it
        kind = "assumed" if "assumed" in (a.kind, b.kind) else "modelled"
        sources = " ".join(sorted({*a.source.split(), *b.source.split()}))
        note = joined({"to": to, "better": f"{better_with(found, more):.3f}"})
        yield Row(a.stack, f"ratio[{name}]", value, "1", kind, sources, a.model, a.weight_dtype, a.chip, a.chips, "",
                  a.workload, low, high, note=note)  # fmt: skip


def _has(row: Row | None) -> bool:
    return row is not None and bool(row.value) and (row.p10 is not None or row.p90 is not None)


def _reach(row: Row | Figure) -> tuple[float, float]:
    """How far p10 and p90 lie from the value, as logarithms; infinite where there is none or p10 is 0."""
    down = math.log(row.value / row.p10) if row.p10 else math.inf
    return down, math.log(row.p90 / row.value) if row.p90 else math.inf


def _kept(p: Point, first: Point, twin: str) -> float:
    """The share of both intervals that a ratio of the twin keeps: 1 where the two have nothing in common."""
    ours, theirs = _reach(p.figures[twin]), _reach(first.figures[twin])
    whole = math.hypot(ours[0] + ours[1], theirs[0] + theirs[1])
    return min(sum(_reach(ratio(p, first, twin))) / whole, 1.0) if whole else 0.0
