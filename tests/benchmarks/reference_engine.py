"""Tokens per second of the reference model on one BLAS thread, beside what the machine can do at best.

    python tests/benchmarks/reference_engine.py

Prefill of 512 tokens, decode at batch 1, 8 and 32 with a context of 512; medians of several runs. The machine's
own figures stand beside them: a large float32 product, and reading the head matrix for one row.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from harness.reference import stored, weights
from harness.reference.model import Cache, Model
from harness.runners.reference import blas_kernel, limit_blas_threads

CONTEXT = 512


def median_s(work, runs: int) -> float:
    work()
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    limit_blas_threads()
    model = Model(stored.load(weights.fetch(print)))
    ids = np.random.default_rng(0).integers(5, 40_000, CONTEXT).tolist()
    square = np.random.default_rng(0).random((2048, 2048), np.float32)
    head, row = model.weights.head.matrix(), np.ones((1, model.config.hidden), np.float32)
    gemm = 2 * 2048**3 / median_s(lambda: square @ square, 5) / 1e9
    read = head.nbytes / median_s(lambda: row @ head, 20) / 1e9
    print(f"{blas_kernel()}: {gemm:.0f} GFLOP/s on 2048^3, {read:.1f} GB/s reading one matrix for one row")
    prefill = median_s(lambda: model.forward([ids], [Cache(model.config, CONTEXT)]), 5)
    print(f"prefill {CONTEXT}: {CONTEXT / prefill:.0f} token/s")
    prompt = Cache(model.config, CONTEXT)
    model.forward([ids], [prompt])
    for batch in (1, 8, 32):
        caches = [prompt.fork(CONTEXT + 32) for _ in range(batch)]

        def step(caches=caches, batch=batch) -> None:
            model.forward([[9]] * batch, caches)

        print(f"decode batch {batch}: {batch / median_s(step, 12):.1f} token/s")


if __name__ == "__main__":
    main()
