"""Operators of feed-forward blocks."""

from __future__ import annotations

from harness.architecture import Dense, Moe
from harness.operators.load import WIDE
from harness.operators.step import Step, split
from harness.trace import BYTES, Op


def dense(step: Step, mlp: Dense, name: str = "mlp", part: str = "mlp") -> list[Op]:
    tokens = step.load.tokens
    width = split(mlp.intermediate, step.tp, "feed-forward width")
    up = step.gemm(f"{name}_up", tokens, width * (mlp.matrices - 1), step.hidden, part)
    # SiLU (exp, add, divide, multiply) and the gate's product -> 5 operations an element.
    act = step.elementwise(f"{name}_act", tokens, width, mlp.matrices - 1, 5 if mlp.gated else 4)
    return [up, act, step.gemm(f"{name}_down", tokens, step.hidden, width, part)]


def moe(step: Step, mlp: Moe) -> list[Op]:
    """Router, the grouped product of the routed experts, the shared experts.

    Experts touched: E (1 - (1 - k/E)^tokens) under uniform routing; their weights are read once. Where attention
    is data-parallel, the experts see the tokens of all `dp` ranks.
    """
    tokens, weight, stream = step.load.tokens, step.dtypes.of("experts"), step.dtypes.stream
    act = stream if weight in WIDE else step.dtypes.act
    ep, copies = max(1, step.ep), step.dp
    width, inner = split(mlp.intermediate, max(1, step.tp * copies // ep), "expert width"), mlp.width(step.hidden)
    local = split(mlp.experts, ep, "experts")
    seen = tokens * copies if copies > 1 else tokens
    rows = seen * mlp.top_k / ep if ep > 1 else seen * mlp.top_k
    touched = step.load.touched(mlp.experts, mlp.top_k, copies) * local / mlp.experts
    grouped = Op(
        "experts", "moe", step.phase, (seen, inner, width, mlp.top_k, local, touched),
        2 * rows * 3 * inner * width, weight, act, "", touched * 3 * inner * width * BYTES[weight],
        rows * inner * BYTES[act], rows * inner * BYTES[stream], out_dtype="" if act == stream else stream,
    )  # fmt: skip
    ops = [step.gemm("router", tokens, mlp.experts, step.hidden, "router"), *_latent(step, mlp, grouped)]
    if mlp.shared_intermediate:
        ops += dense(step, Dense(mlp.shared_intermediate), "shared", "shared_experts")
    return ops


def exchange(step: Step, mlp: Moe) -> list[Op]:
    """Tokens to the chips of their experts and back: a token visits at most min(top_k, ep) chips.

    Each of a rank's `tp` chips sends its share. Out go activations in the experts' format, back come sums in the
    stream's. Left out: tokens whose experts are at home ((1 - 1/ep) is the collective's).
    """
    copies = step.load.tokens * min(mlp.top_k, step.ep) * mlp.width(step.hidden) / step.tp
    out = step.dtypes.stream if step.dtypes.of("experts") in WIDE else step.dtypes.act
    return [
        step.collective("dispatch", "all_to_all", copies, step.ep, out),
        step.collective("combine", "all_to_all", copies, step.ep),
    ]


def _latent(step: Step, mlp: Moe, grouped: Op) -> list[Op]:
    """The routed experts, between the projections into and out of their own width where they have one."""
    if not mlp.latent:
        return [grouped]
    tokens = step.load.tokens
    return [
        step.gemm("latent_down", tokens, mlp.latent, step.hidden, "experts"),
        step.norm("latent_norm", tokens, mlp.latent),
        grouped,
        step.gemm("latent_up", tokens, step.hidden, mlp.latent, "experts"),
    ]
