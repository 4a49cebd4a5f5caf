"""One pass over one TOML file: every key, unit, range and source checked against the schema.

The loader refuses what it does not know: a misspelt key, a wrong unit, a range the wrong way round, a source that
is not listed, a number without one. Each refusal names file, key, found and expected.

A file with `base = "id"` is read on top of that profile: it holds only what differs. What it inherits keeps the
base's ids, so the two profiles draw the same numbers and a ratio of them cancels what they share.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import BadFile
from harness.profile_tables import check_dtypes, check_list
from harness.profile_types import Fact, Model, Profile, Source
from harness.profile_values import OWN_SOURCES, ValueReader, follow, is_date
from harness.quantity import Cited


class Loader:
    """One pass over one file's tables; holds what every check needs to name a mistake."""

    def __init__(
        self,
        path: Path,
        profile_id: str,
        schema: Mapping[str, Mapping[str, Any]],
        shared_sources: Mapping[str, Source],
        shared: Mapping[str, Cited],
        base: Profile | None = None,
        statements: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.path, self.id, self.schema, self.base = path, profile_id, schema, base
        self.statements = statements or {}
        self.sources: dict[str, Source] = {**shared_sources, **(base.sources if base else {})}
        self.values = ValueReader(path, profile_id, self.sources, shared)
        self.mistakes: list[BadFile] = []

    def build(self, raw: dict[str, Any], digest: str, cls: type) -> Any:
        """The profile of a file's tables. Raises BadFile: the first mistake, with the file's others in `others`."""
        raw = dict(raw)
        own = raw.pop("sources", {})
        with self._noting():
            self._read_sources(self._table(own, "sources"))
        missing = self._read_missing(raw)
        parts: dict[str, dict[str, Any]] = {"texts": {}, "values": {}, "facts": {}, "tables": {}}
        multiples, present = [], {}
        for key, node in self._leaves(raw):
            present[key] = True
            with self._noting():
                rule = self._rule(key, node)
                if _is_multiple(node, rule):
                    multiples.append((key, node, rule))
                else:
                    self._read(key, node, rule, parts)
        parts["missing"] = {k: v for k, v in missing.items() if self._is_reason(k, v, present)}
        self._inherit(parts, present)
        for key, node, rule in multiples:
            with self._noting():
                parts["values"][key] = (self.values.multiple(key, node, rule, parts["values"]),)
        if self.base is not None:
            self._follow_again(parts["values"], set(present))
        written = [key for key in present if key in parts["values"]]  # as in the file, a multiple not last
        parts["values"] = {key: parts["values"][key] for key in (*written, *parts["values"])}
        if cls is not Profile:
            self._check_complete({*present, *(key for part in parts.values() for key in part)})
        used = _sources_of(parts)
        for name in sorted(used - set(self.sources) - set(OWN_SOURCES)):
            self.mistakes.append(BadFile(self.path, "source", name, "a name under [sources]"))
        if self.mistakes:
            first, *others = self.mistakes
            first.others = tuple(others)
            raise first
        kept = self.sources if cls is Profile else {k: v for k, v in self.sources.items() if k in used or k in own}
        fields = dict(id=self.id, name=parts["texts"].get("name", self.id), path=self.path, sha256=digest, **parts,
                      sources=kept, base=self.base.id if self.base else "")  # fmt: skip
        if cls is Model:
            fields["endpoint"] = parts["tables"].get("endpoint", {})
        return cls(**fields)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """A mistake in one key is kept, and the next key is read: `check` shows them all."""
        try:
            yield
        except BadFile as error:
            self.mistakes.append(error)

    def _leaves(self, raw: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
        """(dotted key, node) for every key of the schema; tables in between are walked."""
        for name, node in raw.items():
            key = f"{prefix}{name}"
            if key in self.schema or f"{prefix}*" in self.schema or not isinstance(node, dict):
                yield key, node
            elif any(known.startswith(f"{key}.") for known in self.schema):
                yield from self._leaves(node, f"{key}.")
            else:
                yield key, node

    def _rule(self, key: str, node: Any) -> Mapping[str, Any]:
        rule = self.schema.get(key) or self.schema.get(f"{key.rpartition('.')[0]}.*")
        if rule is None:
            near = difflib.get_close_matches(key, self.schema, n=1)
            raise BadFile(self.path, key, node, f"a key of the schema{f' (near: {near[0]})' if near else ''}")
        return rule

    def _read(self, key: str, node: Any, rule: Mapping[str, Any], parts: dict[str, dict[str, Any]]) -> None:
        match rule["dimension"]:
            case "name":
                parts["texts"][key] = self._text(key, node)
                if "pattern" in rule and not re.fullmatch(rule["pattern"], node):
                    raise BadFile(self.path, key, node, f"{rule['meaning']} (as {rule['pattern']})")
            case "list":
                parts["tables"][key] = check_list(self.path, key, node, rule, self.sources, self.statements)
            case "table":
                parts["tables"][key] = self._table(node, key)
                if key == "dtypes":
                    check_dtypes(self.path, node, self.values)
            case "text":
                parts["facts"][key] = fact = self._fact(key, node)
                if rule.get("is_date") and not is_date(fact.value):
                    raise BadFile(self.path, f"{key}.value", fact.value, "YYYY, YYYY-MM or YYYY-MM-DD")
            case _:
                parts["values"][key] = self.values.quantities(key, node, rule)

    def _inherit(self, parts: dict[str, dict[str, Any]], present: Mapping[str, bool]) -> None:
        """What the file leaves out it has from its base; a reason under [missing] takes a value away."""
        if self.base is None:
            return
        gone = {*present, *parts["missing"]}
        for name in ("texts", "values", "facts", "tables", "missing"):
            inherited = {k: v for k, v in getattr(self.base, name).items() if k not in gone and self._passes_on(k)}
            parts[name] = {**inherited, **parts[name]}

    def _follow_again(self, values: dict[str, tuple[Cited, ...]], changed: set[str]) -> None:
        """The base's multiples of a value that differs here, and the multiples of those, follow the new one."""
        while stale := [k for k, (c, *_) in values.items() if k not in changed and c.of in changed and c.of in values]:
            for key in stale:
                own = replace(values[key][0], id=f"{self.id}/{key}")
                values[key] = (follow(values[own.of][0], own),)
            changed = changed | set(stale)

    def _passes_on(self, key: str) -> bool:
        rule = self.schema.get(key) or self.schema.get(f"{key.rpartition('.')[0]}.*") or {}
        return rule.get("inherited", True)

    def _check_complete(self, present: set[str]) -> None:
        for key, rule in self.schema.items():
            if rule.get("required") and key not in present:
                self.mistakes.append(BadFile(self.path, key, "nothing", "a value, or a reason under [missing]"))

    def _read_missing(self, raw: dict[str, Any]) -> dict[str, Any]:
        missing = raw.pop("missing", {})
        if not isinstance(missing, dict):
            self.mistakes.append(BadFile(self.path, "missing", missing, "a table of reasons"))
            return {}
        return missing

    def _is_reason(self, key: str, reason: Any, present: Mapping[str, bool]) -> bool:
        """Whether an entry under [missing] stands; what is wrong with it is noted."""
        with self._noting():
            self._rule(key, reason)
            if key in present:
                raise BadFile(self.path, f"missing.{key}", reason, "no entry, since the key is given")
            if not isinstance(reason, str) or not reason.strip():
                raise BadFile(self.path, f"missing.{key}", reason, "the reason, as text")
            return True
        return False

    def _table(self, node: Any, key: str) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise BadFile(self.path, key, node, "a table")
        return node

    def _text(self, key: str, node: Any) -> str:
        if not isinstance(node, str) or not node.strip():
            raise BadFile(self.path, key, node, "text")
        return node

    def _read_sources(self, tables: Mapping[str, Any]) -> None:
        for key, table in tables.items():
            self.sources.setdefault(key, Source(key, "", "", ""))  # named, even where its table has a mistake
            with self._noting():
                self.sources[key] = self._source(key, table)

    def _source(self, key: str, table: Any) -> Source:
        table = {k: str(v) for k, v in self._table(table, f"sources.{key}").items()}
        known = set(Source.__dataclass_fields__) - {"id"}
        if key in OWN_SOURCES:
            raise BadFile(self.path, f"sources.{key}", key, "another name: this one is not a page")
        if extra := set(table) - known:
            raise BadFile(self.path, f"sources.{key}.{min(extra)}", table[min(extra)], f"one of {sorted(known)}")
        for need in ("title", "publisher", "url"):
            if need not in table:
                raise BadFile(self.path, f"sources.{key}.{need}", "nothing", "text")
        if table["url"] and not table["url"].startswith(("https://", "http://")):
            raise BadFile(self.path, f"sources.{key}.url", table["url"], "an http(s) address")
        return Source(key, **table)

    def _fact(self, key: str, node: Any) -> Fact:
        node = self._table(node, key)
        if extra := set(node) - {"value", "kind", "source", "note"}:
            raise BadFile(self.path, f"{key}.{min(extra)}", node[min(extra)], "value, kind, source or note")
        kind, source = self.values.claim(key, node)
        return Fact(f"{self.id}/{key}", self._text(f"{key}.value", str(node.get("value", ""))), kind, source,
                    node.get("note", ""))  # fmt: skip


def _is_multiple(node: Any, rule: Mapping[str, Any]) -> bool:
    return isinstance(node, dict) and "of" in node and rule["dimension"] not in ("name", "text", "table", "list")


def _sources_of(parts: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Every source that a value, a fact or a table of the profile names."""
    used = {s for listed in parts["values"].values() for cited in listed for s in cited.sources}
    return used | {fact.source for fact in parts["facts"].values()} | set(_named_in(parts["tables"]))


def _named_in(node: Any) -> Iterator[str]:
    """Every `source = "..."` inside a structured table."""
    if isinstance(node, dict):
        if isinstance(node.get("source"), str):
            yield node["source"]
        for child in node.values():
            yield from _named_in(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from _named_in(child)
