"""The rooflines of chips, and which chips and operators of a run to show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from harness.report.figures import Figure, Figures, unique

CHIPS_SHOWN = 6


@dataclass(frozen=True)
class Ceiling:
    """Bandwidth in TB/s and peak in TFLOP/s, so that their quotient is FLOP per byte."""

    chip: str
    bandwidth: Figure
    peak: Figure

    def at(self, x: np.ndarray, end: str = "value") -> np.ndarray:
        slope, top = (end_of(f, end) for f in (self.bandwidth, self.peak))
        return np.minimum(x * slope, top)

    @property
    def uncertain(self) -> bool:
        return "assumed" in (self.bandwidth.kind, self.peak.kind)


def end_of(figure: Figure, end: str) -> float:
    found = getattr(figure, end)
    return figure.value if found is None else found


def ceilings_of(figures: Figures) -> dict[str, Ceiling]:
    peaks = {f.chip: f for f in figures.with_value("chip.peak_bf16_tflop_s")}
    return {
        f.chip: Ceiling(f.chip, f, peaks[f.chip]) for f in figures.with_value("chip.bandwidth_tb_s") if f.chip in peaks
    }


def selected(ceilings: dict[str, Ceiling], first: list[str]) -> list[str]:
    """At most six chips: those with operators, then those that span the range; the rest are drawn grey."""
    by_slope = sorted(ceilings, key=lambda c: ceilings[c].bandwidth.value)
    by_peak = sorted(ceilings, key=lambda c: ceilings[c].peak.value)
    by_doubt = sorted(ceilings, key=lambda c: ceilings[c].bandwidth.width * ceilings[c].peak.width)
    wanted = [
        *first,
        by_peak[-1],
        by_slope[0],
        by_doubt[-1],
        by_peak[0],
        by_slope[-1],
        by_peak[len(by_peak) // 2],
        *by_slope,
    ]
    return unique(wanted)[:CHIPS_SHOWN]


Operators = tuple[str, str, list[tuple[str, Figure, Figure]]]  # chip, model, (operator, FLOP/byte, TFLOP/s)


def operator_panels(figures: Figures, ceilings: dict[str, Ceiling], most: int = 2) -> list[Operators]:
    """One panel a model, on its chip with the most operators and the surest ceiling."""
    rates = {(f.part, f.stack, f.workload): f for f in figures.with_value("op.tflop_s") if f.value > 0}
    pairs = [
        (x, rates.get((x.part, x.stack, x.workload))) for x in figures.with_value("op.flop_per_byte") if x.value > 0
    ]
    pairs = [(x, y) for x, y in pairs if y is not None and x.chip in ceilings]
    panels = []
    for model in unique(x.model for x, _ in pairs)[:most]:
        counts = Counter((x.stack, x.workload, x.chip) for x, _ in pairs if x.model == model)
        stack, workload, chip = max(counts, key=lambda key: (counts[key], not ceilings[key[2]].uncertain))
        ops = [(x.part, x, y) for x, y in pairs if (x.stack, x.workload) == (stack, workload)]
        panels.append((chip, model, ops))
    return panels
