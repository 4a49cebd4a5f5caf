"""The computed trace: a model's operators for a step, from its architecture alone.

`Load` says what a step holds: groups of sequences with the same number of new and past tokens. Its numbers
may be ints (then the trace equals the counted one, exactly) or NumPy arrays of one shape, one element an
operating point (then every operator is an array over all of them).

Tensor parallelism splits heads, feed-forward width and vocabulary; KV heads are copied where they are fewer
than the chips. Expert parallelism gives each chip experts/ep whole experts and its share of routed rows. With
data-parallel attention (dp > 1) the load is that of one rank of tp chips, the experts see the tokens of all ranks,
and tokens travel to their experts and back instead of being summed. Left out: routing imbalance (the roofline stage adds it), activations that a fused kernel never writes.
"""

from __future__ import annotations

from harness.architecture import Architecture, Compressed, Dense, GatedDelta, Gqa, Kda, LayerGroup, Lightning, Mla, Moe
from harness.operators import linear, mlp, softmax
from harness.operators.load import FP32, KEPT_BY_DEFAULT, Dtypes, Group, Load
from harness.operators.step import Step, split
from harness.trace import BYTES, Op, Trace

__all__ = ["FP32", "KEPT_BY_DEFAULT", "Dtypes", "Group", "Load", "plan", "trace"]


def trace(
    arch: Architecture,
    load: Load,
    dtypes: Dtypes,
    *,
    phase: str,
    tp: int = 1,
    ep: int = 1,
    dp: int = 1,
    mla: str | None = None,
) -> Trace:
    """The operators of one step on one of the chips, as a `Trace`; see `plan`."""
    return Trace(plan(arch, load, dtypes, phase=phase, tp=tp, ep=ep, dp=dp, mla=mla))


def plan(
    arch: Architecture,
    load: Load,
    dtypes: Dtypes,
    *,
    phase: str,
    tp: int = 1,
    ep: int = 1,
    dp: int = 1,
    mla: str | None = None,
) -> list[tuple[Op, int]]:
    """(operator, layers it runs in) of one step, in order; the load's numbers may be arrays of one shape.

    mla: "absorbed" (scores against the latent; the default for decode) or "expanded" (latents of the whole
    context expanded to keys and values; the default for prefill). Raises NotPredictable where heads, KV heads,
    experts or widths do not divide.
    """
    step = Step(load, phase, dtypes, arch.hidden, tp, ep, dp)
    mla = mla or ("absorbed" if phase == "decode" else "expanded")
    out: list[tuple[Op, int]] = [(_embedding(step), 1)]
    if tp > 1:
        out.append((step.collective("embedding.all_reduce", "all_reduce", load.tokens * arch.hidden, tp), 1))
    for group in arch.layers:
        out += [(op, group.count) for op in _layer(step, arch, group, mla)]
    if arch.streams > 1:
        out.append((step.elementwise("mix_out", load.tokens, arch.streams * arch.hidden, 1, 2), 1))
    out.append((step.norm("final_norm", load.rows, arch.hidden), 1))
    vocab = split(arch.vocab, tp, "vocabulary", exact=False)
    out.append((step.gemm("head", load.rows, vocab, arch.hidden, "head"), 1))
    if tp > 1:
        out.append((step.collective("head.all_gather", "all_gather", load.rows * arch.vocab, tp), 1))
    return out


def _embedding(step: Step) -> Op:
    weight, act = step.dtypes.of("embedding"), step.dtypes.stream
    elements = step.load.tokens * step.hidden
    return Op("embedding", "embedding", step.phase, (step.load.tokens, step.hidden), 0, weight, act, "",
              elements * BYTES[weight], 0, elements * BYTES[act])  # fmt: skip


def _layer(step: Step, arch: Architecture, group: LayerGroup, mode: str) -> list[Op]:
    """Attention and feed-forward, each with its norms, its reduction over chips and its residual."""
    tokens, hidden = step.load.tokens, step.hidden
    attention = [step.norm("attn_norm", tokens, hidden), *_attention(step, group, mode)]
    feed_forward = mlp.dense(step, group.mlp) if isinstance(group.mlp, Dense) else mlp.moe(step, group.mlp)
    if group.parallel:
        second = [step.norm("mlp_norm", tokens, hidden)] if group.norms > 1 else []
        residual = step.elementwise("attn_residual", tokens, hidden, 3, 2)
        return [*attention, *second, *feed_forward, *_reduce(step, "mlp"), residual]
    feed_forward = [step.norm("mlp_norm", tokens, hidden), *feed_forward]
    exchanged = step.dp > 1 and isinstance(group.mlp, Moe)
    attention += _reduce(step, "attn")
    feed_forward += mlp.exchange(step, group.mlp) if exchanged else _reduce(step, "mlp")
    return [*_block(step, arch, "attn", attention, group.norms), *_block(step, arch, "mlp", feed_forward, group.norms)]


def _block(step: Step, arch: Architecture, name: str, ops: list[Op], norms: int) -> list[Op]:
    """A block's operators, the norm after it where there is one, and the way back to the residual."""
    tokens, hidden = step.load.tokens, step.hidden
    if norms > 2:
        ops.append(step.norm(f"{name}_post_norm", tokens, hidden))
    if arch.streams == 1:
        return [*ops, step.elementwise(f"{name}_residual", tokens, hidden, 2, 1)]
    # Hyper-connections: weights from all streams, one stream's width in, and all streams mixed again after.
    wide = arch.streams * hidden
    return [
        step.gemm("mix_weights", tokens, arch.mixing_width, wide, "norm"),
        step.elementwise("mix_in", tokens, wide, 1, 2),
        *ops,
        step.elementwise(f"{name}_residual", tokens, wide, 2, 2 * arch.streams + 1),
    ]


def _attention(step: Step, group: LayerGroup, mode: str) -> list[Op]:
    match group.attention:
        case Gqa():
            return softmax.gqa(step, group.attention)
        case Mla():
            return softmax.mla(step, group.attention, mode)
        case Compressed():
            return softmax.compressed(step, group.attention)
        case GatedDelta():
            return linear.gated_delta(step, group.attention)
        case Kda():
            return linear.kda(step, group.attention)
        case Lightning():
            return linear.lightning(step, group.attention)


def _reduce(step: Step, where: str) -> list[Op]:
    if step.tp == 1:
        return []
    return [step.collective(f"{where}.all_reduce", "all_reduce", step.load.tokens * step.hidden, step.tp)]
