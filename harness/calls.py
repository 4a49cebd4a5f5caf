"""Calls of functions as models write them: Python call text or JSON, parsed without being executed.

The two spellings are those that BFCL (Apache-2.0, github.com/ShishirPatil/gorilla) reads: `[f(a=1), g(b="x")]`, and
`[{"name": "f", "arguments": {"a": 1}}]`. Arguments go by keyword and are literals; anything else is malformed.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Malformed(ValueError):
    """Text that is no list of calls; `str()` says why in words a model can act on."""


@dataclass(frozen=True)
class Call:
    """One call: the function's name and its arguments by keyword."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.arguments.items())})"


def written(calls: Sequence[Call]) -> str:
    """The calls as Python call text; `[]` for none."""
    return f"[{', '.join(map(str, calls))}]"


def parsed(text: str) -> list[Call]:
    """The calls that a text means, in their order; an empty list where it says `[]`. Raises Malformed."""
    text = text.strip()
    if not text:
        raise Malformed("nothing was written")
    calls = _json(text)
    return _python(text) if calls is None else checked(calls)


def checked(calls: list[Call]) -> list[Call]:
    """The calls, if they can be written as Python call text and read back. Raises Malformed.

    JSON allows what call text does not: a name with spaces, NaN. A log of calls has to mean what was done.
    """
    try:
        if _python(written(calls)) == calls:
            return calls
    except ValueError:  # Malformed too; a whole number of thousands of digits is a plain ValueError
        pass
    raise Malformed("a name or an argument that cannot be written as a call")


def _json(text: str) -> list[Call] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return [_json_call(one) for one in (found if isinstance(found, list) else [found])]


def _json_call(one: Any) -> Call:
    arguments = one.get("arguments", one.get("parameters", {})) if isinstance(one, dict) else None
    if not isinstance(arguments, dict) or not isinstance(one.get("name"), str):
        raise Malformed('a JSON call is {"name": ..., "arguments": {...}}')
    return Call(one["name"], arguments)


def _python(text: str) -> list[Call]:
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Malformed("not a list of calls such as [f(a=1)]") from error
    calls = [_python_call(one) for one in (node.elts if isinstance(node, ast.List | ast.Tuple) else [node])]
    try:
        json.dumps([c.arguments for c in calls], allow_nan=False)  # bytes, sets, inf are literals too
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed("an argument is not a JSON value") from error
    return calls


def _python_call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise Malformed("not a list of calls such as [f(a=1)]")
    if node.args or any(k.arg is None for k in node.keywords):
        raise Malformed("arguments go by keyword, f(a=1)")
    try:
        return Call(ast.unparse(node.func), {k.arg: ast.literal_eval(k.value) for k in node.keywords})
    except (ValueError, TypeError, SyntaxError, RecursionError) as error:
        raise Malformed("an argument is not a literal") from error
