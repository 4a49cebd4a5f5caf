"""A compiled model is the counted one: the same bytes, needed FLOPs and messages, for every model of the library."""

from __future__ import annotations

import numpy as np
import pytest

from harness import operators
from harness.architecture import of_model
from harness.discovery import MODEL, find
from harness.errors import NotPredictable
from harness.operators import Dtypes, Group, Load
from harness.profiles import model
from harness.roofline.compiled import Layout, compiled
from harness.trace import COLLECTIVE_KINDS

LAYOUTS = (Layout(1), Layout(2), Layout(8), Layout(4, ep=4), Layout(1, ep=8, dp=8), Layout(2, ep=4, dp=2))
LOADS = {
    "decode": (Group(3.0, 1.0, 5000.0), Group(64.0, 1.0, 170.0)),
    "prefill": (Group(1.0, 4096.0, 0.0), Group(2.0, 300.0, 1000.0)),
}


def predictable() -> list[str]:
    def is_open(name: str) -> bool:
        try:
            return bool(of_model(model(name)))
        except NotPredictable:
            return False

    return [name for name in find(MODEL) if is_open(name)]


@pytest.mark.parametrize("name", predictable())
def test_compiled_equals_counted(name):
    arch, tried = of_model(model(name)), 0
    for i, layout in enumerate(LAYOUTS):
        dtypes = (Dtypes("bf16", "bf16", "bf16"), Dtypes("fp8", "fp8", "fp8"), Dtypes("int4", "bf16", "bf16"))[i % 3]
        for phase, groups in LOADS.items():
            try:
                made = compiled(arch, dtypes, layout, phase)
            except NotPredictable:  # heads, experts or widths do not divide
                continue
            arrays = (np.array([getattr(g, k) for g in groups]) for k in ("count", "new", "past"))
            features = made.measure(Load((Group(*arrays),)))
            for j, group in enumerate(groups):
                ops = operators.plan(
                    arch, Load((group,)), dtypes, phase=phase, tp=layout.tp, ep=layout.ep, dp=layout.dp
                )
                assert_same(made, features[:, j], ops)
            tried += 1
    assert tried >= 2  # one chip holds every model, in both phases


def assert_same(made, features: np.ndarray, ops: list) -> None:
    """Sums over kernels, by family where a kernel's class is timed by its shape, and over collectives."""
    timed = [(op, n) for op, n in ops if op.kind not in COLLECTIVE_KINDS]
    of = {k.law: k for k in made.kernels}
    moved = sum((k.count * (k.bytes_ @ features[:, None])).sum() if k.family != "small" else (k.bytes_ @ features).sum()
                for k in made.kernels)  # fmt: skip
    assert moved == pytest.approx(sum(n * op.total_bytes for op, n in timed), rel=1e-9)
    flops = sum((k.count * (k.flops @ features[:, None])).sum() for k in made.kernels)
    products = [(op, n) for op, n in timed if op.kind in ("gemm", "moe", "attention")]
    assert flops == pytest.approx(sum(n * op.needed_flops for op, n in products), rel=1e-9)
    assert of["small"].count[0, 0] <= sum(n for op, n in timed if op.kind not in ("gemm", "moe", "attention"))
    sent = sum((one.count[:, 0] * (one.bytes_ @ features)).sum() for one in made.links)
    wanted = sum(n * op.shape[0] for op, n in ops if op.kind in COLLECTIVE_KINDS and op.shape[1] > 1)
    assert sent == pytest.approx(wanted, rel=1e-9)
    names = {name for k in (*made.kernels, *made.links) for name in k.names}
    assert {op.name for op, _ in products} <= names
