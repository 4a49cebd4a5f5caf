"""One function, one equation; each reports the operator it ran, from the arrays it really touched.

Rows of a batch are packed: x is [rows, width] whatever the lengths of the sequences. float32 throughout.
Names: H query heads, K KV heads, G = H/K, D head dim, T new tokens, S context, R rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.reference.panels import Panels
from harness.trace import Recorder

# Queries are taken in blocks, so that a block's scores stay in the cache and future keys are never touched.
QUERY_BLOCK = 128
_DTYPE_NAMES = {np.dtype("float32"): "fp32", np.dtype("float64"): "fp64"}


def _name(x: np.ndarray | Panels) -> str:
    return _DTYPE_NAMES[x.dtype]


def linear(x: np.ndarray, w: Panels, name: str, phase: str, rec: Recorder | None) -> np.ndarray:
    """x [R, in] @ w [in, out] -> [R, out]."""
    y = w.after(x)
    if rec is not None:
        (m, k), n = x.shape, w.shape[1]
        rec.record(name, "gemm", phase, (m, n, k), 2 * m * n * k, _name(w), _name(x), "", w.nbytes, x.nbytes, y.nbytes)
    return y


def rms_norm(x: np.ndarray, w: np.ndarray, eps: float, name: str, phase: str, rec: Recorder | None) -> np.ndarray:
    """x / sqrt(mean(x^2) + eps) * w, over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467)."""
    mean_square = np.vecdot(x, x)[:, None] / x.shape[1]
    y = x * (1.0 / np.sqrt(mean_square + x.dtype.type(eps)))
    y *= w
    if rec is not None:
        rows, width = x.shape
        rec.record(name, "norm", phase, (rows, width), 4 * rows * width, _name(w), _name(x), "",
                   w.nbytes, x.nbytes, y.nbytes)  # fmt: skip
    return y


def embed(ids: np.ndarray, head: Panels, phase: str, rec: Recorder | None) -> np.ndarray:
    """Columns of the tied head [hidden, vocab] -> [R, hidden]."""
    x = head.columns(ids)
    if rec is not None:
        rec.record("embedding", "embedding", phase, x.shape, 0, _name(head), _name(x), "", x.nbytes, 0, x.nbytes)
    return x


def rope_table(length: int, head_dim: int, theta: float) -> tuple[np.ndarray, np.ndarray]:
    """cos and sin [length, head_dim] in rotate-half order (Su et al. 2021, arXiv 2104.09864)."""
    freq = 1.0 / theta ** (np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim))
    angle = np.arange(length, dtype=np.float32)[:, None] * freq.astype(np.float32)
    angle = np.concatenate([angle, angle], axis=1)
    return np.cos(angle), np.sin(angle)


def rope(x: np.ndarray, cos: np.ndarray, sin: np.ndarray, phase: str, rec: Recorder | None) -> np.ndarray:
    """x [R, heads, D] rotated by its positions' cos, sin [R, D]."""
    half = x.shape[2] // 2
    y = x * cos[:, None, :]
    y[:, :, :half] -= x[:, :, half:] * sin[:, None, :half]
    y[:, :, half:] += x[:, :, :half] * sin[:, None, half:]
    if rec is not None:
        rows, width = x.shape[0], x.shape[1] * x.shape[2]
        rec.record("rope", "elementwise", phase, (rows, width), 3 * rows * width, _name(x), _name(x), "",
                   0, x.nbytes, y.nbytes)  # fmt: skip
    return y


def add(x: np.ndarray, y: np.ndarray, name: str, phase: str, rec: Recorder | None) -> np.ndarray:
    """x += y, the residual stream."""
    x += y
    if rec is not None:
        rec.record(name, "elementwise", phase, x.shape, x.size, _name(x), _name(x), "", 0, x.nbytes + y.nbytes,
                   x.nbytes)  # fmt: skip
    return x


def swiglu(gate_up: np.ndarray, phase: str, rec: Recorder | None) -> np.ndarray:
    """silu(gate) * up, for gate_up [R, 2F] -> [R, F] (Shazeer 2020, arXiv 2002.05202)."""
    width = gate_up.shape[1] // 2
    gate, up = gate_up[:, :width], gate_up[:, width:]
    y = np.negative(gate)
    # exp overflows to inf for very negative gates, and 1/(1+inf) = 0 is the right limit.
    with np.errstate(over="ignore"):
        np.exp(y, out=y)
    y += 1.0
    np.divide(gate, y, out=y)
    y *= up
    if rec is not None:
        rows = gate_up.shape[0]
        rec.record("mlp_act", "elementwise", phase, (rows, width), 5 * rows * width, _name(y), _name(y), "",
                   0, gate_up.nbytes, y.nbytes)  # fmt: skip
    return y


def attend(q: np.ndarray, k: np.ndarray, v: np.ndarray, out: np.ndarray) -> None:
    """softmax(q k^T / sqrt(D)) v of one sequence, causal: q [T, H, D], k [K, D, S], v [K, S, D] -> out [T, H, D].

    The T queries are the last T of the S positions. Keys lie transposed: a decode step's product with
    them then runs along memory (5x faster for a few rows).
    """
    new, heads, dim = q.shape
    kv_heads, _, context = k.shape
    past = context - new
    # [K, G, T, D], so that one product serves the G query heads of a KV head
    grouped = np.ascontiguousarray(q.reshape(new, kv_heads, heads // kv_heads, dim).transpose(1, 2, 0, 3))
    grouped *= q.dtype.type(dim**-0.5)
    for start in range(0, new, QUERY_BLOCK):
        stop = min(start + QUERY_BLOCK, new)
        seen = past + stop
        block = _block(grouped[:, :, start:stop], k[:, :, :seen], v[:, :seen])
        out[start:stop] = block.transpose(2, 0, 1, 3).reshape(stop - start, heads, dim)


def attend_one_each(q: np.ndarray, kept: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """A decode step's attention of many sequences: q [B, H, D], each with its k [K, D, S] and v [K, S, D] -> [B, H, D].

    Only the products go one by one; the softmax is that of all, over rows filled up with -inf.
    """
    batch, heads, dim = q.shape
    kv_heads = kept[0][0].shape[0]
    grouped = q.reshape(batch, kv_heads, heads // kv_heads, dim) * q.dtype.type(dim**-0.5)
    longest = max(k.shape[2] for k, _ in kept)
    scores = np.empty((batch, kv_heads, heads // kv_heads, longest), q.dtype)
    for one, row, (k, _) in zip(grouped, scores, kept, strict=True):
        np.matmul(one, k, out=row[..., : k.shape[2]])
        row[..., k.shape[2] :] = -np.inf
    scores -= scores.max(axis=3, keepdims=True)
    np.exp(scores, out=scores)
    y = np.empty_like(grouped)
    for one, row, (_, v) in zip(y, scores, kept, strict=True):
        np.matmul(row[..., : v.shape[1]], v, out=one)
    y /= scores.sum(axis=3, keepdims=True)
    return y.reshape(batch, heads, dim)


def _block(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """One block of queries [K, G, B, D] against the keys [K, D, S] it may see -> [K, G, B, D]."""
    kv_heads, group, rows, dim = q.shape
    seen = k.shape[2]
    scores = np.matmul(q.reshape(kv_heads, group * rows, dim), k)  # [K, G*B, S]
    if rows > 1:
        scores.reshape(kv_heads, group, rows, seen)[..., seen - rows :] += _future(rows)
    scores -= scores.max(axis=2, keepdims=True)
    np.exp(scores, out=scores)
    total = scores.sum(axis=2, keepdims=True)
    y = np.matmul(scores, v)  # [K, G*B, D]
    y /= total
    return y.reshape(kv_heads, group, rows, dim)


_FUTURE: dict[int, np.ndarray] = {}


def _future(rows: int) -> np.ndarray:
    """[rows, rows] with -inf above the diagonal."""
    if rows not in _FUTURE:
        _FUTURE[rows] = np.triu(np.full((rows, rows), -np.inf, np.float32), 1)
    return _FUTURE[rows]
