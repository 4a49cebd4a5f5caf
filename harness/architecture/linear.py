"""Attention with a fixed state instead of a cache: linear attention and the delta rule.

`state_elements` is the recurrent state of a sequence and layer (kept in fp32), `conv_elements` what a short
convolution keeps of the last tokens; both are split over tensor-parallel chips by heads.
"""

from __future__ import annotations

from dataclasses import dataclass


class _Recurrent:
    """What every attention with a fixed state shares: nothing grows with the context."""

    kv_elements_per_token = 0

    def shared_parameters(self, hidden: int) -> int:
        return 0

    def kv_share(self, tp: int) -> float:
        return 1 / tp


class _Square(_Recurrent):
    """Heads with a state of head_dim x head_dim each."""

    heads: int
    head_dim: int

    @property
    def width(self) -> int:
        return self.heads * self.head_dim

    @property
    def state_elements(self) -> int:
        return self.heads * self.head_dim * self.head_dim


@dataclass(frozen=True)
class GatedDelta(_Recurrent):
    """Gated delta rule (Gated DeltaNet, arXiv 2412.06464; as laid out in Qwen3-Next).

    A key_dim x value_dim state a value head.
    """

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
    def mixed_width(self) -> int:
        """Columns that go through the convolution: q, k, v."""
        return 2 * self.key_width + self.value_width

    @property
    def in_width(self) -> int:
        """Columns of the input projections: q, k, v, the gate z, and b, a (one each a value head)."""
        return self.mixed_width + self.value_width + 2 * self.value_heads

    def parameters(self, hidden: int) -> int:
        conv = self.conv * self.mixed_width
        return hidden * self.in_width + conv + 2 * self.value_heads + self.value_dim + self.value_width * hidden

    @property
    def state_elements(self) -> int:
        return self.value_heads * self.key_dim * self.value_dim

    @property
    def conv_elements(self) -> int:
        return self.conv * self.mixed_width


@dataclass(frozen=True)
class Kda(_Square):
    """Kimi Delta Attention (Kimi Linear, arXiv 2510.26692): a delta rule with a decay a channel.

    The decay comes through a bottleneck of head_dim; so does the output gate, unless `full_gate` (Kimi K3).
    """

    heads: int
    head_dim: int
    conv: int = 4
    full_gate: bool = False
    kind: str = "kda"

    @property
    def mixed_width(self) -> int:
        return 3 * self.width

    def parameters(self, hidden: int) -> int:
        bottleneck = hidden * self.head_dim + self.head_dim * self.width
        gate = hidden * self.width if self.full_gate else bottleneck
        decay = bottleneck + self.heads + self.width  # with a rate a head and a bias a channel
        conv = self.conv * self.mixed_width
        return hidden * (self.mixed_width + self.heads) + conv + decay + gate + self.head_dim + self.width * hidden

    @property
    def conv_elements(self) -> int:
        return self.conv * self.mixed_width


@dataclass(frozen=True)
class Lightning(_Square):
    """Lightning attention (arXiv 2401.04658; as laid out in MiniMax-01): linear attention with a fixed decay."""

    heads: int
    head_dim: int
    kind: str = "lightning"

    conv_elements = 0

    def parameters(self, hidden: int) -> int:
        """q, k, v, the output gate, the norm before the output, the output."""
        return hidden * 4 * self.width + self.width + self.width * hidden
