"""What a number format costs in answers: the suites run again with the reference model's numbers emulated.

Every figure is paired, item by item, with the float32 run of the same items, and intervals are of the differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness import profiles, stats
from harness.errors import NotPredictable
from harness.profiles import Chip
from harness.reference.divergence import Divergence
from harness.reference.precision import NAMED
from harness.results import Row
from harness.roofline.point import point
from harness.run.evaluate import Asking, SuiteRun, evaluate, steps
from harness.run.quality import SOURCE, with_intervals
from harness.run.rows_of_point import FIGURES, Workload, figure_rows
from harness.runners import Runner
from harness.stack import Stack

# Precisions that a stack can be written in, by the same name; scales and caches have no stack of their own.
STACK_DTYPES = ("bf16", "fp16", "fp8", "int8", "mxfp4", "nvfp4", "int4")
# A dense model that one chip holds in 16 bits: the speed of formats is compared on it.
SPEED_MODEL = "llama-3.1-8b"
Bar = Callable[[str, int], Callable[[int], None]]
Keep = Callable[[list[dict[str, Any]]], None]


def wanted(names: Sequence[str]) -> list[str]:
    """The precisions to run, each once; "all" is every named one but float32, which they are compared with."""
    every = [name for name in NAMED if name != "fp32"]
    return list(dict.fromkeys(one for name in names for one in (every if name == "all" else [name])))


def precision_rows(
    runs: Sequence[SuiteRun], name: str, runner: Runner, asking: Asking, caveat: str, keep: Keep, bar: Bar
) -> Iterator[Row]:
    """Every suite again, asked alike, on a runner of that precision: what changed."""
    for before in runs:
        items = [g.item for g in before.graded]
        step = bar(f"{before.suite.id} in {name}", steps(before.suite, items, runner) + len(items))
        after = evaluate(before.suite, items, runner, lambda _: None, step, asking)
        pairs = [(g.item.prompt, g.gold) for g in before.graded]
        apart = runner.divergence(pairs, progress=step)
        keep([_line(name, b, a, d) for b, a, d in zip(before.graded, after.graded, apart, strict=True)])
        yield from _changes(before, after, apart, name, runner.model, caveat)


def _line(name: str, before, after, apart: Divergence) -> dict[str, Any]:
    """One item as it stands in `precision.jsonl`."""
    return {
        "suite": before.suite, "id": before.item.id, "precision": name, "text": after.answer.text,
        "value": after.grade.value, "outcome": after.grade.outcome, "value_fp32": before.grade.value,
        "changed": after.answer.text != before.answer.text, **apart._asdict(),
    }  # fmt: skip


def _changes(before: SuiteRun, after: SuiteRun, apart: list[Divergence], name: str, model: str, caveat: str):
    def row(metric: str, value: float | None, unit: str = "1", **more) -> Row:
        note = "; ".join(part for part in (more.pop("note", ""), caveat) if part)
        return Row(f"{model}/{name}", metric, value, unit, "measured", SOURCE, model=model, weight_dtype=name,
                   suite=before.suite.id, note=note, **more)  # fmt: skip

    part, graded = f"[precision={name}]", before.graded
    scores = [(b.grade.solved, a.grade.solved) for b, a in zip(graded, after.graded, strict=True)]
    changed = [float(b.answer.text != a.answer.text) for b, a in zip(graded, after.graded, strict=True)]
    yield from with_intervals(row, "accuracy", part, graded, stats.share, [g.grade.solved for g in after.graded])
    yield from with_intervals(row, "accuracy_change", part, graded, stats.share_change, scores, signed=True)
    yield from with_intervals(row, "answers_changed", part, graded, stats.share, changed)
    scored = [(g, d) for g, d in zip(graded, apart, strict=True) if d.tokens]
    some = [g for g, _ in scored]
    bits = [(d.plain_nats - d.nats) / math.log(2) / len(g.gold.encode()) for g, d in scored]
    kl = [d.kl_nats / d.tokens for _, d in scored]
    yield from with_intervals(row, "bits_per_byte_change", part, some, stats.mean, bits, "bit/byte", signed=True)
    yield from with_intervals(row, "kl_per_token", part, some, stats.mean, kl, "nat/token")


def speed_rows(names: Sequence[str], chips: Sequence[Chip], load: Workload) -> Iterator[Row]:
    """A dense 8B model on one chip in each precision that a stack can be written in, modelled; the reason where not."""
    model = profiles.model(SPEED_MODEL)
    for chip in chips:
        for name in names:
            if name not in STACK_DTYPES:
                continue
            stack = Stack(SPEED_MODEL, name, chip.id)
            metric = f"precision_tok_s_per_chip[precision={name}]"
            try:
                p = point(stack, model, chip, load.isl, load.osl, load.concurrency)
            except NotPredictable as error:
                yield Row(str(stack), metric, None, FIGURES["output_tok_s_per_chip"], "modelled", "profile",
                          model=model.id, weight_dtype=name, chip=chip.id, chips=1, workload=load.id,
                          note=str(error))  # fmt: skip
                continue
            yield from (
                replace(row, metric=metric) for row in figure_rows(p, load) if row.metric == "output_tok_s_per_chip"
            )
