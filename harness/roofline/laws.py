"""The files of constants: the kernel laws' (`shapes.py` and `links.py` say what they mean) and the assumed ones.

`constants/*.toml` are written by the fit (`stackline calibrate`), one file a kernel class family, with the
data, date and error of the fit. A chip with measured kernels uses its own constants; any other takes the centre of
the spread over the measured ones. Constants that no measurement here gives are in `constants/assumed.toml`, each
with its range and reason.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from harness.errors import BadFile
from harness.quantity import Cited

FOLDER = Path(__file__).parent / "constants"


@cache
def tables() -> dict[str, dict]:
    """{class: {"prior": {...}, "chips": {chip: {...}}}} over all constants files."""
    out: dict[str, dict] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        for name, table in data.get("laws", {}).items():
            if name in out:
                raise BadFile(path, f"laws.{name}", "a second time", "one file a kernel class")
            out[name] = {**table, "source": data["source"]["id"]}
    return out


def assumed(name: str) -> Cited:
    """An assumed constant of `constants/assumed.toml` (time in seconds, or a ratio)."""
    return _assumed()[name]


@cache
def _assumed() -> dict[str, Cited]:
    path = FOLDER / "assumed.toml"
    data = tomllib.loads(path.read_text("utf-8"))["constants"]
    return {
        name: Cited(
            f"constant/{name}",
            t["value"],
            t["low"],
            t["high"],
            "ratio",
            t["kind"],
            t["source"],
            t["unit"],
            t["reason"],
        )
        for name, t in data.items()
    }


@cache
def constant_sources() -> dict[str, dict[str, str]]:
    """{source id: {title, publisher, url, ...}} of every constants file, for the manifest."""
    out = {}
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        if "source" in data:
            out[data["source"]["id"]] = {k: str(v) for k, v in data["source"].items() if k != "id"}
    return out
