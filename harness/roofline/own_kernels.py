"""A chip's owner narrows its kernel laws: measured kernel times of one chip -> constants of the user's own.

Bayesian update in the constants' logarithms. The prior of a class is that of one more chip (`priors.py`), normal with
the spread over chips. Each kernel says log(measured / law) with the scatter that the law leaves on measured chips. The
centre is the most probable point (least squares with the prior's pulls, soft-L1 as in `fit_law.py`); the width is the
normal one there, Sigma^-1 = prior^-1 + (information^-1 + MISFIT^2)^-1: a law is not exact, so no number of kernels
tells its constants better than MISFIT. More kernels never widen it, none leave the prior as it is.
Every fifth kernel of a class, drawn by a seed, is kept out and tells what the update is worth. Shipped constants are
not changed. Left out: what one class says of another (its width, the same chip).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import UserMistake
from harness.profiles import chip
from harness.results import write_whole
from harness.roofline import laws, priors
from harness.roofline.fit import FAMILIES
from harness.roofline.fit_kernels import COMPUTE, DTYPES, Kernels, Messages
from harness.roofline.fit_law import RANGES, errors
from harness.roofline.hardware import Hardware

if TYPE_CHECKING:
    import pandas as pd

MIN_KERNELS = 5
# What a law's own misfit leaves of each constant's logarithm, however many kernels there are. Assumed.
MISFIT = 0.02
_KEPT_OUT, _Z95, _STEP = 5, 1.6449, 1e-4
# The columns of each family's kernels; a file is told by them.
COLUMNS = {
    "gemm": ("gemm_dtype", "m", "n", "k"),
    "attention_prefill": ("isl", "batch_size", "num_heads", "num_key_value_heads", "head_dim", "kv_cache_dtype"),
    "attention_decode": ("kv_len", "batch_size", "num_heads", "num_key_value_heads", "head_dim", "kv_cache_dtype"),
    "moe": ("moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size",
            "moe_ep_size", "distribution", "kernel_source"),
    "collectives": ("op_name", "num_gpus", "message_size", "nccl_dtype", "kernel_source"),
}  # fmt: skip
_EVERY = ("chip", "time_us")
_WORDS = frozenset({"chip", "gemm_dtype", "kv_cache_dtype", "moe_dtype", "distribution", "kernel_source", "op_name",
                    "nccl_dtype"})  # fmt: skip


@dataclass(frozen=True)
class Narrowed:
    """What an update did to a class: its constants before and after, {constant: [centre, 5 %, 95 %]}, the kernels used
    and kept out, and the median |error| on those kept out with what predictions take today and with the update.
    """

    prior: Mapping[str, list[float]]
    constants: Mapping[str, list[float]]
    used: int
    kept_out: int
    before: float
    after: float


def family_of(columns: object) -> str | None:
    """The family whose kernels a table with these columns holds; None where it holds no kernel times."""
    names = set(columns)
    if not set(_EVERY) <= names:
        return None
    return next((family for family, needed in COLUMNS.items() if set(needed) <= names), None)


def narrow(frame: pd.DataFrame, chip_id: str, seed: int = 0) -> dict[str, Narrowed]:
    """Update every kernel class that a chip's rows measure. frame: the columns of one family, as texts or numbers.

    Raises UserMistake for a value that is none, or where no class has five kernels of the chip.
    """
    family = family_of(frame.columns)
    mine = _checked(frame[frame["chip"] == chip_id].reset_index(drop=True), family)
    hardware, out = Hardware.of([chip(chip_id)]), {}
    if len(mine):
        _check_peaks(mine, family, chip_id)
    for name, _, rows in FAMILIES[family](mine) if len(mine) else ():
        if name not in laws.tables():
            raise UserMistake(f"no law was fitted for {name}: leave its kernels out")
        if len(rows.time_s) >= MIN_KERNELS:
            today = {p: float(v[0]) for p, v in hardware.law(name).items()}
            out[name] = _narrowed(name, rows, today, seed)
    if not out:
        raise UserMistake(f"{len(mine)} kernels of {chip_id}; an update of a class needs {MIN_KERNELS}")
    return out


def update(
    prior: Mapping[str, list[float]], rows: Kernels | Messages, scatter: float, misfit: float = MISFIT
) -> dict[str, list[float]]:
    """{constant: [centre, 5 %, 95 %]} of a class, from those of the prior and rows whose law scatters by `scatter`.

    scatter: standard deviation of log(measured / law). Raises UserMistake without scipy.
    """
    names, centre, spread = _normal(prior)
    if not len(rows.time_s):
        return {p: list(v) for p, v in prior.items()}
    found = _most_probable(names, centre, spread, rows, scatter)
    width = widths(information(names, found, rows, scatter), spread, misfit)
    return {p: _around(p, c, w) for p, c, w in zip(names, found, width, strict=True)}


def information(names: list[str], at: np.ndarray, rows: Kernels | Messages, scatter: float) -> np.ndarray:
    """What rows say of the constants' logarithms, at a point [constants]: a matrix that adds up over rows."""
    slopes = []
    for i in range(len(at)):
        sides = [np.log(rows.predict(_constants(names, at + s * _STEP * np.eye(len(at))[i]))) for s in (1, -1)]
        slopes.append((sides[0] - sides[1]) / (2 * _STEP))
    return np.array(slopes) @ np.array(slopes).T / scatter**2


def widths(told: np.ndarray, spread: np.ndarray, misfit: float = MISFIT) -> np.ndarray:
    """Standard deviation of each constant's logarithm after rows have told so much, before them `spread`.

    x -> x / (1 + misfit^2 x) of a matrix keeps its order, so that more rows never widen (Loewner 1934).
    """
    value, vector = np.linalg.eigh(told)
    value = np.maximum(value, 0.0)
    believed = vector @ np.diag(value / (1 + misfit**2 * value)) @ vector.T
    return np.sqrt(np.diag(np.linalg.inv(np.diag(spread**-2.0) + believed)))


def write(found: Mapping[str, Narrowed], chip_id: str, source: str, out: Path) -> None:
    """The user's file: read by `predict --constants`."""
    import tomli_w

    table = {
        name: {"kernels": n.used, "kept_out": n.kept_out, "error_before": float(f"{n.before:.4g}"),
               "error_after": float(f"{n.after:.4g}"), "constants": dict(n.constants), "prior": dict(n.prior)}
        for name, n in found.items()
    }  # fmt: skip
    said = "constants of kernel laws, [centre, 5 %, 95 %]"
    head = f"# Written by `stackline calibrate {source} --chip {chip_id}`: {said}.\n"
    write_whole(out, head + tomli_w.dumps({"kernels": {chip_id: table}}))


def _narrowed(name: str, rows: Kernels | Messages, today: Mapping[str, float], seed: int) -> Narrowed:
    n = len(rows.time_s)
    kept = np.zeros(n, bool)
    kept[np.random.default_rng(seed).permutation(n)[: max(1, n // _KEPT_OUT)]] = True
    prior = priors.prior_of(laws.tables(), name)
    found = update(prior, rows.part(~kept), float(laws.tables()[name]["sigma"]))
    after = {p: v[0] for p, v in found.items()}
    misses = [errors(rows.part(kept), c)[0] for c in (today, after)]
    return Narrowed(prior, found, int((~kept).sum()), int(kept.sum()), *misses)


def _normal(prior: Mapping[str, list[float]]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(names, centres, standard deviations) of a prior's logarithms; the lower side tells, shares end at 1."""
    centre = np.log([v[0] for v in prior.values()])
    return list(prior), centre, (centre - np.log([v[1] for v in prior.values()])) / _Z95


def _most_probable(
    names: list[str], centre: np.ndarray, spread: np.ndarray, rows: Kernels | Messages, scatter: float
) -> np.ndarray:
    try:
        from scipy.optimize import least_squares
    except ImportError as error:
        raise UserMistake("the update needs scipy: pip install 'stackline[calibrate]'") from error
    measured = np.log(rows.time_s)
    bounds = tuple(np.log([RANGES[p][i] for p in names]) for i in (0, 1))

    def cost(at: np.ndarray) -> np.ndarray:
        missed = (np.log(rows.predict(_constants(names, at))) - measured) / scatter
        return np.concatenate([missed, (at - centre) / spread])

    # From the prior, and from the fit's own start: a constant that the prior holds for nothing has no slope there.
    starts = (centre, np.log([RANGES[p][2] for p in names]))
    tries = [
        least_squares(cost, np.clip(start, bounds[0] + 1e-6, bounds[1] - 1e-6), bounds=bounds, loss="soft_l1")
        for start in starts
    ]
    return min(tries, key=lambda found: found.cost).x


def _constants(names: list[str], logs: np.ndarray) -> dict[str, float]:
    return dict(zip(names, np.exp(logs).tolist(), strict=True))


def _around(part: str, centre: float, width: float) -> list[float]:
    highest = 0.0 if part in priors.SHARES else np.inf
    ends = (centre, centre - _Z95 * width, min(centre + _Z95 * width, highest))
    return [float(f"{np.exp(v):.5g}") for v in ends]


def _checked(frame: pd.DataFrame, family: str) -> pd.DataFrame:
    """The columns of a family: positive numbers and known formats. Raises UserMistake with the row (from 1)."""
    import pandas as pd

    out = {}
    for name in (*_EVERY, *COLUMNS[family]):
        if name in _WORDS:
            out[name] = frame[name].astype(object).where(frame[name].notna(), None)
            continue
        out[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
        if (bad := ~(out[name] > 0)).any():
            first = bad.idxmax()
            raise UserMistake(
                f"kernel {first + 1} of the chip: {name}: found {frame[name][first]}, expected more than 0"
            )
    for name in (n for n in COLUMNS[family] if n.endswith("_dtype") and n != "nccl_dtype"):
        if unknown := sorted(set(map(str, out[name])) - set(DTYPES)):
            raise UserMistake(f"{name}: found {unknown[0]!r}, expected one of {', '.join(DTYPES)}")
    return pd.DataFrame(out)


def _check_peaks(frame: pd.DataFrame, family: str, chip_id: str) -> None:
    """What the laws take from the chip's profile. Raises UserMistake where it is absent."""
    profile = chip(chip_id)
    needed = ["scaleup.bandwidth"] if family == "collectives" else ["memory.bandwidth"]
    dtypes = [n for n in COLUMNS[family] if n.endswith("_dtype") and n != "nccl_dtype"]
    formats = (
        {COMPUTE.get(d, DTYPES[d]) for n in dtypes for d in frame[n]} if family != "attention_decode" else {"bf16"}
    )
    needed += [profile.peak_key(dtype) or f"compute.{dtype}" for dtype in sorted(formats)]
    for key in needed:
        if not profile.has(key):
            raise UserMistake(f"{profile.name} has no {key}: {profile.missing.get(key, 'not in the profile')}")
