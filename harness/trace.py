"""The operators of a step, each with its FLOPs and its bytes by dtype: counted while the reference model
runs, or computed from an architecture (`harness/operators.py`). Both are this type, and for the reference
model they are equal, exactly.

Conventions
- FLOPs are 2 per multiply-accumulate for `gemm`, `attention` and `moe`; for the rest, the few operations an
  element takes, which `matmul_flops` leaves out.
- Attention counts the full T x S product (as eager attention computes it); `causal` marks that a kernel may
  skip what is masked, which `needed_flops` leaves out. Softmax FLOPs are left out, as in most counters.
- Bytes are those an operator must move if nothing stays on the chip between operators: weights once,
  activations in and out, the KV cache read and written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Bytes an element takes, block scales included: mxfp4 has one byte a 32, nvfp4 one a 16, int4 an fp16 scale a
# 128; q8_0 an fp16 scale a 32; q4_1 an fp16 scale and minimum a 32; q4_k_m is llama.cpp's mix (4.85 bits).
BYTES = {
    "fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2, "fp8": 1, "int8": 1, "fp4": 0.5, "nvfp4": 0.5 + 1 / 16,
    "mxfp4": 0.5 + 1 / 32, "int4": 0.5 + 2 / 128, "q8_0": 1 + 2 / 32, "q4_1": 0.5 + 4 / 32, "q4_k_m": 4.85 / 8,
}  # fmt: skip

MATMUL_KINDS = ("gemm", "attention", "moe")
COLLECTIVE_KINDS = ("all_reduce", "all_gather", "all_to_all", "send")


@dataclass(frozen=True, slots=True)
class Op:
    """One operator of one layer, on one chip. Numbers are ints (counted) or arrays of one shape (computed).

    shape, by kind: gemm (m, n, k); attention (query tokens, KV tokens, query-key pairs, masked pairs, query
    heads, KV heads, qk dim, v dim); moe (tokens, hidden, intermediate, top_k, experts, experts touched); norm,
    elementwise, embedding (rows, width); collectives (bytes, chips).
    """

    name: str
    kind: str
    phase: str  # prefill | decode
    shape: tuple[Any, ...]
    flops: Any
    dtype: str = ""  # of the weights or, where there are none, of the activations
    act_dtype: str = ""
    kv_dtype: str = ""
    weight_read: Any = 0
    act_read: Any = 0
    act_write: Any = 0
    kv_read: Any = 0
    kv_write: Any = 0
    causal: bool = False
    out_dtype: str = ""  # of what is written, where it differs from what is read

    @property
    def needed_flops(self) -> Any:
        """FLOPs without the pairs that a causal mask drops: what a kernel that skips them does."""
        if not self.causal:
            return self.flops
        pairs, masked = self.shape[2:4]
        return self.flops * (1 - masked / pairs)

    @property
    def read_bytes(self) -> dict[str, Any]:
        """Bytes read, by dtype."""
        return _by_dtype((self.dtype, self.weight_read), (self.act_dtype, self.act_read), (self.kv_dtype, self.kv_read))

    @property
    def write_bytes(self) -> dict[str, Any]:
        """Bytes written, by dtype."""
        return _by_dtype((self.out_dtype or self.act_dtype, self.act_write), (self.kv_dtype, self.kv_write))

    @property
    def total_bytes(self) -> Any:
        return self.weight_read + self.act_read + self.act_write + self.kv_read + self.kv_write


def _by_dtype(*parts: tuple[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for dtype, size in parts:
        if dtype and not (isinstance(size, int) and size == 0):
            out[dtype] = out.get(dtype, 0) + size
    return out


class Trace:
    """Operators with how often each ran. Two traces are equal when they hold the same operators as often."""

    def __init__(self, counts: Mapping[Op, int] | Iterable[tuple[Op, int]] = ()) -> None:
        self._counts: Counter[Op] = Counter()
        for op, count in counts.items() if isinstance(counts, Mapping) else counts:
            self._counts[op] += count

    def __iter__(self) -> Iterator[tuple[Op, int]]:
        return iter(self._counts.items())

    def __len__(self) -> int:
        return len(self._counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self._counts == other._counts

    __hash__ = None  # a trace grows

    def __add__(self, other: Trace) -> Trace:
        return Trace([*self, *other])

    def __repr__(self) -> str:
        return f"<Trace of {sum(self._counts.values())} operators, {self.flops:.4g} FLOP>"

    @property
    def flops(self) -> int:
        """All FLOPs, element-wise work included."""
        return sum(op.flops * count for op, count in self)

    @property
    def matmul_flops(self) -> int:
        """FLOPs of matrix products alone: what FLOP counters report."""
        return sum(op.flops * count for op, count in self if op.kind in MATMUL_KINDS)

    def bytes_by_dtype(self) -> dict[str, dict[str, int]]:
        """{"read": {dtype: bytes}, "write": {dtype: bytes}}."""
        out: dict[str, dict[str, int]] = {"read": {}, "write": {}}
        for op, count in self:
            for side, sizes in (("read", op.read_bytes), ("write", op.write_bytes)):
                for dtype, size in sizes.items():
                    out[side][dtype] = out[side].get(dtype, 0) + size * count
        return out

    def by_name(self) -> dict[str, dict[str, Any]]:
        """Per operator name: kind, how often, FLOPs, bytes read and written; largest FLOPs first."""
        rows: dict[str, dict[str, Any]] = {}
        for op, count in self:
            row = rows.setdefault(
                f"{op.phase}.{op.name}", {"kind": op.kind, "count": 0, "flops": 0, "read": 0, "write": 0}
            )
            row["count"] += count
            row["flops"] += op.flops * count
            row["read"] += (op.weight_read + op.act_read + op.kv_read) * count
            row["write"] += (op.act_write + op.kv_write) * count
        return dict(sorted(rows.items(), key=lambda kv: -kv[1]["flops"]))


class Recorder:
    """Collects operators as they run. Appending a tuple is all that happens inside the model's loop."""

    def __init__(self) -> None:
        self._raw: list[tuple] = []
        self._trace = Trace()

    def record(self, *fields: Any) -> None:
        """The fields of one `Op`, in order."""
        self._raw.append(fields)

    def trace(self) -> Trace:
        """All that was recorded so far."""
        if self._raw:
            counts = Counter(self._raw)
            self._raw.clear()
            self._trace += Trace([(Op(*fields), n) for fields, n in counts.items()])
        return self._trace
