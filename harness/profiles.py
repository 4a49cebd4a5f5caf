"""Profiles by id: TOML files -> frozen, checked chips, models and workloads.

A schema file (`_schema.toml` in the same folder) names each allowed key with its dimension and meaning;
`_shared.toml` holds the values and sources that several profiles share, `_support.toml` what is stated to run where.
A file with `base = "id"` holds only what differs from that profile. A file is read whenever it is asked for, and parsed
again only where its bytes (or its base's) have changed.
"""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from harness.discovery import CHIP, ID_PATTERN, MODEL, WORKLOAD, Kind, path_of, shipped_folder
from harness.errors import BadFile, MissingFile, NotPredictable, UnknownId
from harness.profile_loader import Loader
from harness.profile_types import DTYPES, Chip, Fact, Model, Profile, Source, Workload
from harness.profile_values import ASSUMED, DERIVED, UNVERIFIED
from harness.quantity import Cited

__all__ = [
    "ASSUMED", "DERIVED", "DTYPES", "UNVERIFIED", "Chip", "Fact", "Model", "Profile", "Source", "Workload", "chip",
    "load_file", "model", "schema_of", "shared", "shared_statements", "shared_value", "stand_in", "workload",
]  # fmt: skip


def chip(chip_id: str) -> Chip:
    """The chip profile of an id. Raises UnknownId or BadFile."""
    return _load(CHIP, path_of(CHIP, chip_id), Chip)


def model(model_id: str) -> Model:
    """The model profile of an id. Raises UnknownId or BadFile."""
    return _load(MODEL, path_of(MODEL, model_id), Model)


def workload(workload_id: str) -> Workload:
    """The workload of an id. Raises UnknownId or BadFile."""
    return _load(WORKLOAD, path_of(WORKLOAD, workload_id), Workload)


def stand_in(asked: Model) -> Model:
    """The model whose architecture is modelled for `asked`: itself, or the proxy that its file names.

    A result of a proxy is labelled as one wherever it is shown. Raises NotPredictable where nothing stands in.
    """
    if "architecture" in asked.tables:
        return asked
    if not asked.proxy:
        raise NotPredictable(f"{asked.name} publishes no architecture: its speed is not modelled")
    return model(asked.proxy["model"])


def load_file(kind: Kind, path: Path) -> Profile:
    """Load and check one file, wherever it lies. Raises BadFile or MissingFile."""
    return _load(kind, path, {CHIP: Chip, MODEL: Model, WORKLOAD: Workload}[kind])


def _load(kind: Kind, path: Path, cls: type, above: tuple[Path, ...] = ()) -> Any:
    """The profile of a file, read on top of its base; `above` are the files whose bases led here."""
    raw, digest = _read(path)
    if not ID_PATTERN.fullmatch(path.stem):
        raise BadFile(path, "file name", path.name, "lower case letters, digits, dots and dashes")
    base = _base(kind, path, raw, cls, above)
    if base is not None:
        digest = hashlib.sha256((digest + base.sha256).encode()).hexdigest()
    built = _built.setdefault((cls, path), {})
    if digest not in built:
        common = shared(kind)
        rates = {key: common.get(key) for key in common.values}
        loader = Loader(path, path.stem, schema_of(kind), common.sources, rates, base, shared_statements(kind))
        profile = loader.build(raw, digest, cls)
        built.clear()  # the newest contents alone
        built[digest] = profile
    return built[digest]


# (class, path) -> {digest of the contents: the profile}. Frozen, so that all who ask may share it.
_built: dict[tuple[type, Path], dict[str, Any]] = {}


def _base(kind: Kind, path: Path, raw: dict[str, Any], cls: type, above: tuple[Path, ...]) -> Any:
    """The profile that a file's `base` names, None without one. A file of the base's own id stands over it."""
    name = raw.get("base")
    if not isinstance(name, str):
        return None
    try:
        below = path_of(kind, name, beneath=path if name == path.stem else None)
    except UnknownId as error:
        raise BadFile(path, "base", name, f"the id of another {kind.name} ({error})") from error
    if below.resolve() in {p.resolve() for p in (*above, path)}:
        raise BadFile(path, "base", name, "a profile that does not lead back to this one")
    return _load(kind, below, cls, (*above, path))


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingFile(path) from error
    try:
        return _parsed(data), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        raise BadFile(path, "file", "bytes that are not UTF-8", "a UTF-8 TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise BadFile(path, "file", str(error), "valid TOML") from error


@lru_cache(maxsize=1024)
def _parsed(data: bytes) -> dict[str, Any]:
    """A file's tables, which nobody changes."""
    return tomllib.loads(data.decode("utf-8"))


@cache
def schema_of(kind: Kind) -> dict[str, dict[str, Any]]:
    """{key: {dimension, meaning, required}} of a kind; a key may end in `.*` (one name chosen freely)."""
    return _read(shipped_folder(kind) / "_schema.toml")[0]["keys"]


@cache
def shared(kind: Kind) -> Profile:
    """`_shared.toml`: values and sources that several profiles share, one id each, so that they cancel in a ratio."""
    path = shipped_folder(kind) / "_shared.toml"
    raw, digest = _read(path) if path.exists() else ({}, "")
    return Loader(path, "shared", schema_of(kind), {}, {}).build({"name": "shared", **raw}, digest, Profile)


@cache
def shared_statements(kind: Kind) -> dict[str, dict[str, Any]]:
    """`_support.toml`: statements of what runs where, by id, which several chips' `[[engines]]` name."""
    path = shipped_folder(kind) / "_support.toml"
    return _read(path)[0] if path.exists() else {}


def shared_value(key: str) -> Cited:
    """A value of `hardware_profiles/_shared.toml`. Raises KeyError."""
    return shared(CHIP).get(key)
