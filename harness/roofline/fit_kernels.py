"""Measured kernels as the laws see them: shapes, times at the profile's full peak, measured seconds.

Columns are those of NVIDIA aiconfigurator's published kernel data. Rows that no law here describes are left out by
rule: kernels of experts without a gate, TensorRT-LLM's latency kernel for nvfp4 experts (other engines have none),
4-bit weights with 16-bit activations on a chip with 4-bit units (a path its engines do not take), decode attention
with more than 32 query heads a KV head (a fallback kernel ten times slower; no model of the library has so many),
collectives launched eagerly (engines capture them in graphs).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.profiles import chip as load_chip
from harness.roofline.links import collective_terms
from harness.roofline.shapes import combine, heaviest_rank, power_law_variation, terms
from harness.trace import BYTES

if TYPE_CHECKING:
    import pandas as pd

# The data's dtype names -> ours.
DTYPES = {"bfloat16": "bf16", "fp8": "fp8", "fp8_block": "fp8", "int8": "int8", "nvfp4": "nvfp4",
          "w4a16_mxfp4": "mxfp4", "w4a8_mxfp4_mxfp8": "mxfp4"}  # fmt: skip
# Formats of the activations that a weight format's product runs in.
COMPUTE = {"w4a16_mxfp4": "bf16", "w4a8_mxfp4_mxfp8": "fp8"}
MOE_CLASS = {"w4a16_mxfp4": "mxfp4", "w4a8_mxfp4_mxfp8": "mxfp4-fp8"}
# Formats whose class has another name; int8 takes fp8's (`shapes.gemm_class`).
CLASS_OF = {"bfloat16": "bf16", "int8": "fp8"}
MOST_QUERY_HEADS = 32
COLLECTIVES = {"all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter",
               "alltoall": "all_to_all"}  # fmt: skip


@dataclass(frozen=True)
class Kernels:
    """Rows of one class on one chip, [rows] each: what `shapes.terms` takes, and the measured time."""

    family: str
    memory_s: np.ndarray
    compute_s: np.ndarray
    m: np.ndarray
    n: np.ndarray
    k: np.ndarray
    time_s: np.ndarray

    def predict(self, c: dict[str, float]) -> np.ndarray:
        """Seconds [rows] under the constants `c`."""
        return combine(self.family, c, *terms(self.family, c, self.memory_s, self.compute_s, self.m, self.n, self.k))

    def part(self, rows: np.ndarray) -> Kernels:
        """Some of the rows."""
        shapes_and_times = (getattr(self, f.name)[rows] for f in fields(self) if f.name != "family")
        return Kernels(self.family, *shapes_and_times)

    def compute_bound(self, c: dict[str, float]) -> np.ndarray:
        """Whether arithmetic takes longer than memory, [rows]."""
        return self.compute_s / c["e_fl"] > self.memory_s / c["e_bw"]


@dataclass(frozen=True)
class Messages:
    """Rows of one collective on one chip, [rows] each."""

    family: str
    bytes_: np.ndarray
    chips: np.ndarray
    link_bytes_s: float
    time_s: np.ndarray

    def predict(self, c: dict[str, float]) -> np.ndarray:
        """Seconds [rows] under the constants `c`."""
        return np.add(*collective_terms(self.family, c, self.bytes_, self.chips, self.link_bytes_s))

    def part(self, rows: np.ndarray) -> Messages:
        """Some of the rows."""
        return replace(self, bytes_=self.bytes_[rows], chips=self.chips[rows], time_s=self.time_s[rows])


def gemm(frame: pd.DataFrame) -> Iterator[tuple[str, str, Kernels]]:
    """(class, chip, rows) of `gemm.csv.gz`."""
    dtype = frame["gemm_dtype"].map(DTYPES)
    width = dtype.map(BYTES)
    m, n, k = (frame[c].astype(float) for c in "mnk")
    names = "gemm." + frame["gemm_dtype"].replace(CLASS_OF)
    moved = width * (n * k + m * k) + 2 * m * n
    return _classes("gemm", frame, names, dtype, moved, 2 * m * n * k, m, n, k)


def attention_prefill(frame: pd.DataFrame) -> Iterator[tuple[str, str, Kernels]]:
    """(class, chip, rows): an 8-bit cache makes the kernel run in 8 bits, whatever its output (so the times say)."""
    kv = frame["kv_cache_dtype"].map(DTYPES)
    batch, heads, kv_heads, dim = _heads(frame)
    length = frame["isl"].astype(float)
    rows, seen = batch * length, length / 2  # causal: half the square
    moved = kv.map(BYTES) * rows * 2 * kv_heads * dim + 2 * rows * heads * dim * 2
    flops = 4 * rows * heads * dim * seen
    return _classes(
        "attention_prefill", frame, "attention_prefill." + kv.replace(CLASS_OF), kv, moved, flops, rows, seen, heads
    )


def attention_decode(frame: pd.DataFrame) -> Iterator[tuple[str, str, Kernels]]:
    """(class, chip, rows): the cache is widened on the way in, so that the arithmetic is bf16's."""
    frame = frame[frame["num_heads"] <= MOST_QUERY_HEADS * frame["num_key_value_heads"]].reset_index(drop=True)
    kv = frame["kv_cache_dtype"].map(DTYPES)
    batch, heads, kv_heads, dim = _heads(frame)
    length = frame["kv_len"].astype(float)
    moved = kv.map(BYTES) * batch * length * 2 * kv_heads * dim + 2 * batch * heads * dim * 2
    flops, names = 4 * batch * heads * dim * length, "attention_decode." + kv.replace(CLASS_OF)
    return _classes("attention_decode", frame, names, kv.map(lambda _: "bf16"), moved, flops, batch, length, heads)


def moe(frame: pd.DataFrame) -> Iterator[tuple[str, str, Kernels]]:
    """(class, chip, rows): gated experts on the busiest chip of the measured routing.

    Experts touched as under uniform routing (drawn power-law routings touch 0.84 to 1.03 of that); rows of the
    busiest chip by `heaviest_rank`. The data's power laws span 1 to 0.8 tokens, or 200 where experts outnumber rows.
    """
    wide = frame["moe_dtype"].eq("w4a16_mxfp4") & frame["chip"].map(_has_4_bit_units)
    other = frame["kernel_source"].str.contains("nongated|min_latency")
    frame = frame[~other & ~wide].reset_index(drop=True)
    tokens, hidden, experts, topk, ranks = (
        frame[c].astype(float) for c in ("num_tokens", "hidden_size", "num_experts", "topk", "moe_ep_size")
    )
    width, local = frame["inter_size"] / frame["moe_tp_size"], experts / ranks
    alpha = frame["distribution"].str.extract(r"power_law_([\d.]+)")[0].astype(float).fillna(0.0)
    span = np.where(tokens * topk > experts, np.maximum(0.8 * tokens, 1.01), 200.0)
    rows = tokens * topk / ranks * heaviest_rank(power_law_variation(alpha, span), local, ranks)
    touched = local * (1 - (1 - topk / experts) ** tokens)
    moved = frame["moe_dtype"].map(DTYPES).map(BYTES) * touched * 3 * hidden * width + 2 * rows * hidden * 2
    names = "moe." + frame["moe_dtype"].map(lambda d: MOE_CLASS.get(d, CLASS_OF.get(d, d)))
    compute = frame["moe_dtype"].map(lambda d: COMPUTE.get(d, DTYPES[d]))
    return _classes("moe", frame, names, compute, moved, 2 * rows * 3 * hidden * width, rows, touched, width)


def collectives(frame: pd.DataFrame) -> Iterator[tuple[str, str, Messages]]:
    """(class, chip, rows): the fastest implementation at each size, as engines choose.

    `message_size` counts elements: at equal size NCCL's half takes as long as twice the int8 bytes would.
    """
    frame = frame[~frame["kernel_source"].str.contains("eager")].copy()
    frame["bytes"] = frame["message_size"] * frame["nccl_dtype"].fillna("half").map({"half": 2, "int8": 1})
    best = frame.groupby(["op_name", "chip", "num_gpus", "bytes"], as_index=False)["time_us"].min()
    for (op, chip_id), rows in best.groupby(["op_name", "chip"]):
        link = load_chip(chip_id).get("scaleup.bandwidth").point
        values = (rows[c].to_numpy(float) for c in ("bytes", "num_gpus"))
        yield COLLECTIVES[op], chip_id, Messages(COLLECTIVES[op], *values, link, rows["time_us"].to_numpy() * 1e-6)


def _heads(frame: pd.DataFrame) -> tuple:
    columns = ("batch_size", "num_heads", "num_key_value_heads", "head_dim")
    return tuple(frame[c].astype(float) for c in columns)


def _has_4_bit_units(chip_id: str) -> bool:
    return bool({"compute.fp4", "compute.nvfp4", "compute.mxfp4"} & set(load_chip(chip_id).values))


def _classes(
    family: str, frame: pd.DataFrame, names: Any, compute: Any, moved: Any, flops: Any, m: Any, n: Any, k: Any
) -> Iterator[tuple[str, str, Kernels]]:
    chips = {c: load_chip(c) for c in frame["chip"].unique()}
    bandwidth = frame["chip"].map({c: p.get("memory.bandwidth").point for c, p in chips.items()})
    pairs = list(zip(frame["chip"], compute, strict=True))
    peaks = {(c, d): chips[c].get(chips[c].peak_key(d)).point for c, d in set(pairs)}
    columns = (moved / bandwidth, flops / [peaks[pair] for pair in pairs], m, n, k, frame["time_us"] * 1e-6)
    arrays = [np.asarray(column, float) for column in columns]
    for (chip_id, name), rows in frame.groupby([frame["chip"], names]).indices.items():
        yield name, chip_id, Kernels(family, *(a[rows] for a in arrays))
