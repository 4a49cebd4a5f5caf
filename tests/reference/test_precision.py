"""Emulated formats: encodings as published, laws of rounding, and what the model makes of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.errors import UserMistake
from harness.reference.engine import Engine
from harness.reference.precision import EXACT, FORMATS, NAMED, Precision, emulated, matrix_in, precision, rows_in

ROWS = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=70),
    elements=st.floats(-1024, 1024, width=32, allow_subnormal=False).map(lambda v: 0.0 if abs(v) < 1e-6 else v),
)  # fmt: skip
TEXT = "The harbour was quiet that morning, and the boats lay still. Nobody had told the captain that"


def floats(exponent_bits: int, mantissa_bits: int, bias: int) -> list[float]:
    """Non-negative values of a small float by the definition of its bits (OCP 8-bit and MX formats)."""
    values = []
    for code in range(2 ** (exponent_bits + mantissa_bits)):
        exponent, mantissa = code >> mantissa_bits, code & (2**mantissa_bits - 1)
        part = mantissa / 2**mantissa_bits
        values.append(2.0 ** (1 - bias) * part if exponent == 0 else 2.0 ** (exponent - bias) * (1 + part))
    return values


FP4 = floats(2, 1, 1)
FP8 = floats(4, 3, 7)[:-1]  # the last code of e4m3fn is no number


def test_the_encodings_are_the_published_ones():
    assert FP4 == [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    assert (FP8[-1], FP8[1]) == (448.0, 2.0**-9)
    codes = np.arange(127, dtype=np.uint8)
    assert codes.view(ml_dtypes.float8_e4m3fn).astype(np.float32).tolist() == FP8
    assert np.arange(8, dtype=np.uint8).astype(np.uint8).view(ml_dtypes.float4_e2m1fn).astype(float).tolist() == FP4


@given(hnp.arrays(np.float32, 40, elements=st.floats(-(2.0**127), 2.0**127, width=32, allow_subnormal=False)))
def test_bf16_is_the_upper_half_rounded_to_even(x):
    bits = x.view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    np.testing.assert_array_equal(rows_in(x[None], "bf16")[0], rounded)


def test_mxfp4_by_hand():
    """Largest 6: scale 1, so the values round on e2m1 itself, ties to the even mantissa; 7 has scale 1 too."""
    x = np.zeros((1, 32), np.float32)
    x[0, :8] = [6, 0.3, 0.25, 2.5, 5, -3.4, 1.25, -0.1]
    assert rows_in(x, "mxfp4")[0, :8].tolist() == [6, 0.5, 0, 2, 4, -3, 1, 0]
    assert rows_in(x * 8, "mxfp4")[0, :3].tolist() == [48, 4, 0]
    x[0, 0] = 7
    assert rows_in(x, "mxfp4")[0, 0] == 6


def test_nvfp4_scales_are_e4m3_of_the_whole():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 64)).astype(np.float32)
    unit = np.float32(np.abs(x).max()) / np.float32(6 * 448)
    y = rows_in(x, "nvfp4").reshape(4, 16)
    for block, given_ in zip(y, x.reshape(4, 16), strict=True):
        scale = unit * min(FP8, key=lambda v, b=given_: abs(v - np.abs(b).max() / 6 / unit))
        assert set(np.round(np.abs(block) / scale, 4).tolist()) <= set(FP4)


@pytest.mark.parametrize("name, size, steps", [("int8", 10_000, 127), ("int4", 128, 7)])
def test_whole_number_formats_are_multiples_of_their_scale(name, size, steps):
    x = np.random.default_rng(1).standard_normal((3, 256)).astype(np.float32)
    for row, given_ in zip(rows_in(x, name), x, strict=True):
        for start in range(0, 256, size):
            block, source = row[start : start + size], given_[start : start + size]
            scale = np.abs(source).max() / np.float32(steps)
            scale = np.float32(np.float16(scale)) if name == "int4" else scale
            np.testing.assert_allclose(block, np.rint(source / scale) * scale, atol=1e-5 * scale)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from(FORMATS))
def test_laws_of_rounding(x, name):
    y = rows_in(x, name)
    assert y.dtype == np.float32 and y.shape == x.shape
    np.testing.assert_array_equal(y[x == 0], 0)
    np.testing.assert_array_equal(rows_in(-x, name), -y)
    np.testing.assert_array_equal(rows_in(x[:1], name), y[:1])  # a row does not depend on its batch
    worst = np.abs(x).max(axis=1, keepdims=True)
    coarsest = {"bf16": 2**-8, "fp16": 2**-10, "int8": 1 / 250}.get(name, 0.07 if name.startswith("fp8") else 0.26)
    assert (np.abs(y - x) <= coarsest * worst + 1e-7).all()


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from(["bf16", "fp16", "mxfp4"]))
def test_what_is_on_the_grid_stays(x, name):
    once = rows_in(x, name)
    np.testing.assert_array_equal(rows_in(once, name), once)


@pytest.mark.parametrize("name", FORMATS)
def test_scales_of_a_matrix_lie_along_what_is_summed(name):
    """One output's large weights leave the others alone, but where a tensor or a square shares its scale."""
    w = np.random.default_rng(2).standard_normal((256, 160)).astype(np.float32)
    loud = w.copy()
    loud[:, 0] *= 1000
    apart = np.abs(matrix_in(loud, name)[:, 130:] - matrix_in(w, name)[:, 130:]).max()
    assert bool(apart == 0) is (name not in ("fp8-tensor", "nvfp4"))


def test_requantising_on_the_grid_of_the_shipped_weights_is_the_identity(engine):
    """The weights came as Q4_1: blocks of 32 along the input with a scale and a least value in fp16."""
    for layer in engine.model.weights.layers[::10]:
        for w in (part.matrix() for part in (layer.qkv, layer.out, layer.gate_up, layer.down)):
            turned = np.ascontiguousarray(w.T)
            again = dequantize(quantize(turned, GGMLQuantizationType.Q4_1), GGMLQuantizationType.Q4_1)
            np.testing.assert_array_equal(again, turned)
            assert (matrix_in(w, "int4") != w).any()  # another grid, so int4 is a real change


def test_a_name_or_parts_make_a_precision():
    assert precision("weights=int4,kv=fp8") == Precision("int4", "fp32", "fp8")
    assert precision("fp32") == EXACT and str(NAMED["int4"]) == "weights int4, activations bf16, KV bf16"
    for wrong in ("fp7", "weights=fp7", "weights", "depth=fp8", "", "weights=int4,"):
        with pytest.raises(UserMistake):
            precision(wrong)


@pytest.fixture(scope="module")
def engines(weights_folder):
    return {name: Engine(weights_folder, precision=NAMED[name]) for name in ("fp8", "int4")}


@pytest.mark.slow
def test_short_formats_leave_embedding_norms_and_head(engine, engines):
    plain, short = engine.model.weights, engines["fp8"].model.weights
    assert short.head is not None and np.shares_memory(short.head.data, engines["fp8"].plain.head.data)
    np.testing.assert_array_equal(short.layers[0].attn_norm, plain.layers[0].attn_norm)
    assert (short.layers[0].down.data != plain.layers[0].down.data).any()
    half = emulated(plain, NAMED["bf16"])
    np.testing.assert_array_equal(half.final_norm, rows_in(plain.final_norm[None], "bf16")[0])


@pytest.mark.slow
def test_divergence_from_itself_is_none_and_grows_with_shorter_formats(engine, engines):
    pairs = [(TEXT, " the storm would come before noon."), ("Two plus two is", " four"), ("A", "")]
    same = engine.divergence(pairs)
    assert [d.kl_nats for d in same] == [0.0, 0.0, 0.0] and same[0].agree == same[0].tokens
    assert [d.plain_nats for d in same] == pytest.approx(engine.loglikelihood(pairs), abs=1e-3)
    fp8, int4 = (engines[name].divergence(pairs) for name in ("fp8", "int4"))
    assert [d.plain_nats for d in fp8] == pytest.approx([d.plain_nats for d in same], abs=1e-3)
    # Another packing sums in another order, and the last bit of a sum may tip a rounding to the next of few values.
    assert [d.nats for d in fp8] == pytest.approx(engines["fp8"].loglikelihood(pairs), rel=0.15)
    assert 0 < fp8[0].kl_nats < int4[0].kl_nats
