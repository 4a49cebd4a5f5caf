"""The whole model: groups of layers, embeddings, and what follows by adding up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from harness.architecture.linear import GatedDelta, Kda, Lightning
from harness.architecture.mlp import Dense, Moe
from harness.architecture.softmax import Compressed, Gqa, Mla

Attention = Gqa | Mla | Compressed | GatedDelta | Kda | Lightning
Recurrent = GatedDelta | Kda | Lightning


@dataclass(frozen=True)
class LayerGroup:
    """`count` layers of one plan; `norms` of the hidden width each.

    parallel: attention and feed-forward read the same input and are added together (GPT-J, Falcon).
    """

    count: int
    attention: Attention
    mlp: Dense | Moe
    norms: int = 2
    parallel: bool = False


@dataclass(frozen=True)
class Architecture:
    """Everything of a transformer that decides its FLOPs and bytes.

    norm_bias: LayerNorm, with a bias beside each weight. head_bias: one number a word of the vocabulary.
    streams: residual streams of hyper-connections (DeepSeek-V4: 4); 1 is the plain residual.
    """

    hidden: int
    vocab: int
    tied_embeddings: bool
    layers: tuple[LayerGroup, ...]
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5
    norm_bias: bool = False
    head_bias: bool = False
    streams: int = 1

    @property
    def layer_count(self) -> int:
        return sum(group.count for group in self.layers)

    @property
    def norm_parameters(self) -> int:
        """Of one norm of the hidden width."""
        return self.hidden * (2 if self.norm_bias else 1)

    @property
    def mixing_width(self) -> int:
        """Outputs of one hyper-connection's projection: into, out of and among the streams."""
        return (2 + self.streams) * self.streams

    @property
    def mixing_parameters(self) -> int:
        """One hyper-connection; two a layer. 0 for the plain residual."""
        return self.mixing_width * (self.streams * self.hidden + 1) + 3 if self.streams > 1 else 0

    @cached_property
    def parts(self) -> dict[str, int]:
        """Parameters by part: embedding, head, attention, mlp, experts, latent, shared_experts, norm, mixing."""
        parts: Counter[str] = Counter(embedding=self.vocab * self.hidden, norm=self.norm_parameters)
        parts["head"] = (0 if self.tied_embeddings else self.vocab * self.hidden) + self.head_bias * self.vocab
        for group in self.layers:
            parts["attention"] += group.count * group.attention.parameters(self.hidden)
            parts["norm"] += group.count * group.norms * self.norm_parameters
            parts["mixing"] += group.count * 2 * self.mixing_parameters
            match group.mlp:
                case Dense():
                    parts["mlp"] += group.count * group.mlp.parameters(self.hidden)
                case Moe():
                    parts["experts"] += group.count * group.mlp.experts * group.mlp.expert_parameters(self.hidden)
                    parts["latent"] += group.count * group.mlp.latent_parameters(self.hidden)
                    parts["shared_experts"] += group.count * group.mlp.common_parameters(self.hidden)
        if self.streams > 1:
            parts["mixing"] += self.streams * (self.streams * self.hidden + 1) + 1
        return {name: count for name, count in parts.items() if count}

    @cached_property
    def parameters(self) -> int:
        """All weights, the embedding counted once where it is tied to the head."""
        return sum(self.parts.values())

    @cached_property
    def active_parameters(self) -> int:
        """Weights used by one token, embedding and head included (publishers differ in what they count)."""
        idle = 0
        for group in self.layers:
            idle += group.count * (group.mlp.parameters(self.hidden) - group.mlp.active_parameters(self.hidden))
        return self.parameters - idle

    @property
    def kv_elements_per_token(self) -> float:
        return sum(group.count * group.attention.kv_elements_per_token for group in self.layers)

    @property
    def state_elements_per_sequence(self) -> int:
        """Windows and recurrent states; the few tokens that short convolutions keep are not in it."""
        return sum(group.count * group.attention.state_elements for group in self.layers)
