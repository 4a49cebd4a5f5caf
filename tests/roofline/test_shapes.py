"""The closed forms of kernels and collectives: monotone, scaling with their units, right on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.profiles import chip
from harness.roofline import laws, links, shapes

LINK = 4e11
positive = st.floats(1e-9, 1e-1)
size = st.integers(1, 1 << 20)
kernel_class = st.sampled_from([n for n in sorted(laws.tables()) if n.split(".")[0] in shapes.PARTS])


def centre(name: str) -> dict[str, float]:
    return {part: points[0] for part, points in laws.tables()[name]["prior"].items()}


@given(kernel_class, positive, positive, st.tuples(size, size, size), st.floats(1, 100), st.floats(1, 100))
def test_more_bytes_more_flops_or_a_lower_peak_never_shorten_a_kernel(name, memory_s, compute_s, shape, more, slower):
    """And none is faster than the roofline of the profile's full peak."""
    family, c = name.split(".")[0], centre(name)

    def time(memory: float, compute: float) -> float:
        return float(shapes.combine(family, c, *shapes.terms(family, c, memory, compute, *shape)))

    plain = time(memory_s, compute_s)
    assert plain > max(memory_s, compute_s)
    assert plain <= time(memory_s * more, compute_s) <= time(memory_s * more, compute_s * slower)


@given(st.sampled_from([*links.PARTS, "send"]), st.floats(1, 1e10), st.floats(1, 100), st.integers(2, 64))
def test_more_bytes_or_a_slower_link_never_shorten_a_collective_and_one_chip_has_none(kind, size, more, chips):
    c = centre(links.CLASS.get(kind, kind))

    def time(bytes_: float, link: float, p: int) -> float:
        return float(np.add(*links.collective_terms(kind, c, bytes_, p, link)))

    assert time(size, LINK, chips) <= time(size * more, LINK, chips) <= time(size * more, LINK / more, chips)
    assert time(size, LINK, 1) == 0
    moved = {"all_reduce": 2 * (chips - 1) / chips, "send": 1.0}.get(kind, (chips - 1) / chips)
    assert time(size, LINK, chips) > min(moved, chips - 1) * size / LINK


@given(st.floats(0.1, 1e3))
def test_a_change_of_units_scales_every_time(factor):
    """Constants in seconds and times at full peak scaled alike: the kernel's time scales, its shape stays."""
    for name in ("gemm.fp8", "attention_prefill.bf16", "attention_decode.bf16", "moe.bf16"):
        family, c = name.split(".")[0], centre(name)
        scaled = {part: v * factor if part.endswith("_s") else v for part, v in c.items()}
        one, other = (
            shapes.combine(family, d, *shapes.terms(family, d, 1e-5 * f, 2e-5 * f, 64, 4096, 1024))
            for d, f in ((c, 1.0), (scaled, factor))
        )
        assert other == pytest.approx(one * factor)


def test_laws_take_arrays_of_operators_by_rows():
    """[operators, 1] shapes with [rows] constants: the same as one by one."""
    m, n, k = np.array([[8.0], [512.0]]), np.array([[4096.0], [1024.0]]), np.array([[1024.0], [8192.0]])
    memory, compute = m * n * 1e-12 + np.array([1e-6, 2e-6, 3e-6]), m * n * k * 1e-15 * np.ones(3)
    c = {part: v * np.array([1.0, 1.1, 0.9]) for part, v in centre("gemm.fp8").items()}
    whole = shapes.combine("gemm", c, *shapes.terms("gemm", c, memory, compute, m, n, k))
    one = {part: v[2] for part, v in c.items()}
    single = shapes.combine("gemm", one, *shapes.terms("gemm", one, memory[1, 2], compute[1, 2], 512, 1024, 8192))
    assert whole.shape == (2, 3) and whole[1, 2] == pytest.approx(single)


def test_formats_without_measured_kernels_take_the_nearest_class():
    assert shapes.gemm_class("int8") == "gemm.fp8" and shapes.gemm_class("fp8", block_scaled=True) == "gemm.fp8_block"
    assert shapes.gemm_class("bf16") == "gemm.bf16" and shapes.gemm_class("mxfp4") == "gemm.nvfp4"
    assert shapes.moe_class("int4", "bf16") == "moe.bf16" and shapes.moe_class("mxfp4", "fp8") == "moe.mxfp4-fp8"
    assert shapes.moe_class("fp8", "fp8", block_scaled=True) == "moe.fp8_block"
    for weight in ("bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4"):
        for act in ("bf16", "fp8", "int8", "nvfp4"):
            assert {shapes.gemm_class(act), shapes.moe_class(weight, act)} <= set(laws.tables())


def test_the_busiest_rank_has_more_rows_the_more_uneven_the_routing_and_the_fewer_its_experts():
    variation = shapes.power_law_variation([0.0, 1.01, 1.2], 800.0)
    assert variation[0] == 0 and 0 < variation[1] < variation[2]
    rows = shapes.heaviest_rank(variation[1], np.array([64.0, 16.0, 4.0, 1.0]), np.array([1.0, 4.0, 16.0, 64.0]))
    assert rows[0] == 1 and np.all(np.diff(rows) > 0) and np.all(rows <= [1, 4, 16, 64])


@pytest.mark.parametrize(("alpha", "experts", "ranks"), [(1.01, 128, 8), (1.2, 256, 16), (1.01, 256, 32)])
def test_the_busiest_rank_is_that_of_drawn_routings(alpha, experts, ranks):
    rng, span = np.random.default_rng(0), 1000.0
    u = rng.random((4000, experts))
    loads = ((span ** (1 - alpha) - 1) * u + 1) ** (1 / (1 - alpha))
    by_rank = loads.reshape(4000, ranks, -1).sum(2)
    drawn = float(np.mean(by_rank.max(1) / by_rank.mean(1)))
    variation = shapes.power_law_variation(alpha, span)
    assert float(shapes.heaviest_rank(variation, experts / ranks, ranks)) == pytest.approx(drawn, rel=0.2)


def test_groups_use_the_lanes_that_their_topology_gives_them():
    assert links.usable_share("mesh", "all_reduce", 2, 8) == pytest.approx(1 / 7)
    assert links.usable_share("mesh", "all_reduce", 8, 8) == 1 == links.usable_share("switch", "all_to_all", 8, 8)
    assert links.usable_share("ring", "all_to_all", 8, 8) == 0.5
    assert links.usable_share("torus", "all_to_all", 64, 256) == 0.25


def test_a_roofline_bound_kernel_of_a_measured_chip_is_near_its_peak():
    """A large bf16 product on an H100 runs at 0.7 to 0.85 of the datasheet's peak, the data's own range."""
    h100 = chip("h100-sxm")
    c = laws.tables()["gemm.bf16"]["chips"]["h100-sxm"]
    m = n = k = 8192
    compute_s = 2 * m * n * k / h100.get("compute.bf16").point
    memory_s = 2 * (m * n + n * k + m * k) / h100.get("memory.bandwidth").point
    time_s = shapes.combine("gemm", c, *shapes.terms("gemm", c, memory_s, compute_s, m, n, k))
    assert 0.7 < compute_s / time_s < 0.85
