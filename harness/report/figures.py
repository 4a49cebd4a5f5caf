"""The rows of a run as figures that tables and plots look up; absent stays absent."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.results import Results

_METRIC = re.compile(r"(?P<base>[^\[]*)(?:\[(?P<part>.*)\])?\Z", re.S)


@dataclass(frozen=True)
class Owner:
    """What a figure, a row or a series of a chart speaks of; "" where it speaks of none."""

    stack: str = ""
    chip: str = ""
    model: str = ""


@dataclass(frozen=True)
class Figure:
    """One row. `value`, `low` and `high` are None where the row has none; low and high are p10 and p90."""

    metric: str  # without its part: "accuracy"
    part: str  # what stood in brackets: "level=1", or ""
    value: float | None
    low: float | None
    high: float | None
    unit: str
    kind: str
    sources: tuple[str, ...]
    stack: str
    model: str
    weight_dtype: str
    chip: str
    chips: int | None
    suite: str
    workload: str
    n: int | None
    note: str

    @property
    def owner(self) -> Owner:
        return Owner(self.stack, self.chip, self.model)

    @property
    def notes(self) -> dict[str, str]:
        return read_note(self.note)

    @property
    def error(self) -> str:
        """Why the stack cannot run, or "". A value is never an error."""
        return self.notes.get("error", "") if self.value is None else ""

    @property
    def reason(self) -> str:
        """Why the value is absent, in words."""
        return self.error or self.note or "the run gives no reason"

    @property
    def has_interval(self) -> bool:
        return self.low is not None and self.high is not None

    @property
    def width(self) -> float:
        """p90 over p10; 1 without an interval."""
        return self.high / self.low if self.has_interval and self.low > 0 else 1.0


def read_note(note: str) -> dict[str, str]:
    """`a=1; b=2` as a dict. A bare piece continues an error (which may hold "; "), else it is a remark."""
    out: dict[str, str] = {}
    last = ""
    for piece in note.split("; "):
        key, sign, rest = piece.partition("=")
        if sign and re.fullmatch(r"[a-z_0-9]+", key):
            out[key], last = rest, key
        elif last == "error":
            out[last] += "; " + piece
    return out


def split_metric(metric: str) -> tuple[str, str]:
    """`accuracy[level=1]` -> ("accuracy", "level=1")."""
    match = _METRIC.match(metric)
    return (match["base"], match["part"] or "") if match else (metric, "")


@dataclass(frozen=True)
class Figures:
    """All figures of a run, by metric."""

    by_metric: dict[str, list[Figure]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Figure]:
        for group in self.by_metric.values():
            yield from group

    def where(self, metric: str, **equal: Any) -> list[Figure]:
        """The figures of a metric whose named fields equal those given, in the order of the rows."""
        wanted = equal.items()
        return [f for f in self.by_metric.get(metric, ()) if all(getattr(f, k) == v for k, v in wanted)]

    def one(self, metric: str, part: str = "", **equal: Any) -> Figure | None:
        """The first such figure, or None."""
        return next(iter(self.where(metric, part=part, **equal)), None)

    def with_value(self, metric: str, **equal: Any) -> list[Figure]:
        return [f for f in self.where(metric, **equal) if f.value is not None]


def figures_of(results: Results) -> Figures:
    """Read the rows once."""
    groups: dict[str, list[Figure]] = defaultdict(list)
    for row in results.rows.to_dict("records"):
        base, part = split_metric(row["metric"])
        groups[base].append(_figure(base, part, row))
    return Figures(dict(groups))


def _figure(base: str, part: str, row: dict[str, Any]) -> Figure:
    same = ("unit", "kind", "stack", "model", "weight_dtype", "chip", "suite", "workload", "note")
    return Figure(
        metric=base,
        part=part,
        value=_number(row["value"]),
        low=_number(row["p10"]),
        high=_number(row["p90"]),
        sources=tuple(row["source"].split()),
        chips=_count(row["chips"]),
        n=_count(row["n"]),
        **{name: row[name] for name in same},
    )


def _number(cell: Any) -> float | None:
    """A finite float, else None: an absent figure is never a zero."""
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _count(cell: Any) -> int | None:
    number = _number(cell)
    return None if number is None else int(number)


def unique(items: Any) -> list[Any]:
    """Each item once, in the order first seen."""
    return list(dict.fromkeys(items))


def chip_name(results: Results, chip: str) -> str:
    """The name on the vendor's sheet, where the manifest has it; else the id."""
    names = results.manifest.get("names") or {}
    profile = (results.manifest.get("profiles") or {}).get(f"chip/{chip}") or {}
    return names.get(chip) or profile.get("name") or chip
