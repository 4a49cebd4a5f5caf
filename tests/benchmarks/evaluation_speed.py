"""Items a CPU-second of the reference model on recorded evaluations, with their token counts.

    python tests/benchmarks/evaluation_speed.py ../shared/evals/reference/arc_challenge.jsonl
    python tests/benchmarks/evaluation_speed.py ../shared/evals/reference/gsm8k.jsonl

One process, one BLAS thread; the file's own prompts, continuations and limits. Loading the weights is not counted, nor
is it in the figures of other harnesses that these stand beside.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from harness.reference import weights
from harness.reference.engine import Engine
from harness.runners.reference import blas_kernel, limit_blas_threads


def main(path: Path) -> None:
    limit_blas_threads()
    engine = Engine(weights.fetch(print))
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    count, answers = engine.tokenizer.encode, []
    begun, wall = time.process_time(), time.perf_counter()
    if "continuations" in rows[0]:
        engine.loglikelihood([(row["prompt"], text) for row in rows for text in row["continuations"]])
    else:
        how = rows[0]["gen_kwargs"]
        answers = engine.generate([row["prompt"] for row in rows], how["max_gen_toks"], how["until"])
    cpu_s, wall_s = time.process_time() - begun, time.perf_counter() - wall
    asked = sum(len(count(row["prompt"])) for row in rows)
    if answers:
        said = f"{asked:,} prompt tokens, {sum(a.output_tokens for a in answers):,} generated"
    else:
        made = sum(len(count(text)) for row in rows for text in row["continuations"])
        said = f"{asked:,} prompt tokens run once each, {made:,} tokens of continuations scored"
    print(f"{path.stem}: {len(rows)} items, {len(rows) / cpu_s:.2f} items/CPU-s, {len(rows) / wall_s:.2f} items/s")
    print(f"  {said}; {blas_kernel()}")


if __name__ == "__main__":
    for name in sys.argv[1:] or sys.exit(__doc__):
        main(Path(name))
