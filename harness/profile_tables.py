"""Structured parts of a profile's file: lists of dated facts, and the table of dtypes.

A list's entries are checked against the schema's `fields`, {name: sort}: text, texts (a list of text), date, number,
id, ids, dtypes, or words a|b; one that ends in "?" may be left out. Each check raises BadFile naming file, key, what
was found and what is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.discovery import ID_PATTERN
from harness.errors import BadFile
from harness.profile_types import DTYPES
from harness.profile_values import OWN_SOURCES, ValueReader, is_date

PARTS = ("embedding", "head", "norm", "router", "attention", "mlp", "experts", "shared_experts")
_DTYPE_KEYS = {"unsupported", "fallback", "native", "kept", "in_blocks", "source", "kind", "note"}
_SORTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda x: isinstance(x, str) and bool(x.strip()), "text"),
    "texts": (lambda x: isinstance(x, list) and all(isinstance(y, str) and y for y in x), "a list of text"),
    "date": (lambda x: isinstance(x, str) and is_date(x), "YYYY, YYYY-MM or YYYY-MM-DD, as text"),
    "number": (lambda x: isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < float("inf"), "a number"),
    "id": (lambda x: isinstance(x, str) and bool(ID_PATTERN.match(x)), "an id"),
    "ids": (
        lambda x: isinstance(x, list) and all(isinstance(y, str) and ID_PATTERN.match(y) for y in x),
        "a list of ids",
    ),
    "dtypes": (lambda x: isinstance(x, list) and all(y in DTYPES for y in x), f"a list of {', '.join(DTYPES)}"),
}


def check_list(
    path: Path,
    key: str,
    node: Any,
    rule: Mapping[str, Any],
    sources: Mapping[str, Any],
    statements: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """The entries of `[[key]]`, each field of the sort that the schema says.

    An entry that names a shared `statement` has from it what it leaves out.
    """
    if not isinstance(node, list):
        raise BadFile(path, key, node, f"a list: [[{key}]]")
    out = []
    for i, entry in enumerate(node):
        if not isinstance(entry, dict):
            raise BadFile(path, f"{key}[{i}]", entry, "a table")
        if (name := entry.get("statement")) is not None:
            if "statement" not in rule["fields"] or not isinstance(name, str) or name not in statements:
                raise BadFile(path, f"{key}[{i}].statement", name, f"one of {', '.join(sorted(statements)) or 'none'}")
            entry = {**statements[name], **entry}
        _check_entry(path, f"{key}[{i}]", entry, rule["fields"], sources)
        out.append(entry)
    return out


def _check_entry(
    path: Path, key: str, entry: Mapping[str, Any], fields: Mapping[str, str], sources: Mapping[str, Any]
) -> None:
    if extra := set(entry) - set(fields):
        raise BadFile(path, f"{key}.{min(extra)}", entry[min(extra)], f"one of {', '.join(fields)}")
    for name, sort in fields.items():
        valid, expected = _sort(sort.removesuffix("?"))
        if name not in entry:
            if not sort.endswith("?"):
                raise BadFile(path, f"{key}.{name}", "nothing", expected)
        elif not valid(entry[name]):
            raise BadFile(path, f"{key}.{name}", entry[name], expected)
    if "source" in entry and entry["source"] not in sources and entry["source"] not in OWN_SOURCES:
        raise BadFile(path, f"{key}.source", entry["source"], "a name under [sources]")


def _sort(name: str) -> tuple[Callable[[Any], bool], str]:
    """A sort's check and what it expects; "a|b" is one of those words."""
    if "|" not in name:
        return _SORTS[name]
    words = name.split("|")
    return lambda x: x in words, f"one of {', '.join(words)}"


def check_dtypes(path: Path, node: Mapping[str, Any], values: ValueReader) -> None:
    """The `[dtypes]` table: every format named is one that Stackline knows, and what a chip lacks has a source.

    A chip names what it cannot compute in (`unsupported`) and what runs instead (`fallback`), a model the format of
    its weights (`native`), the parts that keep another one (`kept`) and the formats of which its publisher has a
    release that is scaled in blocks (`in_blocks`).
    """
    if "unsupported" in node or "fallback" in node:
        values.claim("dtypes", node)
    fallback, kept = node.get("fallback", {}), node.get("kept", {})
    for name, table in (("fallback", fallback), ("kept", kept)):
        if not isinstance(table, dict):
            raise BadFile(path, f"dtypes.{name}", table, "a table")
    if extra := set(node) - _DTYPE_KEYS:
        raise BadFile(path, f"dtypes.{min(extra)}", node[min(extra)], f"one of {', '.join(sorted(_DTYPE_KEYS))}")
    if extra := set(kept) - set(PARTS):
        raise BadFile(path, f"dtypes.kept.{min(extra)}", kept[min(extra)], f"one of {', '.join(PARTS)}")
    for name in ("unsupported", "in_blocks"):
        if not isinstance(node.get(name, []), list):
            raise BadFile(path, f"dtypes.{name}", node[name], "a list of dtypes")
    named = [
        *node.get("unsupported", []),
        *node.get("in_blocks", []),
        *fallback,
        *fallback.values(),
        *kept.values(),
        *([node["native"]] if "native" in node else []),
    ]
    for name in named:
        if name not in DTYPES:
            raise BadFile(path, "dtypes", name, f"one of {', '.join(DTYPES)}")
