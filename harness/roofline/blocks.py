"""A step's operators as arrays [operators, rows]: effective memory and compute times by kernel class.

Kernels by `shapes.py`, collectives by `links.py`, with the constants of each row's chip. What a running engine makes
of them (`scales.py`) is applied in `step.py`; the fit keeps these arrays and varies the scales alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.operators import Load
from harness.roofline import links, shapes
from harness.roofline.compiled import Compiled, Kernels
from harness.roofline.hardware import View

# Kernel classes that share their scales: what differs between dtypes of a width is in the class's own constants.
GROUPS = ("gemm16", "gemm8", "gemm4", "moe16", "moe8", "moe4", "attention", "latent", "prefill_attention", "small")
LINKS = ("link", "exchange")  # groups of collectives
_WIDTH = {"bf16": "16", "fp8": "8", "fp8_block": "8", "nvfp4": "4", "mxfp4": "4", "mxfp4-fp8": "4"}


def group_of(law: str) -> str:
    """The group of a kernel class."""
    family, _, kind = law.partition(".")
    if family in ("gemm", "moe"):
        return family + _WIDTH[kind]
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


def blocks(compiled: Compiled, load: Load, view: View) -> list[Block]:
    """The operators of a step on each row's chip. `load` holds arrays [rows]."""
    features = compiled.measure(load)
    bandwidth = view.value("memory.bandwidth")
    out = [_kernels(k, features, bandwidth, view) for k in compiled.kernels]
    return out + [_links(one, features, view) for one in compiled.links]


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


def _links(one, features: np.ndarray, view: View) -> Block:
    """Collectives over a group: the scale-up link inside the domain, the slower network beyond it."""
    bytes_ = one.bytes_ @ features
    domain, up, out = (view.value(key) for key in ("scaleup.domain", "scaleup.bandwidth", "scaleout.bandwidth"))
    domain = np.where(np.isnan(domain), one.chips, domain)
    topology = view.column(
        "topology", lambda c: c.facts["scaleup.topology"].value if "scaleup.topology" in c.facts else ""
    )
    link = up * _usable(topology, one.kind, one.chips, domain)
    link = np.where((one.chips > domain) & ~np.isnan(out), np.minimum(link, out), link)
    network, fixed = links.collective_terms(
        one.kind, view.law(links.CLASS.get(one.kind, one.kind)), bytes_, one.chips, link
    )
    group = "exchange" if one.kind == "all_to_all" else "link"
    return Block(
        group, one.kind, one.names, one.count, network, np.zeros((1, 1)), np.broadcast_to(fixed, network.shape), 0.0
    )


def _usable(topology: np.ndarray, kind: str, chips: int, domain: np.ndarray) -> np.ndarray:
    out = np.ones(len(topology))
    for name in np.unique(topology):
        rows = topology == name
        out[rows] = links.usable_share(str(name), kind, chips, domain[rows])
    return out
