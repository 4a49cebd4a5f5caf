"""Time of a kernel from its shape: closed forms over arrays, the same for one point and for a million.

    time = fixed_s + max(memory_s, compute_s) + overlap * min(memory_s, compute_s)

`terms` turns a kernel's times at the profile's full peak (memory_s = bytes / bandwidth, compute_s = flops / peak)
into effective ones with the constants of its class (`constants/*.toml`, fitted by `fit.py`); `combine` adds them up.
`overlap` is the share of the shorter of the two that is not hidden behind the longer: 0 is the roofline of
Williams, Waterman and Patterson (CACM 52:4, 2009), 1 is one after the other.

Constants are times in seconds (`*_s`) or dimensionless, so that they carry over to a chip without measurements.
Everything here grows with bytes and FLOPs and falls with bandwidth and peak (held by a property test).
Left out: steps of tiles and waves (no profile says how many cores a chip has; their mean is inside `overlap` and
`k_s`), what stays in cache between kernels, a kernel's choice between algorithms. Clocks under a power limit are in
`e_fl` alone (`hardware.placed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

# Constants of a class, by family. All classes have the first three.
PARTS = {
    "gemm": ("t0_s", "e_bw", "e_fl", "k_s", "quantise", "overlap"),
    "attention_prefill": ("t0_s", "e_bw", "e_fl", "context_s", "pad"),
    "attention_decode": ("t0_s", "e_bw", "e_fl", "pad"),
    "moe": ("t0_s", "e_bw", "e_fl", "per_row"),
}
# Prefill attention prepares its operands (rotation, cache write) before it multiplies, experts permute their rows
# before and after; in both the data wants the sum. Decode attention streams the cache and hides its arithmetic.
OVERLAP = {"attention_prefill": 1.0, "attention_decode": 0.0, "moe": 1.0}


def terms(family: str, c: Mapping[str, Any], memory_s: Any, compute_s: Any, m: Any, n: Any, k: Any) -> tuple:
    """(memory_s, compute_s, fixed_s) of a kernel with the constants `c` of its class; arrays broadcast.

    m, n, k by family, as a trace's `Op.shape` gives them:
      gemm               m, n, k of the product
      attention_prefill  n = keys a query token attends to, in the mean (needed pairs / query tokens); m, k unused
      attention_decode   likewise n = (mean) context; m, k unused
      moe                m = rows routed to this chip (tokens * top_k / ep), n = experts touched on it,
                         k = the experts' width on it

    What each constant says:
      e_bw, e_fl  shares of the profile's bandwidth and dense peak, at most 1
      t0_s        launch, drain and whatever small kernels come with this one
      k_s         seconds a step of the inner dimension: the chain that no further core shortens
      quantise    passes over the activations (their share of the bytes) to scale and narrow them, plus what their
                  reading costs more than the weights'
      context_s   seconds a key that one query tile walks through, one after the other
      pad         tokens by which a sequence's keys and values are padded (tiles, pages)
      per_row     passes over the routed rows (permute, activate, combine), beside the experts' weights
    """
    memory, compute = memory_s / c["e_bw"], compute_s / c["e_fl"]
    if family == "gemm":
        inputs = m * k
        return memory, compute, c["t0_s"] + c["k_s"] * k + c["quantise"] * memory_s * inputs / (inputs + n * (m + k))
    if family == "moe":  # passes over rows grow with the tokens, as the arithmetic does, and not with the weights read
        return memory, compute + c["per_row"] * memory_s * m / (m + n * k), c["t0_s"]
    memory = memory * (1 + c["pad"] / np.maximum(n, 1))
    if family == "attention_prefill":
        return memory, compute, c["t0_s"] + c["context_s"] * n
    return memory, compute, c["t0_s"]


def combine(family: str, c: Mapping[str, Any], memory_s: Any, compute_s: Any, fixed_s: Any) -> Any:
    """Seconds of the kernel, from what `terms` returned."""
    overlap = c["overlap"] if family == "gemm" else OVERLAP[family]
    return fixed_s + np.maximum(memory_s, compute_s) + overlap * np.minimum(memory_s, compute_s)


def gemm_class(act_dtype: str, block_scaled: bool = False) -> str:
    """The measured class of a product that runs in `act_dtype`; weights of another width only move other bytes.

    int8 takes plain fp8's constants (same width, same peak, one scale a tensor or channel), 4-bit products
    nvfp4's; 4-bit weights with 16-bit activations are widened on the way in, so they take bf16's.
    """
    if act_dtype in ("fp8", "int8"):
        return "gemm.fp8_block" if block_scaled else "gemm.fp8"
    return "gemm.nvfp4" if act_dtype in ("nvfp4", "fp4", "mxfp4") else "gemm.bf16"


def moe_class(weight_dtype: str, act_dtype: str, block_scaled: bool = False) -> str:
    """The measured class of a grouped product; int8 as fp8, int4 with 16-bit activations as bf16."""
    if weight_dtype == "mxfp4":
        return "moe.mxfp4-fp8" if act_dtype in ("fp8", "int8") else "moe.mxfp4"
    if weight_dtype in ("nvfp4", "fp4"):
        return "moe.nvfp4"
    if act_dtype in ("fp8", "int8"):
        return "moe.fp8_block" if block_scaled else "moe.fp8"
    return "moe.bf16"


def power_law_variation(alpha: Any, span: Any) -> Any:
    """Squared coefficient of variation of experts' loads drawn with density x^-alpha on [1, span].

    0 for alpha = 0 by convention (balanced). alpha of 1, 2 and 3 are poles of the closed form: take 1.01.
    `span` is the load of the most asked-for expert over that of the least.
    """
    alpha, span = np.asarray(alpha, float), np.asarray(span, float)
    a = np.where(alpha > 0, alpha, 1.5)
    area, mean, square = ((span ** (i - a) - 1) / (i - a) for i in (1, 2, 3))
    return np.where(alpha > 0, np.maximum(square * area / mean**2 - 1, 0), 0.0)


def heaviest_rank(variation: Any, local: Any, ranks: Any) -> Any:
    """Rows of the busiest of `ranks` chips over their mean, with `local` experts each; a step waits for it.

    1 + sqrt(2 ln(ranks) * variation / local): the expected largest of `ranks` normal sums of `local` independent
    loads (the upper bound of extreme-value theory), at most `ranks`. Against drawn power-law routings of the fitted
    data it misses by 10 % in the middle. Random uniform routing has variation experts / (tokens * top_k).
    """
    spread = np.sqrt(2 * np.log(np.maximum(ranks, 1)) * variation / local)
    return np.minimum(ranks, 1 + spread)
