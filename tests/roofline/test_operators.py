"""Operators, footprints and blocks: two ways to one number, and what a kernel is timed by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import operators
from harness.architecture import of_model
from harness.footprint import kv_bytes_per_token, state_bytes_per_sequence, weight_bytes
from harness.operators import Dtypes, Group, Load
from harness.profiles import Chip, chip, model
from harness.roofline import laws
from harness.roofline.blocks import Block, blocks
from harness.roofline.compiled import Compiled, Kernels, Layout, Links, compiled
from harness.roofline.hardware import Hardware, View
from harness.trace import MATMUL_KINDS, Trace
from tests.roofline.support import altered

BF16 = Dtypes("bf16", "bf16", "bf16")


def arch(model_id: str):
    return of_model(model(model_id))


def decode_trace(model_id: str, tp: int, batch: int = 8, past: int = 2048, dtypes: Dtypes = BF16) -> Trace:
    return operators.trace(arch(model_id), Load((Group(batch, 1, past),)), dtypes, phase="decode", tp=tp)


@pytest.mark.parametrize("model_id", ["gpt-oss-120b", "qwen3-235b-a22b", "deepseek-r1", "qwen3.8-2.4t-a95b"])
@settings(max_examples=20, deadline=None)
@given(tokens=st.integers(1, 10**5))
def test_a_batch_touches_top_k_experts_at_least_and_all_at_most(model_id, tokens):
    experts = [op for op, _ in decode_trace(model_id, 1, tokens) if op.kind == "moe"]
    assert experts
    for op in experts:
        top_k, local, touched = op.shape[3:]
        assert top_k - 1e-6 <= touched <= local
    if tokens == 1:
        assert touched == pytest.approx(top_k)


@pytest.mark.parametrize("model_id", ["llama-3.1-70b", "qwen3-235b-a22b", "deepseek-r1"])
def test_narrower_weights_are_fewer_bytes(model_id):
    sizes = {d: weight_bytes(arch(model_id), Dtypes(d, "bf16", "bf16")) for d in ("bf16", "fp8", "int4")}
    read = {d: sum(n * op.weight_read for op, n in decode_trace(model_id, 1, dtypes=Dtypes(d, "bf16", "bf16")))
            for d in sizes}  # fmt: skip
    for of in (sizes, read):
        assert of["int4"] < 0.6 * of["fp8"] + 0.1 * of["bf16"] and 0.5 <= of["fp8"] / of["bf16"] < 0.6


@pytest.mark.parametrize("model_id", ["llama-3.1-70b", "qwen3-32b", "gpt-oss-120b", "qwen3-235b-a22b"])
@pytest.mark.parametrize("tp", [1, 2, 4, 8])
def test_what_is_stored_is_what_a_long_batch_reads(model_id, tp):
    """Weights on a chip and weights read by a batch that touches every expert, within 2 %: two ways to one number."""
    reads = sum(n * op.weight_read for op, n in decode_trace(model_id, tp, 20000) if op.kind in MATMUL_KINDS)
    layers = arch(model_id)
    embedding = 0 if layers.tied_embeddings else layers.vocab * layers.hidden * 2 / tp
    assert reads + embedding == pytest.approx(weight_bytes(layers, BF16, tp), rel=0.02)


@pytest.mark.parametrize("model_id", ["llama-3.1-70b", "gpt-oss-120b", "deepseek-r1", "qwen3-235b-a22b"])
@pytest.mark.parametrize("tp", [1, 4, 8, 16])
def test_the_cache_that_is_stored_is_the_cache_that_is_read(model_id, tp):
    past = 4000
    stored = past * kv_bytes_per_token(arch(model_id), "bf16", tp) + state_bytes_per_sequence(
        arch(model_id), "bf16", tp
    )
    read = sum(n * op.kv_read for op, n in decode_trace(model_id, tp, 1, past - 1) if op.kind == "attention")
    assert read == pytest.approx(stored, rel=0.002)  # a window reads its new token besides


def test_kv_heads_are_copied_where_chips_are_more_and_a_latent_always():
    dense = [kv_bytes_per_token(arch("llama-3.1-70b"), "bf16", tp) for tp in (1, 8, 16)]
    assert dense == [80 * 2 * 8 * 128 * 2, 80 * 2 * 128 * 2, 80 * 2 * 128 * 2]
    assert {kv_bytes_per_token(arch("deepseek-r1"), "bf16", tp) for tp in (1, 8)} == {61 * 576 * 2}


def one(step: Compiled, on: Chip, load: Load) -> Block:
    """The first block of a step on a chip."""
    return blocks(step, load, View(Hardware.of([on]), np.zeros(1, int)), np.array([""], object))[0]


@settings(max_examples=40, deadline=None)
@given(m=st.integers(1, 16384), chip_id=st.sampled_from(["h100-sxm", "mi355x", "zhenwu-810e"]))
def test_a_product_takes_its_bytes_and_flops_at_its_shares_of_the_peaks(m, chip_id):
    n = k = 8192.0
    ones, on = np.ones((1, 1)), chip(chip_id)
    kernel = Kernels("gemm", "gemm.bf16", "bf16", ("x",), ones, np.array([[2 * n * k, 4 * n]]),
                     np.array([[0, 2 * n * k]]), np.eye(2)[1:], np.zeros((1, 2)), ones * n, ones * k)  # fmt: skip
    step = Compiled("decode", (("one",), ("tokens",)), (kernel,), ())
    block = one(step, on, Load((Group(np.array([float(m)]), 1.0, 0.0),)))
    law = {part: v[0] for part, v in Hardware.of([on]).law("gemm.bf16").items()}
    memory_s = (2 * n * k + 4 * m * n) / on.get("memory.bandwidth").point
    assert block.memory[0, 0] == pytest.approx(memory_s / law["e_bw"])
    assert block.compute[0, 0] == pytest.approx(2 * m * n * k / (law["e_fl"] * on.get("compute.bf16").point))
    assert block.fixed[0, 0] > law["t0_s"]
    if m in (1, 16384):
        assert (block.memory[0, 0] > block.compute[0, 0]) == (m == 1)


def network_s(kind: str, on: Chip, chips: int, size: float) -> float:
    exchanged = Links(kind, chips, ("x",), np.ones((1, 1)), np.array([[size]]))
    step = Compiled("decode", (("tokens",),), (), (exchanged,))
    return float(one(step, on, Load((Group(np.array([1.0]), 1.0, 0.0),))).memory[0, 0])


def test_a_collective_moves_the_rings_bytes_over_one_direction_of_the_link():
    """900 GB/s printed for both directions is 450 one way; 8 chips pass 2 x 7/8 of the message."""
    on, size = chip("h100-sxm"), 1e9
    for kind, moved in (("all_reduce", 2 * 7 / 8), ("all_gather", None)):
        c = {part: v[0] for part, v in Hardware.of([on]).law(kind).items()}
        moved = moved or (7 + c["own"]) / 8
        ramp = np.sqrt(c["ramp_s"] * size / 450e9 * (1 if kind == "all_reduce" else moved))
        barrier = c.get("barrier_s", 0.0)
        assert network_s(kind, on, 8, size) == pytest.approx(barrier + moved * size / (c["e_bw"] * 450e9) + ramp)


def test_a_group_wider_than_its_domain_waits_for_the_slower_network():
    near = altered(chip("h100-sxm"), {"scaleup.domain": 16.0})
    ratio = network_s("all_reduce", chip("h100-sxm"), 16, 1e12) / network_s("all_reduce", near, 16, 1e12)
    assert ratio == pytest.approx(450 / 50, rel=0.01)


def test_a_chip_without_measured_kernels_takes_the_centre_of_the_measured_ones():
    own = laws.tables()["gemm.bf16"]["chips"]
    both = Hardware.of([chip("h100-sxm"), chip("zhenwu-m890")]).law("gemm.bf16")
    centre = laws.tables()["gemm.bf16"]["prior"]
    assert both["e_bw"].tolist() == [own["h100-sxm"]["e_bw"], centre["e_bw"][0]]
    left_out = Hardware.of([chip("h100-sxm")], ["h100-sxm"]).law("gemm.bf16")
    assert left_out["e_bw"][0] != own["h100-sxm"]["e_bw"]


@pytest.mark.parametrize("past, share", [(0, (4096 + 1) / 2 / 4096), (4096, (4096 + 4097 / 2) / 8192)])
def test_a_causal_kernel_skips_what_is_masked_and_the_trace_counts_it(past, share):
    """A query sees all of the past and, of the new tokens, those up to itself."""
    trace = operators.trace(arch("qwen3-32b"), Load.of([4096], [past]), BF16, phase="prefill")
    op = next(op for op, _ in trace if op.kind == "attention")
    assert op.causal and op.flops == 4 * 4096 * (4096 + past) * 64 * 128
    assert op.needed_flops == pytest.approx(share * op.flops)
    made = compiled(arch("qwen3-32b"), BF16, Layout(1), "prefill")
    kernel = next(k for k in made.kernels if k.family == "attention_prefill")
    features = made.measure(Load((Group(np.array([1.0]), 4096.0, float(past)),)))
    assert (kernel.flops @ features)[0, 0] == pytest.approx(op.needed_flops)
