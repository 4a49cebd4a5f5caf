"""What one step holds (`Load`), and the formats of a deployment (`Dtypes`).

A load's numbers are ints, or NumPy arrays of one shape, one element an operating point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Seen = tuple[Any, Any, Any]  # KV tokens (or entries) read, query-key pairs, pairs that the causal mask drops

WIDE = ("fp32", "tf32", "bf16", "fp16")
KEPT_BY_DEFAULT = (("embedding", "bf16"), ("head", "bf16"), ("norm", "bf16"), ("router", "bf16"))


@dataclass(frozen=True)
class Dtypes:
    """Formats of a deployment; `kept` are the (part, format) that differ where `weight` is a quantised format.

    block_scaled: 8-bit weights have a scale a block, so that engines narrow the activations in a kernel of its own.
    """

    weight: str
    act: str
    kv: str
    kept: tuple[tuple[str, str], ...] = KEPT_BY_DEFAULT
    block_scaled: bool = False

    @property
    def stream(self) -> str:
        """Format between the products: engines keep it in bf16 where the products take 8 or 4 bits."""
        return self.act if self.act in WIDE else "bf16"

    def of(self, part: str) -> str:
        """Weight format of a part: embedding, head, norm, router, attention, mlp, experts, shared_experts."""
        return self.weight if self.weight in WIDE else dict(self.kept).get(part, self.weight)


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

    def attended(self, window: int = 0, chunk: int = 0) -> Seen:
        """What causal attention sees: the whole context, the last `window` tokens, or the query's own chunk."""
        parts = [_chunked(g, chunk) if chunk else _windowed(g, window) for g in self.groups]
        return tuple(sum(p[i] for p in parts) for i in range(3))

    def touched(self, experts: int, top_k: int, copies: int = 1) -> Any:
        """Experts that at least one of `copies` x tokens is routed to, under uniform routing."""
        return experts * (1 - (1 - top_k / experts) ** (self.tokens * copies))

    def selected(self, most: int = 0, ratio: int = 1) -> Seen:
        """What a query sees of entries that stand for `ratio` tokens each: the `most` chosen ones, or all (0).

        Nothing is masked: a query only meets entries that are complete. Fractions of an entry are kept.
        """
        kv = pairs = 0
        for g in self.groups:
            end = g.past + g.new
            entries = end / ratio if ratio > 1 else end
            kv += g.count * (np.minimum(entries, g.new * most) if most else entries)
            pairs += g.count * (_chosen(end, most, ratio) - _chosen(g.past, most, ratio))
        return kv, pairs, 0


def _windowed(g: Group, window: int) -> Seen:
    """A window caps what a query sees; the pairs it drops from the full square are not counted at all."""
    span, ahead, kv = g.past + g.new, g.new, g.past + g.new
    if window:
        kv = np.minimum(g.past, window) + g.new
        span, ahead = np.minimum(span, window), np.minimum(g.new, window)
    return g.count * kv, g.count * g.new * span, g.count * ahead * (ahead - 1) / 2


def _chunked(g: Group, chunk: int) -> Seen:
    """Squares of `chunk`: every new token with what its own chunk holds so far, those after it being masked."""

    def below(n: Any) -> Any:
        """Pairs of a token and itself or an earlier one of its chunk, over the first n tokens."""
        rest = n % chunk
        return n // chunk * (chunk * (chunk + 1) / 2) + rest * (rest + 1) / 2

    end = g.past + g.new
    begun = np.minimum(g.new, -g.past % chunk)  # new tokens that fill up the chunk the past ends in
    whole, rest = (g.new - begun) // chunk, (g.new - begun) % chunk
    needed = below(end) - below(g.past)
    masked = begun * (begun - 1) / 2 + whole * (chunk * (chunk - 1) / 2) + rest * (rest - 1) / 2
    return g.count * (g.past % chunk + g.new), g.count * (needed + masked), g.count * masked


def _chosen(n: Any, most: int, ratio: int) -> Any:
    """Entries seen by all queries up to position n: the sum of min(position / ratio, most)."""
    rising = np.minimum(n, most * ratio) if most else n
    return rising * (rising + 1) / (2 * ratio) + (n - rising) * most
