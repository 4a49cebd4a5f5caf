"""Tokens per CPU-second of the reference model on one BLAS thread, beside what the machine can do at best.

    python tests/benchmarks/reference_engine.py

Prefill of 512 tokens as a share of a large float32 product's FLOP/s; decode at batch 1 as a share of the bandwidth of
a dot product over 256 MB; decode at batch 8 and 32; all with a context of 512. Work and yardstick are run in turn, and
the medians are of the rounds, so that a machine's changing load meets both.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from harness.reference import stored, weights
from harness.reference.model import Cache, Model
from harness.reference.panels import Panels
from harness.runners.reference import blas_kernel, limit_blas_threads
from harness.trace import Recorder

CONTEXT = 512


def cpu_s(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def in_turn(work: Callable[[], object], yardstick: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Median seconds of the work and of the yardstick, and the median of their ratio round by round."""
    work(), yardstick()
    times = np.array([(cpu_s(work), cpu_s(yardstick)) for _ in range(rounds)])
    return float(np.median(times[:, 0])), float(np.median(times[:, 1])), float(np.median(times[:, 1] / times[:, 0]))


def main() -> None:
    limit_blas_threads()
    model, rng = Model(stored.load(weights.fetch(print))), np.random.default_rng(0)
    ids = rng.integers(5, 40_000, CONTEXT).tolist()
    square, long = rng.random((2048, 2048), np.float32), rng.random(64 << 20, np.float32)
    model.recorder = Recorder()
    prompt = Cache(model.config, CONTEXT)
    model.forward([ids], [prompt])
    prefill_flops = model.recorder.trace().matmul_flops
    model.recorder = None

    run, best, ratio = in_turn(lambda: model.forward([ids], [Cache(model.config, CONTEXT)]), lambda: square @ square, 7)
    share = ratio * prefill_flops / (2 * 2048**3)
    print(f"{blas_kernel()}: {2 * 2048**3 / best / 1e9:.0f} GFLOP/s on 2048^3")
    print(f"prefill {CONTEXT}: {CONTEXT / run:.0f} token/s, {share:.0%} of it")

    for batch in (1, 8, 32):
        caches = [prompt.fork(CONTEXT + 32) for _ in range(batch)]
        read_bytes = sum(m.nbytes for m in matrices(model)) + sum(cache.nbytes for cache in caches)
        run, best, ratio = in_turn(
            lambda caches=caches: model.forward([[9]] * len(caches), caches), lambda: long @ long, 12
        )
        share = ratio * read_bytes / long.nbytes
        print(f"decode batch {batch}: {batch / run:.1f} token/s, {share:.0%} of {long.nbytes / best / 1e9:.1f} GB/s")


def matrices(model: Model) -> list[Panels]:
    layers = model.weights.layers
    return [m for one in layers for m in (one.qkv, one.out, one.gate_up, one.down)] + [model.weights.head]


if __name__ == "__main__":
    main()
