"""The fit of kernel laws: measured kernel times -> `constants/*.toml`, with data, date and error.

Input is a folder with `gemm.csv.gz`, `attention_prefill.csv.gz`, `attention_decode.csv.gz`, `moe.csv.gz` and
`collectives.csv.gz` (columns as in NVIDIA aiconfigurator's published kernel data: shapes, dtype, `time_us`,
`chip`). Each class and chip gets t0, e_bw, e_fl by least squares of log time with a soft-L1 loss, so that a
few odd kernels do not bend the law; the prior of a chip without measurements is the spread over chips.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import MissingFile, UserMistake
from harness.profiles import chip as load_chip
from harness.results import write_whole
from harness.trace import BYTES

if TYPE_CHECKING:
    import pandas as pd

# The data's dtype names -> ours. Block-scaled fp8 and plain fp8 are one class: which an engine uses varies.
DTYPES = {"bfloat16": "bf16", "fp8": "fp8", "fp8_block": "fp8", "nvfp4": "nvfp4", "w4a16_mxfp4": "mxfp4",
          "w4a8_mxfp4_mxfp8": "mxfp4"}  # fmt: skip
# Formats of the activations that a weight format's product runs in.
COMPUTE = {"w4a16_mxfp4": "bf16", "w4a8_mxfp4_mxfp8": "fp8"}
MIN_ROWS = 50
STARTS = ((5e-6, 0.6, 0.6), (2e-6, 0.8, 0.4), (2e-5, 0.4, 0.7))
# Bounds of (t0 s, e_bw, e_fl): an efficiency above 1 would be a wrong byte or FLOP count.
BOUNDS = ((1e-7, 0.02, 0.02), (1e-3, 1.0, 1.0))
# An efficiency that decides fewer than this share of the kernels is not identified by them: the nominal one stands
# in its place, in the chip's law and in the prior alike (both are 0.5: half of the peak, as likely too high as low).
IDENTIFIED, NOMINAL = 0.03, 0.5


@dataclass(frozen=True)
class Fit:
    """Constants of one class on one chip, and how well they fit."""

    t0_s: float
    e_bw: float
    e_fl: float
    sigma: float  # standard deviation of log(predicted / measured)
    median_error: float
    mape: float
    rows: int


def fit_folder(folder: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Fit every class and write the constants files. Raises MissingFile or UserMistake."""
    written = []
    for family, (file, prepare) in FAMILIES.items():
        path = folder / f"{file}.csv.gz"
        if not path.exists():
            raise MissingFile(path, "kernel file")
        fits = _fit_family(_read(path), prepare, say)
        target = out / f"{family}.toml"
        write_whole(target, _toml(family, path, fits))
        written.append(target)
    return written


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_csv(path)
    if missing := {"chip", "time_us"} - set(frame.columns):
        raise UserMistake(f"{path}: no column {min(missing)}")
    return frame


def _fit_family(frame: pd.DataFrame, prepare, say) -> dict[str, dict[str, Fit]]:
    """{class: {chip: Fit}}."""
    fits: dict[str, dict[str, Fit]] = {}
    for (chip_id, name), (mem_s, math_s, time_s) in prepare(frame).items():
        if len(time_s) < MIN_ROWS:
            continue
        fit = fit_law(mem_s, math_s, time_s)
        fits.setdefault(name, {})[chip_id] = fit
        say(f"{name:26s} {chip_id:14s} t0 {fit.t0_s * 1e6:6.1f} us  e_bw {fit.e_bw:.2f}  e_fl {fit.e_fl:.2f}  "
            f"median error {fit.median_error:.1%}  n {fit.rows}")  # fmt: skip
    return fits


def fit_law(mem_s: np.ndarray, math_s: np.ndarray, time_s: np.ndarray) -> Fit:
    """t0 + max(mem / e_bw, math / e_fl) fitted to measured times (s); mem and math are times at full peak."""
    try:
        from scipy.optimize import least_squares
    except ImportError as error:
        raise UserMistake("the fit needs scipy: pip install 'stackline[calibrate]'") from error
    y = np.log(time_s)
    bounds = tuple(np.log(b) for b in BOUNDS)

    def residual(p: np.ndarray) -> np.ndarray:
        t0, e_bw, e_fl = np.exp(p)
        return np.log(t0 + np.maximum(mem_s / e_bw, math_s / e_fl)) - y

    tries = [least_squares(residual, np.log(s), bounds=bounds, loss="soft_l1", f_scale=0.1) for s in STARTS]
    best = min(tries, key=lambda r: r.cost).x
    t0, e_bw, e_fl = np.exp(best)
    by_math = float(np.mean(math_s / e_fl > mem_s / e_bw))
    error = residual(best)
    miss = np.abs(np.exp(error) - 1)
    return Fit(
        float(t0),
        float(e_bw) if 1 - by_math >= IDENTIFIED else NOMINAL,
        float(e_fl) if by_math >= IDENTIFIED else NOMINAL,
        float(error.std()), float(np.median(miss)), float(miss.mean()), len(time_s),
    )  # fmt: skip


def _peaks(frame: pd.DataFrame, dtypes: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """(bandwidth, dense peak) of each row from the chips' profiles."""
    chips = {c: load_chip(c) for c in frame["chip"].unique()}
    bandwidth = frame["chip"].map({c: p.get("memory.bandwidth").point for c, p in chips.items()})
    pairs = {(c, d) for c, d in zip(frame["chip"], dtypes, strict=True)}
    peak = {(c, d): chips[c].get(chips[c].peak_key(d)).point for c, d in pairs}
    return bandwidth.to_numpy(float), np.array([peak[k] for k in zip(frame["chip"], dtypes, strict=True)])


def _groups(frame: pd.DataFrame, names: pd.Series, bytes_, flops, dtypes) -> dict:
    """{(chip, class): (bytes / bandwidth, flops / peak, measured seconds)}."""
    bandwidth, peak = _peaks(frame, dtypes)
    mem, math, time = (
        np.asarray(bytes_) / bandwidth,
        np.asarray(flops) / peak,
        frame["time_us"].to_numpy() * 1e-6,
    )
    out = {}
    for key, rows in frame.groupby([frame["chip"], names]).indices.items():
        out[key] = (mem[rows], math[rows], time[rows])
    return out


def _gemm(frame: pd.DataFrame) -> dict:
    dtype = frame["gemm_dtype"].map(DTYPES)
    width = dtype.map(BYTES)
    m, n, k = (frame[c].astype(float) for c in "mnk")
    return _groups(frame, "gemm." + dtype, width * (n * k + m * k) + 2 * m * n, 2 * m * n * k, dtype)


def _attention(frame: pd.DataFrame, phase: str) -> dict:
    kv = frame["kv_cache_dtype"].map(DTYPES)
    batch, heads, kv_heads, dim = (
        frame[c].astype(float) for c in ("batch_size", "num_heads", "num_key_value_heads", "head_dim")
    )
    if phase == "prefill":
        compute = frame["attn_dtype"].map(DTYPES)
        length, pairs = (
            frame["isl"].astype(float),
            frame["isl"].astype(float) ** 2 / 2,
        )  # causal: half the square
        rows, names = batch * length, "attention_prefill." + compute
    else:
        compute = kv.map(lambda _: "bf16")  # the cache is widened on the way in
        length = pairs = frame["kv_len"].astype(float)
        rows, names = batch, "attention_decode." + kv
    moved = kv.map(BYTES) * batch * length * 2 * kv_heads * dim + 2 * rows * heads * dim * 2
    return _groups(frame, names, moved, 4 * batch * heads * dim * pairs, compute)


def _has_4_bit_units(chip_id: str) -> bool:
    return bool({"compute.fp4", "compute.nvfp4", "compute.mxfp4"} & set(load_chip(chip_id).values))


def _moe(frame: pd.DataFrame) -> dict:
    """Gated experts under the measured routings; experts touched as under uniform routing.

    Left out: 4-bit weights with 16-bit activations on a chip with 4-bit units, a path its engines do not take.
    """
    wide = frame["moe_dtype"].eq("w4a16_mxfp4") & frame["chip"].map(_has_4_bit_units)
    frame = frame[~frame["kernel_source"].str.contains("nongated") & ~wide].reset_index(drop=True)
    dtype = frame["moe_dtype"].map(DTYPES)
    compute = frame["moe_dtype"].map(lambda d: COMPUTE.get(d, DTYPES[d]))
    tokens, hidden, experts, topk = (
        frame[c].astype(float) for c in ("num_tokens", "hidden_size", "num_experts", "topk")
    )
    width, local = frame["inter_size"] / frame["moe_tp_size"], experts / frame["moe_ep_size"]
    rows = tokens * topk / frame["moe_ep_size"]
    touched = local * (1 - (1 - topk / experts) ** tokens)
    moved = dtype.map(BYTES) * touched * 3 * hidden * width + 2 * rows * hidden * 2
    # 4-bit weights run with 16-bit or 8-bit activations: kernels so different that they are two classes.
    names = "moe." + dtype + frame["moe_dtype"].eq("w4a8_mxfp4_mxfp8").map({True: "-fp8", False: ""})
    return _groups(frame, names, moved, 2 * rows * 3 * hidden * width, compute)


def _all_reduce(frame: pd.DataFrame) -> dict:
    """The fastest implementation at each size, as engines choose; its law has the ring's bytes as `mem`.

    `message_size` counts elements: at equal size NCCL's half takes as long as twice the int8 bytes would.
    t0 is fitted for all group sizes together; e_bw is the share of one direction of the link.
    """
    frame = frame[(frame["op_name"] == "all_reduce") & ~frame["kernel_source"].str.contains("eager")].copy()
    kind = frame["nccl_dtype"].fillna("half")
    frame["bytes"] = frame["message_size"] * kind.map({"half": 2, "int8": 1})
    best = frame.groupby(["chip", "num_gpus", "bytes"], as_index=False)["time_us"].min()
    link = best["chip"].map({c: load_chip(c).get("scaleup.bandwidth").point for c in best["chip"].unique()})
    ring = 2 * (best["num_gpus"] - 1) / best["num_gpus"] * best["bytes"] / link
    out = {}
    for chip_id, rows in best.groupby("chip").indices.items():
        zeros = np.zeros(len(rows))
        out[chip_id, "all_reduce"] = (ring.to_numpy()[rows], zeros, best["time_us"].to_numpy()[rows] * 1e-6)
    return out


FAMILIES: dict[str, tuple[str, Callable[[Any], dict]]] = {
    "gemm": ("gemm", _gemm),
    "attention_prefill": ("attention_prefill", lambda f: _attention(f, "prefill")),
    "attention_decode": ("attention_decode", lambda f: _attention(f, "decode")),
    "moe": ("moe", _moe),
    "all_reduce": ("collectives", _all_reduce),
}


def prior(fits: dict[str, Fit]) -> dict[str, Any]:
    """The spread over chips, as (median, 5 %, 95 %) of each constant, log-normal.

    Centre and spread are the median and the median absolute deviation (x 1.4826), so that one chip with an old
    kernel does not widen everyone's. With k chips the spread is widened by Student's t (k - 1 degrees of freedom,
    at most 3) and by sqrt(1 + 1/k), the predictive interval of one more chip; one chip's law is spread by a factor 2.
    """
    from harness.stats import student_t

    out: dict[str, Any] = {"sigma": float(np.mean([f.sigma for f in fits.values()]))}
    for part in ("t0_s", "e_bw", "e_fl"):
        logs = np.log([getattr(f, part) for f in fits.values()])
        k, centre = len(logs), float(np.median(logs))
        if k < 2:
            half = float(np.log(2.0))
        else:
            # At least 15 % a constant: three chips of one vendor that happen to agree are no proof.
            spread = max(1.4826 * float(np.median(np.abs(logs - centre))), 0.15 / 1.645)
            half = min(student_t(0.95, k - 1), 3.0) * spread * float(np.sqrt(1 + 1 / k))
        out[part] = [float(f"{np.exp(v):.5g}") for v in (centre, centre - half, centre + half)]
    return out


def _toml(family: str, path: Path, fits: dict[str, dict[str, Fit]]) -> str:
    import tomli_w

    laws = {}
    for name, by_chip in sorted(fits.items()):
        chips = {
            c: {k: float(f"{v:.5g}") if k != "rows" else v for k, v in vars(f).items()} for c, f in by_chip.items()
        }
        laws[name] = {"prior": prior(by_chip), "chips": chips}
    source = {
        "id": f"fit-{family.replace('_', '-')}",
        "title": f"Stackline's fit of {path.name} (measured kernel times, aiconfigurator-core 0.12.0 data, Apache-2.0)",
        "publisher": "Stackline, from NVIDIA aiconfigurator's kernel data",
        "url": "https://github.com/ai-dynamo/aiconfigurator",
        "retrieved": datetime.date.today().isoformat(),
        "note": "t0 in seconds, e_bw and e_fl shares of the profile's peaks; prior = [median, 5 %, 95 %] over chips",
    }
    return "# Written by `stackline calibrate --kernels`; do not edit.\n" + tomli_w.dumps(
        {"source": source, "laws": laws}
    )
