"""Shape and weights of a Llama-architecture model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.reference.panels import Panels


@dataclass(frozen=True)
class Config:
    """Shape of the model; widths in elements."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    context: int
    rope_theta: float
    norm_eps: float
    tied: bool


@dataclass(frozen=True)
class Layer:
    """Weights of one layer, each matrix [in, out] in panels; q, k, v and gate, up are joined by columns."""

    attn_norm: np.ndarray  # [hidden]
    qkv: Panels  # [hidden, (H + 2K) D]
    out: Panels  # [H D, hidden]
    mlp_norm: np.ndarray  # [hidden]
    gate_up: Panels  # [hidden, 2 F]
    down: Panels  # [F, hidden]


@dataclass(frozen=True)
class Weights:
    config: Config
    layers: tuple[Layer, ...]
    final_norm: np.ndarray  # [hidden]
    head: Panels  # [hidden, vocab]
    embedding: Panels  # [hidden, vocab]: the head itself where tied
