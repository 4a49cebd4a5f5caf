"""Mixtures of experts with grouped-query attention: Mixtral, Qwen3 MoE, gpt-oss, GLM-4.5, Llama 4, MiniMax, Gemma 4."""

from __future__ import annotations

from harness.architecture import Architecture, Dense, Gqa, Lightning, Moe
from harness.hf_config.common import Config, layer
from harness.hf_config.dense import qwen3_attention


def mixtral(c: Config) -> Architecture:
    attention = Gqa(c.heads, c.kv_heads, c.head_dim, window=c.whole("sliding_window", default=0))
    moe = Moe(c.whole("num_local_experts"), c.whole("num_experts_per_tok"), c.intermediate)
    return c.model([layer(attention, moe)] * c.layer_count)


def qwen3_moe(c: Config) -> Architecture:
    attention, dense = qwen3_attention(c), Dense(c.intermediate)
    moe = Moe(c.whole("num_experts"), c.whole("num_experts_per_tok"), c.whole("moe_intermediate_size"))
    step, plain = c.whole("decoder_sparse_step", default=1), c.get("mlp_only_layers", default=[])
    sparse = [i not in plain and (i + 1) % step == 0 for i in range(c.layer_count)]
    return c.model([layer(attention, moe if s else dense) for s in sparse])


def gpt_oss(c: Config) -> Architecture:
    """Every second layer sees a window; biases everywhere, one sink a head."""
    moe = Moe(c.whole("num_local_experts"), c.whole("num_experts_per_tok"), c.intermediate, bias=True)
    layers = []
    for i in range(c.layer_count):
        kind = c.of_layer("layer_types", i, "full_attention" if i % 2 else "sliding_attention")
        window = c.whole("sliding_window") if kind == "sliding_attention" else 0
        attention = Gqa(c.heads, c.kv_heads, c.head_dim, window=window, bias=True, out_bias=True, sinks=True)
        layers.append(layer(attention, moe))
    return c.model(layers)


def glm4_moe(c: Config) -> Architecture:
    attention = Gqa(
        c.heads, c.kv_heads, c.head_dim, bias=c.flag("attention_bias"), qk_norm=c.flag("use_qk_norm")
    )  # fmt: skip
    width = c.whole("moe_intermediate_size")
    shared = c.whole("n_shared_experts", default=1) * width
    moe = Moe(c.whole("n_routed_experts"), c.whole("num_experts_per_tok"), width, shared_intermediate=shared)
    first = c.whole("first_k_dense_replace", default=1)
    return c.model([layer(attention, Dense(c.intermediate) if i < first else moe) for i in range(c.layer_count)])


def llama4(c: Config) -> Architecture:
    """Chunks of local attention, and every fourth layer (without rotation) the whole context; experts by a stride."""
    stride, width = c.whole("interleave_moe_layer_step", default=1), c.intermediate
    moe = Moe(c.whole("num_local_experts"), c.whole("num_experts_per_tok"), width, shared_intermediate=width)
    dense = Dense(c.whole("intermediate_size_mlp", default=2 * width))
    layers = []
    for i in range(c.layer_count):
        rotated = c.of_layer("no_rope_layers", i, int((i + 1) % 4 != 0))
        attention = Gqa(c.heads, c.kv_heads, c.head_dim, chunk=c.whole("attention_chunk_size") if rotated else 0)
        layers.append(layer(attention, moe if (i + 1) % stride == 0 else dense))
    return c.model(layers)


def minimax_m1(c: Config) -> Architecture:
    """Linear attention, and in every eighth layer softmax attention."""
    shared = c.whole("shared_intermediate_size", default=0)
    moe = Moe(c.whole("num_local_experts"), c.whole("num_experts_per_tok"), c.intermediate, shared_intermediate=shared)
    softmax, linear = Gqa(c.heads, c.kv_heads, c.head_dim), Lightning(c.heads, c.head_dim)
    return c.model([layer(softmax if c.of_layer("attn_type_list", i) else linear, moe) for i in range(c.layer_count)])


def minimax_m2(c: Config) -> Architecture:
    wide = c.flag("use_qk_norm") and c.get("qk_norm_type") != "per_head"
    attention = Gqa(c.heads, c.kv_heads, c.head_dim, qk_norm_wide=wide)
    shared = c.whole("shared_intermediate_size", default=0)
    moe = Moe(c.whole("num_local_experts"), c.whole("num_experts_per_tok"), c.intermediate, shared_intermediate=shared)
    return c.model([layer(attention, moe)] * c.layer_count)


def minimax_m3(c: Config) -> Architecture:
    """Grouped-query attention; in most layers an indexer chooses blocks of the context."""
    sparse = c.get("sparse_attention_config", default={})
    block = sparse.get("sparse_block_size", 0)
    index = {
        "index_heads": sparse.get("sparse_num_index_heads", 0), "index_dim": sparse.get("sparse_index_dim", 0),
        "index_block": block, "index_top_k": block * sparse.get("sparse_topk_blocks", 0),
    }  # fmt: skip
    width = c.whole("moe_intermediate_size", "intermediate_size")
    shared = c.whole("shared_intermediate_size", default=width) * c.whole("n_shared_experts", default=1)
    moe = Moe(c.whole("num_local_experts"), c.whole("num_experts_per_tok"), width, shared_intermediate=shared)
    dense, first = Dense(c.whole("dense_intermediate_size")), c.whole("first_k_dense_replace", default=0)
    chosen = sparse.get("sparse_attention_freq", [])
    layers = []
    for i in range(c.layer_count):
        picks = index if i < len(chosen) and chosen[i] else {}
        attention = Gqa(
            c.heads, c.kv_heads, c.head_dim, qk_norm=c.flag("use_qk_norm"), gated=c.flag("attention_output_gate"),
            **picks,
        )  # fmt: skip
        layers.append(layer(attention, moe if c.of_layer("moe_layer_freq", i, int(i >= first)) else dense))
    return c.model(layers)


def gemma4(c: Config) -> Architecture:
    """Windows, and some layers with the whole context, wider heads and one projection for keys and values.

    Experts run beside the dense block, with three norms and a router's scale of their own.
    """
    moe = c.flag("enable_moe_block")
    mlp = Dense(c.intermediate)
    if moe:
        mlp = Moe(
            c.whole("num_experts"), c.whole("top_k_experts"), c.whole("moe_intermediate_size"),
            shared_intermediate=c.intermediate, expert_scale=True,
        )  # fmt: skip
    whole_kv = c.whole("num_global_key_value_heads", default=c.kv_heads)
    near = Gqa(c.heads, c.kv_heads, c.head_dim, window=c.whole("sliding_window"), qk_norm=True)
    far = Gqa(
        c.heads, whole_kv, c.whole("global_head_dim", default=c.head_dim), qk_norm=True,
        shared_kv=c.flag("attention_k_eq_v"),
    )  # fmt: skip
    kinds = [c.of_layer("layer_types", i) for i in range(c.layer_count)]
    norms = 8 if moe else 4
    return c.model([layer(near if k == "sliding_attention" else far, mlp, norms=norms) for k in kinds], tied=True)


FAMILIES = {
    "mixtral": mixtral, "qwen3_moe": qwen3_moe, "gpt_oss": gpt_oss, "glm4_moe": glm4_moe, "llama4_text": llama4,
    "minimax_m1": minimax_m1, "minimax_m2": minimax_m2, "minimax_m3": minimax_m3, "gemma4_text": gemma4,
}  # fmt: skip
