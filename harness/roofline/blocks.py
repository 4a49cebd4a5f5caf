"""A step's operators as arrays [operators, rows]: effective memory and compute times by kernel class.

Kernels by `shapes.py`, collectives by `links.py`, with the constants of each row's chip. What a running engine makes
of them (`scales.py`) is applied in `step.py`; the fit keeps these arrays and varies the scales alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.operators import Load
from harness.profiles import Chip
from harness.roofline import links, narrowed, shapes
from harness.roofline.compiled import Compiled, Kernels, Links
from harness.roofline.hardware import View

# Kernel classes that share their scales: what differs between dtypes of a width is in the class's own constants.
GROUPS = (
    "gemm16", "gemm8", "gemm8_block", "gemm4", "moe16", "moe8", "moe4", "moe4_mx", "moe4_wide", "attention", "latent",
    "prefill_attention", "small",
)  # fmt: skip
LINKS = ("link", "exchange")  # groups of collectives
_WIDTH = {
    "bf16": "16", "fp8": "8", "fp8_block": "8_block", "nvfp4": "4", "mxfp4": "4_wide", "mxfp4-fp8": "4_mx",
}  # fmt: skip


def group_of(law: str) -> str:
    """The group of a kernel class."""
    family, _, kind = law.partition(".")
    if family == "gemm":
        return family + _WIDTH[kind]
    if family == "moe":
        return family + _WIDTH[kind].removesuffix("_block")
    if family == "attention_prefill":
        return "prefill_attention"
    return {"attention_decode": "latent" if kind == "mla" else "attention"}.get(family, "small")


@dataclass(frozen=True)
class Block:
    """Kernels of one class, or collectives of one kind (group "link" or "exchange"), seconds of one layer's.

    time of a layer's kernel = fixed + max(memory, compute) + overlap * min(memory, compute), run `count` times.
    """

    group: str
    law: str
    names: tuple[str, ...]
    count: np.ndarray  # [operators, 1]
    memory: np.ndarray  # [operators, rows]; of a collective its bytes over the link
    compute: np.ndarray
    fixed: np.ndarray
    overlap: np.ndarray | float


def blocks(compiled: Compiled, load: Load, view: View, engine: np.ndarray) -> list[Block]:
    """The operators of a step on each row's chip. `load` holds arrays [rows]; engine: family names [rows]."""
    features = compiled.measure(load)
    bandwidth = view.value("memory.bandwidth")
    out = [_kernels(k, features, bandwidth, view) for k in compiled.kernels]
    return out + [_links(one, features, view, engine) for one in compiled.links]


def _kernels(k: Kernels, features: np.ndarray, bandwidth: np.ndarray, view: View) -> Block:
    memory = k.bytes_ @ features / bandwidth
    if k.family == "small":
        zero = np.zeros((1, 1))
        return Block(
            "small", "small", k.names, np.ones((1, 1)), memory, zero, np.broadcast_to(k.count, memory.shape), 0.0
        )
    constants = view.law(k.law)
    compute = k.flops @ features / view.peak(k.compute)
    m = k.m @ features
    n = k.n if k.family == "gemm" else k.extent @ features
    if k.family.startswith("attention"):
        n = n / np.maximum(m, 1e-9)  # the mean context of a query token
    memory, compute, fixed = shapes.terms(k.family, constants, memory, compute, m, np.maximum(n, 1e-9), k.k)
    fixed = np.broadcast_to(fixed, memory.shape)
    overlap = constants["overlap"] if k.family == "gemm" else shapes.OVERLAP[k.family]
    return Block(group_of(k.law), k.law, k.names, k.count, memory, compute, fixed, overlap)


def _links(one: Links, features: np.ndarray, view: View, engine: np.ndarray) -> Block:
    """Collectives over a group: the scale-up link inside the domain, the slower network beyond it."""
    bytes_ = one.bytes_ @ features
    if one.kind == "all_reduce":
        bytes_ = narrowed.sent_bytes(bytes_, *narrowed.settings(engine, view))
    link = view.column(f"link.{one.kind}.{one.chips}", lambda c: _link_bytes_s(c, one.kind, one.chips))
    constants = view.law(links.CLASS.get(one.kind, one.kind))
    network, fixed = links.collective_terms(one.kind, constants, bytes_, one.chips, link)
    group, fixed = "exchange" if one.kind == "all_to_all" else "link", np.broadcast_to(fixed, network.shape)
    return Block(group, one.kind, one.names, one.count, network, np.zeros((1, 1)), fixed, 0.0)


def _link_bytes_s(chip: Chip, kind: str, chips: int) -> float:
    """What a group of `chips` can use of a chip's link; NaN where the profile has none."""
    if not chip.has("scaleup.bandwidth"):
        return np.nan
    up = chip.get("scaleup.bandwidth").point
    domain = chip.get("scaleup.domain").point if chip.has("scaleup.domain") else chips
    if chips > domain and chip.has("scaleout.bandwidth"):
        up = min(up, chip.get("scaleout.bandwidth").point)
    topology = chip.facts["scaleup.topology"].value if "scaleup.topology" in chip.facts else ""
    return up * float(links.usable_share(topology, kind, chips, domain))
