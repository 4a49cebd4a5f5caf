"""The `[architecture]` table of a model's file -> `Architecture`, every mistake named by its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from harness.architecture.linear import GatedDelta, Kda, Lightning
from harness.architecture.mlp import Dense, Moe
from harness.architecture.plan import Architecture, LayerGroup
from harness.architecture.softmax import Compressed, Gqa, Mla
from harness.errors import BadFile
from harness.profiles import Model, stand_in

_ATTENTION = {"gqa": Gqa, "mla": Mla, "compressed": Compressed, "gated-delta": GatedDelta, "kda": Kda,
              "lightning": Lightning}  # fmt: skip
_MLP = {"dense": Dense, "moe": Moe}
_KINDS = {"attention": _ATTENTION, "mlp": _MLP}
_ABOUT = ("source", "note", "mtp_layers", "reconstructed")  # what the table says besides the plan


def from_table(table: Mapping[str, Any], path: Path) -> Architecture:
    """The layer plan of an `[architecture]` table. Raises BadFile naming the key."""
    table = {k: v for k, v in table.items() if k not in _ABOUT}
    groups = table.pop("layers", None)
    if not isinstance(groups, list) or not groups:
        raise BadFile(path, "architecture.layers", groups, "one or more [[architecture.layers]]")
    layers = tuple(_group(g, path, f"architecture.layers[{i}]") for i, g in enumerate(groups))
    return _make(Architecture, {**table, "layers": layers}, path, "architecture")


def to_table(arch: Architecture) -> dict[str, Any]:
    """The table that `from_table` reads back to the same plan; what is left at its default is left out."""
    table = _given(arch) | {"rope_theta": arch.rope_theta, "norm_eps": arch.norm_eps}
    table["layers"] = [
        {**_given(group), "attention": _given(group.attention), "mlp": _given(group.mlp)} for group in arch.layers
    ]
    return table


def _given(part: Any) -> dict[str, Any]:
    """Fields of a dataclass that differ from their defaults, and its kind."""
    plain = {f.name: f.default for f in fields(part) if f.name not in ("layers", "attention", "mlp")}
    out = {k: v for k, v in asdict(part).items() if k in plain and (k == "kind" or v != plain[k])}
    return {"kind": out.pop("kind"), **out} if "kind" in out else out


def _group(node: Any, path: Path, key: str) -> LayerGroup:
    parts = {}
    for part, kinds in _KINDS.items():
        raw = node.get(part) if isinstance(node, dict) else None
        kind = raw.get("kind") if isinstance(raw, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            raise BadFile(path, f"{key}.{part}.kind", kind, f"one of {', '.join(kinds)}")
        parts[part] = _make(kinds[kind], raw, path, f"{key}.{part}")
    return _make(LayerGroup, {**node, **parts}, path, key)


def _make(cls: type, table: Mapping[str, Any], path: Path, key: str) -> Any:
    known = {f.name: f for f in fields(cls)}
    if extra := set(table) - set(known):
        raise BadFile(path, f"{key}.{min(extra)}", table[min(extra)], f"one of {', '.join(known)}")
    for name, f in known.items():
        if name not in table:
            if f.default is MISSING:
                raise BadFile(path, f"{key}.{name}", "nothing", f.type)
        elif f.type in ("int", "float"):
            value = table[name]
            wanted = int | float if f.type == "float" else int
            if isinstance(value, bool) or not isinstance(value, wanted) or not 0 <= value < float("inf"):
                raise BadFile(path, f"{key}.{name}", value, f"a number ({f.type}), not below 0")
        elif f.type == "bool" and not isinstance(table[name], bool):
            raise BadFile(path, f"{key}.{name}", table[name], "true or false")
    return cls(**table)


def of_model(asked: Model) -> Architecture:
    """The layer plan of a model, or of its proxy. Raises NotPredictable where neither is published."""
    body = stand_in(asked)
    return from_table(body.tables["architecture"], body.path)
