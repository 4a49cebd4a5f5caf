"""A model's file from what its config says: the layer plan written out, everything else named as not given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.architecture import Architecture, to_table
from harness.errors import BadFile, MissingFile
from harness.hf_config import Converted, convert
from harness.hf_config.common import NotUnderstood

_ASK = "not in a config: fill it in, with its source"
_NOT_SAID = ("publisher", "jurisdiction", "release", "licence", "weights", "parameters.total", "parameters.active")


def read_config(path: Path) -> tuple[dict[str, Any], Converted]:
    """(parsed config, what it says). Raises MissingFile, or BadFile naming what was not understood."""
    path = path / "config.json" if path.is_dir() else path
    try:
        raw = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise MissingFile(path) from error
    except ValueError as error:
        raise BadFile(path, "file", str(error), "a Hugging Face config.json") from error
    if not isinstance(raw, dict):
        raise BadFile(path, "file", type(raw).__name__, "a Hugging Face config.json: an object")
    try:
        return raw, convert(raw)
    except NotUnderstood as error:
        raise BadFile(path, error.key, error.found, error.expected) from error
    except (KeyError, TypeError, ZeroDivisionError, IndexError, AttributeError) as error:
        raise BadFile(path, "config", f"{type(error).__name__}: {error}", "the keys of its family") from error


def id_of(raw: Mapping[str, Any], path: Path) -> str:
    """The model's id: the name in the config, else that of its file or folder. "" where neither says one."""
    folder = path.resolve().parent.name if path.stem == "config" else path.stem
    name = str(raw.get("_name_or_path") or "").rstrip("/").rpartition("/")[2] or folder
    return re.sub(r"[^a-z0-9.\-]+", "-", name.lower()).strip("-.")


def template(model_id: str, said: Converted, path: Path) -> str:
    """The text of a model's file. `path` is the config it was read from."""
    text = json.dumps
    missing = "".join(f"{_key(key)} = {text(_ASK)}\n" for key in _NOT_SAID)
    mtp = f"mtp_layers = {said.mtp_layers}\n" if said.mtp_layers else ""
    kept = ", ".join(f"{part} = {text(form)}" for part, form in said.kept_formats.items())
    computed = said.architecture
    return f"""\
# {model_id}: from its configuration. What a config does not say is under [missing]: move each out of it, with a source.
# By arithmetic: {computed.parameters:,} parameters, {computed.active_parameters:,} of them used by a token.

name = {text(model_id)}

[context]
value = {said.context_tokens}
unit = "token"
kind = "datasheet"
source = "config"

[dtypes]
native = {text(said.native_dtype)}
kept = {{{kept}}}
source = "config"

[architecture]
source = "config"
{mtp}{render(computed)}
[missing]
{missing}
[sources.config]
title = "config.json of {model_id}, model_type {said.model_type}"
publisher = "read from the local file {path.name}; name the page it came from"
url = ""
"""


def render(arch: Architecture) -> str:
    """The keys of an `[architecture]` table, one line a part of a layer group."""
    table = to_table(arch)
    groups = table.pop("layers")
    lines = [f"{key} = {_value(value)}" for key, value in table.items()]
    for group in groups:
        lines += ["[[architecture.layers]]", *(f"{key} = {_value(value)}" for key, value in group.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool | str):
        return json.dumps(value)
    return repr(value)


def _key(key: str) -> str:
    return f'"{key}"' if "." in key else key
