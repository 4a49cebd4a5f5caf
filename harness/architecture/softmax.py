"""Attention that keeps keys and values of the context: grouped-query, latent, and compressed.

What each class answers, all for one layer:
- `parameters(hidden)`: its weights; `shared_parameters(hidden)`: those that every tensor-parallel chip holds whole;
- `kv_elements_per_token`: cache elements that one more token of context takes;
- `state_elements`: cache elements of a sequence that do not grow (a full window);
- `kv_share(tp)`: the share of that cache on one of `tp` chips.
Norms, biases and sinks count as weights; buffers that training does not touch do not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gqa:
    """Grouped-query attention (arXiv 2305.13245); MHA (kv_heads = heads) and MQA (kv_heads = 1) are its ends.

    window: a query sees the last `window` tokens, and the cache holds no more.
    chunk: a query sees its own chunk of `chunk` tokens (Llama 4); the cache is counted whole,
    though an engine may free past chunks.
    qk_norm: norms of one head's width on queries and keys; `qk_norm_wide`: of the whole width (MiniMax-M2).
    shared_kv: keys and values come from one projection (Gemma 4); both are cached.
    gated: the query projection is doubled by an output gate (Qwen3-Next).
    index_heads, index_dim, index_top_k, index_block: an indexer scores blocks of `index_block` tokens and a query
    attends to `index_top_k` tokens (MiniMax-M3); one index key of `index_dim` a token is cached.
    """

    heads: int
    kv_heads: int
    head_dim: int
    window: int = 0
    chunk: int = 0
    qk_norm: bool = False
    qk_norm_wide: bool = False
    bias: bool = False
    out_bias: bool = False
    sinks: bool = False
    gated: bool = False
    shared_kv: bool = False
    index_heads: int = 0
    index_dim: int = 0
    index_top_k: int = 0
    index_block: int = 0
    kind: str = "gqa"

    @property
    def q_width(self) -> int:
        """Columns of the query projection, the gate's included."""
        return self.heads * self.head_dim * (2 if self.gated else 1)

    @property
    def kv_width(self) -> int:
        """Cached elements of keys and values a token."""
        return 2 * self.kv_heads * self.head_dim

    @property
    def kv_columns(self) -> int:
        """Columns of the key and value projections."""
        return self.kv_width // 2 if self.shared_kv else self.kv_width

    def parameters(self, hidden: int) -> int:
        qkv = self.q_width + self.kv_columns
        biases = (qkv if self.bias else 0) + (hidden if self.out_bias else 0)
        norms = 2 * self.head_dim if self.qk_norm else 0
        norms += (self.heads + self.kv_heads) * self.head_dim if self.qk_norm_wide else 0
        index = hidden * (self.index_heads + 1) * self.index_dim + 2 * self.index_dim if self.index_heads else 0
        return hidden * (qkv + self.heads * self.head_dim) + biases + norms + self.sinks * self.heads + index

    def shared_parameters(self, hidden: int) -> int:
        """The index key's projection."""
        return hidden * self.index_dim if self.index_heads else 0

    @property
    def kv_elements_per_token(self) -> int:
        """Zero for a window: its cache is a fixed state once the window is full."""
        return 0 if self.window else self.kv_width + (self.index_dim if self.index_heads else 0)

    @property
    def state_elements(self) -> int:
        return self.window * self.kv_width

    def kv_share(self, tp: int) -> float:
        """KV heads are copied where they are fewer than the chips."""
        return max(1 / tp, 1 / self.kv_heads)


@dataclass(frozen=True)
class Mla:
    """Multi-head latent attention (DeepSeek-V2 report, section 2.1): one latent of kv_lora + qk_rope a token.

    gated: an output gate of the heads' width (Kimi K3).
    index_top_k: a query attends to that many tokens (DeepSeek Sparse Attention, V3.2 report); chosen by an indexer
    of `index_heads` x `index_dim`, or, where `index_heads` is 0, by that of a layer below (GLM-5.2).
    """

    heads: int
    kv_lora: int
    qk_nope: int
    qk_rope: int
    v_head_dim: int
    q_lora: int = 0
    gated: bool = False
    index_heads: int = 0
    index_dim: int = 0
    index_top_k: int = 0
    kind: str = "mla"

    @property
    def qk_dim(self) -> int:
        return self.qk_nope + self.qk_rope

    def shared_parameters(self, hidden: int) -> int:
        """Down-projections and their norms: not split by heads, so every tensor-parallel chip holds them."""
        query = hidden * self.q_lora + self.q_lora
        return query + hidden * (self.kv_lora + self.qk_rope) + self.kv_lora + self.index_parameters(hidden)

    def index_parameters(self, hidden: int) -> int:
        """Index queries from the query latent, one index key with its LayerNorm, a weight a head."""
        if not self.index_heads:
            return 0
        queries = (self.q_lora or hidden) * self.index_heads * self.index_dim
        return queries + hidden * self.index_dim + 2 * self.index_dim + hidden * self.index_heads

    def parameters(self, hidden: int) -> int:
        q, values = self.heads * self.qk_dim, self.heads * self.v_head_dim
        query = hidden * self.q_lora + self.q_lora + self.q_lora * q if self.q_lora else hidden * q
        latent = hidden * (self.kv_lora + self.qk_rope) + self.kv_lora
        expand = self.kv_lora * self.heads * (self.qk_nope + self.v_head_dim)
        gate = hidden * values if self.gated else 0
        return query + latent + expand + values * hidden + gate + self.index_parameters(hidden)

    @property
    def kv_elements_per_token(self) -> int:
        return self.kv_lora + self.qk_rope + (self.index_dim if self.index_heads else 0)

    @property
    def state_elements(self) -> int:
        return 0

    def kv_share(self, tp: int) -> float:
        """The latent is copied to every chip."""
        return 1.0


@dataclass(frozen=True)
class Compressed:
    """Attention over compressed context (DeepSeek-V4): one shared key-value head, every `ratio` tokens one entry.

    A query sees the last `window` tokens and the compressed entries: all of them, or the `index_top_k` that an
    indexer of `index_heads` x `index_dim` chooses. ratio = 0: the window alone. overlap: how many projections of
    the head's width a compressor blends (2 where neighbouring groups overlap). The output is projected in
    `out_groups` groups of rank `out_lora`. As laid out in the model's implementation in transformers 5.23.
    """

    heads: int
    head_dim: int
    q_lora: int
    out_groups: int
    out_lora: int
    window: int
    ratio: int = 0
    overlap: int = 1
    rope: int = 64
    index_heads: int = 0
    index_dim: int = 0
    index_top_k: int = 0
    kind: str = "compressed"

    @property
    def width(self) -> int:
        return self.heads * self.head_dim

    def _compressor(self, hidden: int, dim: int) -> int:
        """Projection, gate, a position's bias, norm."""
        return 2 * hidden * self.overlap * dim + self.ratio * self.overlap * dim + dim

    def shared_parameters(self, hidden: int) -> int:
        """What is not split by heads: the down-projections, the compressor, the indexer."""
        own = hidden * self.q_lora + self.q_lora + hidden * self.head_dim + self.head_dim
        if self.ratio:
            own += self._compressor(hidden, self.head_dim)
        if self.index_heads:
            queries = self.q_lora * self.index_heads * self.index_dim
            own += queries + hidden * self.index_heads + self._compressor(hidden, self.index_dim)
        return own

    def parameters(self, hidden: int) -> int:
        out = self.width * self.out_lora + self.out_groups * self.out_lora * hidden
        return self.shared_parameters(hidden) + self.q_lora * self.width + out + self.heads  # one sink a head

    @property
    def kv_elements_per_token(self) -> float:
        """The compressed entries' share of a token; keys and values are one vector."""
        return (self.head_dim + (self.index_dim if self.index_heads else 0)) / self.ratio if self.ratio else 0

    @property
    def state_elements(self) -> int:
        return self.window * self.head_dim

    def kv_share(self, tp: int) -> float:
        """One head, copied to every chip."""
        return 1.0
