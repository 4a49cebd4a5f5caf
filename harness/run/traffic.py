"""Modelled rows: every chip for the traffic the suites really made, and for large models on a stated workload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from harness import profiles
from harness.architecture import of_model
from harness.errors import NotPredictable
from harness.operators import Dtypes
from harness.profiles import Chip, Model
from harness.quantity import Cited
from harness.results import Row
from harness.roofline import cost, memory
from harness.roofline.point import point
from harness.run.evaluate import SuiteRun
from harness.run.rows_of_point import (
    Workload,
    figure_rows,
    joined,
    price_notes,
    ratio_rows,
    refused_rows,
    source_id,
    term_rows,
)
from harness.stack import Stack, resolve_dtypes
from harness.trace import BYTES

# The workload that large models are compared on: a long prompt and a page of answer, sixteen users.
ISL, OSL, CONCURRENCY = 8192, 1024, 16
WORKLOAD = f"isl{ISL}-osl{OSL}-c{CONCURRENCY}"
# Weight formats tried in turn where the native one does not fit a server.
NARROWER = ("fp8", "int4")


def suite_workload(run: SuiteRun) -> Workload:
    """The mean prompt and output lengths of a suite's own calls (scored options count as prompt)."""
    calls = [call for g in run.graded for call in (g.episode.turns if g.episode else [g.answer])]
    prompt = [c.prompt_tokens for c in calls if c.prompt_tokens is not None]
    output = [c.output_tokens for c in calls if c.output_tokens is not None]
    if not prompt or not output:
        raise NotPredictable(f"the runner gave no token counts for {run.suite.id}")
    isl = max(1.0, round(float(np.mean(prompt)), 1))
    return Workload(run.suite.id, isl, max(1.0, round(float(np.mean(output)), 1)), CONCURRENCY, run.suite.id)


def large_stack(model: Model, chip: Chip) -> Stack:
    """The fewest chips of one server that hold the model and sixteen contexts, in the widest format that fits.

    Raises NotPredictable with the reason of the narrowest format tried.
    """
    body, most = profiles.stand_in(model), server_chips(chip)
    arch, native, reason = of_model(body), body.native_dtype, None
    for dtype in (native, *(d for d in NARROWER if BYTES[d] < BYTES[native])):
        try:
            dtypes: Dtypes = resolve_dtypes(Stack(model.id, dtype, chip.id), body, chip)
            tp = memory.smallest_tp(arch, dtypes, chip, ISL, OSL, CONCURRENCY, most)
            return Stack(model.id, dtype, chip.id, tp, {"tp": str(tp)} if tp > 8 else {})
        except NotPredictable as error:
            reason = NotPredictable(f"in {dtype}, {error}")
    raise reason


def server_chips(chip: Chip) -> int:
    """Chips of one server; one where the profile does not say how many."""
    return int(chip.get("server.chips").point) if chip.has("server.chips") else 1


def point_rows(stack: Stack, model: Model, chip: Chip, load: Workload) -> Iterator[Row]:
    """The figures of one operating point; empty with its reason where it cannot be modelled."""
    try:
        p = point(stack, model, chip, load.isl, load.osl, load.concurrency)
    except NotPredictable as error:
        yield from refused_rows(stack, load, str(error), chip)
        return
    yield from figure_rows(p, load)


def large_rows(model: Model, chips: Sequence[Chip], load: Workload, progress: Callable[[int], None]) -> Iterator[Row]:
    """A large model on each chip; the first that runs it is explained by operator, the others are set against it."""
    first = None
    for chip in chips:
        stack = Stack(model.id, profiles.stand_in(model).native_dtype, chip.id, server_chips(chip))
        try:
            stack = large_stack(model, chip)
            p = point(stack, model, chip, load.isl, load.osl, load.concurrency)
        except NotPredictable as error:
            yield from refused_rows(stack, load, str(error), chip)
        else:
            yield from figure_rows(p, load)
            if first is None:
                first = p
                yield from term_rows(p, load)
            else:
                yield from ratio_rows(p, first, load)
        progress(1)


def chip_rows(chip: Chip) -> Iterator[Row]:
    """A chip's ceilings as its profile has them."""
    price = cost.price(chip)
    keys = {
        "chip.bandwidth_tb_s": ("memory.bandwidth", 1e12, "TB/s"), "chip.memory_gb": ("memory.capacity", 1e9, "GB"),
        "chip.peak_bf16_tflop_s": ("compute.bf16", 1e12, "TFLOP/s"),
        "chip.peak_fp8_tflop_s": ("compute.fp8", 1e12, "TFLOP/s"), "chip.tdp_w": ("power.tdp", 1.0, "W"),
    }  # fmt: skip
    if price is not None:
        keys["chip.usd_per_h"] = (f"price.{price.price_class}", 1 / 3600, "USD/h")
    for metric, (key, factor, unit) in keys.items():
        if not chip.has(key):
            why = chip.missing.get(key, "not supported" if key.startswith("compute") else "not in the profile")
            yield Row(chip.id, metric, None, unit, "published", "profile", chip=chip.id, note=why)
            continue
        note = joined(price_notes(price)) if "usd" in metric else ""
        yield _ceiling(chip, metric, chip.get(key), factor, unit, note)


def _ceiling(chip: Chip, metric: str, cited: Cited, factor: float, unit: str, note: str) -> Row:
    low, high = cited.quantile(0.1), cited.quantile(0.9)
    kind = "published" if cited.kind in ("exact", "datasheet", "measured") else "assumed"
    notes = [f"weakest={cited.kind}"] + (["median of the range"] if cited.is_median else []) + ([note] if note else [])
    sources = " ".join(source_id(s) for s in cited.sources)
    return Row(chip.id, metric, cited.point / factor, unit, kind, sources, chip=chip.id,
               p10=low / factor if high > low else None, p90=high / factor if high > low else None,
               note="; ".join(notes))  # fmt: skip


def modelled_rows(
    runs: Sequence[SuiteRun], models: Iterable[Model], chips: Sequence[Chip], reference: str | None,
    progress: Callable[[int], None],
) -> Iterator[Row]:  # fmt: skip
    """All modelled rows: ceilings, then the suites' traffic on the reference model, then the large models."""
    for chip in chips:
        yield from chip_rows(chip)
    if reference is not None:
        small = profiles.model(reference)
        for run in runs:
            load = suite_workload(run)
            for chip in chips:
                yield from point_rows(Stack(reference, small.native_dtype, chip.id, 1), small, chip, load)
                progress(1)
    load = Workload(WORKLOAD, ISL, OSL, CONCURRENCY)
    for model in models:
        yield from large_rows(model, chips, load, progress)
