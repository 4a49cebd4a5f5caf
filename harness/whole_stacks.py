"""Whole stacks: who makes and holds each layer, from the chip to the agent framework.

`harness/stacks/<id>.toml` names a stack's layers and what it serves; `_layers.toml` describes the layers that have no
profile of their own. Chips and models are those of the library: their makers, licences and export status are read from
their profiles and are not repeated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from harness.discovery import STACK, find, path_of, shipped_folder
from harness.errors import BadFile, MissingFile
from harness.export import statuses
from harness.profiles import Chip, Model, chip, model
from harness.stack import Stack, parse_spec

ROLES = ("chip", "server", "cloud", "runtime", "engine", "model", "agents")
BUYERS = ("cn", "us", "eu")
STATES = ("open", "licence", "closed")  # of a buyer, from the easiest on; what nobody states is ""
OPENNESS = ("yes", "partly", "no", "unknown")
DISCLOSED = ("yes", "no", "customer-chosen")
_KEYS = {"name": True, "serves": True, "about": False, "where": True, "chip_disclosed": True, "read": True,
         "layers": True, "missing": False}  # fmt: skip
_LAYER_KEYS = ("name", "maker", "jurisdiction", "licence", "open", "offers", "since", "limits", "source", "buyers")


@dataclass(frozen=True)
class Access:
    """What is stated of a buyer in a jurisdiction: a state of STATES, why, and since when."""

    buyer: str
    state: str
    why: str
    date: str = ""


@dataclass(frozen=True)
class Layer:
    """One layer of a stack. Texts are "" where nothing is stated; `jurisdiction` holds two-letter codes."""

    role: str
    id: str
    name: str
    maker: str
    jurisdiction: tuple[str, ...]
    licence: str
    open: str
    offers: str = ""
    since: str = ""
    limits: str = ""
    source: Mapping[str, str] = field(default_factory=dict)
    buyers: tuple[Access, ...] = ()

    @property
    def kept(self) -> bool:
        """Published software and weights, which stay usable whoever made them: a licence given is not taken back."""
        return self.open == "yes" and self.role in ("runtime", "engine", "model", "agents")

    def access(self, buyer: str) -> Access | None:
        """The hardest statement about a buyer; None where none is known."""
        found = [a for a in self.buyers if a.buyer == buyer]
        return max(found, key=lambda a: STATES.index(a.state), default=None)


@dataclass(frozen=True)
class WholeStack:
    """A stack with its layers, by role; `missing` says why a role has none."""

    id: str
    name: str
    serves: Stack
    about: str
    where: str
    chip_disclosed: str
    read: str
    layers: Mapping[str, Layer]
    missing: Mapping[str, str]

    @property
    def model_is_open(self) -> bool:
        return self.layers["model"].open == "yes"


def whole_stack(stack_id: str) -> WholeStack:
    """The stack of an id. Raises UnknownId or BadFile."""
    return load_file(path_of(STACK, stack_id))


def all_stacks() -> list[WholeStack]:
    return [load_file(path) for path in find(STACK).values()]


def load_file(path: Path) -> WholeStack:
    """Read and check one file, wherever it lies. Raises BadFile or MissingFile."""
    raw = _toml(path)
    for key, needed in _KEYS.items():
        if needed and key not in raw:
            raise BadFile(path, key, "nothing", f"this key ({', '.join(k for k, n in _KEYS.items() if n)})")
    if unknown := [key for key in raw if key not in _KEYS]:
        raise BadFile(path, unknown[0], raw[unknown[0]], f"one of {', '.join(_KEYS)}")
    _one_of(path, "chip_disclosed", raw["chip_disclosed"], DISCLOSED)
    serves = parse_spec(raw["serves"])
    if not serves.chip:
        raise BadFile(path, "serves", raw["serves"], "a model on a chip, model/weight_dtype@chip:count")
    layers = {"chip": chip_layer(chip(serves.chip)), "model": model_layer(model(serves.model))}
    for role, name in raw["layers"].items():
        layers[role] = _named(path, role, name)
    missing = dict(raw.get("missing", {}))
    for role in ROLES:
        if (role in layers) == (role in missing):
            raise BadFile(path, role, layers.get(role, "nothing"), "a layer, or under [missing] why there is none")
    ordered = {role: layers[role] for role in ROLES if role in layers}
    return WholeStack(path.stem, raw["name"], serves, raw.get("about", ""), raw["where"], raw["chip_disclosed"],
                      raw["read"], ordered, missing)  # fmt: skip


def _named(path: Path, role: str, name: str) -> Layer:
    known = layers_of(role)
    if role not in ROLES or role in ("chip", "model"):
        raise BadFile(path, f"layers.{role}", name, "server, cloud, runtime, engine or agents; `serves` has the rest")
    if name not in known:
        raise BadFile(path, f"layers.{role}", name, f"a {role} of _layers.toml: {', '.join(sorted(known))}")
    return known[name]


def layers_of(role: str) -> dict[str, Layer]:
    """The layers of a role that `_layers.toml` describes."""
    return {name: _layer(role, name, about) for name, about in _described().get(role, {}).items()}


def _layer(role: str, name: str, about: Mapping[str, Any]) -> Layer:
    path = shipped_folder(STACK) / "_layers.toml"
    if unknown := [key for key in about if key not in _LAYER_KEYS]:
        raise BadFile(path, f"{role}.{name}.{unknown[0]}", about[unknown[0]], f"one of {', '.join(_LAYER_KEYS)}")
    _one_of(path, f"{role}.{name}.open", about["open"], OPENNESS)
    texts = {key: about.get(key, "") for key in ("name", "maker", "licence", "open", "offers", "since", "limits")}
    return Layer(role, name, jurisdiction=tuple(about["jurisdiction"]), source=about["source"],
                 buyers=_accesses(about), **texts)  # fmt: skip


def chip_layer(one: Chip) -> Layer:
    """A chip as a layer: its maker, where it can be had, and what dated rules say of buyers."""
    facts = one.facts
    limits = "; ".join([str(status.verdict) for status in statuses(one)]
                       + [f"{e['date']}: {e['text']}" for e in one.tables.get("export", [])])  # fmt: skip
    buyers = (*_by_the_numbers(one), *_stated("chip", one.id))
    terms = "hardware, sold or rented"
    offers, since = (facts[key].value if key in facts else "" for key in ("availability", "release"))
    return Layer("chip", one.id, one.name, one.vendor, (one.texts["jurisdiction"],), terms, "no",
                 offers, since, limits, _profile_source(one), buyers)  # fmt: skip


def model_layer(one: Model) -> Layer:
    """A model as a layer: its publisher, the licence of its weights, and whether they are published."""
    weights = one.fact("weights") or ""
    openness = {"open": "yes", "gated": "partly", "closed": "no"}.get(weights, "unknown")
    return Layer("model", one.id, one.name, one.texts["publisher"], (one.texts["jurisdiction"],),
                 one.fact("licence") or "", openness, f"weights {weights}", one.fact("release") or "",
                 "", _profile_source(one), _stated("model", one.id))  # fmt: skip


def _by_the_numbers(one: Chip) -> tuple[Access, ...]:
    """What the dated US rules say of a chip for a buyer in China; nothing where its figures leave it open."""
    found = []
    for status in statuses(one):
        if status.rule == "us-3a090-a" and status.verdict.startswith("below"):
            found.append(Access("cn", "open", f"{status.verdict}, by the numbers", status.effective or status.read))
        if status.rule == "us-china-case-by-case" and not status.verdict.startswith("either"):
            state = "licence" if status.verdict.startswith("within") else "closed"
            found.append(Access("cn", state, f"{status.verdict}, by the numbers", status.effective or status.read))
    return tuple(found)


def _stated(role: str, name: str) -> tuple[Access, ...]:
    entries = _described().get(role, {}).values()
    return tuple(a for about in entries if any(fnmatch(name, pattern) for pattern in about["applies_to"])
                 for a in _accesses(about))  # fmt: skip


def _accesses(about: Mapping[str, Any]) -> tuple[Access, ...]:
    path = shipped_folder(STACK) / "_layers.toml"
    for entry in about.get("buyers", ()):
        _one_of(path, "buyers.buyer", entry.get("buyer"), BUYERS)
        _one_of(path, "buyers.state", entry.get("state"), STATES)
    return tuple(Access(**entry) for entry in about.get("buyers", ()))


def _profile_source(one: Chip | Model) -> dict[str, str]:
    folder = "hardware_profiles" if isinstance(one, Chip) else "harness/models"
    return {"title": f"{folder}/{one.id}.toml and the sources it names", "url": "", "date": "", "kind": "profile"}


def _one_of(path: Path, key: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadFile(path, key, value, f"one of {', '.join(allowed)}")


@cache
def _described() -> dict[str, dict[str, Any]]:
    return _toml(shipped_folder(STACK) / "_layers.toml")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise MissingFile(path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(path, "file", str(error), "valid TOML") from error
