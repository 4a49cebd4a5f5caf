"""Time of one operator on one chip, as draws [n]: t0 + max(bytes / (e_bw BW), flops / (e_fl peak)).

Sources: the roofline bound of Williams, Waterman and Patterson (CACM 52:4, 2009), with fitted efficiencies
and a fixed time a kernel. Causal attention does only what is not masked (a flash kernel skips those blocks); the
trace keeps the full product. Left out: wave quantisation, cache residency, clocks under a power limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import NotPredictable
from harness.profiles import Chip
from harness.quantity import Cited
from harness.roofline import laws
from harness.trace import Op

# Operators that engines fuse into the kernel before or after them: their bytes move, no launch of their own.
FUSED = (
    "attn_residual",
    "mlp_residual",
    "kv_write",
    "qk_norm",
    "q_norm",
    "kv_norm",
    "delta_gate",
    "attn_gate",
)


@dataclass(frozen=True)
class KernelTime:
    """Draws [n] of an isolated operator's time in seconds, by part: work is the larger of memory and compute."""

    memory_s: np.ndarray  # bytes over effective bandwidth (of the memory, or of the network)
    compute_s: np.ndarray  # flops over effective peak
    fixed_s: np.ndarray
    floor_s: np.ndarray  # the same work at full bandwidth and full peak: nothing is faster

    @property
    def work_s(self) -> np.ndarray:
        return np.maximum(self.memory_s, self.compute_s)

    @property
    def bound(self) -> str:
        """memory, compute or overhead, by medians."""
        memory, compute, fixed = (float(np.median(x)) for x in (self.memory_s, self.compute_s, self.fixed_s))
        return "overhead" if fixed > max(memory, compute) else "memory" if memory >= compute else "compute"


class Kernels:
    """Kernel times on one chip; holds the chip's draws so that every operator sees the same ones."""

    def __init__(self, chip: Chip, n: int, seed: int) -> None:
        self.chip, self.n, self.seed = chip, n, seed
        self.used: dict[str, Cited] = {}
        self._draws: dict[str, np.ndarray] = {}
        self.bandwidth = self.draw("memory.bandwidth")

    def draw(self, key: str) -> np.ndarray:
        """Draws of a profile value, remembered as used (its source and kind travel with the result).

        Raises NotPredictable with the profile's reason where it has no such value.
        """
        if key not in self._draws:
            if not self.chip.has(key):
                reason = self.chip.missing.get(key, "not in the profile")
                raise NotPredictable(f"{self.chip.name} has no {key}: {reason}")
            self.used[key] = self.chip.get(key)
            self._draws[key] = self.used[key].sample(self.n, self.seed)
        return self._draws[key]

    def peak(self, dtype: str) -> np.ndarray:
        return self.draw(self.chip.peak_key(dtype) or f"compute.{dtype}")

    def time(self, op: Op) -> KernelTime:
        """Time of one operator; collectives are not kernels (see collectives.py)."""
        name, compute = self._class(op)
        if name is None:
            return self._small(op)
        law = laws.law(name, self.chip.id, self.n, self.seed)
        memory_s, compute_s = op.total_bytes / self.bandwidth, op.needed_flops / self.peak(compute)
        return KernelTime(memory_s / law.e_bw, compute_s / law.e_fl, law.t0_s, np.maximum(memory_s, compute_s))

    def _class(self, op: Op) -> tuple[str | None, str]:
        """(kernel class, dtype the product runs in). Formats without measured kernels take the nearest width."""
        compute = op.act_dtype
        if op.kind == "gemm":
            return f"gemm.{_GEMM_CLASS.get(compute, 'bf16')}", compute
        if op.kind == "moe":
            return f"moe.{_moe_class(op.dtype, compute)}", compute
        if op.kind == "attention":
            # Scores are computed in bf16 unless both sides are 8-bit; the cache's format decides the bytes.
            kv = "fp8" if op.kv_dtype in ("fp8", "int8") else "bf16"
            latent = op.phase == "decode" and op.shape[5] == 1 and op.shape[6] > 256  # one wide head for all queries
            phase = "attention_prefill.bf16" if op.phase == "prefill" else f"attention_decode.{kv}"
            return "attention_decode.mla" if latent else phase, compute
        return None, compute

    def _small(self, op: Op) -> KernelTime:
        """Norms, element-wise work, embeddings, linear-attention state: streaming, one short kernel each."""
        e_bw = np.minimum(laws.assumed_draws("small_kernel_e_bw", self.n, self.seed), 1.0)
        t0 = laws.assumed_draws("small_kernel_t0_s", self.n, self.seed) * (op.name not in FUSED)
        floor_s = op.total_bytes / self.bandwidth
        return KernelTime(floor_s / e_bw, np.zeros(self.n), t0, floor_s)


_GEMM_CLASS = {"fp8": "fp8", "int8": "fp8", "nvfp4": "nvfp4", "fp4": "nvfp4", "mxfp4": "nvfp4"}


def _moe_class(weight: str, compute: str) -> str:
    if weight == "mxfp4":
        return "mxfp4-fp8" if compute == "fp8" else "mxfp4"
    return weight if weight == "nvfp4" else _GEMM_CLASS.get(compute, "bf16")
