"""Number formats, emulated: float32 arrays whose values are those a format can hold.

A product of emulated operands is still summed in float32, as tensor cores sum it; the order of the sum is NumPy's.
Encodings are those of `ml_dtypes` (bfloat16, float8_e4m3fn, float4_e2m1fn, float8_e8m0fnu); scales and blocks are:

- `bf16`, `fp16`: the value rounded to nearest, ties to even; beyond fp16's range it is infinite, as on a chip.
- `fp8`: e4m3, one scale for each output column of a matrix or each token, largest magnitude / 448 (as engines do that
  quantise while loading); `fp8-tensor`: one scale for a whole matrix; `fp8-block`: blocks of 128 x 128 of a matrix
  and of 128 along a token (DeepSeek-V3, arXiv 2412.19437, section 3.3.2).
- `int8`: symmetric, -127..127, a scale for each output column or token (SmoothQuant, arXiv 2211.10438, section 2).
- `mxfp4`: e2m1 in blocks of 32 with a power of two as scale (OCP Microscaling Formats 1.0, sections 5.2 and 6.3).
- `nvfp4`: e2m1 in blocks of 16 with an e4m3 scale, and one float32 scale for the matrix or token, largest magnitude /
  (6 x 448) (NVIDIA, "Pretraining Large Language Models with NVFP4", arXiv 2509.25149, appendix A).
- `int4`: symmetric, -7..7, groups of 128 with a float16 scale.

The last bit of a float32 sum depends on its order, and may tip a rounding to the next of a format's few values: in a
short format the same text scores some tenths of a nat apart between batches of another make-up, as it does on chips.

Blocks lie along the axis that a product sums over. Left out: calibration, smoothing, rotation and rounding that looks
at data (GPTQ, AWQ), which published low-bit checkpoints use; so this is what plain rounding costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import ml_dtypes
import numpy as np

from harness.errors import UserMistake
from harness.reference.panels import Panels
from harness.reference.shape import Layer, Weights

FP8_MAX = 448.0  # e4m3fn, OCP 8-bit floating point 1.0, table 1
FP4_MAX = 6.0  # e2m1, OCP Microscaling Formats 1.0, table 6
FP4_MAX_EXPONENT = 2  # 6 = 1.5 x 2^2
E8M0_MIN_EXPONENT, E8M0_MAX_EXPONENT = -127, 127


def cast(x: np.ndarray, dtype) -> np.ndarray:
    """x rounded to `dtype` and back, float32."""
    with np.errstate(over="ignore"):  # beyond fp16's largest is infinity, and meant
        return x.astype(dtype).astype(np.float32)


def _scaled(values: np.ndarray, scale: np.ndarray, grid: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """values / scale on a grid, times scale; where the scale is 0 all values are."""
    safe = np.where(scale == 0, np.float32(1), scale)
    return grid(values / safe) * safe


def _fp8(x: np.ndarray) -> np.ndarray:
    return cast(np.clip(x, -FP8_MAX, FP8_MAX), ml_dtypes.float8_e4m3fn)


def _fp4(x: np.ndarray) -> np.ndarray:
    return cast(np.clip(x, -FP4_MAX, FP4_MAX), ml_dtypes.float4_e2m1fn)


def _whole(most: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.clip(np.rint(x), -most, most)


def _largest(x: np.ndarray, axis=-1) -> np.ndarray:
    return np.abs(x).max(axis=axis, keepdims=True)


def _by_row(x: np.ndarray, most: float, grid) -> np.ndarray:
    return _scaled(x, _largest(x) / np.float32(most), grid)


def _by_tensor(x: np.ndarray, most: float, grid) -> np.ndarray:
    return _scaled(x, np.abs(x).max(keepdims=True) / np.float32(most), grid)


def _in_blocks(x: np.ndarray, size: int, rounded: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`rounded` on blocks [..., blocks, size] of the last axis; a last block that is short is padded with zeros."""
    width = x.shape[-1]
    short = -width % size
    padded = np.concatenate([x, np.zeros((*x.shape[:-1], short), np.float32)], axis=-1) if short else x
    blocks = rounded(padded.reshape(*x.shape[:-1], -1, size))
    return blocks.reshape(padded.shape)[..., :width]


def _square_blocks(x: np.ndarray, size: int) -> np.ndarray:
    """fp8 with one scale for each size x size block of a matrix."""
    out = np.empty_like(x)
    for top in range(0, x.shape[0], size):
        for left in range(0, x.shape[1], size):
            block = np.s_[top : top + size, left : left + size]
            out[block] = _by_tensor(x[block], FP8_MAX, _fp8)
    return out


def _mxfp4(blocks: np.ndarray) -> np.ndarray:
    largest = _largest(blocks)
    # frexp: largest = m x 2^e with 0.5 <= m < 1, so floor(log2(largest)) = e - 1, exactly
    exponent = np.frexp(largest)[1] - 1 - FP4_MAX_EXPONENT
    exponent = np.clip(exponent, E8M0_MIN_EXPONENT, E8M0_MAX_EXPONENT)
    return _scaled(blocks, np.where(largest == 0, 0, np.ldexp(np.float32(1), exponent)).astype(np.float32), _fp4)


def _nvfp4(x: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Blocks of 16 with e4m3 scales in units of `whole`, the scale of the matrix or token ([..., 1])."""
    unit = np.where(whole == 0, np.float32(1), whole / np.float32(FP4_MAX * FP8_MAX))[..., None]

    def rounded(blocks: np.ndarray) -> np.ndarray:
        return _scaled(blocks, _fp8(_largest(blocks) / np.float32(FP4_MAX) / unit) * unit, _fp4)

    return _in_blocks(x, 16, rounded)


def _int4(blocks: np.ndarray) -> np.ndarray:
    return _scaled(blocks, cast(_largest(blocks) / np.float32(7), np.float16), _whole(7))


# What a format makes of rows that a product sums along: tokens [R, width], keys and values [..., head_dim], and, as
# columns turned, the outputs of a matrix.
_OF_ROWS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "bf16": partial(cast, dtype=ml_dtypes.bfloat16),
    "fp16": partial(cast, dtype=np.float16),
    "fp8": lambda x: _by_row(x, FP8_MAX, _fp8),
    "fp8-tensor": lambda x: _by_row(x, FP8_MAX, _fp8),
    "fp8-block": lambda x: _in_blocks(x, 128, lambda b: _by_row(b, FP8_MAX, _fp8)),
    "int8": lambda x: _by_row(x, 127, _whole(127)),
    "mxfp4": lambda x: _in_blocks(x, 32, _mxfp4),
    "nvfp4": lambda x: _nvfp4(x, _largest(x)),
    "int4": lambda x: _in_blocks(x, 128, _int4),
}
# Formats whose scale a whole matrix shares, or a square of it.
_OF_MATRIX: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "fp8-tensor": lambda w: _by_tensor(w, FP8_MAX, _fp8),
    "fp8-block": lambda w: _square_blocks(w, 128),
    "nvfp4": lambda w: _nvfp4(w, np.broadcast_to(np.abs(w).max(), (*w.shape[:-1], 1))),
}
FORMATS = tuple(_OF_ROWS)
SIXTEEN_BIT = ("bf16", "fp16")


def rows_in(x: np.ndarray, number_format: str) -> np.ndarray:
    """Rows [..., width] in a format, each row on its own: what one token becomes never depends on its batch.

    (For `fp8-tensor` an engine would take one scale for all tokens of a step; here each has its own.)
    """
    return _OF_ROWS[number_format](x)


def matrix_in(w: np.ndarray, number_format: str) -> np.ndarray:
    """A weight matrix [in, out] in a format; scales and blocks lie along `in`, one set for each output."""
    turned = np.ascontiguousarray(w.T)
    return np.ascontiguousarray((_OF_MATRIX.get(number_format) or _OF_ROWS[number_format])(turned).T)


@dataclass(frozen=True)
class Precision:
    """The format of weights, activations and keys and values; "fp32" is as computed.

    weights: a 16-bit format takes every matrix and vector; a shorter one the matrices of the layers alone, as engines
    leave embedding, norms and head. activations: a 16-bit format rounds the result of every operator, logits
    included; a shorter one what enters the matrices of the layers. kv: what the cache keeps, scaled for each token and
    head (an engine without calibration takes fp8 keys and values with scale 1).
    """

    weights: str = "fp32"
    activations: str = "fp32"
    kv: str = "fp32"

    def __post_init__(self) -> None:
        for part in (self.weights, self.activations, self.kv):
            if part != "fp32" and part not in FORMATS:
                raise UserMistake(f"'{part}' is no number format; one of fp32, {', '.join(FORMATS)}")

    def __str__(self) -> str:
        return f"weights {self.weights}, activations {self.activations}, KV {self.kv}"

    def matrix(self, w: np.ndarray) -> np.ndarray:
        """A matrix of a layer."""
        return w if self.weights == "fp32" else matrix_in(w, self.weights)

    def other(self, w: np.ndarray) -> np.ndarray:
        """Embedding, norm or head."""
        return rows_in(w, self.weights) if self.weights in SIXTEEN_BIT else w

    def entering(self, x: np.ndarray) -> np.ndarray:
        """Rows [R, width] on their way into a matrix of a layer."""
        return x if self.activations in ("fp32", *SIXTEEN_BIT) else rows_in(x, self.activations)

    def result(self, x: np.ndarray) -> np.ndarray:
        """What an operator made."""
        return rows_in(x, self.activations) if self.activations in SIXTEEN_BIT else x

    def cached(self, x: np.ndarray) -> np.ndarray:
        """Keys or values [T, K, D] on their way into the cache."""
        return x if self.kv == "fp32" else rows_in(x, self.kv)


EXACT = Precision()

# What engines run under these names: 8-bit weights with 8-bit activations, int4 and mxfp4 weights with 16-bit ones
# (AWQ and GPTQ checkpoints; gpt-oss), nvfp4 with both; the cache in 16 bits unless the name says otherwise.
NAMED: Mapping[str, Precision] = {
    "fp32": EXACT,
    "bf16": Precision("bf16", "bf16", "bf16"),
    "fp16": Precision("fp16", "fp16", "fp16"),
    "fp8": Precision("fp8", "fp8", "bf16"),
    "fp8-tensor": Precision("fp8-tensor", "fp8-tensor", "bf16"),
    "fp8-block": Precision("fp8-block", "fp8-block", "bf16"),
    "int8": Precision("int8", "int8", "bf16"),
    "mxfp4": Precision("mxfp4", "bf16", "bf16"),
    "nvfp4": Precision("nvfp4", "nvfp4", "bf16"),
    "int4": Precision("int4", "bf16", "bf16"),
    "kv-fp8": Precision("bf16", "bf16", "fp8"),
    "kv-int8": Precision("bf16", "bf16", "int8"),
}


def precision(text: str) -> Precision:
    """The precision of a name, or of parts such as "weights=int4,kv=fp8". Raises UserMistake."""
    if text in NAMED:
        return NAMED[text]
    parts = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    if len(parts) != len(text.split(",")) or not set(parts) <= {"weights", "activations", "kv"}:
        raise UserMistake(
            f"'{text}' is no precision; one of {', '.join(NAMED)}, "
            "or parts such as weights=int4,activations=bf16,kv=fp8"
        )
    return Precision(**parts)


def emulated(weights: Weights, wanted: Precision) -> Weights:
    """Weights in a precision: new arrays where it changes them, the mapped ones where not."""
    if wanted.weights == "fp32":
        return weights
    layers = tuple(_layer(one, wanted) for one in weights.layers)
    head = _of(weights.head, wanted.other)
    embedding = head if weights.config.tied else _of(weights.embedding, wanted.other)
    return Weights(weights.config, layers, wanted.other(weights.final_norm), head, embedding)


def _layer(one: Layer, wanted: Precision) -> Layer:
    return Layer(
        attn_norm=wanted.other(one.attn_norm),
        qkv=_of(one.qkv, wanted.matrix),
        out=_of(one.out, wanted.matrix),
        mlp_norm=wanted.other(one.mlp_norm),
        gate_up=_of(one.gate_up, wanted.matrix),
        down=_of(one.down, wanted.matrix),
    )


def _of(panels: Panels, change: Callable[[np.ndarray], np.ndarray]) -> Panels:
    """The changed matrix; the panels themselves, mapped as they are, where nothing changes."""
    matrix = panels.matrix()
    changed = change(matrix)
    return panels if changed is matrix else Panels.of(changed)
