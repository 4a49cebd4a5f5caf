"""Rows of one operating point: its figures, where its time goes, how it stands to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness import profiles
from harness.evidence import STALE_DAYS, stale
from harness.prediction.terms import table_of
from harness.profiles import Chip
from harness.results import Row
from harness.roofline import constants as fitted
from harness.roofline import cost, laws
from harness.roofline.compare import ratio
from harness.roofline.point import Point
from harness.stack import Stack
from harness.support import fallback, support

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
# Figures that are set against those of the first stack.
RATIOS = ("tpot_ms", "output_tok_s_per_chip", "energy_j_per_output_tok", "usd_per_m_output_tok")
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


def figure_rows(p: Point, load: Workload) -> Iterator[Row]:
    """Its figures, the shares of its decode step and, for some models, its operators on the roofline."""
    stack, chip = p.stack, p.chip
    base, stated = _base(stack, load, p.dtypes.weight), stated_notes(stack, chip, p.dtypes.weight)
    for name, unit in FIGURES.items():
        yield _figure_row(p, name, unit, load, base, stated)
    shares = {k: v / p.decode.seconds for k, v in p.decode.parts.items()}
    if load.generates:
        for name, value in sorted(shares.items(), key=lambda kv: -kv[1]):
            if value >= 0.01:
                yield Row(metric=f"time_share[{name}]", value=value, unit="1", kind=kind_of(p, "tpot_ms"),
                          source=sources_of(p, "tpot_ms"), **base)  # fmt: skip
    if stack.model in ROOFLINE_MODELS or load.suite:
        yield from _operator_rows(p, chip, base)


def ratio_rows(p: Point, first: Point, load: Workload) -> Iterator[Row]:
    """Figures over those of the run's first stack, in which what both rest on cancels."""
    for name in RATIOS:
        if name in p.figures and name in first.figures:
            found, kinds = ratio(p, first, name), {kind_of(p, name), kind_of(first, name)}
            yield Row(metric=f"ratio[{name}]", value=found.value, p10=found.p10, p90=found.p90, unit=found.unit,
                      kind="assumed" if "assumed" in kinds else "modelled", note=f"to={first.stack}",
                      source=" ".join(sorted({*sources_of(p, name).split(), *sources_of(first, name).split()})),
                      **_base(p.stack, load, p.dtypes.weight))  # fmt: skip


def term_rows(p: Point, load: Workload) -> Iterator[Row]:
    """One operating point operator by operator, as `stackline predict --explain` shows it."""
    base, figure = _base(p.stack, load, p.dtypes.weight), {"decode": "tpot_ms", "prefill": "ttft_ms"}
    table = table_of(p.timed, p.work, fitted.load(), p.dtypes.act)
    for line in table.itertuples():
        whole, ms = p.figures[figure[line.phase]], line.seconds * 1e3
        notes = {"share": f"{line.share:.6g}", "bound": line.bound, "constants": line.constants}
        if line.of_peak == line.of_peak:
            notes["of_peak"] = f"{line.of_peak:.6g}"
        # The figure's interval stands for the operator's.
        yield Row(metric=f"op.ms[{line.phase}.{line.term}]", value=ms, p10=ms * whole.p10 / whole.value,
                  p90=ms * whole.p90 / whole.value, unit="ms", kind=kind_of(p, figure[line.phase]),
                  source=sources_of(p, "tpot_ms"), note=joined(notes), **base)  # fmt: skip
    for name, share in table.attrs["unknowns"].items():
        if share >= 0.001:
            yield Row(metric=f"unknown_share[{name}]", value=share, unit="1", kind="modelled",
                      source=sources_of(p, "tpot_ms"), **base)  # fmt: skip


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
    note = joined(notes)
    return Row(metric=name, value=figure.value, p10=figure.p10, p90=figure.p90, unit=unit, kind=kind_of(p, name),
               source=sources_of(p, name), note=note, **base)  # fmt: skip


def stated_notes(stack: Stack, chip: Chip, weight_dtype: str) -> dict[str, str]:
    """What is stated of the model on the chip in that format, and the format that stands in where the chip lacks it."""
    found = support(chip, stack.model, weight_dtype, stack.options.get("engine", ""))
    instead = fallback(chip, weight_dtype)
    return {"stated": found.level} | ({"computes_in": instead} if instead else {})


def price_notes(price: cost.Price) -> dict[str, str]:
    """Class and date of a rent, and a warning where it is old."""
    notes = {"price_class": price.price_class, "price_date": price.cited.date or "undated"}
    return notes | ({"price_warning": f"older than {STALE_DAYS} days"} if stale(price.cited) else {})


def joined(notes: dict[str, str]) -> str:
    return "; ".join(f"{key}={value}" for key, value in notes.items())


def refused_rows(stack: Stack, load: Workload, reason: str, chip: Chip) -> Iterator[Row]:
    """One empty row a figure: a refusal is a result."""
    for name, unit in FIGURES.items():
        yield Row(metric=name, value=None, unit=unit, kind="modelled", source="model-of-time", note=f"error={reason}",
                  **_base(stack, load, stack.weight_dtype))  # fmt: skip


def _base(stack: Stack, load: Workload, weight_dtype: str) -> dict:
    return {"stack": str(stack), "model": stack.model, "weight_dtype": weight_dtype, "chip": stack.chip,
            "chips": stack.chips, "suite": load.suite, "workload": load.id}  # fmt: skip


def kind_of(p: Point, figure: str) -> str:
    """The kind of a row: assumed where a value that it rests on is."""
    return "assumed" if p.weakest_kind(figure) == "assumed" else "modelled"


def sources_of(p: Point, figure: str) -> str:
    """The sources of a row, as ids of the manifest."""
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
            source = sources_of(p, "tpot_ms")
            intensity = flops / moved
            kind = kind_of(p, "tpot_ms")
            yield Row(metric=f"op.flop_per_byte[{name}]", value=float(intensity), unit="FLOP/byte", kind=kind,
                      source=source, **base)  # fmt: skip
            rate = flops / step.parts[name] / 1e12
            # The step's interval stands for the operator's; no part of it lies above the chip's roof.
            roof = chip.get(chip.peak_key(listed[0][0].act_dtype)).quantile(0.9) / 1e12
            high = max(rate, min(rate * whole.value / whole.p10, roof))
            yield Row(metric=f"op.tflop_s[{name}]", value=rate, p10=rate * whole.value / whole.p90, p90=high,
                      unit="TFLOP/s", kind=kind, source=source, **base)  # fmt: skip
