"""Linear attention with softmax attention in between: Qwen3-Next and Qwen3.5, Kimi Linear."""

from __future__ import annotations

from harness.architecture import Architecture, Dense, GatedDelta, Gqa, Kda, Moe
from harness.hf_config.common import Config, layer
from harness.hf_config.latent import latent_attention, routed


def qwen3_next(c: Config) -> Architecture:
    """Gated DeltaNet, and every fourth layer gated attention; experts, or a dense block where there are none."""
    softmax = Gqa(c.heads, c.kv_heads, c.head_dim, qk_norm=True, gated=c.flag("attn_output_gate", default=True))
    linear = GatedDelta(
        c.whole("linear_num_key_heads"), c.whole("linear_num_value_heads"), c.whole("linear_key_head_dim"),
        c.whole("linear_value_head_dim"), c.whole("linear_conv_kernel_dim", default=4),
    )  # fmt: skip
    mlp: Dense | Moe
    if c.whole("num_experts", default=0):
        mlp = Moe(
            c.whole("num_experts"), c.whole("num_experts_per_tok"), c.whole("moe_intermediate_size"),
            shared_intermediate=c.whole("shared_expert_intermediate_size"), shared_gate=True,
        )  # fmt: skip
    else:
        mlp = Dense(c.intermediate)
    every, layers = c.whole("full_attention_interval", default=4), []
    for i in range(c.layer_count):
        kind = c.of_layer("layer_types", i, "linear_attention" if (i + 1) % every else "full_attention")
        layers.append(layer(linear if kind == "linear_attention" else softmax, mlp))
    return c.model(layers)


def kimi_linear(c: Config) -> Architecture:
    """Kimi Delta Attention, and in the layers listed (from 1) latent attention without rotation."""
    about = c.get("linear_attn_config", default={})
    linear = Kda(about["num_heads"], about["head_dim"], about.get("short_conv_kernel_size", 4),
                 bool(about.get("use_full_rank_gate")))  # fmt: skip
    latent = latent_attention(c, gated=c.flag("mla_use_output_gate"))
    moe = routed(c, latent=c.whole("routed_expert_hidden_size", default=0))
    first, layers = c.whole("first_k_dense_replace", default=0), []
    for i in range(c.layer_count):
        attention = latent if i + 1 in about["full_attn_layers"] else linear
        layers.append(layer(attention, Dense(c.intermediate) if i < first else moe))
    return c.model(layers)


FAMILIES = {
    "qwen3_next": qwen3_next, "qwen3_5": qwen3_next, "qwen3_5_text": qwen3_next, "qwen3_5_moe": qwen3_next,
    "qwen3_5_moe_text": qwen3_next, "kimi_linear": kimi_linear,
}  # fmt: skip
