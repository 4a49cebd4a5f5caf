"""Dense decoders with grouped-query attention: Llama, Mistral, Qwen, Gemma, Phi, Falcon, GPT-J."""

from __future__ import annotations

from harness.architecture import Architecture, Dense, Gqa
from harness.hf_config.common import Config, layer


def llama(c: Config) -> Architecture:
    bias = c.flag("attention_bias")
    attention = Gqa(c.heads, c.kv_heads, c.head_dim, bias=bias, out_bias=bias)
    mlp = Dense(c.intermediate, bias=c.flag("mlp_bias"))
    return c.model([layer(attention, mlp)] * c.layer_count)


def mistral(c: Config) -> Architecture:
    attention = Gqa(c.heads, c.kv_heads, c.head_dim, window=c.whole("sliding_window", default=0))
    return c.model([layer(attention, Dense(c.intermediate))] * c.layer_count)


def qwen(c: Config) -> Architecture:
    """The first Qwen: `intermediate_size` counts gate and up together."""
    attention = Gqa(c.heads, c.heads, c.head_dim, bias=True)
    return c.model([layer(attention, Dense(c.intermediate // 2))] * c.layer_count)


def qwen2(c: Config) -> Architecture:
    window = c.whole("sliding_window", default=0) if c.flag("use_sliding_window") else 0
    attention = Gqa(c.heads, c.kv_heads, c.head_dim, window=window, bias=True)
    return c.model([layer(attention, Dense(c.intermediate))] * c.layer_count)


def qwen3_attention(c: Config) -> Gqa:
    bias = c.flag("attention_bias")
    return Gqa(c.heads, c.kv_heads, c.whole("head_dim", default=128), qk_norm=True, bias=bias, out_bias=bias)


def qwen3(c: Config) -> Architecture:
    return c.model([layer(qwen3_attention(c), Dense(c.intermediate))] * c.layer_count)


def gemma3(c: Config) -> Architecture:
    """Windows, and every sixth layer the whole context; norms before and after each block."""
    window, every = c.whole("sliding_window", default=4096), c.whole("sliding_window_pattern", default=6)
    head_dim = c.whole("head_dim", default=256)
    kinds = [
        c.of_layer("layer_types", i, "full_attention" if (i + 1) % every == 0 else "sliding_attention")
        for i in range(c.layer_count)
    ]
    attention = [
        Gqa(c.heads, c.kv_heads, head_dim, window=window if kind == "sliding_attention" else 0, qk_norm=True)
        for kind in kinds
    ]
    return c.model([layer(a, Dense(c.intermediate), norms=4) for a in attention], tied=True)


def phi3(c: Config) -> Architecture:
    attention = Gqa(c.heads, c.kv_heads, c.head_dim, window=c.whole("sliding_window", default=0))
    return c.model([layer(attention, Dense(c.intermediate))] * c.layer_count)


def gptj(c: Config) -> Architecture:
    attention = Gqa(c.heads, c.heads, c.head_dim)
    mlp = Dense(c.whole("n_inner", default=4 * c.hidden), gated=False, bias=True)
    layers = [layer(attention, mlp, norms=1, parallel=True)] * c.layer_count
    return c.model(layers, norm_bias=True, head_bias=True)


def falcon(c: Config) -> Architecture:
    """7B: one KV head and one norm a layer; 40B and 180B: grouped KV heads and two norms."""
    new, bias = c.flag("new_decoder_architecture"), c.flag("bias")
    kv_heads = (
        c.whole("num_kv_heads", default=c.heads) if new else 1 if c.flag("multi_query", default=True) else c.heads
    )
    attention = Gqa(c.heads, kv_heads, c.hidden // c.heads, bias=bias, out_bias=bias)
    mlp = Dense(c.whole("ffn_hidden_size", default=4 * c.hidden), gated=False, bias=bias)
    parallel = new or c.flag("parallel_attn", default=True)
    norms = c.whole("num_ln_in_parallel_attn", default=2 if new or not parallel else 1)
    return c.model([layer(attention, mlp, norms=norms, parallel=parallel)] * c.layer_count, tied=True, norm_bias=True)


FAMILIES = {
    "llama": llama, "mistral": mistral, "qwen": qwen, "qwen2": qwen2, "qwen3": qwen3, "gemma3": gemma3,
    "gemma3_text": gemma3, "phi3": phi3, "gptj": gptj, "falcon": falcon,
}  # fmt: skip
