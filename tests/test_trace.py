"""The keystone: the trace counted while the model runs equals the one computed from its file, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import operators
from harness.architecture import Architecture, Dense, Gqa, LayerGroup, Mla, Moe, of_model
from harness.operators import FP32, Dtypes, Group, Load
from harness.profiles import model
from harness.reference.model import Cache
from harness.trace import COLLECTIVE_KINDS, Recorder
from tests.conftest import golden, read

SMOLLM = "smollm2-135m-instruct"
MLA = Mla(heads=128, kv_lora=512, qk_nope=128, qk_rope=64, v_head_dim=128, q_lora=1536)
# The shapes behind golden/flops.json; the shipped files are held to published counts in test_profiles.py.
SHAPES = {
    "SmolLM2-135M": Architecture(576, 49152, True, (LayerGroup(30, Gqa(9, 3, 64), Dense(1536)),)),
    "Llama-3.1-8B-like": Architecture(4096, 128256, False, (LayerGroup(32, Gqa(32, 8, 128), Dense(14336)),)),
    "Qwen3-30B-A3B-like": Architecture(
        2048, 151936, False, (LayerGroup(48, Gqa(32, 4, 128, qk_norm=True), Moe(128, 8, 768)),)
    ),
    "DeepSeek-V3-like": Architecture(
        7168, 129280, False, (LayerGroup(3, MLA, Dense(18432)), LayerGroup(58, MLA, Moe(256, 8, 2048, 2048)))
    ),
}


def counted(engine, new: list[int], past: list[int], rows: int | None = None):
    """The operators really run for a batch with these lengths."""
    caches = [Cache(engine.model.config, p + n) for p, n in zip(past, new, strict=True)]
    for cache, p in zip(caches, past, strict=True):
        # What the cache holds does not change what is counted, so the past need not be run.
        cache.keys[:], cache.values[:], cache.length = 0.0, 0.0, p
    engine.model.recorder = Recorder()
    wanted = None if rows is None else np.arange(rows)
    engine.model.forward([[7] * n for n in new], caches, wanted)
    return engine.take_trace()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 30)), min_size=1, max_size=4), st.booleans())
def test_counted_equals_computed(engine, lengths, decode):
    new, past = [1 if decode else n for n, _ in lengths], [p for _, p in lengths]
    phase = "decode" if max(new) == 1 else "prefill"
    arch = of_model(model(SMOLLM))
    assert counted(engine, new, past) == operators.trace(arch, Load.of(new, past), FP32, phase=phase)


def test_counted_equals_computed_when_every_row_is_scored(engine):
    arch = of_model(model(SMOLLM))
    assert counted(engine, [9, 4], [3, 0], 13) == operators.trace(
        arch, Load.of([9, 4], [3, 0], 13), FP32, phase="prefill"
    )


def test_a_longer_batch_would_be_noticed(engine):
    arch = of_model(model(SMOLLM))
    assert counted(engine, [9], [0]) != operators.trace(arch, Load.of([10]), FP32, phase="prefill")


@pytest.mark.golden
@pytest.mark.parametrize("path", golden("flops.json"))
@pytest.mark.parametrize("name", SHAPES)
def test_flops_and_parameters_equal_another_counters(path, name):
    truth, arch = read(path)["models"][name], SHAPES[name]
    assert arch.parameters == truth["params_total_unique"]
    for run in truth["runs"]:
        new, batch = run["T"], run["batch"]
        load = Load.of([new] * batch, [run["past"]] * batch, new * batch if run["logits"] == "all" else None)
        phase = "prefill" if new > 1 else "decode"
        assert operators.trace(arch, load, FP32, phase=phase, mla="expanded").matmul_flops == run["total"]
    if absorbed := truth.get("decode_1_at_1024_absorbed_closed_form"):
        assert operators.trace(arch, Load.of([1], [1024]), FP32, phase="decode").matmul_flops == absorbed


@pytest.mark.golden
@pytest.mark.parametrize("path", golden("flops.json"))
def test_the_running_model_counts_the_same_flops(engine, path):
    for run in read(path)["models"]["SmolLM2-135M"]["runs"]:
        if run["T"] * run["batch"] > 200:
            continue  # the closed form above covers the long ones
        new, batch = run["T"], run["batch"]
        rows = new * batch if run["logits"] == "all" else None
        assert counted(engine, [new] * batch, [run["past"]] * batch, rows).matmul_flops == run["total"]


@pytest.mark.parametrize("name", ["Llama-3.1-8B-like", "DeepSeek-V3-like"])
def test_one_chip_has_no_collectives_and_many_do(name):
    load = Load.of([1] * 4, [100] * 4)
    dtypes = Dtypes("bf16", "bf16", "bf16")
    kinds = {tp: {op.kind for op, _ in operators.trace(SHAPES[name], load, dtypes, phase="decode", tp=tp)}
             for tp in (1, 4)}  # fmt: skip
    assert not kinds[1] & set(COLLECTIVE_KINDS) and kinds[4] & set(COLLECTIVE_KINDS)


def test_tensor_parallel_shares_add_up_to_the_whole():
    arch, load = SHAPES["Llama-3.1-8B-like"], Load.of([64])
    dtypes = Dtypes("bf16", "bf16", "bf16")
    one = operators.trace(arch, load, dtypes, phase="prefill").matmul_flops
    assert operators.trace(arch, load, dtypes, phase="prefill", tp=8).matmul_flops * 8 == one


@pytest.mark.parametrize("name", SHAPES)
def test_an_array_of_points_gives_each_points_own_numbers(name):
    past, batch = np.array([10, 500, 4000]), np.array([1, 8, 64])
    dtypes = Dtypes("bf16", "bf16", "bf16")
    together = operators.plan(SHAPES[name], Load((Group(batch, 1, past),)), dtypes, phase="decode")
    for i in range(3):
        load = Load((Group(int(batch[i]), 1, int(past[i])),))
        alone = operators.plan(SHAPES[name], load, dtypes, phase="decode")
        for (many, _), (single, _) in zip(together, alone, strict=True):
            assert np.broadcast_to(many.flops, 3)[i] == pytest.approx(single.flops)
            assert np.broadcast_to(many.total_bytes, 3)[i] == pytest.approx(single.total_bytes)


def test_a_window_caps_what_is_read_and_attended_to():
    windowed = Architecture(64, 100, True, (LayerGroup(1, Gqa(4, 2, 16, window=128), Dense(96)),))
    trace = operators.trace(windowed, Load.of([1], [5000]), FP32, phase="decode")
    attention = next(op for op, _ in trace if op.kind == "attention")
    assert attention.kv_read == (128 + 1) * 2 * 2 * 16 * 4 and attention.flops == 4 * 128 * 4 * 16


def test_element_width_scales_bytes_and_not_flops():
    arch, load = SHAPES["Llama-3.1-8B-like"], Load.of([1] * 8, [100] * 8)
    wide, narrow = (operators.trace(arch, load, Dtypes(d, "bf16", "bf16", ()), phase="decode") for d in ("bf16", "fp8"))
    assert wide.matmul_flops == narrow.matmul_flops
    assert sum(op.weight_read * n for op, n in wide) == 2 * sum(op.weight_read * n for op, n in narrow)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 12))
def test_chunked_attention_sees_its_own_chunk_alone(past, new, chunk):
    """Pair by pair: a new token and the keys of its chunk up to the last new one, those after it masked."""
    tokens = range(past, past + new)
    pairs = [(q, k) for q in tokens for k in range(past + new) if q // chunk == k // chunk]
    kv, counted, masked = Load.of([new], [past]).attended(chunk=chunk)
    assert counted == len(pairs) and masked == sum(k > q for q, k in pairs)
    assert kv == past % chunk + new
