"""What a running engine makes of isolated kernels: the constants fitted on published operating points.

One set for every chip, model and engine, so that a chip nobody measured gets it too; a chip is placed by facts of its
profile (its vendor's software). Each has a prior (centre, relative spread), which the fit leaves only for evidence,
and bounds. `constants/deployment.toml` holds the fit on all rows and those that leave a chip, family or model out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A fitted constant: the centre of its prior, the factor that its bounds are away, and what it says."""

    centre: float
    factor: float
    meaning: str


SCALES: dict[str, Scale] = {
    # time of kernels inside an engine over that of isolated ones
    "work.gemm16": Scale(1.0, 3, "memory and compute time of 16-bit products"),
    "work.gemm8": Scale(0.9, 3, "of 8-bit products"),
    "work.gemm4": Scale(0.9, 3, "of 4-bit products"),
    "work.moe16": Scale(0.9, 4, "of 16-bit experts"),
    "work.moe8": Scale(0.8, 4, "of 8-bit experts"),
    "work.moe4": Scale(0.7, 4, "of 4-bit experts"),
    "work.attention": Scale(0.9, 4, "of decode attention on keys and values"),
    "work.latent": Scale(0.9, 4, "of decode attention on a latent"),
    "work.prefill_attention": Scale(1.0, 4, "of prefill attention"),
    "work.small": Scale(1.3, 4, "of norms and element-wise kernels, over 0.6 of the bandwidth"),
    "fixed.gemm16": Scale(1.4, 5, "fixed time of 16-bit products"),
    "fixed.gemm8": Scale(0.8, 5, "of 8-bit products"),
    "fixed.gemm4": Scale(0.8, 5, "of 4-bit products"),
    "fixed.moe": Scale(1.0, 6, "of experts: routing, permutation, launch"),
    "fixed.attention": Scale(0.8, 5, "of attention"),
    "launch_s": Scale(1.5e-6, 5, "launch of a small kernel inside a captured graph"),
    "moe_layer_s": Scale(2e-5, 10, "what a layer of experts takes beside its kernels: top-k, sort, scatter"),
    "generation": Scale(0.3, 10, "fixed times fall with the chip's bandwidth over 3.35 TB/s to this power"),
    "fixed.link": Scale(1.5, 8, "fixed time of all-reduces and all-gathers"),
    "work.link": Scale(1.3, 8, "their time on the link"),
    "fixed.exchange": Scale(2.0, 10, "fixed time of all-to-alls"),
    "work.exchange": Scale(1.0, 10, "their time on the link"),
    # the engine and its software
    "step_s": Scale(4e-4, 10, "an engine's own time a step"),
    "sequence_s": Scale(6e-6, 10, "an engine's own time a step and running sequence"),
    "engine.vllm": Scale(1.2, 2, "fixed times under vLLM over those under SGLang"),
    "engine.trtllm": Scale(1.0, 2, "under TensorRT-LLM"),
    "engine.atom": Scale(0.95, 2, "under ATOM"),
    "vendor.rocm": Scale(1.4, 3, "kernel times on AMD's software over those on NVIDIA's, in early 2026"),
    "vendor.other": Scale(1.8, 3, "on any other vendor's"),
    "yearly.cuda": Scale(0.1, 20, "how fast NVIDIA's software gets faster, share a year (log)"),
    "yearly.rocm": Scale(0.7, 20, "how fast AMD's does; other vendors' likewise"),
    # prefill among decodes, and the first token
    "interleave": Scale(0.8, 3, "share of the other requests' prefills that a decoding one waits for"),
    "first": Scale(1.0, 3, "time of a request's own prefill in its first token"),
    "arrival_s": Scale(3e-2, 8, "from the client to the scheduler and back"),
    "token_s": Scale(2e-6, 20, "tokenising and copying, an input token"),
    "wait": Scale(2.0, 6, "decode steps that an arriving request waits for"),
    "busy": Scale(0.5, 20, "prefills of others, at the share of time they take, that it waits for"),
    "queue": Scale(1.0, 6, "share of the first wave's prefills that a mean request of it waits for, over one half"),
    "queue_median": Scale(0.05, 20, "the same of a median request"),
    "median": Scale(1.0, 1.3, "median over mean time a token"),
}  # fmt: skip
