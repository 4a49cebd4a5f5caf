"""One number of a profile's file -> `Cited`: unit, currency, direction, range, readings, kind and source checked.

Each check raises BadFile naming file, key, found and expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import units
from harness.errors import BadFile
from harness.quantity import KINDS, Cited, Reading, weakest

# Sources that are not a page somebody can open; each demands a kind that says so.
UNVERIFIED, DERIVED, ASSUMED = "unverified, from memory", "derived here", "assumed here"
OWN_SOURCES = {
    UNVERIFIED: ("assumed",),
    DERIVED: ("derived", "estimated"),
    ASSUMED: ("assumed", "estimated"),
}
_QUANTITY_KEYS = {
    "value", "low", "high", "unit", "kind", "source", "note", "direction", "readings", "date", "region",
}  # fmt: skip
_MULTIPLE_KEYS = {"of", "times", "unit", "kind", "source", "note"}
_READING_KEYS = {"value", "kind", "source", "note", "date", "region"}
EXCHANGE = "exchange.cny_per_usd"
_DIRECTIONS = ("one", "both", "unknown")
_DATE = re.compile(r"(19|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?\Z")


class ValueReader:
    """Reads the numbers of one file. `sources` may grow while reading; `rates` are the shared exchange rates."""

    def __init__(self, path: Path, profile_id: str, sources: Mapping[str, Any], shared: Mapping[str, Cited]) -> None:
        self.path, self.id, self.sources, self.shared = path, profile_id, sources, shared

    def quantities(self, key: str, node: Any, rule: Mapping[str, Any]) -> tuple[Cited, ...]:
        """The value of a key, or the several offers of `[[key]]`."""
        listed = node if isinstance(node, list) else [node]
        many = len(listed) > 1
        if not listed:
            raise BadFile(self.path, key, node, "at least one value")
        return tuple(self.quantity(f"{key}[{i}]" if many else key, n, rule) for i, n in enumerate(listed))

    def quantity(self, key: str, node: Any, rule: Mapping[str, Any]) -> Cited:
        """One table {value | low, high, unit, kind, source, ...} as SI."""
        node = self._known(key, node, _QUANTITY_KEYS)
        unit_given = self._unit(key, node, rule)
        kind, source = self.claim(key, node)
        scale, dimension, unit, note = self._currency(unit_given, node.get("note", ""))
        numbers = {k: self._number(f"{key}.{k}", node[k]) * scale for k in ("value", "low", "high") if k in node}
        self._check_range(key, numbers, kind, dimension)
        readings = self._readings(key, node.get("readings", []), scale)
        direction = node.get("direction", "")
        if rule.get("direction"):
            if direction not in _DIRECTIONS:
                raise BadFile(self.path, f"{key}.direction", direction or None, f"one of {', '.join(_DIRECTIONS)}")
            if direction == "both":
                numbers = {k: v / 2 for k, v in numbers.items()}
                readings = tuple(replace(r, value=r.value / 2) for r in readings)
        elif direction:
            raise BadFile(self.path, f"{key}.direction", direction, "no direction: this is not a link")
        self._check_plausible(key, numbers, readings, unit, rule)
        if rule.get("dated") and "date" not in node:
            raise BadFile(self.path, f"{key}.date", "nothing", "the date of the price: YYYY, YYYY-MM or YYYY-MM-DD")
        if rule.get("regional") and "region" not in node:
            raise BadFile(self.path, f"{key}.region", "nothing", "where the price holds: us, cn, eu, ..., or global")
        extra = {k: self._text(f"{key}.{k}", node[k]) for k in ("region",) if k in node}
        if dimension != units.dimension(unit_given):
            extra["exchange_source"] = self.shared[EXCHANGE].source
        return Cited(f"{self.id}/{key}", numbers.get("value"), numbers.get("low"), numbers.get("high"), dimension,
                     kind, source, unit, note, direction, readings, self.date(key, node), extra=extra)  # fmt: skip

    def multiple(self, key: str, node: Any, rule: Mapping[str, Any], values: Mapping[str, Any]) -> Cited:
        """A table {of, times, unit, kind, source, note}: a fixed multiple of another value of the same file."""
        node = self._known(key, node, _MULTIPLE_KEYS)
        unit = self._unit(key, node, rule)
        kind, source = self.claim(key, node)
        if kind not in ("derived", "estimated", "assumed"):
            raise BadFile(self.path, f"{key}.kind", kind, "derived, estimated or assumed: the figure follows another")
        of, times = node["of"], self._number(f"{key}.times", node.get("times"))
        if (
            not isinstance(of, str)
            or of not in values
            or of == key
            or len(values[of]) != 1
            or values[of][0].dimension != units.dimension(unit)
        ):
            raise BadFile(self.path, f"{key}.of", of, "another key of this file with one value of the same dimension")
        own = Cited(f"{self.id}/{key}", 1.0, None, None, units.dimension(unit), kind, source, unit,
                    node.get("note", ""), of=of, times=times)  # fmt: skip
        return follow(values[of][0], own)

    def claim(self, key: str, node: Mapping[str, Any]) -> tuple[str, str]:
        """(kind, source), checked against each other."""
        kind, source = node.get("kind"), node.get("source")
        if kind not in KINDS:
            raise BadFile(self.path, f"{key}.kind", kind, f"one of {', '.join(KINDS)}")
        if not isinstance(source, str) or not source:
            raise BadFile(self.path, f"{key}.source", source, "a name under [sources]")
        if not isinstance(node.get("note", ""), str):
            raise BadFile(self.path, f"{key}.note", node["note"], "text")
        if source in OWN_SOURCES:
            if kind not in OWN_SOURCES[source]:
                raise BadFile(self.path, f"{key}.kind", kind, f"{' or '.join(OWN_SOURCES[source])} for '{source}'")
            if source != UNVERIFIED and not node.get("note"):
                raise BadFile(self.path, f"{key}.note", "nothing", "the arithmetic or the reason")
        elif source not in self.sources:
            raise BadFile(self.path, f"{key}.source", source, "a name under [sources]")
        return kind, source

    def date(self, key: str, node: Mapping[str, Any]) -> str:
        date = node.get("date", "")
        if "date" in node and not (isinstance(date, str) and is_date(date)):
            raise BadFile(self.path, f"{key}.date", date, "YYYY, YYYY-MM or YYYY-MM-DD, as text")
        return date

    def _known(self, key: str, node: Any, allowed: set[str]) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise BadFile(self.path, key, node, "a table")
        if extra := set(node) - allowed:
            raise BadFile(self.path, f"{key}.{min(extra)}", node[min(extra)], f"one of {', '.join(sorted(allowed))}")
        return node

    def _text(self, key: str, node: Any) -> str:
        if not isinstance(node, str) or not node.strip():
            raise BadFile(self.path, key, node, "text")
        return node

    def _unit(self, key: str, node: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
        unit, allowed = node.get("unit"), rule["dimension"].split("|")
        if not isinstance(unit, str) or unit not in units.UNITS or units.dimension(unit) not in allowed:
            known = [u for u, (d, _) in units.UNITS.items() if d in allowed]
            raise BadFile(self.path, f"{key}.unit", unit, f"a unit of {rule['dimension']}: {', '.join(known)}")
        return unit

    def _currency(self, unit: str, note: str) -> tuple[float, str, str, str]:
        """(scale to SI, dimension, unit shown, note): money is US dollars inside, at the shared dated rate."""
        dimension, scale = units.UNITS[unit]
        if not dimension.startswith("cny") or EXCHANGE not in self.shared:
            return scale, dimension, unit, note
        rate = self.shared[EXCHANGE]
        note = f"{note}; from {unit} at {rate.point:g} CNY/USD ({rate.date}, {rate.source})".removeprefix("; ")
        return scale / rate.point, dimension.replace("cny", "usd", 1), unit.replace("CNY", "USD"), note

    def _number(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0 or value == float("inf"):
            raise BadFile(self.path, key, value, "a positive number (what is absent goes under [missing])")
        return float(value)

    def _check_range(self, key: str, numbers: dict[str, float], kind: str, dimension: str) -> None:
        if not numbers:
            raise BadFile(self.path, key, "neither value nor range", "value, or low and high")
        if ("low" in numbers) != ("high" in numbers):
            raise BadFile(self.path, key, "half a range", "both low and high")
        if "low" not in numbers:
            if kind not in ("exact", "datasheet", "measured"):
                raise BadFile(self.path, key, f"a bare value of kind {kind}", "low and high (5 % and 95 %)")
            return
        ordered = [numbers[k] for k in ("low", "value", "high") if k in numbers]
        # A count (chips in a server) may be inferred and yet leave no room: low = high.
        if ordered != sorted(ordered) or (numbers["low"] == numbers["high"] and dimension != "count"):
            raise BadFile(self.path, key, ordered, "low <= value <= high, low < high")

    def _check_plausible(
        self, key: str, numbers: Mapping[str, float], readings: tuple[Reading, ...], unit: str, rule: Mapping[str, Any]
    ) -> None:
        """A number far from anything built is a slip of the unit or of the decimal point."""
        if "plausible" not in rule:
            return
        low, high = rule["plausible"]
        named = [*numbers.items(), *((f"readings[{i}]", r.value) for i, r in enumerate(readings))]
        for name, value in named:
            if not low <= value <= high:
                bounds = f"between {units.from_si(low, unit):.3g} and {units.from_si(high, unit):.3g} {unit}"
                found = f"{units.from_si(value, unit):.4g} {unit}"
                raise BadFile(self.path, f"{key}.{name}", found, f"a value {bounds}: is the unit right?")

    def _readings(self, key: str, listed: Any, scale: float) -> tuple[Reading, ...]:
        if not isinstance(listed, list) or len(listed) == 1:
            raise BadFile(self.path, f"{key}.readings", listed, "a list of two or more published values")
        out = []
        for i, raw in enumerate(listed):
            name = f"{key}.readings[{i}]"
            node = self._known(name, raw, _READING_KEYS)
            kind, source = self.claim(name, node)
            value = self._number(f"{name}.value", node.get("value")) * scale
            out.append(Reading(value, kind, source, node.get("note", "")))
        return tuple(out)


def is_date(text: str) -> bool:
    """Whether a text is a date as profiles write it: YYYY, YYYY-MM or YYYY-MM-DD."""
    return bool(_DATE.match(text))


def follow(base: Cited, own: Cited) -> Cited:
    """`own` as `own.times` x `base`, drawn with it; no stronger in kind than `base` is."""
    scaled = {k: None if (x := getattr(base, k)) is None else x * own.times for k in ("value", "low", "high")}
    readings = tuple(replace(r, value=r.value * own.times) for r in base.readings)
    return replace(
        own, **scaled, kind=weakest([own.kind, base.kind]), direction=base.direction, readings=readings,
        follows=base.follows or base.id,
    )  # fmt: skip
