"""What a prefill step holds on one chip beside weights and cache: its largest live tensors. Modelled.

Derived from the computed trace (`harness/operators`), which says what each operator reads and writes. While one runs,

    live = residual stream + what it reads + what it writes

and the step's peak is its largest. By operator, a token of it, with h the hidden size, tp chips that share heads and
widths, and each tensor in the format that the trace gives it:

    attention       h + (queries + keys and values of the chunk + outputs) / tp
    feed-forward    h + h + (gate and up) / tp
    routed experts  h + h + rows x product + max(rows x gate and up, rows x output), rows: copies of a token here
    head            h, and for each sampled row logits over the vocabulary, gathered, with a copy in fp32 to sample from

Norms and additions work in place, or on tensors that are counted around them. Left out: what allocators keep free,
buffers of kernels and collectives, captured graphs, the sampler's further tables; so it is what a step needs at least.
Serving's rule for vLLM (`harness/serving/engine.py`) subtracts a rougher, larger figure together with the runtime's.
"""

from __future__ import annotations

from functools import lru_cache

from harness.architecture import Architecture
from harness.operators import Dtypes, Load, plan
from harness.trace import BYTES, Op

_HOLDING = ("gemm", "attention", "moe")  # the others work in place
_ON_STREAM = "mix_"  # operators of hyper-connections, which read the residual stream itself


@lru_cache(maxsize=1000)
def peak_bytes(
    arch: Architecture, dtypes: Dtypes, tokens: int, sampled: int, tp: int = 1, ep: int = 1, dp: int = 1
) -> float:
    """Bytes on one chip at the largest moment of a step that prefills `tokens` tokens of a rank and samples `sampled`.

    Raises NotPredictable where heads or widths do not divide.
    """
    steps = plan(arch, Load.of([tokens]), dtypes, phase="prefill", tp=tp, ep=ep, dp=dp)
    stream = BYTES[dtypes.stream]
    residual = tokens * arch.streams * arch.hidden * stream
    head = residual + sampled * arch.vocab * (stream + BYTES["fp32"])
    live = [_live(op, residual, tokens, stream) for op, _ in steps if op.kind in _HOLDING and op.name != "head"]
    return float(max(head, *live))


def _live(op: Op, residual: float, tokens: int, stream: float) -> float:
    """Bytes live while an operator runs."""
    if op.kind == "moe":
        _, inner, width, *_ = op.shape
        rows = op.act_write / inner / stream
        inside = rows * width + max(rows * 2 * width, rows * inner)  # product; gate and up before it, outputs after
        return residual + min(rows, tokens) * inner * stream + inside * stream
    beside = 0 if op.name.startswith(_ON_STREAM) else residual
    return beside + op.act_read + op.act_write + op.kv_read
