"""The fitted constants of a deployment as a value: scales, the errors that remained, and what was left out.

`constants/deployment.toml` holds one set fitted on all rows and one for every chip, family and model left out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from harness.errors import BadFile, MissingFile
from harness.roofline import laws
from harness.roofline.hardware import WELL_KNOWN

TARGETS = ("tpot", "ttft", "throughput")
# How far a row is from what was fitted, by its chip's software: NVIDIA's, AMD's, any other; and rows whose layout the
# words of the deployment do not say (`layouts.Placement.split`).
DISTANCES = (*WELL_KNOWN, "other", "inferred")


@dataclass(frozen=True)
class Own:
    """What a chip's owner measured of one figure: measured over modelled, and log 10 % and 90 % points around it."""

    factor: float
    q10: float
    q90: float


@dataclass(frozen=True)
class Constants:
    """Scales by name; `errors`: {"tpot.cuda": (q10, q90)} of log(measured / predicted).

    The errors are those of chips that were left out of their fits; a chip left out here is not among them.
    """

    scales: Mapping[str, float]
    errors: Mapping[str, tuple[float, float]]
    left_out: frozenset[str] = field(default_factory=frozenset)  # chips whose measured kernels do not count
    own: Mapping[str, Mapping[str, Own]] = field(default_factory=dict)  # a user's, by chip and target
    # A user's kernel laws: chip -> class -> constant.
    own_laws: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)


def load() -> Constants:
    """The shipped constants, fitted on all rows."""
    return _constants(_table()["all"], frozenset())


def left_out(by: str, name: str) -> Constants | None:
    """The shipped constants fitted without a chip, family or model; None where it was in no fit."""
    found = _table().get(by, {}).get(name)
    return None if found is None else _constants(found, frozenset(found["chips"]))


def load_own(path: Path) -> Constants:
    """The shipped constants with a user's own file over them: factors on figures (`own`) or kernel laws (`kernels`).

    Raises MissingFile or BadFile.
    """
    try:
        table = read(path)
        if len({"own", "kernels"} & set(table)) != 1:
            raise KeyError("one table of factors (own) or of kernels (kernels); each was found without the other")
        own = {
            chip_id: {t: Own(float(v["factor"]), float(v["q10"]), float(v["q90"])) for t, v in by.items()}
            for chip_id, by in table.get("own", {}).items()
        }
        kernels = {
            chip_id: {name: {p: float(v[0]) for p, v in found["constants"].items()} for name, found in by.items()}
            for chip_id, by in table.get("kernels", {}).items()
        }
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadFile(path, "own", str(error), "what `stackline calibrate FILE --chip ID -o` wrote") from error
    good = all(o.factor > 0 and o.q10 <= 0 <= o.q90 for by in own.values() for o in by.values())
    if not good or any(t not in TARGETS for by in own.values() for t in by):
        raise BadFile(path, "own", "a figure or factor", f"one of {', '.join(TARGETS)}, factor > 0, q10 <= 0 <= q90")
    for name, found in ((name, found) for by in kernels.values() for name, found in by.items()):
        parts = laws.tables().get(name, {}).get("prior", {})
        if set(found) != set(parts) or not all(0 < v < np.inf for v in found.values()):
            raise BadFile(path, f"kernels.{name}", sorted(found), f"positive {', '.join(parts) or 'of a known class'}")
    return replace(load(), own=own, own_laws=kernels)


def _constants(table: Mapping, chips: frozenset[str]) -> Constants:
    return Constants(table["scales"], {k: tuple(v) for k, v in table["errors"].items()}, chips)


@cache
def _table() -> dict:
    return read(laws.FOLDER / "deployment.toml")


def read(path: Path) -> dict:
    """A file that the fit wrote. Raises MissingFile."""
    if not path.exists():
        raise MissingFile(path, "file of fitted constants")
    return tomllib.loads(path.read_text("utf-8"))
