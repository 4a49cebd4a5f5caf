"""What statements of the Zhenwu M890's announcement imply here: each is tried, none is taken for a value.

    claim.3x[what]            the M890 over the 810E, with the probability that it is three times or more
    claim.800gb_s[reading]    the same operating point with the link read as one direction, and as the sum of both
    claim.144gb[what]         requests of the point's length that the stack's memory holds
    claim.560000[what]        what so many chips would serve a day, were all of them one chip

A comparison writes them where both chips run one model in one number of chips. The statements and their sources are
in the two chips' profiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from harness import profiles
from harness.profiles import Chip, shared_value
from harness.quantity import Cited
from harness.results import Row
from harness.roofline.compare import ratio
from harness.roofline.point import Figure, Point, point
from harness.run.rows_of_comparison import better_with
from harness.run.rows_of_point import joined, source_id, sources_of
from harness.run.rows_of_session_ratios import session_ratio_rows

NEW, OLD = "zhenwu-m890", "zhenwu-810e"
TIMES, UNITS, BYTES, LINK = 3.0, 560_000, 144e9, "scaleup.bandwidth"
_DRAWS = 4096
# Figure of a point -> whether more of it is better; where less is, the ratio is turned over: a speed.
_SPEEDS = {"output_tok_s_per_chip": True, "total_tok_s_per_chip": True, "tok_s_per_user": True, "ttft_ms": False}
_PROFILE = {"compute.bf16": "peak in bf16", "memory.bandwidth": "memory bandwidth"}
Sessions = Mapping[str, Mapping[str, Mapping[str, Row]]]  # stack -> workload -> metric -> row


def claim_rows(new: Point, old: Point, sessions: Sessions, calls_a_session: Mapping[str, float]) -> Iterator[Row]:
    """All of them, as rows of the M890's stack."""
    yield from _three_times(new, old, sessions)
    yield from _link(new)
    yield from _memory(new, old)
    yield from _units(new, old, sessions, calls_a_session)


def _three_times(new: Point, old: Point, sessions: Sessions) -> Iterator[Row]:
    for key, words in _PROFILE.items():
        a, b = new.chip.get(key), old.chip.get(key)
        draws = a.sample(_DRAWS) / b.sample(_DRAWS)
        low, middle, high = (float(x) for x in np.quantile(draws, (0.1, 0.5, 0.9)))
        yield _row(new, f"claim.3x[{words}]", middle, low, high, "1", _own(a, b),
                   {"p_of_3": f"{float((draws >= TIMES).mean()):.3f}", "rests_on": "profiles"})  # fmt: skip
    for name, more in _SPEEDS.items():
        found = ratio(new, old, name) if more else ratio(old, new, name)
        used = " ".join(sorted({*sources_of(new, name).split(), *sources_of(old, name).split()}))
        yield _row(new, f"claim.3x[{name if more else f'1/{name}'}]", found.value, found.p10, found.p90, "1", used,
                   {"p_of_3": f"{_at_least(found):.3f}", "rests_on": "the operating point"})  # fmt: skip
    for workload, ours in sessions.get(str(new.stack), {}).items():
        theirs = sessions.get(str(old.stack), {}).get(workload, {})
        for row in session_ratio_rows(new, old, ours, theirs, str(old.stack)):
            if row.metric == "ratio[agents_per_chip]":
                found = Figure(row.value, row.p10 or 0.0, row.p90 or math.inf, "1")
                yield _row(new, f"claim.3x[agents_per_chip.{workload}]", row.value, row.p10, row.p90, "1", row.source,
                           {"p_of_3": f"{_at_least(found):.3f}", "rests_on": f"sessions of {workload}"})  # fmt: skip


def _at_least(found: Figure) -> float:
    """Probability that a ratio is TIMES or more."""
    return better_with(Figure(found.value / TIMES, found.p10 / TIMES, found.p90 / TIMES, "1"), True)


def _link(new: Point) -> Iterator[Row]:
    """The point with each reading of the link's direction; both together are in its own figures."""
    stated = new.chip.get(LINK)
    at = {}
    for reading, rate in (("one", stated.value), ("both", stated.value / 2)):
        at[reading] = _with(new, LINK, replace(stated, value=rate, direction="one", id=f"{stated.id}.{reading}"))
        for name in ("tpot_ms", "ttft_ms", "output_tok_s_per_chip"):
            figure = at[reading].figures[name]
            yield _row(new, f"claim.800gb_s[{reading}.{name}]", figure.value, figure.p10, figure.p90, figure.unit,
                       sources_of(new, name), {"gb_s_one_direction": f"{rate / 1e9:g}"})  # fmt: skip
    for name in ("tpot_ms", "ttft_ms", "output_tok_s_per_chip"):
        value = at["both"].figures[name].value / at["one"].figures[name].value
        yield _row(new, f"claim.800gb_s[both/one.{name}]", value, None, None, "1", sources_of(new, name),
                   {"rests_on": "the middle of both; what else is unknown is the same on either side"})  # fmt: skip


def _memory(new: Point, old: Point) -> Iterator[Row]:
    """Requests that one copy's memory holds: as the device reports it, as it is printed, and the older chip's."""
    capacity = new.chip.get("memory.capacity")
    printed = _with(new, "memory.capacity", replace(capacity, value=BYTES, id=f"{capacity.id}.printed"))
    for what, p in (("144 GiB, as the device reports", new), ("144 GB, as printed", printed), (old.chip.name, old)):
        yield _row(new, f"claim.144gb[{what}]", p.room, None, None, "count", sources_of(p, "memory_used_share"),
                   {"gb": f"{p.chip.get('memory.capacity').point / 1e9:.4g}", "stack": str(p.stack)})  # fmt: skip


def _units(new: Point, old: Point, sessions: Sessions, calls: Mapping[str, float]) -> Iterator[Row]:
    """Sessions and calls a day of UNITS chips at the service level, if all were one of the two, in service a share of
    the day that is assumed. The mix of the series is not published: the truth lies between, or below for older parts.
    """
    share = shared_value("ownership.utilisation")
    for p in (old, new):
        for workload, rows in sessions.get(str(p.stack), {}).items():
            held, lasts = rows.get("agents_per_chip"), rows.get("session_h")
            if held is None or lasts is None or not held.value or not lasts.value:
                continue
            value = UNITS * share.point * held.value * 24 / lasts.value
            down = math.hypot(*(math.log(x) for x in (share.point / share.quantile(0.1), _over(held.value, held.p10))))
            up = math.hypot(*(math.log(x) for x in (share.quantile(0.9) / share.point, _over(held.p90, held.value))))
            low, high = value * math.exp(-down), value * math.exp(up)
            sources = " ".join(sorted({*held.source.split(), *lasts.source.split(), "assumed-here"}))
            notes = {"if_all_were": p.chip.name, "workload": workload, "in_service": f"{share.point:g}"}
            for what, by in (("sessions_per_day", 1.0), ("calls_per_day", calls[workload])):
                ends = (low * by, high * by) if held.p90 else (None, None)
                yield _row(new, f"claim.560000[{what}.{workload}.{p.chip.id}]", value * by, *ends, "1/day", sources,
                           notes, "assumed")  # fmt: skip


def _over(a: float | None, b: float | None) -> float:
    """a / b; infinite where b is 0, and 1 where one of them is not known."""
    if a is None or b is None:
        return 1.0
    return a / b if b else math.inf


def _with(p: Point, key: str, cited: Cited) -> Point:
    """The same point on a chip of which one value is another."""
    chip: Chip = replace(p.chip, values={**p.chip.values, key: (cited,)})
    return point(p.stack, profiles.model(p.stack.model), chip, *p.lengths, p.concurrency)


def _own(*cited: Cited) -> str:
    return " ".join(sorted({source_id(s) for c in cited for s in c.sources}))


def _row(p: Point, metric: str, value: float, low: float | None, high: float | None, unit: str, source: str,
         notes: Mapping[str, str], kind: str = "modelled") -> Row:  # fmt: skip
    return Row(str(p.stack), metric, value, unit, kind, source, p.stack.model, p.dtypes.weight, p.stack.chip,
               p.stack.chips, "", "", low, high, note=joined(dict(notes)))  # fmt: skip
