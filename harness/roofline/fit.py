"""The fit of kernel and collective laws: measured times -> `constants/*.toml`, with data, date and error.

Input is a folder with `gemm.csv.gz`, `attention_prefill.csv.gz`, `attention_decode.csv.gz`, `moe.csv.gz` and
`collectives.csv.gz` (`fit_kernels.py` says how they are read). Each class and chip gets its own constants
(`fit_law.py`); the prior of a chip without measurements is the spread over chips (`priors.py`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import MissingFile, UserMistake
from harness.results import write_whole
from harness.roofline import fit_kernels
from harness.roofline.fit_law import Fit, errors, fit_law
from harness.roofline.priors import prior_of

if TYPE_CHECKING:
    import pandas as pd

MIN_ROWS = 50
FAMILIES: dict[str, Callable[[Any], Any]] = {
    "gemm": fit_kernels.gemm,
    "attention_prefill": fit_kernels.attention_prefill,
    "attention_decode": fit_kernels.attention_decode,
    "moe": fit_kernels.moe,
    "collectives": fit_kernels.collectives,
}


def fit_folder(folder: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Fit every class and write the constants files. Raises MissingFile or UserMistake."""
    written = []
    for family, prepare in FAMILIES.items():
        path = folder / f"{family}.csv.gz"
        if not path.exists():
            raise MissingFile(path, "kernel file")
        tables = fit_family(read(path), prepare, say)
        target = out / f"{family}.toml"
        write_whole(target, _toml(family, path, tables))
        written.append(target)
    return written


def read(path: Path) -> pd.DataFrame:
    """A file of measured kernels. Raises UserMistake where it lacks the columns that all have."""
    import pandas as pd

    frame = pd.read_csv(path)
    if missing := {"chip", "time_us"} - set(frame.columns):
        raise UserMistake(f"{path}: no column {min(missing)}")
    return frame


def fit_family(frame: pd.DataFrame, prepare: Callable, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """{class: {"sigma", "prior", "chips"}} of a family, as a constants file has them."""
    fits: dict[str, dict[str, Fit]] = {}
    for name, chip_id, rows in prepare(frame):
        if len(rows.time_s) < MIN_ROWS:
            continue
        fit = fits.setdefault(name, {})[chip_id] = fit_law(rows)
        shown = "  ".join(f"{part} {value:.3g}" for part, value in fit.constants.items())
        say(f"{name:24s} {chip_id:14s} {shown}  median error {fit.median_error:.1%}  n {fit.rows}")
    tables = {name: {"chips": {c: f.row() for c, f in by_chip.items()}} for name, by_chip in sorted(fits.items())}
    sigmas = {name: float(np.mean([f.sigma for f in by_chip.values()])) for name, by_chip in fits.items()}
    return {
        name: {"sigma": float(f"{sigmas[name]:.5g}"), "prior": prior_of(tables, name), **table}
        for name, table in tables.items()
    }


def held_out_errors(
    frame: pd.DataFrame, prepare: Callable, tables: dict[str, Any]
) -> dict[tuple[str, str], tuple[float, float]]:
    """{(class, chip): (median, mean) error} of each chip under the prior's centre from the other chips.

    A chip that is the only one of its class is predicted by the nearest class of the others.
    """
    found = {}
    for name, chip_id, rows in prepare(frame):
        if chip_id in tables.get(name, {}).get("chips", {}):
            prior = prior_of(tables, name, [chip_id])
            found[name, chip_id] = errors(rows, {part: points[0] for part, points in prior.items()})
    return found


def _toml(family: str, path: Path, tables: dict[str, Any]) -> str:
    import tomli_w

    source = {
        "id": f"fit-{family.replace('_', '-')}",
        "title": f"Stackline's fit of {path.name} (measured kernel times, aiconfigurator-core 0.12.0 data, Apache-2.0)",
        "publisher": "Stackline, from NVIDIA aiconfigurator's kernel data",
        "url": "https://github.com/ai-dynamo/aiconfigurator",
        "retrieved": datetime.date.today().isoformat(),
        "note": "constants as in shapes.py and links.py: *_s in seconds, the others dimensionless; "
        "prior = [median, 5 %, 95 %] over chips",
    }
    return "# Written by `stackline calibrate --kernels`; do not edit.\n" + tomli_w.dumps(
        {"source": source, "laws": tables}
    )
