"""The constants of the kernel laws: what every class has, as draws, and the files they come from.

`shapes.py` and `links.py` say what the constants mean; t0_s, e_bw and e_fl alone make the plain law
t0 + max(bytes / (e_bw * bandwidth), flops / (e_fl * peak)).

`constants/*.toml` are written by the fit (`stackline calibrate`), one file a kernel class family, with the
data, date and error of the fit. A chip with measured kernels uses its own constants; any other draws each
constant from the spread over the measured ones, which is what its interval is made of. Constants that no
measurement here gives are in `constants/assumed.toml`, each with its range and reason.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from harness.errors import BadFile
from harness.quantity import Cited

FOLDER = Path(__file__).parent / "constants"
PARTS = ("t0_s", "e_bw", "e_fl")


@dataclass(frozen=True)
class Law:
    """Draws of a kernel class's constants on one chip, [n] each, and whether they were measured on it."""

    t0_s: np.ndarray
    e_bw: np.ndarray
    e_fl: np.ndarray
    measured_on_chip: bool


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


@cache
def law(name: str, chip_id: str, n: int, seed: int) -> Law:
    """The law of a kernel class on a chip, as draws."""
    table = tables()[name]
    own = table.get("chips", {}).get(chip_id)
    draws = {}
    for part in PARTS:
        if part not in table["prior"]:
            draws[part] = np.full(n, np.nan)  # a collective does no arithmetic
        elif own is not None:
            draws[part] = np.full(n, own[part])
        else:
            draws[part] = _prior(name, part, chip_id).sample(n, seed)
            if part != "t0_s":
                draws[part] = np.minimum(draws[part], 1.0)  # an efficiency is a share of the peak
    return Law(**draws, measured_on_chip=own is not None)


def _prior(name: str, part: str, chip_id: str) -> Cited:
    """A constant of a chip without measurements: its id names the chip, since chips differ independently."""
    value, low, high = tables()[name]["prior"][part]
    source = tables()[name]["source"]
    return Cited(f"constant/{chip_id}/{name}/{part}", value, low, high, "ratio", "derived", source, "1")


def assumed(name: str) -> Cited:
    """An assumed constant of `constants/assumed.toml` (time in seconds, or a ratio)."""
    return _assumed()[name]


@cache
def assumed_draws(name: str, n: int, seed: int) -> np.ndarray:
    """Draws [n] of an assumed constant: the same for every chip, so they cancel in a ratio."""
    return assumed(name).sample(n, seed)


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


@dataclass(frozen=True)
class Deployment:
    """What a running engine makes of single kernels' times, fitted on published operating points.

    work and prefill_work scale the memory or compute time of decode and prefill kernels, fixed their t0,
    network the collectives; step_s is the engine's own time a step; interleave is the share of the other
    requests' prefills that a decoding one waits for; queue the share of a batch's prefills that an arriving
    one waits for. sigma_tpot and sigma_ttft are the spread of log(predicted / measured) that remains.
    """

    work: float
    fixed: float
    step_s: float
    prefill_work: float
    interleave: float
    queue: float
    network: float
    sigma_tpot: float
    sigma_ttft: float


@cache
def deployment() -> Deployment:
    """The fitted deployment constants of `constants/deployment.toml`."""
    data = tomllib.loads((FOLDER / "deployment.toml").read_text("utf-8"))
    return Deployment(**data["constants"])


def residual(figure: str, sigma: float, chip_id: str, model_id: str, n: int, seed: int) -> np.ndarray:
    """Draws of measured / predicted for a figure of a model on a chip: what the model of time leaves unexplained."""
    spread = float(np.exp(1.645 * sigma))
    cited = Cited(f"residual/{figure}/{chip_id}/{model_id}", 1.0, 1 / spread, spread, "ratio", "derived",
                  "fit-deployment", "1")  # fmt: skip
    return cited.sample(n, seed)


@cache
def constant_sources() -> dict[str, dict[str, str]]:
    """{source id: {title, publisher, url, ...}} of every constants file, for the manifest."""
    out = {}
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        if "source" in data:
            out[data["source"]["id"]] = {k: str(v) for k, v in data["source"].items() if k != "id"}
    return out
