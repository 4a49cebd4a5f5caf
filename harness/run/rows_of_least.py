"""The fewest chips on which a model serves so many users at a time per token, on each chip of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.errors import UserMistake
from harness.results import Row
from harness.roofline.point import Point
from harness.run.rows_of_comparison import predicted
from harness.run.rows_of_point import Workload, joined, kind_of, sources_of

_SIZES = tuple(2**k for k in range(7))  # 1 to 64 chips
_ASKED = ("users", "tpot_ms")


def parse_least(text: str) -> dict[str, float]:
    """`users=200,tpot_ms=50`. Raises UserMistake in one line.

    >>> parse_least("users=200,tpot_ms=50")
    {'users': 200.0, 'tpot_ms': 50.0}
    """
    pairs = dict(part.strip().partition("=")[::2] for part in text.split(","))
    try:
        asked = {key: float(pairs[key]) for key in _ASKED}
    except (KeyError, ValueError):
        asked = {}
    if len(pairs) != len(_ASKED) or not asked or min(asked.values()) <= 0 or asked["users"] % 1:
        raise UserMistake(f"--least {text!r}: write users=N,tpot_ms=T, both above 0")
    return asked


def least_rows(p: Point, load: Workload, asked: Mapping[str, float]) -> Iterator[Row]:
    """How many of 1, 2, 4, ... 64 chips hold the mean TPOT with all users at once, at the lengths of the point.

    p10 and p90 are the fewest at the p10 and the p90 of the TPOT: a server that is bought by the p90 is safe nine times
    of ten. Formats are the stack's; tensor-parallel over up to 8 chips, replicas beyond. A size at which requests wait
    for memory does not count. A closed loop: a user asks again at once, so fewer chips do where users pause.
    """
    users, limit = int(asked["users"]), asked["tpot_ms"]
    found = predicted(p, [{"isl": load.isl, "osl": load.osl, "concurrency": users, "chips": n, "tp": "", "pp": "",
                           "ep": "", "dp": ""} for n in _SIZES])  # fmt: skip
    fits = found[~found["error"].map(lambda e: isinstance(e, str) and bool(e)) & (found["bound_by"] != "capacity")]
    fewest = {}
    for end in ("", "_p10", "_p90"):
        held = fits[fits[f"tpot_ms{end}"] <= limit]
        fewest[end] = None if held.empty else float(held["chips"].min())
    base = {"stack": str(p.stack), "model": p.stack.model, "weight_dtype": p.dtypes.weight, "chip": p.stack.chip,
            "workload": load.id, "kind": kind_of(p, "tpot_ms"), "source": sources_of(p, "tpot_ms")}  # fmt: skip
    value = fewest[""]
    why = f"error=no number of chips up to {_SIZES[-1]} holds {limit:g} ms a token with {users} users"
    at = fits[fits["chips"] == value]
    notes = {"users": str(users), "tpot_limit_ms": f"{limit:g}", "isl": f"{load.isl:g}", "osl": f"{load.osl:g}"}
    ends = {"p10": fewest["_p10"], "p90": fewest["_p90"]} if value and fewest["_p10"] else {}
    yield Row(metric="least_chips", value=value, unit="count", note=joined(notes) if value else why, **ends, **base)
    if value:
        for name, unit in (("tpot_ms", "ms"), ("ttft_ms", "ms")):
            row = at.iloc[0]
            yield Row(metric=f"least_chips.{name}", value=float(row[name]), p10=float(row[f"{name}_p10"]),
                      p90=float(row[f"{name}_p90"]), unit=unit, note=joined(notes), **base)  # fmt: skip
        if p.price is not None:
            rent, spread = p.price.cited, (p.price.cited.quantile(0.1), p.price.cited.quantile(0.9))
            yield Row(metric="least_chips.usd_per_h", value=rent.point * value * 3600, unit="USD/h",
                      p10=spread[0] * value * 3600, p90=spread[1] * value * 3600,
                      note=joined(notes | {"price_class": p.price.price_class}),
                      **base | {"kind": kind_of(p, "usd_per_m_output_tok")})  # fmt: skip
