"""A stack's serving engine: its limits, and the KV memory of a replica.

Limits are the stack's options, else the engine family's defaults. vLLM (also a stack that names no engine, or a share
of memory by `gpu_mem`) fills a share of the memory that the driver shows with weights, the workspace of its profiling
run, and KV; other engines keep the assumed reserve back. Capacities are in tokens of cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.architecture import Architecture, Dense, Moe, Recurrent
from harness.errors import NotPredictable
from harness.footprint import kv_bytes_per_token, state_bytes_per_sequence, weight_bytes
from harness.operators import Dtypes
from harness.profiles import Chip
from harness.roofline import laws, memory
from harness.roofline.compiled import Layout
from harness.roofline.mixed import PREFILL_FIRST
from harness.stack import Stack

# Engines that schedule the next step while one runs (vLLM's asynchronous scheduling, SGLang's and TensorRT-LLM's
# overlap schedulers, all on by default in 2026); a stack that names no engine is taken for one of them.
OVERLAPPING = ("", "vllm", "sglang", "trtllm")
# vLLM sizes its cache by a profiling run at a share of the memory; a stack that names no engine is taken for it.
PROFILING = ("", "vllm")
_LARGE_BYTES = 70 * 2**30


@dataclass(frozen=True)
class Engine:
    """Limits of one replica; tokens, sequences and memory are those of the whole replica, `budget` of one rank."""

    budget: int  # tokens of a step
    sequences: int
    page: int
    chunk: int | None  # most tokens of one prompt in a step
    mixed: bool
    overlaps: bool  # a request that arrives during a step misses the next one too
    reserves_output: bool  # admits a request only if its whole answer will fit
    prefix: bool
    capacity: int
    state: int  # tokens' worth of memory that a sequence's fixed state takes
    grows: bool  # the cache grows with the context
    bytes_per_token: float  # over all chips of the replica
    restore_ns: float  # a token of cache, from host memory to the chips or back; NaN where the link is not known


def engine(stack: Stack, arch: Architecture, dtypes: Dtypes, layout: Layout, chip: Chip) -> Engine:
    """Raises NotPredictable where the weights leave no room."""
    family = stack.options.get("engine", "")
    ranks = layout.dp * layout.pp
    budget = stack.number("max_batched_tokens") or _default("prefill_tokens", family, chip)
    sequences = stack.number("max_seqs") or _default("most_sequences", family, chip)
    token = kv_bytes_per_token(arch, dtypes.kv, layout.tp) / layout.pp
    state = state_bytes_per_sequence(arch, dtypes.kv, layout.tp) / layout.pp
    free = kv_room_bytes(stack, arch, dtypes, layout, chip, budget, sequences)
    unit = token or state  # a cache of windows alone is counted in sequences
    if free < unit:
        weights = weight_bytes(arch, dtypes, layout.tp, layout.ep, layout.dp) / layout.pp
        raise NotPredictable(
            f"weights take {weights / 1e9:.1f} GB a chip over {layout.chips} chip(s); of {chip.name}'s "
            f"{chip.get('memory.capacity').point / 1e9:.1f} GB nothing is left for the KV cache"
        )
    recurrent = any(isinstance(g.attention, Recurrent) for g in arch.layers)
    prefix = stack.options.get("prefix")
    return Engine(
        budget, sequences * ranks, int(laws.assumed("page_tokens").point), stack.number("chunk"),
        family not in PREFILL_FIRST, family in OVERLAPPING, family == memory.RESERVING,
        bool(token) and (prefix == "1" if prefix else not recurrent), int(free / unit) * layout.dp,
        -(-int(state) // int(token)) if token else 1, bool(token), token * layout.pp * layout.tp,
        token / chip.get("host.bandwidth").point * 1e9 if chip.has("host.bandwidth") else math.nan,
    )  # fmt: skip


def _default(name: str, family: str, chip: Chip) -> int:
    """A limit where the stack gives none; vLLM's own are lower on chips of less than 70 GiB."""
    small = family in PROFILING and chip.get("memory.capacity").point < _LARGE_BYTES
    return int(laws.assumed(f"{name}_small" if small else name).point)


def kv_room_bytes(
    stack: Stack, arch: Architecture, dtypes: Dtypes, layout: Layout, chip: Chip, budget: int, sequences: int
) -> float:
    """Bytes that one chip has for KV and state."""
    capacity = chip.get("memory.capacity").point
    weights = weight_bytes(arch, dtypes, layout.tp, layout.ep, layout.dp) / layout.pp
    if "gpu_mem" not in stack.options and stack.options.get("engine", "") not in PROFILING:
        return (1 - memory.reserve()) * capacity - weights
    share = float(stack.options.get("gpu_mem", laws.assumed("memory_share").point))
    shown = (1 - laws.assumed("driver_share").point) * capacity
    return share * shown - weights - workspace_bytes(arch, layout, budget, sequences)


def workspace_bytes(arch: Architecture, layout: Layout, budget: int, sequences: int) -> float:
    """What a profiling run finds beside the weights: the larger of a step's activations and the sampler's tables, and
    the runtime. Left out: buffers that kernels allocate for themselves."""
    sampler = sequences * arch.vocab * laws.assumed("sampler_bytes").point
    wide = max(_width(g.mlp) for g in arch.layers)
    activations = budget * (3 * wide / layout.tp + 4 * arch.hidden) * 2
    return max(sampler, activations) + laws.assumed("runtime_bytes").point


def _width(mlp: Dense | Moe) -> int:
    """Elements a token has between the two halves of a feed-forward block."""
    return mlp.intermediate if isinstance(mlp, Dense) else mlp.top_k * mlp.intermediate + mlp.shared_intermediate
