"""The formulas of single operators on one chip of a deployment: products, norms, attention, cache writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.errors import NotPredictable
from harness.operators.load import WIDE, Dtypes, Load, Seen
from harness.trace import BYTES, Op


@dataclass(frozen=True)
class Step:
    """What every operator's formula needs."""

    load: Load
    phase: str
    dtypes: Dtypes
    hidden: int
    tp: int
    ep: int
    dp: int = 1  # ranks of data-parallel attention, `tp` chips each, that share the experts

    def gemm(self, name: str, m: Any, n: int, k: int, part: str) -> Op:
        """[m, k] x [k, n]: weights read once, activations in and out."""
        return self.product(name, part, m, n, k, m * k, m * n)

    def product(self, name: str, part: str, m: Any, n: int, k: int, elements_in: Any, elements_out: Any) -> Op:
        """A matrix product; a part kept in bf16 runs in bf16, and what comes out joins the stream."""
        weight, stream = self.dtypes.of(part), self.dtypes.stream
        act = stream if weight in WIDE else self.dtypes.act
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

    def attention(
        self,
        seen: Seen,
        heads: int,
        kv_heads: int,
        qk_dim: int,
        v_dim: int,
        kv_width: int,
        kv_bytes_dtype: str,
        name: str = "attention",
    ) -> Op:
        """Scores and weighted sum: 2 x pairs x heads x (qk_dim + v_dim) FLOPs; the cache is read once."""
        tokens, act = self.load.tokens, self.dtypes.stream
        kv, pairs, masked = seen
        return Op(
            name, "attention", self.phase, (tokens, kv, pairs, masked, heads, kv_heads, qk_dim, v_dim),
            2 * pairs * heads * (qk_dim + v_dim), act, act, kv_bytes_dtype, 0, tokens * heads * qk_dim * BYTES[act],
            tokens * heads * v_dim * BYTES[act], kv * kv_width * BYTES[kv_bytes_dtype], 0, self.phase == "prefill",
        )  # fmt: skip

    def collective(self, name: str, kind: str, elements: Any, chips: int, dtype: str = "") -> Op:
        """`elements` of one chip in a format (the stream's where none is given)."""
        dtype = dtype or self.dtypes.stream
        return Op(name, kind, self.phase, (elements * BYTES[dtype], chips), 0, dtype, dtype)


def split(width: int, parts: int, what: str, exact: bool = True) -> int:
    """One chip's share. Raises NotPredictable where it does not divide (a vocabulary is padded instead)."""
    if width % parts and exact:
        raise NotPredictable(f"{width} {what} cannot be split over {parts} chips")
    return -(-width // parts)
