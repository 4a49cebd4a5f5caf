"""Engines that compile kernels the first time they are asked for: what the first wave of a run waits for.

Products of 8-bit weights scaled in blocks and attention on a latent run in kernels generated for their shapes
(DeepGEMM compiles at run time). vLLM generates them before it serves (vllm-project/vllm, pull request 25619).
That SGLang and TensorRT-LLM do so when a request first needs them is read off published runs: their means of such
models come late by the same time at any load, their medians and other models do not. Whoever is there at the start
waits, so a mean over a run holds the wait by the share of its requests that came first, and a median none of it.
Left out: shapes that are new later in a run; a cache of compiled kernels that an earlier run left.
"""

from __future__ import annotations

import numpy as np

from harness.architecture import Architecture, Compressed, Mla
from harness.operators import Dtypes

COMPILING = ("sglang", "trtllm")


def compiles(arch: Architecture, dtypes: Dtypes, engine: np.ndarray) -> np.ndarray:
    """Whether the first requests of a run wait for kernels to be compiled [rows], by the engine's family names."""
    latent = any(isinstance(group.attention, (Mla, Compressed)) for group in arch.layers)
    return np.isin(engine, COMPILING) & (dtypes.block_scaled or latent)
