"""Operators of attention that keeps a cache: grouped-query, latent, compressed; with indexers where they choose."""

from __future__ import annotations

from typing import Any

from harness.architecture import Compressed, Gqa, Mla
from harness.operators.step import Step, split
from harness.trace import Op


def gqa(step: Step, a: Gqa) -> list[Op]:
    tokens = step.load.tokens
    heads = split(a.heads, step.tp, "attention heads")
    kv_heads = split(a.kv_heads, step.tp, "KV heads") if a.kv_heads >= step.tp else 1
    q_width, kv_width = heads * a.head_dim, 2 * kv_heads * a.head_dim
    columns = kv_width // 2 if a.shared_kv else kv_width
    ops = [step.gemm("qkv", tokens, q_width * (2 if a.gated else 1) + columns, step.hidden, "attention")]
    if a.qk_norm:
        ops.append(step.norm("qk_norm", tokens * (heads + kv_heads), a.head_dim))
    if a.qk_norm_wide:
        ops.append(step.norm("qk_norm", tokens, (heads + kv_heads) * a.head_dim))
    # Rotation: two products and a sum an element (the sign is free) -> 3 operations.
    ops.append(step.elementwise("rope", tokens, q_width + kv_width // 2, 1, 3))
    ops.append(step.cache_write(tokens, kv_width))
    if a.index_heads:
        ops += _index(step, a.index_heads, a.index_dim, step.hidden, 1)
    seen = step.load.selected(a.index_top_k) if a.index_top_k else step.load.attended(a.window, a.chunk)
    ops.append(step.attention(seen, heads, kv_heads, a.head_dim, a.head_dim, kv_width, step.dtypes.kv))
    if a.gated:
        ops.append(step.elementwise("attn_gate", tokens, q_width, 2, 2))
    return [*ops, step.gemm("attn_out", tokens, step.hidden, q_width, "attention")]


def mla(step: Step, a: Mla, mode: str) -> list[Op]:
    """mode "absorbed" scores against the latent, "expanded" makes keys and values of it first.

    Where an indexer chooses what is seen, engines score against the latents in both phases.
    """
    tokens = step.load.tokens
    heads, latent = split(a.heads, step.tp, "attention heads"), a.kv_lora + a.qk_rope
    query = _low_rank_query(step, a.q_lora, heads * a.qk_dim) if a.q_lora else [
        step.gemm("q", tokens, heads * a.qk_dim, step.hidden, "attention")
    ]  # fmt: skip
    ops = [
        *query,
        step.gemm("kv_down", tokens, latent, step.hidden, "attention"),
        step.norm("kv_norm", tokens, a.kv_lora),
        step.elementwise("rope", tokens, (heads + 1) * a.qk_rope, 1, 3),
        step.cache_write(tokens, latent),
    ]
    if a.index_heads:
        ops += _index(step, a.index_heads, a.index_dim, a.q_lora or step.hidden, 1, weighed=True)
    seen = step.load.selected(a.index_top_k) if a.index_top_k else step.load.attended()
    if mode == "expanded" and not a.index_top_k:
        # Keys and values of the whole context are made from the latents, then attended to as in MHA.
        ops.append(step.gemm("kv_up", seen[0], heads * (a.qk_nope + a.v_head_dim), a.kv_lora, "attention"))
        expanded = heads * (a.qk_dim + a.v_head_dim)
        ops.append(step.attention(seen, heads, heads, a.qk_dim, a.v_head_dim, expanded, step.dtypes.stream))
    else:
        ops.append(_per_head_gemm(step, "q_absorb", heads, a.kv_lora, a.qk_nope))
        ops.append(step.attention(seen, heads, 1, latent, a.kv_lora, latent, step.dtypes.kv))
        ops.append(_per_head_gemm(step, "v_absorb", heads, a.v_head_dim, a.kv_lora))
    if a.gated:
        ops.append(step.gemm("gate", tokens, heads * a.v_head_dim, step.hidden, "attention"))
        ops.append(step.elementwise("attn_gate", tokens, heads * a.v_head_dim, 2, 2))
    return [*ops, step.gemm("attn_out", tokens, step.hidden, heads * a.v_head_dim, "attention")]


def compressed(step: Step, a: Compressed) -> list[Op]:
    """The last `window` tokens and the compressed entries, in one attention; the output through two ranks."""
    tokens = step.load.tokens
    heads, groups = split(a.heads, step.tp, "attention heads"), split(a.out_groups, step.tp, "output groups")
    width = heads * a.head_dim
    ops = [
        *_low_rank_query(step, a.q_lora, width),
        step.gemm("kv_down", tokens, a.head_dim, step.hidden, "attention"),
        step.norm("kv_norm", tokens, a.head_dim),
        step.elementwise("rope", tokens, (heads + 1) * a.rope, 1, 3),
        step.cache_write(tokens, a.head_dim),
    ]
    seen = step.load.attended(a.window)
    if a.ratio:
        ops += _compress(step, "compress", a, a.head_dim)
        chosen = step.load.selected(a.index_top_k, a.ratio)
        seen = tuple(x + y for x, y in zip(seen, chosen, strict=True))
    if a.index_heads:
        ops += _compress(step, "index_compress", a, a.index_dim)
        ops += _index(step, a.index_heads, a.index_dim, a.q_lora, a.ratio, weighed=True)
    # Keys and values are one vector, read once.
    ops.append(step.attention(seen, heads, 1, a.head_dim, a.head_dim, a.head_dim, step.dtypes.kv))
    rank = groups * a.out_lora
    out = step.product("attn_out_down", "attention", tokens, width, a.out_lora, tokens * width, tokens * rank)
    return [*ops, out, step.gemm("attn_out", tokens, step.hidden, rank, "attention")]


def _low_rank_query(step: Step, rank: int, width: int) -> list[Op]:
    tokens = step.load.tokens
    return [
        step.gemm("q_down", tokens, rank, step.hidden, "attention"),
        step.norm("q_norm", tokens, rank),
        step.gemm("q_up", tokens, width, rank, "attention"),
    ]


def _per_head_gemm(step: Step, name: str, heads: int, n: int, k: int) -> Op:
    """`heads` products [tokens, k] x [k, n], one weight each (MLA's absorbed projections)."""
    tokens = step.load.tokens
    return step.product(name, "attention", tokens, heads * n, k, tokens * heads * k, tokens * heads * n)


def _compress(step: Step, name: str, a: Compressed, dim: int) -> list[Op]:
    """Projection and gate of every token, blended into one entry for `ratio` of them."""
    tokens, width = step.load.tokens, a.overlap * dim
    return [
        step.gemm(name, tokens, 2 * width, step.hidden, "attention"),
        step.elementwise(f"{name}_blend", tokens, width, 2, 4),
        step.cache_write(tokens / a.ratio, dim),
    ]


def _index(step: Step, heads: int, dim: int, query_rank: int, ratio: int, weighed: bool = False) -> list[Op]:
    """Scores of every query with one key of `dim` an entry, whole on every chip: what is attended to is chosen.

    Left out: the choice itself (a top-k over the scores).
    """
    tokens: Any = step.load.tokens
    ops = [step.gemm("index_q", tokens, heads * dim, query_rank, "attention")]
    if ratio == 1:  # a compressed index key is made by its own compressor
        ops += [step.gemm("index_k", tokens, dim, step.hidden, "attention"), step.norm("index_norm", tokens, dim)]
        ops += [step.cache_write(tokens, dim)]
    if weighed:
        ops.append(step.gemm("index_weights", tokens, heads, step.hidden, "attention"))
    seen = step.load.selected(0, ratio)
    return [*ops, step.attention(seen, heads, 1, dim, 0, dim, step.dtypes.kv, name="index_scores")]
