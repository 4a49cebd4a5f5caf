"""One pass over one TOML file: every key, unit, range and source checked against the schema.

The loader refuses what it does not know: a misspelt key, a wrong unit, a range the wrong way round, a source that
is not listed, a number without one. Each refusal names file, key, found and expected.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness import units
from harness.errors import BadFile
from harness.profile_types import DTYPES, Fact, Model, Profile, Source
from harness.quantity import KINDS, Cited, Reading

# Sources that are not a page somebody can open; each demands a kind that says so.
UNVERIFIED, DERIVED, ASSUMED = "unverified, from memory", "derived here", "assumed here"
_OWN_SOURCES = {
    UNVERIFIED: ("assumed",),
    DERIVED: ("derived", "estimated"),
    ASSUMED: ("assumed", "estimated"),
}
_QUANTITY_KEYS = {
    "value", "low", "high", "unit", "kind", "source", "note", "direction", "readings", "date", "region",
}  # fmt: skip
_DIRECTIONS = ("one", "both", "unknown")


class Loader:
    """One pass over one file's tables; holds what every check needs to name a mistake."""

    def __init__(self, path, id_, schema, shared_sources, shared) -> None:
        self.path, self.id, self.schema = path, id_, schema
        self.sources: dict[str, Source] = dict(shared_sources)
        self.shared = shared
        self.mistakes: list[BadFile] = []

    def build(self, raw: dict[str, Any], digest: str, cls: type) -> Any:
        """The profile of a file's tables. Raises BadFile: the first mistake, with the file's others in `others`."""
        raw = dict(raw)
        for key, table in self._table(raw.pop("sources", {}), "sources").items():
            self.sources.setdefault(key, Source(key, "", "", ""))  # named, even where its table has a mistake
            with self._noting():
                self.sources[key] = self._source(key, table)
        missing = self._table(raw.pop("missing", {}), "missing")
        texts, values, facts, tables = {}, {}, {}, {}
        present = set()
        for key, node in self._leaves(raw):
            present.add(key)
            with self._noting():
                rule = self._rule(key, node)
                if rule["dimension"] == "name":
                    texts[key] = self._text(key, node)
                elif rule["dimension"] == "table":
                    tables[key] = node
                elif rule["dimension"] == "text":
                    facts[key] = self._fact(key, node)
                else:
                    values[key] = self._quantities(key, node, rule)
        self._check_complete(present, missing, cls)
        with self._noting():
            self._check_tables(tables)
        used = {s for c in values.values() for q in c for s in (q.source, *(r.source for r in q.readings))}
        used |= {f.source for f in facts.values()} | set(_sources_in(tables))
        for name in sorted(used - set(self.sources) - set(_OWN_SOURCES)):
            self.mistakes.append(BadFile(self.path, "source", name, "a name under [sources]"))
        if self.mistakes:
            first, *others = self.mistakes
            first.others = tuple(others)
            raise first
        fields = dict(
            id=self.id, name=texts.get("name", self.id), path=self.path, sha256=digest, texts=texts, values=values,
            facts=facts, tables=tables, missing=missing, sources={k: v for k, v in self.sources.items() if k in used},
        )  # fmt: skip
        if cls is Model:
            fields["endpoint"] = tables.get("endpoint", {})
        return cls(**fields) if cls is not Profile else Profile(**{**fields, "sources": self.sources})

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """A mistake in one key is kept, and the next key is read: `check` shows them all."""
        try:
            yield
        except BadFile as error:
            self.mistakes.append(error)

    def _leaves(self, raw: Mapping[str, Any], prefix: str = ""):
        """(dotted key, node) for every key of the schema; tables in between are walked."""
        for name, node in raw.items():
            key = f"{prefix}{name}"
            if key in self.schema or f"{prefix}*" in self.schema or not isinstance(node, dict):
                yield key, node
            elif any(known.startswith(f"{key}.") for known in self.schema):
                yield from self._leaves(node, f"{key}.")
            else:
                yield key, node

    def _rule(self, key: str, node: Any) -> dict[str, Any]:
        rule = self.schema.get(key) or self.schema.get(f"{key.rpartition('.')[0]}.*")
        if rule is None:
            near = difflib.get_close_matches(key, self.schema, n=1)
            raise BadFile(self.path, key, node, f"a key of the schema{f' (near: {near[0]})' if near else ''}")
        return rule

    def _check_complete(self, present, missing, cls) -> None:
        for key, rule in self.schema.items():
            if rule.get("required") and cls is not Profile and key not in present and key not in missing:
                self.mistakes.append(BadFile(self.path, key, "nothing", "a value, or a reason under [missing]"))
        for key, reason in missing.items():
            with self._noting():
                self._check_missing(key, reason, present)

    def _check_missing(self, key: str, reason: Any, present: set[str]) -> None:
        self._rule(key, reason)
        if key in present:
            raise BadFile(self.path, f"missing.{key}", reason, "no entry, since the key is given")
        if not isinstance(reason, str) or not reason.strip():
            raise BadFile(self.path, f"missing.{key}", reason, "the reason, as text")

    def _check_tables(self, tables: Mapping[str, Any]) -> None:
        dtypes = self._table(tables.get("dtypes", {}), "dtypes")
        fallback = self._table(dtypes.get("fallback", {}), "dtypes.fallback")
        if not isinstance(unsupported := dtypes.get("unsupported", []), list):
            raise BadFile(self.path, "dtypes.unsupported", unsupported, "a list of dtypes")
        named = [dtypes["native"]] if "native" in dtypes else []
        named += [*unsupported, *fallback, *fallback.values()]
        for name in named:
            if name not in DTYPES:
                raise BadFile(self.path, "dtypes", name, f"one of {', '.join(DTYPES)}")
        for key in ("statements", "engines"):
            if not isinstance(listed := tables.get(key, []), list):
                raise BadFile(self.path, key, listed, f"a list: [[{key}]]")
            for i, item in enumerate(listed):
                source = self._table(item, f"{key}[{i}]").get("source")
                if not isinstance(source, str):
                    raise BadFile(self.path, f"{key}[{i}].source", source, "a name under [sources]")

    def _table(self, node: Any, key: str) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise BadFile(self.path, key, node, "a table")
        return node

    def _text(self, key: str, node: Any) -> str:
        if not isinstance(node, str) or not node.strip():
            raise BadFile(self.path, key, node, "text")
        return node

    def _source(self, key: str, table: Any) -> Source:
        table = {k: str(v) for k, v in self._table(table, f"sources.{key}").items()}
        known = set(Source.__dataclass_fields__) - {"id"}
        if extra := set(table) - known:
            raise BadFile(self.path, f"sources.{key}.{min(extra)}", table[min(extra)], f"one of {sorted(known)}")
        for need in ("title", "publisher", "url"):
            if need not in table:
                raise BadFile(self.path, f"sources.{key}.{need}", "nothing", "text")
        if table["url"] and not table["url"].startswith(("https://", "http://")):
            raise BadFile(self.path, f"sources.{key}.url", table["url"], "an http(s) address")
        return Source(key, **table)

    def _own_source(self, key: str, node: dict[str, Any]) -> tuple[str, str]:
        """(kind, source), checked against each other."""
        kind, source = node.get("kind"), node.get("source")
        if kind not in KINDS:
            raise BadFile(self.path, f"{key}.kind", kind, f"one of {', '.join(KINDS)}")
        if not isinstance(source, str) or not source:
            raise BadFile(self.path, f"{key}.source", source, "a name under [sources]")
        if not isinstance(node.get("note", ""), str):
            raise BadFile(self.path, f"{key}.note", node["note"], "text")
        if source in _OWN_SOURCES:
            if kind not in _OWN_SOURCES[source]:
                raise BadFile(self.path, f"{key}.kind", kind, f"{' or '.join(_OWN_SOURCES[source])} for '{source}'")
            if source != UNVERIFIED and not node.get("note"):
                raise BadFile(self.path, f"{key}.note", "nothing", "the arithmetic or the reason")
        elif source not in self.sources:
            raise BadFile(self.path, f"{key}.source", source, "a name under [sources]")
        return kind, source

    def _fact(self, key: str, node: Any) -> Fact:
        node = self._table(node, key)
        if extra := set(node) - {"value", "kind", "source", "note"}:
            raise BadFile(self.path, f"{key}.{min(extra)}", node[min(extra)], "value, kind, source or note")
        kind, source = self._own_source(key, node)
        return Fact(f"{self.id}/{key}", self._text(f"{key}.value", str(node.get("value", ""))), kind, source,
                    node.get("note", ""))  # fmt: skip

    def _quantities(self, key: str, node: Any, rule: dict[str, Any]) -> tuple[Cited, ...]:
        listed = node if isinstance(node, list) else [node]
        many = len(listed) > 1
        if not listed:
            raise BadFile(self.path, key, node, "at least one value")
        return tuple(self._quantity(f"{key}[{i}]" if many else key, n, rule) for i, n in enumerate(listed))

    def _quantity(self, key: str, node: Any, rule: dict[str, Any]) -> Cited:
        node = self._table(node, key)
        if extra := set(node) - _QUANTITY_KEYS:
            raise BadFile(self.path, f"{key}.{min(extra)}", node[min(extra)], f"one of {sorted(_QUANTITY_KEYS)}")
        unit = node.get("unit")
        allowed = rule["dimension"].split("|")
        if not isinstance(unit, str) or unit not in units.UNITS or units.dimension(unit) not in allowed:
            known = [u for u, (d, _) in units.UNITS.items() if d in allowed]
            raise BadFile(self.path, f"{key}.unit", unit, f"a unit of {rule['dimension']}: {', '.join(known)}")
        kind, source = self._own_source(key, node)
        scale, dimension, unit, note = self._currency(unit, node.get("note", ""))
        numbers = {k: self._number(f"{key}.{k}", node[k]) * scale for k in ("value", "low", "high") if k in node}
        self._check_range(key, numbers, kind, dimension)
        readings = self._readings(key, node.get("readings", []), scale)
        direction = node.get("direction", "")
        if rule.get("direction"):
            if direction not in _DIRECTIONS:
                raise BadFile(self.path, f"{key}.direction", direction or None, f"one of {', '.join(_DIRECTIONS)}")
            if direction == "both":
                numbers = {k: v / 2 for k, v in numbers.items()}
                readings = tuple(Reading(r.value / 2, r.kind, r.source, r.note) for r in readings)
        elif direction:
            raise BadFile(self.path, f"{key}.direction", direction, "no direction: this is not a link")
        extra = {k: str(node[k]) for k in ("region",) if k in node}
        return Cited(f"{self.id}/{key}", numbers.get("value"), numbers.get("low"), numbers.get("high"), dimension,
                     kind, source, unit, note, direction, readings, str(node.get("date", "")), extra)  # fmt: skip

    def _currency(self, unit: str, note: str) -> tuple[float, str, str, str]:
        """(scale to SI, dimension, unit shown, note): money is US dollars inside, at the shared dated rate."""
        dimension, scale = units.UNITS[unit]
        if not dimension.startswith("cny") or "exchange.cny_per_usd" not in self.shared:
            return scale, dimension, unit, note
        rate = self.shared["exchange.cny_per_usd"]
        note = f"{note}; from {unit} at {rate.point:g} CNY/USD ({rate.date})".removeprefix("; ")
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

    def _readings(self, key: str, listed: Any, scale: float) -> tuple[Reading, ...]:
        if not isinstance(listed, list) or len(listed) == 1:
            raise BadFile(self.path, f"{key}.readings", listed, "a list of two or more published values")
        out = []
        for i, raw in enumerate(listed):
            node = self._table(raw, f"{key}.readings[{i}]")
            kind, source = self._own_source(f"{key}.readings[{i}]", node)
            value = self._number(f"{key}.readings[{i}].value", node.get("value")) * scale
            out.append(Reading(value, kind, source, node.get("note", "")))
        return tuple(out)


def _sources_in(node: Any):
    """Every `source = "..."` inside a structured table."""
    if isinstance(node, dict):
        if isinstance(node.get("source"), str):
            yield node["source"]
        for child in node.values():
            yield from _sources_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from _sources_in(child)
