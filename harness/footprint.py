"""What a deployment holds in memory on one chip: weights, KV cache a token, fixed state a sequence."""

from __future__ import annotations

from harness.architecture import Architecture, Dense, GatedDelta, Mla
from harness.operators import Dtypes
from harness.trace import BYTES


def weight_bytes(arch: Architecture, dtypes: Dtypes, tp: int = 1, ep: int = 1) -> float:
    """Bytes of weights on one of `tp` chips: what must fit beside the KV cache.

    Every chip holds the norms and MLA's down-projections whole. Left out: copies of KV projections where KV heads
    are fewer than chips (below 1 % of any model here).
    """
    total = float(arch.hidden * BYTES[dtypes.of("norm")])
    for g in arch.layers:
        whole = g.attention.shared_parameters(arch.hidden) if isinstance(g.attention, Mla) else 0
        split = (g.attention.parameters(arch.hidden) - whole) / tp
        total += g.count * (whole + split) * BYTES[dtypes.of("attention")]
        total += g.count * 2 * arch.hidden * BYTES[dtypes.of("norm")]
        if isinstance(g.mlp, Dense):
            total += g.count * g.mlp.parameters(arch.hidden) * BYTES[dtypes.of("mlp")] / tp
            continue
        experts = g.mlp.experts * g.mlp.expert_parameters(arch.hidden) / (tp if ep <= 1 else max(tp, ep))
        total += g.count * experts * BYTES[dtypes.of("experts")]
        total += g.count * g.mlp.common_parameters(arch.hidden) * BYTES[dtypes.of("shared_experts")] / tp
    embedding = arch.vocab * arch.hidden / tp
    total += embedding * BYTES[dtypes.of("embedding")]
    return total if arch.tied_embeddings else total + embedding * BYTES[dtypes.of("head")]


def kv_bytes_per_token(arch: Architecture, kv_dtype: str, tp: int = 1) -> float:
    """Bytes one more token of context takes on one chip (a latent is copied to every chip, KV heads are split)."""
    total = 0.0
    for g in arch.layers:
        share = 1.0 if isinstance(g.attention, Mla) else max(1 / tp, 1 / getattr(g.attention, "kv_heads", tp))
        total += g.count * g.attention.kv_elements_per_token * BYTES[kv_dtype] * share
    return total


def state_bytes_per_sequence(arch: Architecture, kv_dtype: str, tp: int = 1) -> float:
    """Bytes of fixed state one sequence holds on one chip: full windows in the KV format, linear state in fp32."""
    total = 0.0
    for g in arch.layers:
        dtype = "fp32" if isinstance(g.attention, GatedDelta) else kv_dtype
        # A window's KV heads are copied where they are fewer than the chips, as the full cache's are.
        share = max(1 / tp, 1 / getattr(g.attention, "kv_heads", tp))
        total += g.count * g.attention.state_elements * BYTES[dtype] * share
    return total
