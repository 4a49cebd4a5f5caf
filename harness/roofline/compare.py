"""The ratio of a figure between two operating points: what both rest on cancels.

A figure's logarithm moves with causes: the ranges of profile values (each by the share of the time that it holds), the
range of the power's share, and what the model of time leaves unexplained. Two points that use one value (the same
`Cited.id`: one chip, or a chip and its base) draw it once, so only the difference of their shares is left. What is
left unexplained is partly common to points of one chip or one model, by `COMMON`. Causes are independent: their squares
add up (first order, as in `evaluate.py`), and a pair without anything in common gets the hypot of both intervals.
Left out: correlations between different values of one profile.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.quantity import Cited
from harness.roofline.hardware import software
from harness.roofline.point import Figure, Point

# Of the variance (log) that the model of time leaves unexplained, the share that two points have in common: of one chip
# and model, of one chip, of one model on one vendor's software; others have none. Measured on the published rows with
# their chip left out (docs/accuracy-log.md): the smaller of two ways of counting pairs, rounded down to a twentieth.
COMMON = {"tpot": (0.4, 0.3, 0.2), "ttft": (0.35, 0.05, 0.0), "throughput": (0.55, 0.25, 0.25)}
_TARGET = {"ttft_ms": "ttft", "tpot_ms": "tpot", "tok_s_per_user": "tpot"}
# Which way a figure goes where times get longer; those that are not here do not depend on times.
_WITH_TIME = {"ttft_ms": 1, "tpot_ms": 1, "tok_s_per_user": -1, "output_tok_s_per_chip": -1,
              "total_tok_s_per_chip": -1, "energy_j_per_output_tok": 1, "usd_per_m_output_tok": 1}  # fmt: skip
_POWER = ("power_w_per_chip", "energy_j_per_output_tok")

# A cause's id -> what it adds to the figure's logarithm at its own 10 % and at its own 90 % point.
Effects = dict[str, tuple[float, float]]


def ratio(a: Point, b: Point, name: str) -> Figure:
    """Figure `name` of `a` over that of `b`, with p10 and p90. Raises KeyError where one of them has no such figure."""
    value = a.figures[name].value / b.figures[name].value
    down = up = 0.0
    for low, high in causes(a, b, name).values():
        down, up = down + max(-low, -high, 0.0) ** 2, up + max(low, high, 0.0) ** 2
    return Figure(value, value * float(np.exp(-np.sqrt(down))), value * float(np.exp(np.sqrt(up))), "1")


def causes(a: Point, b: Point, name: str) -> Effects:
    """What each cause adds to the ratio's logarithm at its own 10 % and 90 % point; what both rest on has cancelled."""
    common = common_share(a, b, name)
    ours, theirs = (_effects(p, name, common, who) for p, who in ((a, "a"), (b, "b")))
    return dict(_difference(ours, theirs))


def movers(a: Point, b: Point, name: str) -> list[tuple[str, float, float, float]]:
    """[(cause, share of the ratio's variance, the ratio at the cause's 10 % point, at its 90 % point)], largest first.

    A cause is the id of a profile's value, or what the model of time leaves unexplained: of both points together
    ("unexplained") or of one ("unexplained.a", "unexplained.b"). Each is moved alone.
    """
    value = a.figures[name].value / b.figures[name].value
    found = {cause: ends for cause, ends in causes(a, b, name).items() if any(ends)}
    sizes = {cause: ((high - low) / 2) ** 2 for cause, (low, high) in found.items()}
    whole = sum(sizes.values())
    ordered = sorted(found, key=sizes.get, reverse=True)
    return [(c, sizes[c] / whole, *(value * float(np.exp(end)) for end in found[c])) for c in ordered]


def common_share(a: Point, b: Point, name: str) -> float:
    """The share of a figure's unexplained variance that two points have in common: 1 for one point twice."""
    if (a.stack, a.lengths, a.concurrency) == (b.stack, b.lengths, b.concurrency):
        return 1.0
    both, chip, model = COMMON[_TARGET.get(name, "throughput")]
    same_model = a.stack.model == b.stack.model
    if a.chip.id == b.chip.id:
        return both if same_model else chip
    return model if same_model and _same_software(a, b) else 0.0


def _same_software(a: Point, b: Point) -> bool:
    """Whether one vendor's software runs on both: of other vendors each has its own."""
    return (software(a.chip), a.chip.texts["vendor"]) == (software(b.chip), b.chip.texts["vendor"])


def _difference(ours: Effects, theirs: Effects) -> Iterator[tuple[str, tuple[float, float]]]:
    """What each cause adds to the ratio's logarithm: one that both have is drawn once."""
    for cause in {**ours, **theirs}:
        mine, other = (effects.get(cause, (0.0, 0.0)) for effects in (ours, theirs))
        yield cause, (mine[0] - other[0], mine[1] - other[1])


def _effects(p: Point, name: str, common: float, who: str) -> Effects:
    """Every cause of a figure; of what is unexplained `common` has the id that all points share."""
    known = _of_profile(p, name)
    down, up = _unexplained(p, name, known)
    parts = (("unexplained", np.sqrt(common)), (f"unexplained.{who}", np.sqrt(1 - common)))
    return known | {cause: (-float(share * down), float(share * up)) for cause, share in parts}


def _of_profile(p: Point, name: str) -> Effects:
    """The values of the profile that a figure rests on, and the power's share of its limit."""
    found: Effects = {}
    way = _WITH_TIME.get(name, 0)
    if way:
        # A value below its point makes the time longer.
        peak = p.chip.peak_key(p.dtypes.act)
        for key, part in (("memory.bandwidth", "memory"), (peak, "compute"), ("scaleup.bandwidth", "network")):
            share = float(p.timed.shares[part][0])
            if p.chip.has(key):
                _add(found, p.chip.get(key), -way * share)
    if name in _POWER:
        limit: Effects = {}
        _add(limit, p.chip.get("power.tdp"), 1.0)
        down, up = _unexplained(p, "power_w_per_chip", limit)
        found |= limit | {"power.share": (-down, up)}
    if name == "usd_per_m_output_tok":
        _add(found, p.price.cited, 1.0)
    if name == "memory_used_share":
        _add(found, p.chip.get("memory.capacity"), -1.0)
    return found


def _add(effects: Effects, cited: Cited, power: float) -> None:
    """A figure that goes with a value to this power."""
    low, high = (power * float(np.log(cited.quantile(q) / cited.point)) for q in (0.1, 0.9))
    before = effects.get(cited.id, (0.0, 0.0))
    effects[cited.id] = (before[0] + low, before[1] + high)


def _unexplained(p: Point, name: str, known: Effects) -> tuple[float, float]:
    """(down, up): what the figure's interval (log) has beside the causes that are known."""
    figure = p.figures[name]
    out = []
    for sign, reach in ((-1, np.log(figure.value / figure.p10)), (1, np.log(figure.p90 / figure.value))):
        rest = reach**2 - sum(max(sign * low, sign * high, 0.0) ** 2 for low, high in known.values())
        out.append(float(np.sqrt(max(rest, 0.0))))
    return out[0], out[1]
