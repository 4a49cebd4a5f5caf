"""Samples a CPU-second of the harness itself: items asked of a runner that answers at once, graded, written down.

    python tests/benchmarks/null_overhead.py

By suite, making the items not counted. Suites that run programs are left out: their time is the sandbox's.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from harness.run.evaluate import evaluate
from harness.runners.null import NullRunner
from harness.suites import all_suites

SEEDS = range(1, 6)


def main() -> None:
    total = spent = 0.0
    for suite in all_suites():
        if suite.needs_sandbox:
            continue
        count = cpu_s = 0.0
        for seed in SEEDS:  # a run has one
            items = suite.make(seed)
            with tempfile.TemporaryDirectory() as folder, (Path(folder) / "answers.jsonl").open("w") as out:
                begun = time.process_time()
                keep = lambda graded, out=out: out.writelines(json.dumps(g.line("null")) + "\n" for g in graded)  # noqa: E731
                evaluate(suite, items, NullRunner(), keep, lambda _: None)
                cpu_s += time.process_time() - begun
            count += len(items)
        print(f"{suite.id}: {count / cpu_s:,.0f} samples/CPU-s")
        total, spent = total + count, spent + cpu_s
    print(f"all: {total / spent:,.0f} samples/CPU-s")


if __name__ == "__main__":
    main()
