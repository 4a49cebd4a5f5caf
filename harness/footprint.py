"""What a deployment holds in memory on one chip: weights, KV cache a token, fixed state a sequence."""

from __future__ import annotations

from functools import lru_cache

from harness.architecture import Architecture, Dense, LayerGroup, Recurrent
from harness.operators import Dtypes
from harness.trace import BYTES


@lru_cache(maxsize=20_000)
def weight_bytes(arch: Architecture, dtypes: Dtypes, tp: int = 1, ep: int = 1, dp: int = 1) -> float:
    """Bytes of weights on one of tp x dp chips: what must fit beside the KV cache.

    Every chip holds the norms, the mixing of residual streams and MLA's down-projections whole. Left out: copies of
    KV projections where KV heads are fewer than chips (below 1 % of any model here).
    """
    parts = arch.parts
    whole = parts.get("norm", 0) + parts.get("mixing", 0)
    total = whole * BYTES[dtypes.of("norm")] + sum(_layer_bytes(arch, g, dtypes, tp, ep, dp) for g in arch.layers)
    embedding = parts["embedding"] * BYTES[dtypes.of("embedding")]
    return total + (embedding + parts.get("head", 0) * BYTES[dtypes.of("head")]) / tp


def _layer_bytes(arch: Architecture, g: LayerGroup, dtypes: Dtypes, tp: int, ep: int, dp: int) -> float:
    """Attention and feed-forward weights of a group of layers on one chip."""
    whole = g.attention.shared_parameters(arch.hidden)
    attention = whole + (g.attention.parameters(arch.hidden) - whole) / tp
    total = attention * BYTES[dtypes.of("attention")]
    if isinstance(g.mlp, Dense):
        return g.count * (total + g.mlp.parameters(arch.hidden) * BYTES[dtypes.of("mlp")] / tp)
    holders = tp * dp if dp > 1 else max(tp, ep)  # ranks of data-parallel attention share one set of experts
    routed = g.mlp.experts * g.mlp.expert_parameters(arch.hidden) / holders
    routed += g.mlp.latent_parameters(arch.hidden)
    common = g.mlp.common_parameters(arch.hidden) / tp
    return g.count * (total + routed * BYTES[dtypes.of("experts")] + common * BYTES[dtypes.of("shared_experts")])


@lru_cache(maxsize=20_000)
def kv_bytes_per_token(arch: Architecture, kv_dtype: str, tp: int = 1) -> float:
    """Bytes one more token of context takes on one chip (a latent is copied to every chip, KV heads are split)."""
    elements = sum(g.count * g.attention.kv_elements_per_token * g.attention.kv_share(tp) for g in arch.layers)
    return elements * BYTES[kv_dtype]


@lru_cache(maxsize=20_000)
def state_bytes_per_sequence(arch: Architecture, kv_dtype: str, tp: int = 1) -> float:
    """Bytes of fixed state one sequence holds on one chip.

    Full windows in the KV format, recurrent state in fp32, and in bf16 the tokens that a short convolution keeps.
    """
    total = 0.0
    for g in arch.layers:
        recurrent = isinstance(g.attention, Recurrent)
        size = g.attention.state_elements * BYTES["fp32" if recurrent else kv_dtype]
        size += g.attention.conv_elements * BYTES["bf16"] if recurrent else 0
        total += g.count * size * g.attention.kv_share(tp)
    return total
