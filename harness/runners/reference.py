"""The NumPy reference model as a runner: in this process, or over worker processes that share the weights."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from harness.answers import Answer
from harness.errors import StacklineError
from harness.reference import stored, weights
from harness.reference.divergence import Divergence
from harness.reference.precision import precision as precision_of
from harness.runners.base import Progress
from harness.trace import Trace

MODEL_ID = "smollm2-135m-instruct"
_PART_ALONE = 64  # prompts of a part in one process: full batches, and answers kept as they come
_TASKS_PER_WORKER = 4  # small enough that no worker idles long at the end, large enough to share prefixes

_engine = None  # a worker's own


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_blas_threads() -> None:
    """One BLAS thread: two give 1.2x on a quiet machine and far less than 1x on a busy one."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


def blas_kernel() -> str:
    """The BLAS in use, such as "openblas SkylakeX, 1 thread", for the manifest."""
    from threadpoolctl import threadpool_info

    found = [i for i in threadpool_info() if i["user_api"] == "blas"]
    parts = [f"{i['internal_api']} {i.get('architecture', '')}, {i['num_threads']} thread(s)" for i in found]
    return "; ".join(dict.fromkeys(parts)) or "unknown"


class ReferenceRunner:
    """SmolLM2-135M-Instruct (or `weights_path`) executed op by op in NumPy, float32.

    keeps_turns: it can go on from the prompts of the last call (`generate(turns=True)`).
    precision: number formats to emulate (harness/reference/precision.py), by name or parts; the arithmetic stays
    float32, and so does what the trace counts.
    workers=1 runs here; more share the mapped weights. `take_trace` gives the operators counted since the
    last call, from all workers.
    """

    keeps_turns = True

    def __init__(
        self,
        weights_path: Path | None = None,
        workers: int = 1,
        say: Callable[[str], None] = lambda _: None,
        model: str = MODEL_ID,
        precision: str = "fp32",
    ) -> None:
        from harness.reference.tokenizer import Tokenizer

        self.folder = weights.prepare(weights_path, say)
        self.id, self.model = "reference", model if weights_path is None else weights_path.stem.lower()
        self.weights_facts = stored.facts(self.folder)  # for the manifest: where they came from, and a checksum
        precision_of(precision)  # a mistake is said here, not in a worker
        self.precision = self.weight_dtype = precision
        self.workers = workers
        self.tokenizer = Tokenizer(self.folder)
        self._trace = Trace()
        self._pool: ProcessPoolExecutor | None = None
        self._pending: dict[Future, list[int]] = {}
        if workers > 1:
            self._pool = ProcessPoolExecutor(
                workers,
                mp_context=get_context("spawn"),
                initializer=_start_worker,
                initargs=(str(self.folder), precision),
            )
        else:
            _start_worker(str(self.folder), precision, ignore_interrupt=False)
            self._local = _engine

    def generate(
        self,
        prompts: Sequence[str],
        max_tokens: int,
        stop: Sequence[str] = (),
        temperature: float = 0.0,
        *,
        top_p: float = 1.0,
        seed: int = 0,
        turns: bool = False,
        progress: Progress | None = None,
    ) -> list[Answer]:
        """One answer a prompt, in order; the same for the same seed whatever the number of workers.

        turns: these prompts go on from those of the last call; each worker runs only what it has not run yet.
        """
        answers: list[Answer | None] = [None] * len(prompts)
        for indices, result in self.generate_parts(
            prompts, max_tokens, stop, temperature, top_p=top_p, seed=seed, turns=turns, progress=progress
        ):
            for i, answer in zip(indices, result, strict=True):
                answers[i] = answer
        return answers

    def generate_parts(
        self, prompts, max_tokens, stop=(), temperature=0.0, *, top_p=1.0, seed=0, turns=False, progress=None
    ) -> Iterator[tuple[list[int], list[Answer]]]:
        """The same, as parts finish: (indices, their answers). What is finished is the caller's to keep."""
        jobs = []
        for indices in self._split(prompts):
            seeds = [seed * 1_000_003 + i for i in indices]
            asked = [prompts[i] for i in indices]
            jobs.append((indices, (asked, max_tokens, tuple(stop), temperature, top_p, seeds, False, turns)))
        yield from self._run("generate", jobs, progress)

    def loglikelihood(self, pairs: Sequence[tuple[str, str]], *, progress: Progress | None = None) -> list[float]:
        """log p(continuation | prompt) in nats; a prompt is run once for all its continuations."""
        scores = [0.0] * len(pairs)
        for indices, result in self.loglikelihood_parts(pairs, progress=progress):
            for i, value in zip(indices, result, strict=True):
                scores[i] = value
        return scores

    def loglikelihood_parts(self, pairs, *, progress=None) -> Iterator[tuple[list[int], list[float]]]:
        """The same, as parts finish: (indices, their log-likelihoods)."""
        jobs = [(indices, ([pairs[i] for i in indices],)) for indices in self._split([p for p, _ in pairs])]
        yield from self._run("loglikelihood", jobs, progress)

    def divergence(self, pairs: Sequence[tuple[str, str]], *, progress: Progress | None = None) -> list[Divergence]:
        """For each (prompt, continuation), how far the emulated precision leads from float32, token by token."""
        found: list[Divergence | None] = [None] * len(pairs)
        jobs = [(indices, ([pairs[i] for i in indices],)) for indices in self._split([p for p, _ in pairs])]
        for indices, result in self._run("divergence", jobs, progress):
            for i, one in zip(indices, result, strict=True):
                found[i] = one
        return found

    def _split(self, prompts: Sequence[str]) -> list[list[int]]:
        """Parts of like prompts: sorted so that shared beginnings stay together, equal prompts never parted."""
        order = sorted(range(len(prompts)), key=lambda i: prompts[i])
        if self._pool is None:
            return [order[i : i + _PART_ALONE] for i in range(0, len(order), _PART_ALONE)]
        size = max(1, -(-sum(len(p) for p in prompts) // (self.workers * _TASKS_PER_WORKER)))
        parts: list[list[int]] = []
        filled = 0
        for i in order:
            same = parts and prompts[parts[-1][-1]] == prompts[i]
            if not parts or (filled >= size and not same):
                parts.append([])
                filled = 0
            parts[-1].append(i)
            filled += len(prompts[i])
        return sorted(parts, key=lambda part: -sum(len(prompts[i]) for i in part))

    def _run(self, method: str, jobs, progress: Progress | None) -> Iterator:
        report = progress or (lambda _: None)
        if self._pool is None:
            for indices, arguments in jobs:
                result = getattr(self._local, method)(*arguments, on_finish=lambda: report(1))
                self._trace += self._local.take_trace()
                yield indices, result
            return
        pending = {}
        for indices, arguments in jobs:  # a future is the key, since it is what `wait` returns
            pending[self._pool.submit(_work, method, arguments)] = indices
        self._pending = pending
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                result, trace = _outcome(future)
                indices = pending.pop(future)
                self._trace += Trace(trace)
                report(len(indices))
                yield indices, result

    def take_trace(self) -> Trace:
        """The operators counted since the last call."""
        trace, self._trace = self._trace, Trace()
        return trace

    def close(self) -> None:
        """End the workers; where work was left unfinished (Ctrl-C, an error) they are not waited for."""
        if self._pool is None:
            return
        if self._pending:
            _end_at_once(self._pool)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None


def _outcome(future: Future) -> tuple[list, list]:
    """What a worker made. Raises StacklineError where the worker itself is gone."""
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise StacklineError("a worker process was ended from outside (out of memory?); try --workers 1") from error


def _end_at_once(pool: ProcessPoolExecutor) -> None:
    """Terminate the workers in the middle of what they do (Python 3.14 has a method for it)."""
    if hasattr(pool, "terminate_workers"):
        pool.terminate_workers()
        return
    for process in list(pool._processes.values()):
        process.terminate()


def _start_worker(folder: str, precision: str, ignore_interrupt: bool = True) -> None:
    from harness.reference.engine import Engine

    global _engine
    if ignore_interrupt:  # Ctrl-C is the parent's to handle: it keeps what is finished and ends the workers
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_blas_threads()
    _engine = Engine(Path(folder), precision=precision_of(precision))


def _work(method: str, arguments: tuple) -> tuple[list, list]:
    """In a worker: the result and the operators counted for it."""
    result = getattr(_engine, method)(*arguments)
    return result, list(_engine.take_trace())
