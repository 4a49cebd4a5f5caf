"""The fit of what a running engine makes of isolated kernels: published operating points -> deployment.toml.

Seven constants, the same for every chip, model and engine, so that a chip without measurements gets them too.
Rows are compared in log time; TPOT weighs 1 and TTFT, which varies several-fold with unpublished scheduling,
0.4. What remains is kept as two spreads, the widths between the 10 % and 90 % points of log error.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.discovery import CHIP, MODEL, find
from harness.errors import MissingFile, StacklineError, UserMistake
from harness.profiles import chip, model
from harness.results import write_whole
from harness.roofline import laws
from harness.roofline.point import Point, point
from harness.roofline.step import StepTime
from harness.stack import Stack
from harness.trace import COLLECTIVE_KINDS

START = {
    "work": 0.8,
    "fixed": 0.5,
    "step_s": 1e-3,
    "prefill_work": 1.0,
    "interleave": 1.0,
    "queue": 0.05,
    "network": 1.0,
}
# Physical bounds: an engine's step costs at least 0.2 ms of launch and sampling; scales stay within a factor 5.
BOUNDS = {name: (value / 5, value * 5) for name, value in START.items()} | {
    "step_s": (2e-4, 2e-2),
    "queue": (1e-3, 1.0),
}
TTFT_WEIGHT = 0.4
_COLUMNS = (
    "chip", "chips", "model", "weight_dtype", "tp", "pp", "ep", "dp", "isl", "osl", "concurrency", "ttft_ms", "tpot_ms",
    "disagg", "spec_decode", "engine", "date",
)  # fmt: skip


def fit_points(file: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> Path:
    """Fit on an operating-points table and write `deployment.toml`. Raises MissingFile or UserMistake."""
    rows = _usable(file)
    parts = [p for p in (_parts(row) for row in rows.itertuples()) if p is not None]
    if len(parts) < 50:
        raise UserMistake(f"{file}: {len(parts)} rows can be modelled; a fit needs 50")
    table = {k: np.array([p[k] for p in parts]) for k in parts[0]}
    constants, report = _fit(table)
    say(report)
    target = out / "deployment.toml"
    write_whole(target, _toml(file, constants, report))
    return target


def _usable(file: Path):
    import pandas as pd

    if not file.exists():
        raise MissingFile(file, "operating-points file")
    frame = pd.read_csv(file, low_memory=False)
    if missing := set(_COLUMNS) - set(frame.columns):
        raise UserMistake(f"{file}: no column {min(missing)}")
    known = frame["chip"].isin(find(CHIP)) & frame["model"].isin(find(MODEL))
    given = frame[["isl", "osl", "concurrency", "ttft_ms", "tpot_ms"]].notna().all(axis=1)
    plain = (frame["disagg"].fillna(0) == 0) & frame["spec_decode"].isna()
    single = (frame[["pp", "ep", "dp"]].fillna(1) <= 1).all(axis=1)
    frame = frame[known & given & plain & single & (frame["tp"].notna() | (frame["chips"] <= 8))]
    return frame.drop_duplicates(subset=list(_COLUMNS))


def _parts(row) -> dict[str, float] | None:
    """The isolated times of one row's steps, by the constant that scales them. None where it is refused."""
    options = {} if np.isnan(row.tp) else {"tp": str(int(row.tp))}
    stack = Stack(
        row.model,
        row.weight_dtype if isinstance(row.weight_dtype, str) else "",
        row.chip,
        int(row.chips),
        options,
    )
    try:
        p: Point = point(stack, model(row.model), chip(row.chip), row.isl, row.osl, int(row.concurrency), n=16)
    except StacklineError:
        return None
    if p.notes.get("batch"):  # memory holds fewer than asked: the row's TTFT is queueing
        return None
    decode, prefill = _sums(p.decode), _sums(p.prefill)
    return {
        **{f"decode_{k}": v for k, v in decode.items()},
        **{f"prefill_{k}": v for k, v in prefill.items()},
        "batch": p.batch, "osl": row.osl, "tpot": row.tpot_ms / 1e3, "ttft": row.ttft_ms / 1e3,
    }  # fmt: skip


def _sums(step: StepTime) -> dict[str, float]:
    out = {"work": 0.0, "fixed": 0.0, "network": 0.0}
    for op, count, time in (one for listed in step.operators.values() for one in listed):
        work, fixed = float(np.median(time.work_s)) * count, float(np.median(time.fixed_s)) * count
        if op.kind in COLLECTIVE_KINDS:
            out["network"] += work + fixed
        else:
            out["work"] += work
            out["fixed"] += fixed
    return out


def _predict(c: dict[str, float], t: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(TTFT, TPOT) of every row under constants c: the equations of point.py on the rows' sums."""
    decode = (
        c["work"] * t["decode_work"] + c["fixed"] * t["decode_fixed"] + c["network"] * t["decode_network"] + c["step_s"]
    )
    prefill = (
        c["prefill_work"] * t["prefill_work"] + c["fixed"] * t["prefill_fixed"] + c["network"] * t["prefill_network"]
    ) + c["step_s"]
    others = t["batch"] - 1
    tpot = decode + c["interleave"] * others * prefill / t["osl"]
    return prefill + 0.5 * decode * (others > 0) + c["queue"] * others * prefill, tpot


def _fit(t: dict[str, np.ndarray]) -> tuple[dict[str, float], str]:
    from scipy.optimize import least_squares

    names = list(START)

    def errors(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ttft, tpot = _predict(dict(zip(names, np.exp(p), strict=True)), t)
        return np.log(ttft / t["ttft"]), np.log(tpot / t["tpot"])

    def cost(p: np.ndarray) -> np.ndarray:
        ttft, tpot = errors(p)
        return np.concatenate([tpot, TTFT_WEIGHT * ttft])

    bounds = tuple(np.log([BOUNDS[name][side] for name in names]) for side in (0, 1))
    best = least_squares(cost, np.log(list(START.values())), bounds=bounds, loss="soft_l1", f_scale=0.2).x
    ttft, tpot = errors(best)
    constants = dict(zip(names, (float(v) for v in np.exp(best)), strict=True))
    constants |= {"sigma_tpot": _spread(tpot), "sigma_ttft": _spread(ttft)}
    miss = [np.abs(np.exp(e) - 1) for e in (tpot, ttft)]
    report = (
        f"{len(tpot)} rows, in sample: TPOT MAPE {miss[0].mean():.1%}, median {np.median(miss[0]):.1%}; "
        f"TTFT MAPE {miss[1].mean():.1%}, median {np.median(miss[1]):.1%}"
    )
    return constants, report


def _spread(log_error: np.ndarray) -> float:
    low, high = np.quantile(log_error, (0.1, 0.9))
    return float(high - low) / 2 / 1.2816


def _toml(file: Path, constants: dict[str, float], report: str) -> str:
    import tomli_w

    source = {
        "id": "fit-deployment",
        "title": f"Stackline's fit of published operating points ({file.name}): {report}",
        "publisher": "Stackline, from InferenceX runs and NVIDIA aiconfigurator's published measurements",
        "url": "https://github.com/ai-dynamo/aiconfigurator",
        "retrieved": datetime.date.today().isoformat(),
    }
    rounded = {k: float(f"{v:.4g}") for k, v in constants.items()}
    assert set(rounded) == set(laws.Deployment.__dataclass_fields__)
    return "# Written by `stackline calibrate --points`; do not edit.\n" + tomli_w.dumps(
        {"source": source, "constants": rounded}
    )
