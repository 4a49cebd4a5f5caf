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

Attention kinds: `gqa` (MHA and MQA are its ends; `window` for sliding), `mla` (DeepSeek-V2 report,
section 2.1), `gated-delta` (linear attention with a fixed state). MLP kinds: `dense`, `moe`; both are the
gated three-matrix form unless `gated = false`.
Parameter counts leave out nothing that is stored as a weight: norms, biases and routers are counted,
buffers that training does not touch are not; multi-token-prediction layers are given apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import BadFile


@dataclass(frozen=True)
class Gqa:
    """Grouped-query attention; `gated` doubles the query projection by an output gate (Qwen3-Next)."""

    heads: int
    kv_heads: int
    head_dim: int
    window: int = 0
    qk_norm: bool = False
    bias: bool = False
    out_bias: bool = False
    sinks: bool = False
    gated: bool = False
    kind: str = "gqa"

    @property
    def q_width(self) -> int:
        return self.heads * self.head_dim * (2 if self.gated else 1)

    @property
    def kv_width(self) -> int:
        return 2 * self.kv_heads * self.head_dim

    def parameters(self, hidden: int) -> int:
        qkv = self.q_width + self.kv_width
        out = self.heads * self.head_dim
        biases = (qkv if self.bias else 0) + (hidden if self.out_bias else 0)
        return hidden * (qkv + out) + biases + (2 * self.head_dim if self.qk_norm else 0) + self.sinks * self.heads

    @property
    def kv_elements_per_token(self) -> int:
        """Zero for a window: its cache is a fixed state once the window is full."""
        return 0 if self.window else self.kv_width

    @property
    def state_elements(self) -> int:
        return self.window * self.kv_width


@dataclass(frozen=True)
class Mla:
    """Multi-head latent attention: the cache holds one latent of kv_lora + qk_rope a token and layer."""

    heads: int
    kv_lora: int
    qk_nope: int
    qk_rope: int
    v_head_dim: int
    q_lora: int = 0
    kind: str = "mla"

    @property
    def qk_dim(self) -> int:
        return self.qk_nope + self.qk_rope

    def shared_parameters(self, hidden: int) -> int:
        """Down-projections and their norms: not split by heads, so every tensor-parallel chip holds them."""
        query = hidden * self.q_lora + self.q_lora
        return query + hidden * (self.kv_lora + self.qk_rope) + self.kv_lora

    def parameters(self, hidden: int) -> int:
        q = self.heads * self.qk_dim
        query = hidden * self.q_lora + self.q_lora + self.q_lora * q if self.q_lora else hidden * q
        latent = hidden * (self.kv_lora + self.qk_rope) + self.kv_lora
        expand = self.kv_lora * self.heads * (self.qk_nope + self.v_head_dim)
        return query + latent + expand + self.heads * self.v_head_dim * hidden

    @property
    def kv_elements_per_token(self) -> int:
        return self.kv_lora + self.qk_rope

    @property
    def state_elements(self) -> int:
        return 0


@dataclass(frozen=True)
class GatedDelta:
    """Gated delta rule (Gated DeltaNet, as laid out in Qwen3-Next): a key_dim x value_dim state a value head."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    conv: int = 4
    kind: str = "gated-delta"

    @property
    def key_width(self) -> int:
        return self.key_heads * self.key_dim

    @property
    def value_width(self) -> int:
        return self.value_heads * self.value_dim

    @property
    def in_width(self) -> int:
        """Columns of the input projections: q, k, v, the gate z, and b, a (one each a value head)."""
        return 2 * self.key_width + 2 * self.value_width + 2 * self.value_heads

    def parameters(self, hidden: int) -> int:
        conv = self.conv * (2 * self.key_width + self.value_width)
        return hidden * self.in_width + conv + 2 * self.value_heads + self.value_dim + self.value_width * hidden

    @property
    def kv_elements_per_token(self) -> int:
        return 0

    @property
    def state_elements(self) -> int:
        return self.value_heads * self.key_dim * self.value_dim + self.conv * (2 * self.key_width + self.value_width)


@dataclass(frozen=True)
class Dense:
    """A feed-forward block: gate, up and down (SwiGLU), or up and down where `gated` is false."""

    intermediate: int
    gated: bool = True
    bias: bool = False
    kind: str = "dense"

    @property
    def matrices(self) -> int:
        return 3 if self.gated else 2

    def parameters(self, hidden: int) -> int:
        bias = (self.matrices - 1) * self.intermediate + hidden if self.bias else 0
        return self.matrices * hidden * self.intermediate + bias

    active_parameters = parameters


@dataclass(frozen=True)
class Moe:
    """Routed experts (top_k of experts), and shared ones of total width `shared_intermediate`."""

    experts: int
    top_k: int
    intermediate: int
    shared_intermediate: int = 0
    shared_gate: bool = False
    bias: bool = False
    kind: str = "moe"

    def expert_parameters(self, hidden: int) -> int:
        return 3 * hidden * self.intermediate + (2 * self.intermediate + hidden if self.bias else 0)

    def common_parameters(self, hidden: int) -> int:
        """Router, shared experts and their gate: used by every token."""
        router = hidden * self.experts + (self.experts if self.bias else 0)
        return router + 3 * hidden * self.shared_intermediate + (hidden if self.shared_gate else 0)

    def parameters(self, hidden: int) -> int:
        return self.experts * self.expert_parameters(hidden) + self.common_parameters(hidden)

    def active_parameters(self, hidden: int) -> int:
        return self.top_k * self.expert_parameters(hidden) + self.common_parameters(hidden)


_KINDS = {"gqa": Gqa, "mla": Mla, "gated-delta": GatedDelta, "dense": Dense, "moe": Moe}


@dataclass(frozen=True)
class LayerGroup:
    """`count` layers of one plan."""

    count: int
    attention: Gqa | Mla | GatedDelta
    mlp: Dense | Moe

    def parameters(self, hidden: int) -> int:
        return self.count * (self.attention.parameters(hidden) + self.mlp.parameters(hidden) + 2 * hidden)

    def active_parameters(self, hidden: int) -> int:
        return self.count * (self.attention.parameters(hidden) + self.mlp.active_parameters(hidden) + 2 * hidden)


@dataclass(frozen=True)
class Architecture:
    """Everything of a transformer that decides its FLOPs and bytes."""

    hidden: int
    vocab: int
    tied_embeddings: bool
    layers: tuple[LayerGroup, ...]
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5

    @property
    def layer_count(self) -> int:
        return sum(group.count for group in self.layers)

    @cached_property
    def parameters(self) -> int:
        """All weights, the embedding counted once where it is tied to the head."""
        return self.body_parameters + self.vocab * self.hidden * (1 if self.tied_embeddings else 2)

    @cached_property
    def body_parameters(self) -> int:
        return sum(group.parameters(self.hidden) for group in self.layers) + self.hidden

    @cached_property
    def active_parameters(self) -> int:
        """Weights used by one token, embedding and head included (publishers differ in what they count)."""
        body = sum(group.active_parameters(self.hidden) for group in self.layers) + self.hidden
        return body + self.vocab * self.hidden * (1 if self.tied_embeddings else 2)

    @property
    def kv_elements_per_token(self) -> int:
        return sum(group.count * group.attention.kv_elements_per_token for group in self.layers)

    @property
    def state_elements_per_sequence(self) -> int:
        return sum(group.count * group.attention.state_elements for group in self.layers)


def from_table(table: Mapping[str, Any], path: Path) -> Architecture:
    """The `[architecture]` table of a model's file. Raises BadFile naming the key."""
    table = {k: v for k, v in table.items() if k not in ("source", "note", "mtp_layers")}
    groups = table.pop("layers", None)
    if not isinstance(groups, list) or not groups:
        raise BadFile(path, "architecture.layers", groups, "one or more [[architecture.layers]]")
    layers = tuple(_group(g, path, f"architecture.layers[{i}]") for i, g in enumerate(groups))
    return _make(Architecture, {**table, "layers": layers}, path, "architecture")


def _group(node: Any, path: Path, key: str) -> LayerGroup:
    parts = {}
    for part in ("attention", "mlp"):
        raw = node.get(part) if isinstance(node, dict) else None
        kind = raw.get("kind") if isinstance(raw, dict) else None
        if kind not in _KINDS:
            raise BadFile(path, f"{key}.{part}.kind", kind, f"one of {', '.join(_KINDS)}")
        parts[part] = _make(_KINDS[kind], raw, path, f"{key}.{part}")
    return _make(LayerGroup, {**node, **parts}, path, key)


def _make(cls: type, table: Mapping[str, Any], path: Path, key: str) -> Any:
    known = {f.name: f for f in fields(cls)}
    if extra := set(table) - set(known):
        raise BadFile(path, f"{key}.{min(extra)}", table[min(extra)], f"one of {', '.join(known)}")
    for name, f in known.items():
        if name not in table:
            if f.default is MISSING:
                raise BadFile(path, f"{key}.{name}", "nothing", f.type)
        elif f.type in ("int", "float"):
            value = table[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise BadFile(path, f"{key}.{name}", value, f"a number ({f.type}), not below 0")
        elif f.type == "bool" and not isinstance(table[name], bool):
            raise BadFile(path, f"{key}.{name}", table[name], "true or false")
    return cls(**table)
