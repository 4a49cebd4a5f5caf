"""Modelled rows: every chip for the traffic the suites really made, and for large models on a stated workload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness import profiles
from harness.architecture import of_model
from harness.errors import NotPredictable
from harness.evidence import STALE_DAYS, stale
from harness.operators import Dtypes
from harness.profiles import Chip, Model
from harness.quantity import Cited
from harness.results import Row
from harness.roofline import cost, laws, memory
from harness.roofline.point import Point, point
from harness.run.evaluate import SuiteRun
from harness.stack import Stack, resolve_dtypes
from harness.support import fallback, support
from harness.trace import BYTES

# The workload that large models are compared on: a long prompt and a page of answer, sixteen users.
ISL, OSL, CONCURRENCY = 8192, 1024, 16
WORKLOAD = f"isl{ISL}-osl{OSL}-c{CONCURRENCY}"
# Weight formats tried in turn where the native one does not fit a server.
NARROWER = ("fp8", "int4")
FIGURES = {
    "ttft_ms": "ms", "tpot_ms": "ms", "tok_s_per_user": "token/s", "output_tok_s_per_chip": "token/s",
    "total_tok_s_per_chip": "token/s", "power_w_per_chip": "W", "energy_j_per_output_tok": "J/token",
    "usd_per_m_output_tok": "USD/Mtoken", "memory_used_share": "1",
}  # fmt: skip
_PER_OUTPUT_TOKEN = (
    "tpot_ms",
    "tok_s_per_user",
    "output_tok_s_per_chip",
    "energy_j_per_output_tok",
    "usd_per_m_output_tok",
)
# Models whose operators are drawn on the roofline plot.
ROOFLINE_MODELS = ("llama-3.1-70b", "qwen3-235b-a22b")
_OWN_SOURCE_IDS = {
    profiles.DERIVED: "derived-here", profiles.ASSUMED: "assumed-here", profiles.UNVERIFIED: "unverified-from-memory",
}  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """Lengths in tokens and how many requests run at once."""

    id: str
    isl: float
    osl: float
    concurrency: int
    suite: str = ""

    @property
    def generates(self) -> bool:
        """False where options were scored and nothing was generated."""
        return self.osl >= 2


def suite_workload(run: SuiteRun) -> Workload:
    """The mean prompt and output lengths of a suite's own answers (scored options count as prompt)."""
    prompt = [g.answer.prompt_tokens for g in run.graded if g.answer.prompt_tokens is not None]
    output = [g.answer.output_tokens for g in run.graded if g.answer.output_tokens is not None]
    if not prompt or not output:
        raise NotPredictable(f"the runner gave no token counts for {run.suite.id}")
    isl = max(1.0, round(float(np.mean(prompt)), 1))
    return Workload(run.suite.id, isl, max(1.0, round(float(np.mean(output)), 1)), CONCURRENCY, run.suite.id)


def large_stack(model: Model, chip: Chip) -> Stack:
    """The fewest chips of one server that hold the model and sixteen contexts, in the widest format that fits.

    Raises NotPredictable with the reason of the narrowest format tried.
    """
    body, most = profiles.stand_in(model), _server_chips(chip)
    arch, native, reason = of_model(body), body.native_dtype, None
    for dtype in (native, *(d for d in NARROWER if BYTES[d] < BYTES[native])):
        try:
            dtypes: Dtypes = resolve_dtypes(Stack(model.id, dtype, chip.id), body, chip)
            tp = memory.smallest_tp(arch, dtypes, chip, ISL, OSL, CONCURRENCY, most)
            return Stack(model.id, dtype, chip.id, tp, {"tp": str(tp)} if tp > 8 else {})
        except NotPredictable as error:
            reason = NotPredictable(f"in {dtype}, {error}")
    raise reason


def _server_chips(chip: Chip) -> int:
    """Chips of one server; one where the profile does not say how many."""
    return int(chip.get("server.chips").point) if chip.has("server.chips") else 1


def point_rows(stack: Stack, model: Model, chip: Chip, load: Workload) -> Iterator[Row]:
    """The figures of one operating point; empty with its reason where it cannot be modelled."""
    try:
        p = point(stack, model, chip, load.isl, load.osl, load.concurrency)
    except NotPredictable as error:
        yield from refused_rows(stack, load, str(error), chip)
        return
    base, stated = _base(stack, load, p.dtypes.weight), stated_notes(stack, chip, p.dtypes.weight)
    for name, unit in FIGURES.items():
        yield _figure_row(p, name, unit, load, base, stated)
    shares = {k: v / p.decode.seconds for k, v in p.decode.parts.items()}
    if load.generates:
        for name, value in sorted(shares.items(), key=lambda kv: -kv[1]):
            if value >= 0.01:
                yield Row(metric=f"time_share[{name}]", value=value, unit="1", kind=_kind(p, "tpot_ms"),
                          source=_sources(p, "tpot_ms"), **base)  # fmt: skip
    if model.id in ROOFLINE_MODELS or load.suite:
        yield from _operator_rows(p, chip, base)


def _figure_row(p: Point, name: str, unit: str, load: Workload, base: dict, stated: dict[str, str]) -> Row:
    absent = ""
    if name in _PER_OUTPUT_TOKEN and not load.generates:
        absent = "error=options were scored, nothing was generated"
    elif name not in p.figures:
        what = "rental price" if name.startswith("usd") else "board power"
        absent = f"error=no {what} in the profile"
    if absent:
        return Row(metric=name, value=None, unit=unit, kind="modelled", source="model-of-time", note=absent, **base)
    figure = p.figures[name]
    notes = {"weakest": p.weakest_kind(name), "bound_by": p.bound_by, **stated, "isl": f"{load.isl:g}",
             "osl": f"{load.osl:g}", "concurrency": str(load.concurrency), "act": p.dtypes.act, "kv": p.dtypes.kv,
             **p.notes}  # fmt: skip
    if name == "usd_per_m_output_tok":
        notes |= price_notes(p.price)
    note = _joined(notes)
    return Row(metric=name, value=figure.value, p10=figure.p10, p90=figure.p90, unit=unit, kind=_kind(p, name),
               source=_sources(p, name), note=note, **base)  # fmt: skip


def stated_notes(stack: Stack, chip: Chip, weight_dtype: str) -> dict[str, str]:
    """What is stated of the model on the chip in that format, and the format that stands in where the chip lacks it."""
    found = support(chip, stack.model, weight_dtype, stack.options.get("engine", ""))
    instead = fallback(chip, weight_dtype)
    return {"stated": found.level} | ({"computes_in": instead} if instead else {})


def price_notes(price: cost.Price) -> dict[str, str]:
    """Class and date of a rent, and a warning where it is old."""
    notes = {"price_class": price.price_class, "price_date": price.cited.date or "undated"}
    return notes | ({"price_warning": f"older than {STALE_DAYS} days"} if stale(price.cited) else {})


def _joined(notes: dict[str, str]) -> str:
    return "; ".join(f"{key}={value}" for key, value in notes.items())


def refused_rows(stack: Stack, load: Workload, reason: str, chip: Chip) -> Iterator[Row]:
    """One empty row a figure: a refusal is a result."""
    for name, unit in FIGURES.items():
        yield Row(metric=name, value=None, unit=unit, kind="modelled", source="model-of-time", note=f"error={reason}",
                  **_base(stack, load, stack.weight_dtype))  # fmt: skip


def _base(stack: Stack, load: Workload, weight_dtype: str) -> dict:
    return {"stack": str(stack), "model": stack.model, "weight_dtype": weight_dtype, "chip": stack.chip,
            "chips": stack.chips, "suite": load.suite, "workload": load.id}  # fmt: skip


def _kind(p: Point, figure: str) -> str:
    return "assumed" if p.weakest_kind(figure) == "assumed" else "modelled"


def _sources(p: Point, figure: str) -> str:
    cited = {source_id(s) for c in p.used[figure].values() for s in c.sources}
    return " ".join(["model-of-time", *sorted(cited | set(laws.constant_sources()))])


def source_id(source: str) -> str:
    """A source's name in the manifest: the own ones have ids without spaces."""
    return _OWN_SOURCE_IDS.get(source, source)


def _operator_rows(p: Point, chip: Chip, base: dict) -> Iterator[Row]:
    """Where each operator stands on the roofline: FLOP per byte, and the modelled FLOP/s it reaches."""
    for step, figure in ((p.prefill, "ttft_ms"), (p.decode, "tpot_ms")):
        whole = p.figures[figure]
        for name in [
            n for n in step.operators if n in step.parts
        ]:  # norms and element-wise kernels are one part together
            listed = step.operators[name]
            # What the kernel does: it skips the masked half of causal attention, which the trace keeps.
            flops = sum(count * op.needed_flops for op, count in listed)
            moved = sum(count * op.total_bytes for op, count in listed)
            if not flops or not moved:
                continue
            source = _sources(p, "tpot_ms")
            intensity = flops / moved
            kind = _kind(p, "tpot_ms")
            yield Row(metric=f"op.flop_per_byte[{name}]", value=float(intensity), unit="FLOP/byte", kind=kind,
                      source=source, **base)  # fmt: skip
            rate = flops / step.parts[name] / 1e12
            # The step's interval stands for the operator's; no part of it lies above the chip's roof.
            roof = chip.get(chip.peak_key(listed[0][0].act_dtype)).quantile(0.9) / 1e12
            high = max(rate, min(rate * whole.value / whole.p10, roof))
            yield Row(metric=f"op.tflop_s[{name}]", value=rate, p10=rate * whole.value / whole.p90, p90=high,
                      unit="TFLOP/s", kind=kind, source=source, **base)  # fmt: skip


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
        note = _joined(price_notes(price)) if "usd" in metric else ""
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
        for chip in chips:
            try:
                stack = large_stack(model, chip)
            except NotPredictable as error:
                most = _server_chips(chip)
                asked = Stack(model.id, profiles.stand_in(model).native_dtype, chip.id, most)
                yield from refused_rows(asked, load, str(error), chip)
            else:
                yield from point_rows(stack, model, chip, load)
            progress(1)
