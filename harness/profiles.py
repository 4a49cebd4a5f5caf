"""Profiles by id: TOML files -> frozen, checked chips and models.

A schema file (`_schema.toml` in the same folder) names each allowed key with its dimension and meaning;
`_shared.toml` holds the values and sources that several profiles share.
"""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from harness.discovery import CHIP, ID_PATTERN, MODEL, Kind, path_of, shipped_folder
from harness.errors import BadFile, MissingFile
from harness.profile_loader import ASSUMED, DERIVED, UNVERIFIED, Loader
from harness.profile_types import DTYPES, Chip, Fact, Model, Profile, Source
from harness.quantity import Cited

__all__ = [
    "ASSUMED", "DERIVED", "DTYPES", "UNVERIFIED", "Chip", "Fact", "Model", "Profile", "Source", "chip", "load_file",
    "model", "schema_of", "shared_sources", "shared_value",
]  # fmt: skip


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
    loader = Loader(path, path.stem, schema, shared_sources, shared)
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
    profile = Loader(path, "shared", schema_of(kind), {}, {}).build({"name": "shared", **raw}, digest, Profile)
    return {key: profile.get(key) for key in profile.values}, dict(profile.sources)


def shared_value(key: str) -> Cited:
    """A value of `hardware_profiles/_shared.toml`. Raises KeyError."""
    return _shared(CHIP)[0][key]


def shared_sources() -> dict[str, Source]:
    return dict(_shared(CHIP)[1])
