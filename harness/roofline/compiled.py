"""A model's operators on a layout, compiled once: bytes, FLOPs and rows as linear forms of what a step holds.

`operators.plan` runs on a load whose numbers are linear forms (`Form`, a coefficient a feature) instead of ints.
Features are what a step's time depends on: 1, tokens, sequences, and for every kind of attention and of experts in
the model what is read, scored or touched. A step of many operating points is then three matrix products,
[operators, features] x [features, points], and no Python per operator. Small operators (norms, element-wise work),
whose law is linear, are added up into one. Nothing is approximated: a test holds compiled and counted equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from harness.architecture import Architecture
from harness.operators import Dtypes, Load, plan
from harness.roofline import shapes
from harness.trace import COLLECTIVE_KINDS, Op

_WIDTH = 40  # most features of one model; compiling fails loudly beyond
# Operators that engines fuse into the kernel before or after them: their bytes move, no launch of their own.
FUSED = frozenset({
    "attn_residual", "mlp_residual", "kv_write", "qk_norm", "q_norm", "kv_norm", "delta_gate", "attn_gate",
})  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """One replica of a model on its chips: `dp` attention ranks of `tp` chips, `pp` stages, experts over `ep`."""

    tp: int = 1
    pp: int = 1
    ep: int = 1
    dp: int = 1

    @property
    def chips(self) -> int:
        return self.tp * self.pp * self.dp


@dataclass
class _Features:
    """The features met while compiling, in order; a feature's form is a unit vector."""

    forms: dict[tuple, np.ndarray] = field(default_factory=lambda: {("one",): _unit(0)})

    def form(self, *name: Any) -> np.ndarray:
        if name not in self.forms:
            self.forms[name] = _unit(len(self.forms))
        return self.forms[name]


def _unit(place: int) -> np.ndarray:
    if place >= _WIDTH:
        raise AssertionError(f"a model with more than {_WIDTH} features; raise compiled._WIDTH")
    out = np.zeros(_WIDTH)
    out[place] = 1.0
    out.flags.writeable = False
    return out


class _FormLoad(Load):
    """A load whose numbers are linear forms; masked pairs are dropped, as kernels skip them."""

    def __init__(self, features: _Features) -> None:
        object.__setattr__(self, "features", features)

    @property
    def tokens(self) -> np.ndarray:
        return self.features.form("tokens")

    @property
    def sequences(self) -> np.ndarray:
        return self.features.form("sequences")

    rows = sequences

    def attended(self, window: int = 0, chunk: int = 0) -> tuple:
        form = self.features.form
        return form("attended", 0, window, chunk), form("attended", 1, window, chunk), 0

    def selected(self, most: int = 0, ratio: int = 1) -> tuple:
        form = self.features.form
        return form("selected", 0, most, ratio), form("selected", 1, most, ratio), 0

    def touched(self, experts: int, top_k: int, copies: int = 1) -> np.ndarray:
        return self.features.form("touched", experts, top_k, copies)


@dataclass(frozen=True)
class Kernels:
    """Operators of one kernel class: coefficients [operators, features], layers they run in, the product's n, k."""

    family: str  # gemm | moe | attention_prefill | attention_decode | small
    law: str  # kernel class, the name of its constants
    compute: str  # dtype the product runs in
    names: tuple[str, ...]
    count: np.ndarray  # [operators, 1]; of `small` the launches
    bytes_: np.ndarray
    flops: np.ndarray
    m: np.ndarray  # rows of a product, query tokens, rows routed to experts
    extent: np.ndarray  # of attention needed query-key pairs, of experts those touched
    n: np.ndarray  # [operators, 1], of a product; k: of a product, of experts their width
    k: np.ndarray


@dataclass(frozen=True)
class Links:
    """Collectives of one kind over the same number of chips: bytes [operators, features] and layers."""

    kind: str
    chips: int
    names: tuple[str, ...]
    count: np.ndarray
    bytes_: np.ndarray


@dataclass(frozen=True)
class Compiled:
    """One phase of a model on a layout."""

    phase: str
    features: tuple[tuple, ...]
    kernels: tuple[Kernels, ...]
    links: tuple[Links, ...]

    def measure(self, load: Load) -> np.ndarray:
        """The features of a load, [features, points]; the load's numbers are arrays [points]."""
        seen: dict[tuple, Any] = {}
        rows = []
        for name in self.features:
            match name:
                case ("one",):
                    value = 1.0
                case ("tokens",):
                    value = load.tokens
                case ("sequences",):
                    value = load.sequences
                case (("attended" | "selected") as how, part, *limits):
                    if (how, *limits) not in seen:
                        seen[how, *limits] = getattr(load, how)(*limits)
                    kv, pairs, masked = seen[how, *limits]
                    value = pairs - masked if part else kv
                case ("touched", experts, top_k, copies):
                    value = load.touched(experts, top_k, copies)
            rows.append(value)
        return np.stack(np.broadcast_arrays(*rows))


@lru_cache(maxsize=20_000)
def compiled(arch: Architecture, dtypes: Dtypes, layout: Layout, phase: str) -> Compiled:
    """Compile one phase. Raises NotPredictable where heads, experts or widths do not divide."""
    features = _Features()
    ops = plan(arch, _FormLoad(features), dtypes, phase=phase, tp=layout.tp, ep=layout.ep, dp=layout.dp)
    width = len(features.forms)
    linked = [(op, n) for op, n in ops if op.kind in COLLECTIVE_KINDS]
    timed = [(op, n) for op, n in ops if op.kind not in COLLECTIVE_KINDS]
    kernels = _kernels(timed, dtypes.block_scaled, width)
    return Compiled(phase, tuple(features.forms), kernels, _links(linked, width))


def _forms(width: int, *columns: tuple) -> np.ndarray:
    """Sums of numbers and forms as coefficients, end to end [columns x features]."""
    out = np.zeros((len(columns), width))
    for row, parts in zip(out, columns, strict=True):
        for x in parts:
            if isinstance(x, np.ndarray):
                row += x[:width]
            elif x:
                row[0] += x
    return out.ravel()


def _merged(rows: list[tuple[str, int, np.ndarray]]) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Operators of one name and equal coefficients as one, run as often as all: (names, count [n, 1], coefficients)."""
    counts: dict[tuple[str, bytes], int] = {}
    parts: dict[tuple[str, bytes], np.ndarray] = {}
    for name, count, coefficients in rows:
        key = (name, coefficients.tobytes())
        counts[key] = counts.get(key, 0) + count
        parts[key] = coefficients
    count = np.array([*counts.values()], float)[:, None]
    return tuple(name for name, _ in parts), count, np.stack([*parts.values()])


def _kernels(ops: list[tuple[Op, int]], block_scaled: bool, width: int) -> tuple[Kernels, ...]:
    groups: dict[tuple[str, str, str], list] = {}
    small = np.zeros(width)
    launches = 0
    for op, count in ops:
        law, compute = kernel_class(op, block_scaled)
        moved = (op.weight_read, op.act_read, op.act_write, op.kv_read, op.kv_write)
        if law is None:
            small += count * _forms(width, moved)
            launches += count * (op.name not in FUSED)
            continue
        m, extent, n, k = _shape(op)
        forms = _forms(width, moved, (op.flops,), (m,), (extent,))
        groups.setdefault((law.partition(".")[0], law, compute), []).append((op.name, count, np.append(forms, (n, k))))
    out = []
    for (family, law, compute), rows in groups.items():
        names, count, parts = _merged(rows)
        forms = (parts[:, i * width : (i + 1) * width] for i in range(4))
        out.append(Kernels(family, law, compute, names, count, *forms, parts[:, -2:-1], parts[:, -1:]))
    none, zero = np.zeros((1, width)), np.zeros((1, 1))
    count = np.array([[launches]], float)
    return (*out, Kernels("small", "small", "", ("small",), count, small[None], none, none, none, zero, zero))


def _shape(op: Op) -> tuple[Any, Any, float, float]:
    """(m, extent, n, k) of an operator, numbers or forms; see `Kernels`."""
    if op.kind == "gemm":
        return op.shape[0], 0.0, op.shape[1], op.shape[2]
    if op.kind == "moe":
        _, inner, inter, _, _, touched = op.shape
        return op.flops / (6 * inner * inter), touched, 0.0, inter
    return op.shape[0], op.shape[2], 0.0, 0.0


def _links(ops: list[tuple[Op, int]], width: int) -> tuple[Links, ...]:
    groups: dict[tuple[str, int], list] = {}
    for op, count in ops:
        groups.setdefault((op.kind, int(op.shape[1])), []).append((op.name, count, _forms(width, (op.shape[0],))))
    return tuple(Links(kind, chips, *_merged(rows)) for (kind, chips), rows in groups.items() if chips > 1)


def kernel_class(op: Op, block_scaled: bool = False) -> tuple[str | None, str]:
    """(kernel class, dtype the product runs in); None for small kernels, whose time is their bytes and a launch.

    Formats without measured kernels take the class of the nearest width.
    """
    compute = op.act_dtype
    if op.kind == "gemm":
        return shapes.gemm_class(compute, block_scaled), compute
    if op.kind == "moe":
        return shapes.moe_class(op.dtype, compute, block_scaled), compute
    if op.kind == "attention":
        # Scores are computed in bf16 unless both sides are 8-bit; the cache's format decides the bytes.
        kv = "fp8" if op.kv_dtype in ("fp8", "int8") else "bf16"
        latent = op.phase == "decode" and op.shape[5] == 1 and op.shape[6] > 256  # one wide head for all queries
        phase = "attention_prefill.bf16" if op.phase == "prefill" else f"attention_decode.{kv}"
        return "attention_decode.mla" if latent else phase, compute
    return None, compute
