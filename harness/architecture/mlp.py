"""Feed-forward blocks: dense, and mixtures of experts."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Routed experts (top_k of experts), and what every token uses besides.

    shared_intermediate: total width of shared experts, or of a dense block beside the experts (Gemma 4).
    latent: routed experts work in this width, between two projections and a norm (Kimi K3).
    expert_scale: a learned scale an expert (Gemma 4).
    """

    experts: int
    top_k: int
    intermediate: int
    shared_intermediate: int = 0
    shared_gate: bool = False
    bias: bool = False
    latent: int = 0
    expert_scale: bool = False
    kind: str = "moe"

    def width(self, hidden: int) -> int:
        """The width that routed experts work in."""
        return self.latent or hidden

    def expert_parameters(self, hidden: int) -> int:
        width = self.width(hidden)
        return 3 * width * self.intermediate + (2 * self.intermediate + width if self.bias else 0)

    def latent_parameters(self, hidden: int) -> int:
        return 2 * hidden * self.latent + self.latent

    def common_parameters(self, hidden: int) -> int:
        """Router, shared experts and their gate: used by every token."""
        router = hidden * self.experts + (self.experts if self.bias else 0) + self.expert_scale * self.experts
        return router + 3 * hidden * self.shared_intermediate + (hidden if self.shared_gate else 0)

    def parameters(self, hidden: int) -> int:
        routed = self.experts * self.expert_parameters(hidden)
        return routed + self.latent_parameters(hidden) + self.common_parameters(hidden)

    def active_parameters(self, hidden: int) -> int:
        routed = self.top_k * self.expert_parameters(hidden)
        return routed + self.latent_parameters(hidden) + self.common_parameters(hidden)
