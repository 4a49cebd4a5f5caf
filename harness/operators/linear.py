"""Operators of attention with a fixed state: projections, a short convolution, the state's update, the output.

The recurrent form is counted. Chunked prefill does more FLOPs in exchange for matrix products; left out. The fp32
state is read and written once a step.
"""

from __future__ import annotations

from harness.architecture import GatedDelta, Kda, Lightning
from harness.operators.step import Step, split
from harness.trace import BYTES, Op

# Operations a state element takes for one token. Delta rule (Gated DeltaNet, arXiv 2412.06464): a read for the
# delta, a rank-one update, a read for the output (2 each) and a decay. Linear attention has no first read.
_DELTA, _LINEAR = 7, 5


def gated_delta(step: Step, a: GatedDelta) -> list[Op]:
    tokens = step.load.tokens
    heads = split(a.value_heads, step.tp, "value heads")
    share = heads / a.value_heads
    values, mixed = int(a.value_width * share), 2 * int(a.key_width * share) + int(a.value_width * share)
    return [
        step.gemm("delta_in", tokens, int(a.in_width * share), step.hidden, "attention"),
        step.elementwise("delta_conv", tokens, mixed, 1, 2 * a.conv),
        _update(step, "delta_rule", heads, a.key_dim, a.value_dim, mixed, _DELTA),
        *_out(step, heads, a.value_dim, values),
    ]


def kda(step: Step, a: Kda) -> list[Op]:
    """As the gated delta rule, with a decay a channel through a bottleneck that every chip holds whole."""
    tokens = step.load.tokens
    heads = split(a.heads, step.tp, "linear-attention heads")
    width = heads * a.head_dim
    bottlenecks = 1 if a.full_gate else 2
    return [
        step.gemm("delta_in", tokens, (4 if a.full_gate else 3) * width + heads, step.hidden, "attention"),
        step.gemm("decay_down", tokens, bottlenecks * a.head_dim, step.hidden, "attention"),
        step.gemm("decay_up", tokens, bottlenecks * width, a.head_dim, "attention"),
        step.elementwise("delta_conv", tokens, 3 * width, 1, 2 * a.conv),
        _update(step, "delta_rule", heads, a.head_dim, a.head_dim, 4 * width, _DELTA),
        *_out(step, heads, a.head_dim, width),
    ]


def lightning(step: Step, a: Lightning) -> list[Op]:
    tokens = step.load.tokens
    heads = split(a.heads, step.tp, "linear-attention heads")
    width = heads * a.head_dim
    return [
        step.gemm("linear_in", tokens, 4 * width, step.hidden, "attention"),
        _update(step, "linear_attention", heads, a.head_dim, a.head_dim, 3 * width, _LINEAR),
        *_out(step, heads, a.head_dim, width),
    ]


def _update(step: Step, name: str, heads: int, key_dim: int, value_dim: int, mixed: int, operations: int) -> Op:
    """Every token updates and reads the [key_dim, value_dim] state of each head; `mixed` columns come in."""
    tokens, sequences, act = step.load.tokens, step.load.sequences, step.dtypes.stream
    state = heads * key_dim * value_dim
    state_bytes = sequences * state * BYTES["fp32"]
    return Op(name, "state", step.phase, (tokens, sequences, heads, key_dim, value_dim), operations * tokens * state,
              act, act, "fp32", 0, tokens * mixed * BYTES[act], tokens * heads * value_dim * BYTES[act],
              state_bytes, state_bytes)  # fmt: skip


def _out(step: Step, heads: int, head_dim: int, width: int) -> list[Op]:
    tokens = step.load.tokens
    return [
        step.norm("delta_norm", tokens * heads, head_dim),
        step.elementwise("delta_gate", tokens, width, 2, 2),
        step.gemm("attn_out", tokens, step.hidden, width, "attention"),
    ]
