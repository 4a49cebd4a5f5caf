"""What a running engine makes of isolated kernels: the constants fitted on published operating points.

One set for every chip, model and engine, so that a chip nobody measured gets it too; a chip is placed by facts of its
profile (its vendor's software). Each has a prior (centre, relative spread), which the fit leaves only for evidence,
and bounds. `constants/deployment.toml` holds the fit on all rows and those that leave a chip, family or model out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scale:
    """A fitted constant: the centre and relative spread (log) of its prior, and what it says.

    Centres are what isolated kernels and round figures say (1: as measured alone), not what the rows said. A scale
    that is one of several of a kind lies `around` another, which is fitted with them and stands for those to come.
    """

    centre: float
    spread: float
    meaning: str
    around: str = ""  # the scale that its centre is a factor on


TIGHT, KERNEL, LOOSE, WIDE = 0.15, 0.3, 0.6, 1.2
SCALES: dict[str, Scale] = {
    # time of kernels inside an engine over that of isolated ones
    "work.gemm16": Scale(1.0, TIGHT, "memory and compute time of 16-bit products"),
    "work.gemm8": Scale(1.0, TIGHT, "of 8-bit products, one scale a tensor or channel"),
    "work.gemm8_block": Scale(1.0, TIGHT, "of 8-bit products, one scale a block"),
    "work.gemm4": Scale(1.0, TIGHT, "of 4-bit products"),
    "work.moe16": Scale(1.0, KERNEL, "of 16-bit experts"),
    "work.moe8": Scale(1.0, KERNEL, "of 8-bit experts"),
    "work.moe4": Scale(1.0, KERNEL, "of experts in nvfp4"),
    "work.moe4_mx": Scale(1.0, KERNEL, "of experts in mxfp4 with 8-bit activations"),
    "work.moe4_wide": Scale(1.0, KERNEL, "of experts in mxfp4 that are widened to 16 bits"),
    "work.attention": Scale(1.0, KERNEL, "of decode attention on keys and values"),
    "work.latent": Scale(1.0, KERNEL, "of decode attention on a latent"),
    "work.prefill_attention": Scale(1.0, KERNEL, "of prefill attention"),
    "work.small": Scale(1.0, KERNEL, "of norms and element-wise kernels, over 0.6 of the bandwidth"),
    "fixed.gemm16": Scale(1.0, KERNEL, "fixed time of 16-bit products"),
    # Isolated kernels narrow their activations in a launch of their own (13 us where 16-bit products have 3), which
    # engines fuse into the norm before them where a tensor has one scale, given beforehand: 3 / 13.
    "fixed.gemm8": Scale(0.25, LOOSE, "of 8-bit products, one scale a tensor or channel"),
    "fixed.gemm8_block": Scale(1.0, LOOSE, "of 8-bit products, one scale a block"),
    "fixed.gemm4": Scale(0.5, LOOSE, "of 4-bit products, their narrowing fused or not"),
    "fixed.moe16": Scale(1.0, KERNEL, "of 16-bit experts: routing, permutation, launch"),
    "fixed.moe8": Scale(1.0, KERNEL, "of 8-bit experts"),
    # The kernels for small batches, which no law describes and the fit of kernels leaves out, start 17 us apart where
    # the measured law starts 42 us (nvfp4) and 29 us (mxfp4) apart; engines choose by the batch.
    "fixed.moe4": Scale(0.4, LOOSE, "of experts in nvfp4"),
    "fixed.moe4_mx": Scale(0.6, KERNEL, "of experts in mxfp4 with 8-bit activations"),
    # Their isolated kernels start 103 us apart on the one chip that was measured, where those of every other class
    # start 30 us apart: one engine's fallback.
    "fixed.moe4_wide": Scale(0.3, LOOSE, "of experts in mxfp4 that are widened to 16 bits"),
    "fixed.attention": Scale(1.0, KERNEL, "of attention"),
    "launch_s": Scale(1.5e-6, KERNEL, "launch of a small kernel inside a captured graph"),
    "moe_layer_s": Scale(1e-5, LOOSE, "what a layer of experts takes beside its kernels: top-k, sort, scatter"),
    "generation": Scale(0.5, KERNEL, "fixed times fall with the chip's bandwidth over 3.35 TB/s to this power"),
    "fixed.link": Scale(1.0, KERNEL, "fixed time of all-reduces and all-gathers"),
    "work.link": Scale(1.0, KERNEL, "their time on the link"),
    "fixed.exchange": Scale(1.0, 1.2, "fixed time of all-to-alls"),
    "work.exchange": Scale(1.0, KERNEL, "their time on the link"),
    # the engine and its software
    "step_s": Scale(5e-4, LOOSE, "an engine's own time a step"),
    "sequence_s": Scale(5e-6, LOOSE, "an engine's own time a step and running sequence"),
    "engine.vllm": Scale(1.0, KERNEL, "fixed times under vLLM over those under SGLang"),
    "engine.trtllm": Scale(1.0, KERNEL, "under TensorRT-LLM"),
    "engine.atom": Scale(1.0, KERNEL, "under ATOM"),
    # NVIDIA's software is one of them, and is 1: so the middle lies around 1.
    "vendor.other": Scale(1.0, LOOSE, "kernel times on a vendor's software over those on NVIDIA's: the middle"),
    "vendor.rocm": Scale(1.0, LOOSE, "on AMD's, in early 2026", around="vendor.other"),
    "vendor.ascend": Scale(1.0, LOOSE, "on Huawei's for Ascend", around="vendor.other"),
    "vendor.gaudi": Scale(1.0, LOOSE, "on Intel's for Gaudi", around="vendor.other"),
    "vendor.tpu": Scale(1.0, LOOSE, "on Google's for TPUs", around="vendor.other"),
    "yearly.cuda": Scale(0.2, LOOSE, "how fast NVIDIA's and others' software gets faster, share a year (log)"),
    "yearly.rocm": Scale(0.4, LOOSE, "how fast AMD's does"),
    # prefill against decode, among decodes, and the first token
    "prefill.link": Scale(1.0, KERNEL, "collectives of a prefill step, over those of a decode step"),
    "prefill.launch": Scale(4.0, WIDE, "launches of a prefill step, which no captured graph holds, likewise"),
    "interleave": Scale(1.0, KERNEL, "share of the other requests' prefills that a decoding one waits for"),
    "first": Scale(1.0, KERNEL, "time of a request's own prefill in its first token"),
    "arrival_s": Scale(3e-2, LOOSE, "from the client to the scheduler and back"),
    "arrival.vllm": Scale(1.0, KERNEL, "the same under vLLM, over SGLang's"),
    "arrival.trtllm": Scale(1.0, KERNEL, "under TensorRT-LLM"),
    "arrival.atom": Scale(1.0, KERNEL, "under ATOM"),
    "token_s": Scale(2e-6, LOOSE, "tokenising and copying, an input token"),
    "wait": Scale(1.5, LOOSE, "decode steps that an arriving request waits for"),
    "busy": Scale(1.0, LOOSE, "prefills of others that it waits for, over those in one decode step's time"),
    "queue": Scale(1.0, TIGHT, "first wave's prefills that a mean request of it waits for, over one half"),
    "queue_median": Scale(0.1, LOOSE, "the same of a median request"),
    "compile_s": Scale(1.0, WIDE, "what a run's first wave waits for kernels to be compiled, where they are"),
    "median": Scale(1.0, 0.05, "median over mean time a token"),
}  # fmt: skip


def of_engine(scales: Mapping[str, float], kind: str, engine: np.ndarray) -> np.ndarray:
    """A factor by engine family [rows], over SGLang's: the middle of the others for one that no row measured."""
    known = {"sglang": 1.0} | {name: scales[f"{kind}.{name}"] for name in ("vllm", "trtllm", "atom")}
    out = np.full(len(engine), np.exp(np.mean(np.log(list(known.values())))))
    for name, factor in known.items():
        out[engine == name] = factor
    return out


def prefill_scales(scales: Mapping[str, float]) -> dict[str, float]:
    """The scales of a prefill step."""
    out = dict(scales)
    for name in ("launch_s", "moe_layer_s"):
        out[name] *= scales["prefill.launch"]
    for name in ("work.link", "work.exchange"):
        out[name] *= scales["prefill.link"]
    return out
