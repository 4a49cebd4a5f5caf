"""Simulated requests a second on one core, and the memory it takes; nothing timed is a test.

    python tests/benchmarks/serving_speed.py [MOST]

The recorded traces (STACKLINE_REFERENCE_DATA) by `harness.simulate` on a loaded frame and a fresh stack, the step table
built each time: the first call of a Python beside the median of ten; then drawn single requests, 10^3 to MOST (10^6),
each number in a Python of its own, with its peak memory and that before the simulation, the frame included. Prints a
table.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

MOST = 1_000_000
REPEATS = 10
_TRACES = Path(os.environ.get("STACKLINE_REFERENCE_DATA", Path(__file__).parents[3] / "shared")) / "traces"
# Name -> (trace, stack). A session of 300,000 tokens wants a model of that context and the memory for its cache.
RECORDED = {
    "2,000 chat requests": ("simulator_runs/conv_p4_n2000/input_trace.csv",
                            "llama-3.1-8b@a100-sxm-80gb,max_batched_tokens=512,max_seqs=256"),
    "355 agent sessions": ("weka_cc/sessions_355.jsonl.gz", "deepseek-v4-flash@b200-sxm:8"),
}  # fmt: skip
DRAWN, DRAWN_RATE = "code-completion", 20.0
DRAWN_STACK = "llama-3.1-8b@h100-sxm:8,tp=1"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else MOST
    print(f"{'requests':>10}  {'seconds':>8}  {'requests/s':>10}  {'first call, s':>13}  {'peak, MiB':>16}  what")
    for name, (trace, _) in RECORDED.items():
        if (_TRACES / trace).exists():
            _child("recorded", name)
        else:
            print(f"no {_TRACES / trace}: {name} left out")
    count = 1000
    while count <= most:
        _child("drawn", str(count))
        count *= 10


def _child(*words: str) -> None:
    sys.stdout.flush()
    subprocess.run([sys.executable, __file__, *words], check=True, env=os.environ | _ONE_THREAD)


def recorded(name: str) -> None:
    import pandas as pd

    import harness
    from harness.workloads import load_trace

    trace, stack = RECORDED[name]
    path = _TRACES / trace
    if "arrived_at" in path.open("rb").read(100).decode("utf-8", "replace"):
        frame = pd.read_csv(path).rename(columns={"arrived_at": "arrival_s"})
    else:
        frame = load_trace(path)
    before = _peak_mib()
    times = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        found = harness.simulate(stack, frame)
        times.append(time.perf_counter() - begun)
    rejected = int((found["status"] == "rejected").sum())
    _row(len(frame), statistics.median(times[1:]), times[0], before, f"{name} on {stack}, {rejected} rejected")


def drawn(count: str) -> None:
    import harness
    from harness.workloads import generate

    frame = generate(DRAWN, int(count), 0, DRAWN_RATE)
    before = _peak_mib()
    times = []
    for _ in range(1 if len(frame) > 100_000 else 3):
        begun = time.perf_counter()
        harness.simulate(DRAWN_STACK, frame)
        times.append(time.perf_counter() - begun)
    _row(len(frame), min(times), times[0], before, f"{DRAWN} at {DRAWN_RATE:g}/s on {DRAWN_STACK}")


def _row(rows: int, seconds: float, first: float, before_mib: float, what: str) -> None:
    peak = f"{_peak_mib():.0f} ({before_mib:.0f} before)"
    print(f"{rows:>10,}  {seconds:>8.3f}  {rows / seconds:>10,.0f}  {first:>13.3f}  {peak:>16}  {what}")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # this process and its children: one core
    if sys.argv[1:] and not sys.argv[1].isdigit():
        {"recorded": recorded, "drawn": drawn}[sys.argv[1]](sys.argv[2])
    else:
        main()
