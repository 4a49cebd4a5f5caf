"""Latent and compressed attention: DeepSeek-V3 to V4, Kimi K2, GLM-5."""

from __future__ import annotations

from harness.architecture import Architecture, Compressed, Dense, Mla, Moe
from harness.hf_config.common import Config, layer


def latent_attention(c: Config, index: bool = False, choose: bool = False, gated: bool = False) -> Mla:
    """index: with an indexer of its own; choose: a query sees only what an indexer chose."""
    return Mla(
        c.heads, c.whole("kv_lora_rank"), c.whole("qk_nope_head_dim"), c.whole("qk_rope_head_dim"),
        c.whole("v_head_dim"), c.whole("q_lora_rank", default=0), gated,
        index_heads=c.whole("index_n_heads") if index else 0, index_dim=c.whole("index_head_dim") if index else 0,
        index_top_k=c.whole("index_topk") if choose else 0,
    )  # fmt: skip


def routed(c: Config, **more: int) -> Moe:
    width = c.whole("moe_intermediate_size")
    shared = c.whole("n_shared_experts", "num_shared_experts", default=0) * width
    return Moe(
        c.whole("n_routed_experts", "num_experts"), c.whole("num_experts_per_tok", "num_experts_per_token"), width,
        shared_intermediate=shared, **more,
    )  # fmt: skip


def deepseek_v3(c: Config) -> Architecture:
    first, attention = c.whole("first_k_dense_replace", default=0), latent_attention(c)
    layers = [layer(attention, Dense(c.intermediate) if i < first else routed(c)) for i in range(c.layer_count)]
    return c.model(layers)


def sparse_latent(c: Config) -> Architecture:
    """DeepSeek Sparse Attention; some GLM layers share the indexer of a layer below."""
    first, layers = c.whole("first_k_dense_replace", default=0), []
    for i in range(c.layer_count):
        own = c.of_layer("indexer_types", i, "full") == "full"
        dense = c.of_layer("mlp_layer_types", i, "dense" if i < first else "sparse") == "dense"
        mlp = Dense(c.intermediate) if dense else routed(c)
        layers.append(layer(latent_attention(c, index=own, choose=True), mlp))
    return c.model(layers)


def deepseek_v4(c: Config) -> Architecture:
    """Compressed context by a ratio a layer: 0 (window alone), a small one with an indexer, a large one without."""
    chosen = min((r for r in c.get("compress_ratios") if r), default=0)
    layers = []
    for i in range(c.layer_count):
        ratio = c.of_layer("compress_ratios", i, 0)
        index = {
            "overlap": 2, "index_heads": c.whole("index_n_heads"), "index_dim": c.whole("index_head_dim"),
            "index_top_k": c.whole("index_topk"),
        }  # fmt: skip
        attention = Compressed(
            c.heads, c.head_dim, c.whole("q_lora_rank"), c.whole("o_groups"), c.whole("o_lora_rank"),
            c.whole("sliding_window"), ratio, rope=c.whole("qk_rope_head_dim"),
            **(index if ratio and ratio == chosen else {}),
        )  # fmt: skip
        layers.append(layer(attention, routed(c)))
    return c.model(layers, streams=c.whole("hc_mult", default=1))


FAMILIES = {
    "deepseek_v3": deepseek_v3, "kimi_k2": deepseek_v3, "deepseek_v32": sparse_latent, "glm_moe_dsa": sparse_latent,
    "deepseek_v4": deepseek_v4,
}  # fmt: skip
