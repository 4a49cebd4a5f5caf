"""A stack's step times as whole nanoseconds: one table that every path of the simulator reads.

Decode steps are kept as a running sum. With b sequences that each move on by `accepted` tokens a step, the time of a
step whose contexts add up to K tokens is D(K + b accepted) - D(K), where

    D(K) = integral of T(b, K / b) dK / (b accepted),   T linear between its nodes

so that any number of steps is one difference of whole numbers, equal to the sum of its single steps, to the nanosecond.
A chunk of a prompt takes attention Q(past + chunk) - Q(past) + R(past): Q is a whole prompt's, R what re-reading the
past costs. Between nodes the tables are linear; nodes are 2 % (prefill) and 15 to 20 % (decode) apart.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise

import numpy as np

from harness.serving.timing import StepModel

NS = 1e9
_CHUNK = 256  # tokens of the chunk that the cost of a cached past is read off
_MOST_SECONDS = 3600.0  # of one step; beyond it something is wrong with the profile


class StepTable:
    """Step times of one replica, ns. Counts are of sequences and tokens of the whole replica.

    scale: every time is multiplied by it (how the model's uncertainty is carried through a simulation).
    """

    def __init__(
        self, model: StepModel, budget_tokens: int, most_sequences: int, most_context: int, scale: float = 1.0
    ):
        self.ranks, self._engine_s = model.ranks, model.engine_s
        self.advance = Fraction(model.accepted).limit_denominator(100)
        self._scale = scale
        self._batches = _batch_nodes(-(-most_sequences // model.ranks))
        self._contexts = _context_nodes(most_context)
        batch, context = np.meshgrid(self._batches, self._contexts, indexing="ij")
        found = model.decode(batch.ravel().astype(float), context.ravel().astype(float))
        total = found.total
        if not (np.isfinite(total).all() and total.max() < _MOST_SECONDS):
            raise AssertionError(f"step times of {model.chip.name} are not finite")
        self._busy = ((found.by_bound["memory"] + found.by_bound["compute"]) / total).reshape(batch.shape)
        # Laws of latent attention are slower at a few tokens than at a hundred; no step gains by a longer context.
        shorter = np.minimum.accumulate(total.reshape(batch.shape)[:, ::-1], axis=1)[:, ::-1]
        self._decode = shorter * scale * NS
        self._rows: dict[int, tuple[list[int], list[int], list[int]]] = {}
        self._nodes = self._contexts.tolist()
        self._dense = self._dense_table(model, budget_tokens, most_sequences)
        self._prompts, self._whole, self._past, self._start = self._prompt_tables(model, most_context)

    def _dense_table(self, model: StepModel, budget: int, sequences: int) -> list[int]:
        # Ranks that share chunks unevenly may get more than one budget, never two.
        most = budget * (2 if model.ranks > 1 else 1) + -(-sequences // model.ranks)
        nodes = _fine_nodes(most)
        found = np.interp(np.arange(most + 1), nodes, np.concatenate([[0.0], model.dense(nodes[1:].astype(float))]))
        return np.rint(found * self._scale * NS).astype(np.int64).tolist()

    def _prompt_tables(self, model: StepModel, most_context: int) -> tuple[list[int], list[int], list[int], int]:
        """Nodes x, Q(x), R(x), and the attention kernels' fixed time that chunks of one step share."""
        nodes = _fine_nodes(most_context)
        x = nodes[1:].astype(float)
        zero, chunk = np.zeros(len(x)), np.full(len(x), float(_CHUNK))
        ends = x + _CHUNK
        whole = model.prefill(x, zero) - model.dense(x)
        after = model.prefill(ends, zero) - model.dense(ends)
        again = model.prefill(chunk, x) - model.dense(chunk) - (after - whole)
        start = max(2 * whole[0] - whole[1], 0.0)  # Q at 0: launches
        ns = [np.rint(np.concatenate([[0.0], v]) * self._scale * NS).astype(np.int64).tolist() for v in (whole, again)]
        return nodes.tolist(), ns[0], ns[1], round(start * self._scale * NS)

    def decode(self, batch: int, before: int, after: int) -> int:
        """Decode steps in which the contexts of `batch` sequences go from `before` to `after` tokens in all, ns."""
        return self.until(batch, after) - self.until(batch, before)

    def until(self, batch: int, total: int) -> int:
        """D(K), ns; differences of it are steps."""
        row = self._rows.get(batch)
        if row is None:
            row = self._rows[batch] = self._row(batch)
        starts, first, slope, base, lengths, divisors = row
        i = bisect_right(starts, total) - 1
        d = total - starts[i]
        return base[i] + d * (first[i] * lengths[i] + slope[i] * d) // divisors[i]

    def _row(self, batch: int) -> tuple[list[int], ...]:
        """The pieces of D of one batch: where they start, and the whole numbers of the quadratic."""
        a, b = self.advance.numerator, self.advance.denominator
        at = batch / self.ranks
        engine = self._engine_s(batch) * self._scale * NS
        times = [round(t + engine) for t in _between(self._batches, self._decode, max(at, 1.0))]
        starts = [m * batch for m in self._nodes[:-1]]
        lengths = [(n - m) * batch for m, n in pairwise(self._nodes)]
        first, slope = [2 * b * t for t in times[:-1]], [b * (v - u) for u, v in pairwise(times)]
        divisors = [2 * h * batch * a for h in lengths]
        base = [0]
        for f, s, h, d in zip(first, slope, lengths, divisors, strict=True):
            base.append(base[-1] + h * (f * h + s * h) // d)
        return starts, first, slope, base, lengths, divisors

    def chunks(self, tokens: int, batch: int) -> int:
        """What `tokens` of prompts on a rank add to a step that decodes `batch` sequences, attention apart, ns."""
        beside = -(-batch // self.ranks)
        return self._dense[tokens + beside] - self._dense[beside]

    def mixed(self, tokens: int, attention: int, batch: int, decoding: int) -> int:
        """A step of `tokens` of prompts on a rank, with their `attention`, beside a decode step of `decoding` ns.

        Never shorter than the prompts' own step with the decoded tokens in it, whose launches are not captured.
        """
        beside = -(-batch // self.ranks)
        return max(decoding + self.chunks(tokens, batch), self._dense[tokens + beside]) + attention

    def attention(self, tokens: int, past: int) -> int:
        """Attention of a prompt's chunk of `tokens` after `past` others, ns."""
        whole = self._at(self._whole, past + tokens)
        return whole - self._at(self._whole, past) + self._at(self._past, past) if past else whole

    def busy_at(self, batch: float, context: float) -> float:
        """Share of a decode step in which kernels read memory or multiply, at the nearest nodes."""
        i = int(np.abs(self._batches - max(batch / self.ranks, 1)).argmin())
        j = int(np.abs(self._contexts - context).argmin())
        kernels = self._decode[i, j]
        return float(self._busy[i, j] * kernels / (kernels + self._engine_s(round(batch)) * self._scale * NS))

    @property
    def shared(self) -> int:
        """Launches of attention that each chunk's `attention` counts and a step has once, ns."""
        return self._start

    def _at(self, values: list[int], x: int) -> int:
        nodes = self._prompts
        i = min(bisect_right(nodes, x), len(nodes) - 1)
        low, high = nodes[i - 1], nodes[i]
        return values[i - 1] + (values[i] - values[i - 1]) * (x - low) // (high - low)


def _fine_nodes(most: int) -> np.ndarray:
    """0 and whole numbers up to `most`, 2 % apart."""
    count = int(np.log(max(most, 2)) / np.log(1.02)) + 2
    return np.unique(np.concatenate([[0, 1, 2], np.rint(np.geomspace(2, max(most, 3), count)).astype(np.int64)]))


def _batch_nodes(most: int) -> np.ndarray:
    return np.unique(np.concatenate([[1], np.rint(np.geomspace(1, max(most, 2), 48)).astype(np.int64)]))


def _context_nodes(most: int) -> np.ndarray:
    """Even whole numbers from 0 on, 20 % apart; the last is beyond `most`."""
    upper = max(most, 256) * 1.01 + 4
    steps = np.geomspace(64, upper, int(np.log(upper / 64) / np.log(1.2)) + 2)
    return np.concatenate([[0], 2 * np.ceil(steps / 2).astype(np.int64)])


def _between(nodes: np.ndarray, table: np.ndarray, at: float) -> np.ndarray:
    """A row of the table at a batch between two nodes, linearly."""
    i = int(np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2))
    share = min((at - nodes[i]) / (nodes[i + 1] - nodes[i]), 1.0)
    return table[i] + share * (table[i + 1] - table[i])
