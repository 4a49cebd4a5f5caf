"""TOML files -> frozen, checked profiles: every number `Cited`, every text a `Fact`, every gap said.

A schema file (`_schema.toml` in the same folder) names each allowed key with its dimension and meaning.
The loader refuses what it does not know: a misspelt key, a wrong unit, a range the wrong way round,
a source that is not listed, a number without one. Each refusal names file, key, found and expected.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from harness import units
from harness.discovery import CHIP, ID_PATTERN, MODEL, Kind, path_of, shipped_folder
from harness.errors import BadFile, MissingFile
from harness.quantity import KINDS, Cited, Reading, weakest

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
DTYPES = (
    "fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp4", "nvfp4", "mxfp4", "int4", "q4_k_m", "q8_0", "q4_1",
)  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """A sourced piece of text: a memory type, a release date, an export remark."""

    id: str
    value: str
    kind: str
    source: str
    note: str = ""


@dataclass(frozen=True)
class Source:
    """Where something was read. `url` is empty only for what has no page (a book, a printed sheet)."""

    id: str
    title: str
    publisher: str
    url: str
    locator: str = ""
    published: str = ""
    retrieved: str = ""


@dataclass(frozen=True)
class Profile:
    """A loaded profile. `get` gives the sourced number of a key; `missing` says why a key has none."""

    id: str
    name: str
    path: Path
    sha256: str
    texts: Mapping[str, str]
    values: Mapping[str, tuple[Cited, ...]]
    facts: Mapping[str, Fact]
    tables: Mapping[str, Any]
    missing: Mapping[str, str]
    sources: Mapping[str, Source]

    def get(self, key: str) -> Cited:
        """The `Cited` of a key (the newest by date where several are listed).

        Raises KeyError with the reason where the profile says the value is not published.
        """
        if key not in self.values:
            raise KeyError(f"{self.id}: {key}: {self.missing.get(key, 'not in the profile')}")
        return max(self.values[key], key=lambda cited: cited.date)

    def has(self, key: str) -> bool:
        return key in self.values

    def fact(self, key: str) -> str | None:
        """The text of a sourced fact, None where absent."""
        return self.facts[key].value if key in self.facts else None

    @property
    def all_values(self) -> list[Cited]:
        return [cited for listed in self.values.values() for cited in listed]

    @property
    def weakest_kind(self) -> str:
        return weakest([c.kind for c in self.all_values])


@dataclass(frozen=True)
class Chip(Profile):
    """A chip: `get("memory.bandwidth")`, `peak("fp8")`, `price()`; all SI."""

    @property
    def vendor(self) -> str:
        return self.texts["vendor"]

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Dtypes the chip is stated (or inferred, with its source in the table) not to compute in."""
        return tuple(self.tables.get("dtypes", {}).get("unsupported", ()))

    def peak_key(self, dtype: str) -> str | None:
        """The profile key of the dense peak that runs `dtype`, following aliases and stated fallbacks."""
        seen: set[str] = set()
        fallback = self.tables.get("dtypes", {}).get("fallback", {})
        while dtype not in seen:
            seen.add(dtype)
            for name in (dtype, *_PEAK_ALIASES.get(dtype, ())):
                if f"compute.{name}" in self.values and name not in self.unsupported:
                    return f"compute.{name}"
            dtype = fallback.get(dtype, _WEIGHT_ONLY.get(dtype, dtype))
        return None


# fp16 and bf16 share the tensor rate on every chip here; the three 4-bit floats share one datapath.
_PEAK_ALIASES = {
    "fp16": ("bf16",),
    "bf16": ("fp16",),
    "nvfp4": ("fp4",),
    "mxfp4": ("fp4",),
    "fp4": ("nvfp4", "mxfp4"),
}
# Formats that are dequantised on the way in: the product runs in bf16 where nothing better is stated.
_WEIGHT_ONLY = {
    "int4": "bf16", "q4_k_m": "bf16", "q8_0": "bf16", "q4_1": "bf16", "fp4": "bf16", "nvfp4": "bf16",
    "mxfp4": "bf16",
}  # fmt: skip


@dataclass(frozen=True)
class Model(Profile):
    """A model: published figures, licence, and for open weights an architecture table."""

    endpoint: Mapping[str, Any] = field(default_factory=dict)

    @property
    def native_dtype(self) -> str:
        return self.tables["dtypes"]["native"]


def chip(chip_id: str) -> Chip:
    """The chip profile of an id. Raises UnknownId or BadFile."""
    return _load(CHIP, path_of(CHIP, chip_id), Chip)


def model(model_id: str) -> Model:
    """The model profile of an id. Raises UnknownId or BadFile."""
    return _load(MODEL, path_of(MODEL, model_id), Model)


def load_file(kind: Kind, path: Path) -> Profile:
    """Load and check one file, wherever it lies. Raises BadFile or MissingFile."""
    return _load(kind, path, Chip if kind is CHIP else Model)


def _load(kind: Kind, path: Path, cls: type) -> Any:
    raw, digest = _read(path)
    if not ID_PATTERN.fullmatch(path.stem):
        raise BadFile(path, "file name", path.name, "lower case letters, digits, dots and dashes")
    schema, (shared, shared_sources) = schema_of(kind), _shared(kind)
    loader = _Loader(path, path.stem, schema, shared_sources, shared)
    return loader.build(raw, digest, cls)


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingFile(path) from error
    try:
        return tomllib.loads(data.decode("utf-8")), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        raise BadFile(path, "file", "bytes that are not UTF-8", "a UTF-8 TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise BadFile(path, "file", str(error), "valid TOML") from error


@cache
def schema_of(kind: Kind) -> dict[str, dict[str, Any]]:
    """{key: {dimension, meaning, required}} of a kind; a key may end in `.*` (one name chosen freely)."""
    return _read(shipped_folder(kind) / "_schema.toml")[0]["keys"]


@cache
def _shared(kind: Kind) -> tuple[dict[str, Cited], dict[str, Source]]:
    """Values that several profiles share: one id each, so that they cancel in a ratio."""
    path = shipped_folder(kind) / "_shared.toml"
    if not path.exists():
        return {}, {}
    raw, digest = _read(path)
    profile = _Loader(path, "shared", schema_of(kind), {}, {}).build(
        {"name": "shared", **raw}, digest, Profile
    )
    return {key: profile.get(key) for key in profile.values}, dict(profile.sources)


def shared_value(key: str) -> Cited:
    """A value of `hardware_profiles/_shared.toml`. Raises KeyError."""
    return _shared(CHIP)[0][key]


def shared_sources() -> dict[str, Source]:
    return dict(_shared(CHIP)[1])


class _Loader:
    """One pass over one file's tables; holds what every check needs to name a mistake."""

    def __init__(self, path, id_, schema, shared_sources, shared) -> None:
        self.path, self.id, self.schema = path, id_, schema
        self.sources: dict[str, Source] = dict(shared_sources)
        self.shared = shared

    def build(self, raw: dict[str, Any], digest: str, cls: type) -> Any:
        raw = dict(raw)
        for key, table in self._table(raw.pop("sources", {}), "sources").items():
            self.sources[key] = self._source(key, table)
        missing = self._table(raw.pop("missing", {}), "missing")
        texts, values, facts, tables = {}, {}, {}, {}
        for key, node in self._leaves(raw):
            rule = self._rule(key, node)
            if rule["dimension"] == "name":
                texts[key] = self._text(key, node)
            elif rule["dimension"] == "table":
                tables[key] = node
            elif rule["dimension"] == "text":
                facts[key] = self._fact(key, node)
            else:
                values[key] = self._quantities(key, node, rule)
        self._check_complete({**texts, **values, **facts, **tables}, missing, cls)
        self._check_tables(tables)
        used = {s for c in values.values() for q in c for s in (q.source, *(r.source for r in q.readings))}
        used |= {f.source for f in facts.values()} | set(_sources_in(tables))
        for name in used - set(self.sources) - set(_OWN_SOURCES):
            raise BadFile(self.path, "source", name, "a name under [sources]")
        fields = dict(
            id=self.id, name=texts.get("name", self.id), path=self.path, sha256=digest, texts=texts, values=values,
            facts=facts, tables=tables, missing=missing, sources={k: v for k, v in self.sources.items() if k in used},
        )  # fmt: skip
        if cls is Model:
            fields["endpoint"] = tables.get("endpoint", {})
        return cls(**fields) if cls is not Profile else Profile(**{**fields, "sources": self.sources})

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
            import difflib

            near = difflib.get_close_matches(key, self.schema, n=1)
            raise BadFile(self.path, key, node, f"a key of the schema{f' (near: {near[0]})' if near else ''}")
        return rule

    def _check_complete(self, present, missing, cls) -> None:
        for key, rule in self.schema.items():
            if rule.get("required") and cls is not Profile and key not in present and key not in missing:
                raise BadFile(self.path, key, "nothing", "a value, or a reason under [missing]")
        for key, reason in missing.items():
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
            raise BadFile(
                self.path, f"sources.{key}.{min(extra)}", table[min(extra)], f"one of {sorted(known)}"
            )
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
                raise BadFile(
                    self.path, f"{key}.kind", kind, f"{' or '.join(_OWN_SOURCES[source])} for '{source}'"
                )
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
            raise BadFile(
                self.path, f"{key}.{min(extra)}", node[min(extra)], f"one of {sorted(_QUANTITY_KEYS)}"
            )
        unit = node.get("unit")
        allowed = rule["dimension"].split("|")
        if not isinstance(unit, str) or unit not in units.UNITS or units.dimension(unit) not in allowed:
            known = [u for u, (d, _) in units.UNITS.items() if d in allowed]
            raise BadFile(
                self.path, f"{key}.unit", unit, f"a unit of {rule['dimension']}: {', '.join(known)}"
            )
        kind, source = self._own_source(key, node)
        scale, dimension, unit, note = self._currency(unit, node.get("note", ""))
        numbers = {
            k: self._number(f"{key}.{k}", node[k]) * scale for k in ("value", "low", "high") if k in node
        }
        self._check_range(key, numbers, kind, dimension)
        readings = self._readings(key, node.get("readings", []), scale)
        direction = node.get("direction", "")
        if rule.get("direction"):
            if direction not in _DIRECTIONS:
                raise BadFile(
                    self.path, f"{key}.direction", direction or None, f"one of {', '.join(_DIRECTIONS)}"
                )
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
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not value > 0
            or value == float("inf")
        ):
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
