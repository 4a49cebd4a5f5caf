"""The computed trace: a model's operators for a step, from its architecture alone.

`Load` says what a step holds: groups of sequences with the same number of new and past tokens. Its numbers
may be ints (then the trace equals the counted one, exactly) or NumPy arrays of one shape, one element an
operating point (then every operator is an array over all of them).

Tensor parallelism splits heads, feed-forward width and vocabulary; KV heads are copied where they are fewer
than the chips. Expert parallelism gives each chip experts/ep whole experts and its share of routed rows.
Left out: routing imbalance (the roofline stage adds it), activations that a fused kernel never writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.architecture import Architecture, Dense, GatedDelta, Gqa, LayerGroup, Mla, Moe
from harness.errors import NotPredictable
from harness.trace import BYTES, Op, Trace

_WIDE = ("fp32", "tf32", "bf16", "fp16")
_BF16_BY_DEFAULT = ("embedding", "head", "norm", "router")


@dataclass(frozen=True)
class Dtypes:
    """Formats of a deployment; `bf16_parts` stay in bf16 where `weight` is a quantised format."""

    weight: str
    act: str
    kv: str
    bf16_parts: tuple[str, ...] = _BF16_BY_DEFAULT

    @property
    def stream(self) -> str:
        """Format between the products: engines keep it in bf16 where the products take 8 or 4 bits."""
        return self.act if self.act in _WIDE else "bf16"

    def of(self, part: str) -> str:
        """Weight format of a part: embedding, head, norm, router, attention, mlp, experts, shared_experts."""
        quantised = self.weight not in _WIDE
        return "bf16" if quantised and part in self.bf16_parts else self.weight


FP32 = Dtypes("fp32", "fp32", "fp32")


@dataclass(frozen=True)
class Group:
    """`count` sequences, each with `new` tokens to process after `past` cached ones."""

    count: Any
    new: Any
    past: Any


@dataclass(frozen=True)
class Load:
    """One step: groups of sequences, and the rows whose logits are wanted (None: one a sequence)."""

    groups: tuple[Group, ...]
    logit_rows: Any = None

    @classmethod
    def of(cls, new: Iterable[int], past: Iterable[int] | None = None, logit_rows: int | None = None) -> Load:
        """A batch from its sequences' lengths."""
        new = list(new)
        past = [0] * len(new) if past is None else list(past)
        return cls(tuple(Group(1, t, p) for t, p in zip(new, past, strict=True)), logit_rows)

    @property
    def sequences(self) -> Any:
        return sum(g.count for g in self.groups)

    @property
    def tokens(self) -> Any:
        return sum(g.count * g.new for g in self.groups)

    @property
    def rows(self) -> Any:
        return self.sequences if self.logit_rows is None else self.logit_rows

    def attended(self, window: int) -> tuple[Any, Any, Any]:
        """(KV tokens read, query-key pairs, pairs that the causal mask drops) summed over the batch.

        A window caps what a query sees; the pairs it drops from the full square are not counted at all.
        """
        kv = pairs = masked = 0
        for g in self.groups:
            span, ahead = g.past + g.new, g.new
            if window:
                kv += g.count * (np.minimum(g.past, window) + g.new)
                span, ahead = np.minimum(span, window), np.minimum(g.new, window)
            else:
                kv += g.count * span
            pairs += g.count * g.new * span
            masked += g.count * ahead * (ahead - 1) / 2
        return kv, pairs, masked


@dataclass(frozen=True)
class _Step:
    """What every operator's formula needs."""

    load: Load
    phase: str
    dtypes: Dtypes
    hidden: int
    tp: int
    ep: int

    def gemm(self, name: str, m: Any, n: int, k: int, part: str) -> Op:
        """[m, k] x [k, n]: weights read once, activations in and out."""
        return self.product(name, part, m, n, k, m * k, m * n)

    def product(self, name: str, part: str, m: Any, n: int, k: int, elements_in: Any, elements_out: Any) -> Op:
        """A matrix product; a part kept in bf16 runs in bf16, and what comes out joins the stream."""
        weight, stream = self.dtypes.of(part), self.dtypes.stream
        act = stream if weight in _WIDE else self.dtypes.act
        return Op(
            name, "gemm", self.phase, (m, n, k), 2 * m * n * k, weight, act, "",
            n * k * BYTES[weight], elements_in * BYTES[act], elements_out * BYTES[stream],
            out_dtype="" if act == stream else stream,
        )  # fmt: skip

    def norm(self, name: str, rows: Any, width: int) -> Op:
        """RMSNorm: square, sum, scale, weigh -> 4 operations an element."""
        weight, act = self.dtypes.of("norm"), self.dtypes.stream
        size = rows * width * BYTES[act]
        return Op(name, "norm", self.phase, (rows, width), 4 * rows * width, weight, act, "",
                  width * BYTES[weight], size, size)  # fmt: skip

    def elementwise(self, name: str, rows: Any, width: int, inputs: int, flops: int) -> Op:
        """`inputs` arrays [rows, width] in, one out, `flops` operations an element."""
        act = self.dtypes.stream
        size = rows * width * BYTES[act]
        return Op(name, "elementwise", self.phase, (rows, width), flops * rows * width, act, act, "",
                  0, inputs * size, size)  # fmt: skip

    def cache_write(self, rows: Any, width: int) -> Op:
        """New keys and values (or latents) into the cache, in its own format."""
        act, kv = self.dtypes.stream, self.dtypes.kv
        return Op("kv_write", "elementwise", self.phase, (rows, width), 0, act, act, kv, 0,
                  rows * width * BYTES[act], 0, 0, rows * width * BYTES[kv])  # fmt: skip

    def attention(self, attended, heads, kv_heads, qk_dim, v_dim, kv_width, kv_bytes_dtype) -> Op:
        """Scores and weighted sum: 2 x pairs x heads x (qk_dim + v_dim) FLOPs; the cache is read once."""
        tokens, act = self.load.tokens, self.dtypes.stream
        kv, pairs, masked = attended
        return Op(
            "attention", "attention", self.phase, (tokens, kv, pairs, masked, heads, kv_heads, qk_dim, v_dim),
            2 * pairs * heads * (qk_dim + v_dim), act, act, kv_bytes_dtype, 0, tokens * heads * qk_dim * BYTES[act],
            tokens * heads * v_dim * BYTES[act], kv * kv_width * BYTES[kv_bytes_dtype], 0, self.phase == "prefill",
        )  # fmt: skip

    def collective(self, name: str, kind: str, elements: Any, chips: int) -> Op:
        stream = self.dtypes.stream
        return Op(name, kind, self.phase, (elements * BYTES[stream], chips), 0, stream, stream)


def trace(
    arch: Architecture,
    load: Load,
    dtypes: Dtypes,
    *,
    phase: str,
    tp: int = 1,
    ep: int = 1,
    mla: str | None = None,
) -> Trace:
    """The operators of one step on one of `tp` chips, as a `Trace`; see `plan`."""
    return Trace(plan(arch, load, dtypes, phase=phase, tp=tp, ep=ep, mla=mla))


def plan(
    arch: Architecture,
    load: Load,
    dtypes: Dtypes,
    *,
    phase: str,
    tp: int = 1,
    ep: int = 1,
    mla: str | None = None,
) -> list[tuple[Op, int]]:
    """(operator, layers it runs in) of one step, in order; the load's numbers may be arrays of one shape.

    mla: "absorbed" (scores against the latent; the default for decode) or "expanded" (latents of the whole
    context expanded to keys and values; the default for prefill). Raises NotPredictable where heads, KV heads,
    experts or widths do not divide.
    """
    step = _Step(load, phase, dtypes, arch.hidden, tp, ep)
    mla = mla or ("absorbed" if phase == "decode" else "expanded")
    out: list[tuple[Op, int]] = [(_embedding(step), 1)]
    if tp > 1:
        out.append((step.collective("embedding.all_reduce", "all_reduce", load.tokens * arch.hidden, tp), 1))
    for group in arch.layers:
        out += [(op, group.count) for op in _layer(step, group, mla)]
    out.append((step.norm("final_norm", load.rows, arch.hidden), 1))
    vocab = _split(arch.vocab, tp, "vocabulary", exact=False)
    out.append((step.gemm("head", load.rows, vocab, arch.hidden, "head"), 1))
    if tp > 1:
        out.append((step.collective("head.all_gather", "all_gather", load.rows * arch.vocab, tp), 1))
    return out


def _embedding(step: _Step) -> Op:
    weight, act = step.dtypes.of("embedding"), step.dtypes.stream
    elements = step.load.tokens * step.hidden
    return Op("embedding", "embedding", step.phase, (step.load.tokens, step.hidden), 0, weight, act, "",
              elements * BYTES[weight], 0, elements * BYTES[act])  # fmt: skip


def _layer(step: _Step, group: LayerGroup, mla: str) -> list[Op]:
    tokens, hidden = step.load.tokens, step.hidden
    ops = [step.norm("attn_norm", tokens, hidden)]
    match group.attention:
        case Gqa():
            ops += _gqa(step, group.attention)
        case Mla():
            ops += _mla(step, group.attention, mla)
        case GatedDelta():
            ops += _gated_delta(step, group.attention)
    ops += _reduce(step, "attn")
    ops += [step.elementwise("attn_residual", tokens, hidden, 2, 1), step.norm("mlp_norm", tokens, hidden)]
    ops += _dense(step, group.mlp) if isinstance(group.mlp, Dense) else _moe(step, group.mlp)
    return [*ops, *_reduce(step, "mlp"), step.elementwise("mlp_residual", tokens, hidden, 2, 1)]


def _reduce(step: _Step, where: str) -> list[Op]:
    if step.tp == 1:
        return []
    return [step.collective(f"{where}.all_reduce", "all_reduce", step.load.tokens * step.hidden, step.tp)]


def _gqa(step: _Step, a: Gqa) -> list[Op]:
    tokens = step.load.tokens
    heads = _split(a.heads, step.tp, "attention heads")
    kv_heads = _split(a.kv_heads, step.tp, "KV heads") if a.kv_heads >= step.tp else 1
    q_width, kv_width = heads * a.head_dim, 2 * kv_heads * a.head_dim
    ops = [step.gemm("qkv", tokens, q_width * (2 if a.gated else 1) + kv_width, step.hidden, "attention")]
    if a.qk_norm:
        ops.append(step.norm("qk_norm", tokens * (heads + kv_heads), a.head_dim))
    # Rotation: two products and a sum an element (the sign is free) -> 3 operations.
    ops.append(step.elementwise("rope", tokens, q_width + kv_width // 2, 1, 3))
    ops.append(step.cache_write(tokens, kv_width))
    attended = step.load.attended(a.window)
    ops.append(step.attention(attended, heads, kv_heads, a.head_dim, a.head_dim, kv_width, step.dtypes.kv))
    if a.gated:
        ops.append(step.elementwise("attn_gate", tokens, q_width, 2, 2))
    return [*ops, step.gemm("attn_out", tokens, step.hidden, q_width, "attention")]


def _mla(step: _Step, a: Mla, mode: str) -> list[Op]:
    tokens = step.load.tokens
    heads, latent = _split(a.heads, step.tp, "attention heads"), a.kv_lora + a.qk_rope
    attended = step.load.attended(0)
    if a.q_lora:
        query = [
            step.gemm("q_down", tokens, a.q_lora, step.hidden, "attention"),
            step.norm("q_norm", tokens, a.q_lora),
            step.gemm("q_up", tokens, heads * a.qk_dim, a.q_lora, "attention"),
        ]
    else:
        query = [step.gemm("q", tokens, heads * a.qk_dim, step.hidden, "attention")]
    ops = [
        *query,
        step.gemm("kv_down", tokens, latent, step.hidden, "attention"),
        step.norm("kv_norm", tokens, a.kv_lora),
        step.elementwise("rope", tokens, (heads + 1) * a.qk_rope, 1, 3),
        step.cache_write(tokens, latent),
    ]
    if mode == "expanded":
        # Keys and values of the whole context are made from the latents, then attended to as in MHA.
        ops.append(step.gemm("kv_up", attended[0], heads * (a.qk_nope + a.v_head_dim), a.kv_lora, "attention"))
        expanded = heads * (a.qk_dim + a.v_head_dim)
        ops.append(step.attention(attended, heads, heads, a.qk_dim, a.v_head_dim, expanded, step.dtypes.stream))
    else:
        ops.append(_per_head_gemm(step, "q_absorb", tokens, heads, a.kv_lora, a.qk_nope))
        ops.append(step.attention(attended, heads, 1, latent, a.kv_lora, latent, step.dtypes.kv))
        ops.append(_per_head_gemm(step, "v_absorb", tokens, heads, a.v_head_dim, a.kv_lora))
    return [*ops, step.gemm("attn_out", tokens, step.hidden, heads * a.v_head_dim, "attention")]


def _per_head_gemm(step: _Step, name: str, tokens: Any, heads: int, n: int, k: int) -> Op:
    """`heads` products [tokens, k] x [k, n], one weight each (MLA's absorbed projections)."""
    elements_in, elements_out = tokens * heads * k, tokens * heads * n
    return step.product(name, "attention", tokens, heads * n, k, elements_in, elements_out)


def _gated_delta(step: _Step, a: GatedDelta) -> list[Op]:
    """Projections, a short convolution, the state update and the output (Gated DeltaNet, arXiv 2412.06464).

    The recurrent form: a token takes 3 products with its [key_dim, value_dim] state (read for the delta,
    rank-one update, read for the output) and a decay -> 7 operations a state element. Chunked prefill does
    more FLOPs in exchange for matrix products; left out. The fp32 state is read and written once a step.
    """
    tokens = step.load.tokens
    value_heads = _split(a.value_heads, step.tp, "value heads")
    share = value_heads / a.value_heads
    value_width, key_width = int(a.value_width * share), int(a.key_width * share)
    state = value_heads * a.key_dim * a.value_dim
    state_bytes = step.load.sequences * state * BYTES["fp32"]
    act = step.dtypes.stream
    mixed = 2 * key_width + value_width
    update = Op("delta_rule", "state", step.phase, (tokens, step.load.sequences, value_heads, a.key_dim, a.value_dim),
                7 * tokens * state, act, act, "fp32", 0, tokens * mixed * BYTES[act],
                tokens * value_width * BYTES[act], state_bytes, state_bytes)  # fmt: skip
    return [
        step.gemm("delta_in", tokens, int(a.in_width * share), step.hidden, "attention"),
        step.elementwise("delta_conv", tokens, mixed, 1, 2 * a.conv),
        update,
        step.norm("delta_norm", tokens * value_heads, a.value_dim),
        step.elementwise("delta_gate", tokens, value_width, 2, 2),
        step.gemm("attn_out", tokens, step.hidden, value_width, "attention"),
    ]


def _dense(step: _Step, mlp: Dense, name: str = "mlp", part: str = "mlp") -> list[Op]:
    tokens = step.load.tokens
    width = _split(mlp.intermediate, step.tp, "feed-forward width")
    up = step.gemm(f"{name}_up", tokens, width * (mlp.matrices - 1), step.hidden, part)
    # SiLU (exp, add, divide, multiply) and the gate's product -> 5 operations an element.
    act = step.elementwise(f"{name}_act", tokens, width, mlp.matrices - 1, 5 if mlp.gated else 4)
    return [up, act, step.gemm(f"{name}_down", tokens, step.hidden, width, part)]


def _moe(step: _Step, mlp: Moe) -> list[Op]:
    """Router, the grouped product of the routed experts, the shared experts.

    Experts touched: E (1 - (1 - k/E)^tokens) under uniform routing; their weights are read once.
    """
    tokens, weight, stream = step.load.tokens, step.dtypes.of("experts"), step.dtypes.stream
    act = stream if weight in _WIDE else step.dtypes.act
    split = step.tp if step.ep <= 1 else max(1, step.tp // step.ep)
    width = _split(mlp.intermediate, split, "expert width")
    local = _split(mlp.experts, max(1, step.ep), "experts")
    rows = tokens * mlp.top_k / step.ep if step.ep > 1 else tokens * mlp.top_k
    touched = local * (1 - (1 - mlp.top_k / mlp.experts) ** tokens)
    grouped = Op(
        "experts", "moe", step.phase, (tokens, step.hidden, width, mlp.top_k, local, touched),
        2 * rows * 3 * step.hidden * width, weight, act, "", touched * 3 * step.hidden * width * BYTES[weight],
        rows * step.hidden * BYTES[act], rows * step.hidden * BYTES[stream], out_dtype="" if act == stream else stream,
    )  # fmt: skip
    ops = [step.gemm("router", tokens, mlp.experts, step.hidden, "router"), grouped]
    if mlp.shared_intermediate:
        ops += _dense(step, Dense(mlp.shared_intermediate), "shared", "shared_experts")
    return ops


def _split(width: int, parts: int, what: str, exact: bool = True) -> int:
    """One chip's share. Raises NotPredictable where it does not divide (a vocabulary is padded instead)."""
    if width % parts and exact:
        raise NotPredictable(f"{width} {what} cannot be split over {parts} chips")
    return -(-width // parts)
