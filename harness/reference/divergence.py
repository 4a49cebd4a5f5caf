"""Two models side by side along a given text: what one expects, and how far the other is from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.reference.model import Cache, Model


class Divergence(NamedTuple):
    """Of one continuation, in nats: log-likelihood under each model, and the Kullback-Leibler divergence of the second
    from the first, sum over tokens of sum p log(p / q), over the whole vocabulary; `agree` counts the tokens at which
    both have the same likeliest next token."""

    tokens: int
    plain_nats: float
    nats: float
    kl_nats: float
    agree: int


def divergences(plain: Model, other: Model, encoded: Sequence[tuple[list[int], list[int]]]) -> list[Divergence]:
    """One for each (context ids, continuation ids), run as one packed batch."""
    inputs = [(context + continuation)[:-1] for context, continuation in encoded]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in inputs])])
    counts = [len(continuation) for _, continuation in encoded]
    rows = [np.arange(end - n, end) for end, n in zip(starts[1:], counts, strict=True)]
    wanted = np.concatenate(rows).astype(np.int64)
    p, q = (_log_softmax(_logits(model, inputs, wanted)) for model in (plain, other))
    found, at = [], 0
    for (_, continuation), n in zip(encoded, counts, strict=True):
        mine, theirs, tokens = p[at : at + n], q[at : at + n], np.arange(n)
        # 0 log 0 is 0, also where a rounded model gives a token no chance at all
        kl = float(np.sum(np.exp(mine) * (mine - theirs), dtype=np.float64))
        agree = int(np.sum(mine.argmax(axis=1) == theirs.argmax(axis=1)))
        nats = [float(x[tokens, continuation].sum(dtype=np.float64)) for x in (mine, theirs)]
        found.append(Divergence(n, *nats, max(0.0, kl), agree))
        at += n
    return found


def _logits(model: Model, inputs: list[list[int]], wanted: np.ndarray) -> np.ndarray:
    return model.forward(inputs, [Cache(model.config, len(one)) for one in inputs], wanted)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """[rows, vocab], float32; the sum in float64."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True, dtype=np.float64)).astype(np.float32)
