"""A model's layer plan: `[architecture]` of its TOML as frozen dataclasses, and what follows by arithmetic.

    [architecture]
    source = "config"            # a name under [sources]
    hidden = 4096
    vocab = 151936
    tied_embeddings = false
    [[architecture.layers]]
    count = 94
    attention = {kind = "gqa", heads = 64, kv_heads = 4, head_dim = 128, qk_norm = true}
    mlp = {kind = "moe", experts = 128, top_k = 8, intermediate = 1536}

Attention kinds: `gqa`, `mla`, `compressed` (softmax.py) keep a cache; `gated-delta`, `kda`, `lightning` (linear.py)
keep a fixed state. MLP kinds: `dense`, `moe` (mlp.py), of the gated three-matrix form unless `gated = false`.
Parameter counts leave out nothing that is stored as a weight: norms, biases and routers are counted, buffers that
training does not touch are not; layers for multi-token prediction are given apart (`mtp_layers`).
"""

from harness.architecture.linear import GatedDelta, Kda, Lightning
from harness.architecture.mlp import Dense, Moe
from harness.architecture.plan import Architecture, Attention, LayerGroup, Recurrent
from harness.architecture.softmax import Compressed, Gqa, Mla
from harness.architecture.table import from_table, of_model, to_table

__all__ = [
    "Architecture", "Attention", "Compressed", "Dense", "GatedDelta", "Gqa", "Kda", "LayerGroup", "Lightning", "Mla",
    "Moe", "Recurrent", "from_table", "of_model", "to_table",
]  # fmt: skip
