"""Generation and scoring in batches over the reference model: what is common is run once.

Prompts that begin alike share one run of their common prefix; all continuations of a prompt share its cache;
the head runs at scored positions alone. Decoding is batched continuously: a finished sequence makes room for
the next prompt at once. A sequence's sampled text depends on its own seed, never on its batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.answers import Answer
from harness.errors import UserMistake
from harness.quantity import stream
from harness.reference import stored
from harness.reference.divergence import Divergence, divergences
from harness.reference.kept import Kept
from harness.reference.model import Cache, Model
from harness.reference.precision import EXACT, Precision, emulated
from harness.reference.tokenizer import Tokenizer
from harness.trace import Recorder, Trace

MAX_BATCH = 32
CACHE_BUDGET_BYTES = 288 << 20  # KV of the sequences decoded together, a worker; keeps a run under 2 GB
PREFILL_TOKENS = 1024  # tokens of one packed prefill
KEPT_BYTES = 160 << 20  # KV of answered prompts, a worker, for turns that go on from them
MIN_SHARED = 24  # a common prefix shorter than this is not worth a copy of its cache


@dataclass
class _Sequence:
    """One prompt being answered."""

    index: int
    prompt: list[int]
    limit: int
    cache: Cache
    rng: np.random.Generator | None
    begun_s: float
    ids: list[int] = field(default_factory=list)
    first_s: float = 0.0
    text: str = ""
    finish: str = ""


class Engine:
    """The reference model with its tokenizer, on one BLAS thread; counts every operator it runs."""

    def __init__(self, folder: Path, count: bool = True, precision: Precision = EXACT) -> None:
        self.tokenizer = Tokenizer(folder)
        self.plain = stored.load(folder)  # mapped, so nothing is read for it unless it is used
        self.model = Model(emulated(self.plain, precision), precision)
        self.model.recorder = Recorder() if count else None
        self.kept: Kept | None = None  # while turns follow one another

    def take_trace(self) -> Trace:
        """The operators counted since the last call."""
        trace = self.model.recorder.trace() if self.model.recorder else Trace()
        self.model.recorder = Recorder() if self.model.recorder else None
        return trace

    def generate(
        self,
        prompts: Sequence[str],
        max_tokens: int,
        stop: Sequence[str] = (),
        temperature: float = 0.0,
        top_p: float = 1.0,
        seeds: Sequence[int] | None = None,
        ignore_eos: bool = False,
        turns: bool = False,
        on_finish: Callable[[], None] = lambda: None,
    ) -> list[Answer]:
        """Greedy (temperature 0) or seeded top-p sampling. Raises UserMistake for a prompt too long.

        turns: prompts go on from those of the last call, so the caches of the answered ones are kept for the next.
        """
        if temperature < 0 or not 0 < top_p <= 1 or max_tokens < 1:
            raise UserMistake("generation needs temperature >= 0, 0 < top_p <= 1 and max_tokens >= 1")
        ids = [self._encode_prompt(p) for p in prompts]
        seeds = range(len(ids)) if seeds is None else seeds
        self.kept = (self.kept or Kept(KEPT_BYTES)) if turns else None
        if self.kept:
            self.kept.begin()
        sample = _Sampler(temperature, top_p)
        waiting = self._admissions(ids, max_tokens, seeds, temperature > 0)
        answers: list[Answer | None] = [None] * len(ids)
        active: list[_Sequence] = []
        held: _Sequence | None = None
        while True:
            fresh, held = self._admit(waiting, held, active)
            if not fresh and not active:
                break
            for packed in _packs(fresh):
                rest = [s.prompt[s.cache.length :] for s in packed]
                logits = self.model.forward(rest, [s.cache for s in packed])
                self._take(packed, logits, sample, stop, ignore_eos)
            active += fresh
            active = self._retire(active, answers, on_finish)
            if active:
                logits = self.model.forward([[s.ids[-1]] for s in active], [s.cache for s in active])
                self._take(active, logits, sample, stop, ignore_eos)
                active = self._retire(active, answers, on_finish)
        return answers

    def _encode_prompt(self, prompt: str) -> list[int]:
        ids = self.tokenizer.encode(prompt) or [self.tokenizer.eos_id]
        if len(ids) >= self.model.config.context:
            raise UserMistake(f"a prompt of {len(ids)} tokens is past the context of {self.model.config.context}")
        return ids

    def _admissions(self, ids, max_tokens, seeds, sampled) -> Iterator[_Sequence]:
        """Sequences in an order that keeps common prefixes together, each with its cache begun."""
        for members, prefix in _share(ids):
            base = None
            for i in members:
                limit = min(max_tokens, self.model.config.context - len(ids[i]))
                room = len(ids[i]) + limit
                held, known = self._known(ids[i])
                if prefix > known and base is None:
                    base = self._run_prefix(ids[i][:prefix])
                if prefix > known:
                    cache = base.fork(room)
                else:
                    cache = held.fork(room, known) if held else Cache(self.model.config, room)
                rng = stream(seeds[i], "sample") if sampled else None
                yield _Sequence(i, ids[i], limit, cache, rng, time.perf_counter())

    def _known(self, ids: list[int]) -> tuple[Cache | None, int]:
        """What is kept of a prompt's beginning, where it is worth a copy; one token is left to run for its logits."""
        held, known = self.kept.longest(ids) if self.kept else (None, 0)
        known = min(known, len(ids) - 1)
        return (held, known) if known >= MIN_SHARED else (None, 0)

    def _run_prefix(self, ids: list[int]) -> Cache:
        cache = Cache(self.model.config, len(ids))
        self.model.forward([ids], [cache], logit_rows=np.array([], np.int64))
        return cache

    def _admit(self, waiting, held, active) -> tuple[list[_Sequence], _Sequence | None]:
        """Take prompts while there is room; the one that did not fit is held for the next step."""
        fresh: list[_Sequence] = []
        used = sum(s.cache.nbytes for s in active)
        while len(active) + len(fresh) < MAX_BATCH:
            candidate = held or next(waiting, None)
            held = None
            if candidate is None:
                break
            if (active or fresh) and used + candidate.cache.nbytes > CACHE_BUDGET_BYTES:
                return fresh, candidate
            used += candidate.cache.nbytes
            fresh.append(candidate)
        return fresh, held

    def _take(self, sequences, logits, sample, stop, ignore_eos) -> None:
        """Sample one token a sequence and see whether it ends there."""
        now = time.perf_counter()
        for s, row in zip(sequences, logits, strict=True):
            token = sample(row, s.rng)
            s.first_s = s.first_s or now
            s.ids.append(token)
            if token == self.tokenizer.eos_id and not ignore_eos:
                s.finish, s.text = "stop", self.tokenizer.decode(s.ids[:-1])
                continue
            s.text = self.tokenizer.decode(s.ids)
            cut = min((at for mark in stop if (at := s.text.find(mark)) >= 0), default=-1)
            if cut >= 0:
                s.finish, s.text = "stop", s.text[:cut]
            elif len(s.ids) >= s.limit:
                s.finish = "length"

    def _retire(self, active, answers, on_finish) -> list[_Sequence]:
        now = time.perf_counter()
        for s in active:
            if s.finish:
                if self.kept:
                    self.kept.keep((s.prompt + s.ids)[: s.cache.length], s.cache)
                answers[s.index] = Answer(
                    s.text,
                    tuple(s.ids),
                    len(s.prompt),
                    len(s.ids),
                    s.finish,
                    s.first_s - s.begun_s,
                    now - s.begun_s,
                )
                on_finish()
        return [s for s in active if not s.finish]

    def loglikelihood(
        self, pairs: Sequence[tuple[str, str]], on_finish: Callable[[], None] = lambda: None
    ) -> list[float]:
        """log p(continuation | prompt) in nats, one a pair; raw text, no BOS. Empty continuation: 0.

        Spaces that end a prompt are moved to the continuation, and both are encoded together, as evaluation
        harnesses do. An empty prompt conditions on the end-of-text token.
        """
        self.kept = None
        encoded = [self._encode_pair(*pair) for pair in pairs]
        scores = [0.0] * len(pairs)
        contexts: dict[tuple[int, ...], list[int]] = {}
        for i, (context, _) in enumerate(encoded):
            contexts.setdefault(tuple(context), []).append(i)
        keys = list(contexts)
        for members, prefix in _share([list(k) for k in keys]):
            base = self._run_prefix(list(keys[members[0]][:prefix])) if prefix else None
            for some in _chunks(members, lambda k, shared=prefix: len(keys[k]) - shared):
                self._score([(list(keys[k]), contexts[keys[k]]) for k in some], base, encoded, scores)
                for k in some:
                    for _ in contexts[keys[k]]:
                        on_finish()
        return scores

    def _encode_pair(self, prompt: str, continuation: str) -> tuple[list[int], list[int]]:
        bare = prompt.rstrip(" ")
        context = self.tokenizer.encode(bare) or [self.tokenizer.eos_id]
        whole = self.tokenizer.encode(prompt + continuation)
        rest = whole[len(context) :] if bare else whole
        if len(context) + len(rest) > self.model.config.context:
            raise UserMistake(f"{len(context) + len(rest)} tokens are past the context of {self.model.config.context}")
        return context, rest

    def divergence(
        self, pairs: Sequence[tuple[str, str]], on_finish: Callable[[], None] = lambda: None
    ) -> list[Divergence]:
        """How far this model's precision leads it from its float32 self along the tokens of each continuation."""
        encoded = [self._encode_pair(*pair) for pair in pairs]
        found: list[Divergence] = []
        plain = Model(self.plain)
        for chunk in _chunks(encoded, lambda pair: len(pair[0]) + len(pair[1])):
            found += divergences(plain, self.model, chunk)
            for _ in chunk:
                on_finish()
        return found

    def _score(self, chunk, base: Cache | None, encoded, scores: list[float]) -> None:
        """Run the contexts of one chunk, packed; then all their continuations, packed, on forks of their caches."""
        caches = [base.fork(len(c)) if base else Cache(self.model.config, len(c)) for c, _ in chunk]
        rest = [c[cache.length :] for (c, _), cache in zip(chunk, caches, strict=True)]
        firsts = self.model.forward(rest, caches)  # logits after each context [len(chunk), vocab]
        tails: list[tuple[int, list[int], Cache]] = []
        for (_, members), cache, logits in zip(chunk, caches, firsts, strict=True):
            norm = _logsumexp(logits)
            for i in members:
                continuation = encoded[i][1]
                if continuation:
                    scores[i] = float(logits[continuation[0]]) - norm
                if len(continuation) > 1:
                    tails.append((i, continuation, cache))
        for packed in _chunks(tails, lambda t: len(t[1])):
            forks = [cache.fork(cache.length + len(c)) for _, c, cache in packed]
            inputs = [c[:-1] for _, c, _ in packed]
            rows = np.arange(sum(map(len, inputs)))
            logits = self.model.forward(inputs, forks, rows)
            row = 0
            for i, continuation, _ in packed:
                for token in continuation[1:]:
                    scores[i] += float(logits[row, token]) - _logsumexp(logits[row])
                    row += 1


class _Sampler:
    """Greedy at temperature 0; else softmax(logits / temperature) cut to the smallest set of mass top_p."""

    def __init__(self, temperature: float, top_p: float) -> None:
        self.temperature, self.top_p = temperature, top_p

    def __call__(self, logits: np.ndarray, rng: np.random.Generator | None) -> int:
        if rng is None:
            return int(logits.argmax())
        scaled = logits.astype(np.float64) / self.temperature
        p = np.exp(scaled - scaled.max())
        p /= p.sum()
        order = np.argsort(-p, kind="stable")
        mass = np.cumsum(p[order])
        kept = order[: int(np.searchsorted(mass, self.top_p)) + 1]
        return int(
            kept[
                np.searchsorted(np.cumsum(p[kept]) / p[kept].sum(), rng.random(), side="right").clip(max=len(kept) - 1)
            ]
        )


def _logsumexp(row: np.ndarray) -> float:
    top = row.max()
    return float(top) + float(np.log(np.exp(row - top).sum(dtype=np.float64)))


def _share(ids: list[list[int]]) -> Iterator[tuple[list[int], int]]:
    """(members, shared tokens) groups in an order that keeps like prefixes together.

    Sorted, neighbours that begin alike stand together. A group takes a neighbour while what all share stays
    worth it; at least one token is always left to run, since its logits are wanted.
    """
    order = sorted(range(len(ids)), key=lambda i: ids[i])
    start = 0
    while start < len(order):
        shared, stop = len(ids[order[start]]), start + 1
        while stop < len(order):
            common = _common(ids[order[start]], ids[order[stop]], shared)
            # A neighbour that would cut the shared part by half begins a group of its own.
            if common < MIN_SHARED or (stop > start + 1 and common < shared / 2):
                break
            shared, stop = common, stop + 1
        members = order[start:stop]
        prefix = min(shared, min(len(ids[i]) for i in members) - 1) if len(members) > 1 else 0
        yield members, prefix if prefix >= MIN_SHARED else 0
        start = stop


def _common(a: list[int], b: list[int], limit: int) -> int:
    n = 0
    for x, y in zip(a[:limit], b[:limit], strict=False):
        if x != y:
            break
        n += 1
    return n


def _chunks(items: list, size: Callable[[object], int]) -> Iterator[list]:
    """Consecutive items of at most PREFILL_TOKENS tokens together (one item may be longer)."""
    chunk, total = [], 0
    for item in items:
        if chunk and total + size(item) > PREFILL_TOKENS:
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += size(item)
    if chunk:
        yield chunk


def _packs(sequences: list[_Sequence]) -> Iterator[list[_Sequence]]:
    return _chunks(sequences, lambda s: len(s.prompt) - s.cache.length)
