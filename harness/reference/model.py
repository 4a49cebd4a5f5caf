"""The forward pass of a Llama-architecture model over a packed batch, with a KV cache a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.reference import ops
from harness.reference.precision import EXACT, Precision
from harness.reference.shape import Config, Weights
from harness.trace import Recorder


class Cache:
    """Keys [layers, K, D, capacity] and values [layers, K, capacity, D] of one sequence; `length` are filled."""

    def __init__(self, config: Config, capacity: int) -> None:
        layers, kv_heads, dim = config.layers, config.kv_heads, config.head_dim
        self.keys = np.empty((layers, kv_heads, dim, capacity), np.float32)
        self.values = np.empty((layers, kv_heads, capacity, dim), np.float32)
        self.length = 0

    @property
    def capacity(self) -> int:
        return self.keys.shape[3]

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes

    def fork(self, capacity: int, length: int | None = None) -> Cache:
        """A copy of the first `length` positions with room for `capacity`: continuations share a prompt's run."""
        twin = Cache.__new__(Cache)
        twin.length = n = self.length if length is None else length
        layers, kv_heads, dim, _ = self.keys.shape
        twin.keys = np.empty((layers, kv_heads, dim, capacity), np.float32)
        twin.values = np.empty((layers, kv_heads, capacity, dim), np.float32)
        twin.keys[..., :n] = self.keys[..., :n]
        twin.values[:, :, :n] = self.values[:, :, :n]
        return twin


class Model:
    """Runs the model. Every operator goes to `recorder` when one is set."""

    def __init__(self, weights: Weights, precision: Precision = EXACT) -> None:
        """`weights` are already in their format; `precision` rounds what is computed from them."""
        self.weights, self.config, self.precision = weights, weights.config, precision
        self.recorder: Recorder | None = None
        self._cos, self._sin = ops.rope_table(
            weights.config.context, weights.config.head_dim, weights.config.rope_theta
        )

    def forward(
        self,
        tokens: Sequence[Sequence[int]],
        caches: Sequence[Cache],
        logit_rows: np.ndarray | None = None,
        probe: list | None = None,
    ) -> np.ndarray:
        """Process each sequence's new tokens after its cache -> logits [wanted rows, vocab].

        logit_rows: indices into the packed rows; None means the last row of each sequence. `probe` collects
        (name, layer, array) of the residual stream for tests.
        """
        lengths = [len(t) for t in tokens]
        phase = "decode" if max(lengths) == 1 else "prefill"
        rec, eps, kept = self.recorder, self.config.norm_eps, self.precision.result
        ids = np.fromiter((i for t in tokens for i in t), np.int64, sum(lengths))
        positions = np.concatenate([np.arange(c.length, c.length + n) for c, n in zip(caches, lengths, strict=True)])
        cos, sin = self._cos[positions], self._sin[positions]
        x = kept(ops.embed(ids, self.weights.embedding, phase, rec))  # [R, hidden]
        _see(probe, "embedding", -1, x)
        for index, layer in enumerate(self.weights.layers):
            h = kept(ops.rms_norm(x, layer.attn_norm, eps, "attn_norm", phase, rec))
            h = self._attention(h, layer, index, lengths, caches, cos, sin, phase)
            _see(probe, "attention", index, h)
            x = kept(ops.add(x, h, "attn_residual", phase, rec))
            h = kept(ops.rms_norm(x, layer.mlp_norm, eps, "mlp_norm", phase, rec))
            h = self._linear(h, layer.gate_up, "mlp_up", phase)  # [R, 2F]
            h = kept(ops.swiglu(h, phase, rec))  # [R, F]
            h = self._linear(h, layer.down, "mlp_down", phase)  # [R, hidden]
            _see(probe, "mlp", index, h)
            x = kept(ops.add(x, h, "mlp_residual", phase, rec))
            _see(probe, "layer", index, x)
        for cache, n in zip(caches, lengths, strict=True):
            cache.length += n
        wanted = np.cumsum(lengths) - 1 if logit_rows is None else logit_rows
        x = kept(ops.rms_norm(x[wanted], self.weights.final_norm, eps, "final_norm", phase, rec))
        _see(probe, "final_norm", -1, x)
        return kept(ops.linear(x, self.weights.head, "head", phase, rec))  # [wanted, vocab]

    def _linear(self, x: np.ndarray, w: np.ndarray, name: str, phase: str) -> np.ndarray:
        """A layer's product: what enters is in the format of activations."""
        return self.precision.result(ops.linear(self.precision.entering(x), w, name, phase, self.recorder))

    def _attention(self, h, layer, index, lengths, caches, cos, sin, phase) -> np.ndarray:
        """Attention of one layer over the packed rows [R, hidden] -> [R, hidden]."""
        c, rec = self.config, self.recorder
        rows, q_heads, kv = h.shape[0], c.heads, c.kv_heads
        qkv = self._linear(h, layer.qkv, "qkv", phase).reshape(rows, q_heads + 2 * kv, c.head_dim)
        rotated = self.precision.result(ops.rope(qkv[:, : q_heads + kv], cos, sin, phase, rec))  # q and k
        q = rotated[:, :q_heads]
        k, v = (self.precision.cached(part) for part in (rotated[:, q_heads:], qkv[:, q_heads + kv :]))
        kept, kv_tokens, pairs, masked, kv_bytes = [], 0, 0, 0, 0
        starts = np.cumsum([0, *lengths]).tolist()
        for cache, start, n in zip(caches, starts, lengths, strict=False):
            context = cache.length + n
            keys, values = cache.keys[index], cache.values[index]
            keys[:, :, cache.length : context] = k[start : start + n].transpose(1, 2, 0)
            values[:, cache.length : context] = v[start : start + n].transpose(1, 0, 2)
            keys, values = keys[:, :, :context], values[:, :context]
            kept.append((keys, values))
            kv_tokens += context
            pairs += n * context
            masked += n * (n - 1) / 2
            kv_bytes += keys.nbytes + values.nbytes
        if rows == len(caches):
            out = ops.attend_one_each(q, kept)
        else:
            out = np.empty((rows, q_heads, c.head_dim), np.float32)
            for (keys, values), start, n in zip(kept, starts, lengths, strict=False):
                ops.attend(q[start : start + n], keys, values, out[start : start + n])
        if rec is not None:
            width = 2 * kv * c.head_dim
            written = k.nbytes + v.nbytes
            rec.record("kv_write", "elementwise", phase, (rows, width), 0, "fp32", "fp32", "fp32", 0, written, 0, 0,
                       written)  # fmt: skip
            shape = (rows, kv_tokens, pairs, masked, q_heads, kv, c.head_dim, c.head_dim)
            rec.record("attention", "attention", phase, shape, 4 * pairs * q_heads * c.head_dim, "fp32", "fp32", "fp32",
                       0, q.nbytes, out.nbytes, kv_bytes, 0, phase == "prefill")  # fmt: skip
        heads = self.precision.result(out.reshape(rows, q_heads * c.head_dim))
        return self._linear(heads, layer.out, "attn_out", phase)


def _see(probe: list | None, name: str, layer: int, x: np.ndarray) -> None:
    if probe is not None:
        probe.append((name, layer, x.copy()))
