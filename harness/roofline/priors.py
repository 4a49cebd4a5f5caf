"""The constants of a chip without measurements, from those of the chips that have them.

The centre of each constant is its median over chips, in logarithms. Two or three chips say little of how much one
more will differ, so their spread is shrunk towards the one that the same constant has over all measured classes
(`SPREAD`, worth `WEIGHT` degrees of freedom: a scaled inverse chi-square prior, Gelman et al., Bayesian Data
Analysis, 3rd ed., 2.6), and the interval is Student's t of one more chip, sqrt(1 + 1/k) wider than the mean's.
Left out: the measured chips are one vendor's; another vendor's software is not in this spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from harness.errors import NotPredictable
from harness.stats import student_t

# What a fit says of itself beside its constants.
STATISTICS = ("sigma", "median_error", "mape", "rows")
# Shares of the whole: at most 1.
SHARES = ("e_bw", "e_fl", "overlap")
# Standard deviation of a constant's logarithm between chips, pooled over the classes with two or three of them
# (2 to 22 degrees of freedom a constant), rounded up.
SPREAD = {
    "t0_s": 0.30, "e_bw": 0.15, "e_fl": 0.15, "k_s": 0.35, "quantise": 0.20, "overlap": 0.60, "context_s": 0.55,
    "pad": 0.55, "per_row": 0.40, "hop_s": 0.40, "ramp_s": 0.60, "own": 0.60, "barrier_s": 0.25,
}  # fmt: skip
WEIGHT = 4
# Classes whose chips count for one another: decode attention streams its cache, and its width is in the bytes. A chip
# measured in several of them counts once, by the geometric mean.
POOLED = {
    "attention_decode.bf16": ("attention_decode.fp8",),
    "attention_decode.fp8": ("attention_decode.bf16",),
}
# Classes that stand in, in this order, where no chip of a class is left; their spread is doubled.
NEAREST = {
    "gemm.nvfp4": ("gemm.fp8_block", "gemm.fp8", "gemm.bf16"),
    "gemm.fp8_block": ("gemm.fp8", "gemm.bf16"),
    "gemm.fp8": ("gemm.fp8_block", "gemm.bf16"),
    "attention_prefill.fp8": ("attention_prefill.bf16",),
    "moe.nvfp4": ("moe.fp8_block", "moe.fp8", "moe.bf16"),
    "moe.mxfp4-fp8": ("moe.fp8", "moe.bf16"),
    "moe.mxfp4": ("moe.bf16",),
    "moe.fp8_block": ("moe.fp8", "moe.bf16"),
    "moe.fp8": ("moe.fp8_block", "moe.bf16"),
}


def prior_of(
    tables: Mapping[str, Mapping[str, Any]], name: str, chip_ids: Iterable[str] = ()
) -> dict[str, list[float]]:
    """The prior of class `name` of `laws.tables()` without `chip_ids`: `prior_without` with the classes that its
    chips are pooled with and those that stand in for it.
    """
    nearest = [tables[n] for n in NEAREST.get(name, ()) if n in tables]
    pooled = [tables[n] for n in POOLED.get(name, ()) if n in tables]
    return prior_without(_pooled([tables[name], *pooled]), chip_ids, nearest)


def prior_without(
    class_table: Mapping[str, Any], chip_ids: Iterable[str] = (), nearest: Iterable[Mapping[str, Any]] = ()
) -> dict[str, list[float]]:
    """{constant: [median, 5 %, 95 %]} of one more chip, log-normal, from a class's chips but `chip_ids`.

    nearest: tables of the classes that stand in where none of its chips is left, best first (`NEAREST`).
    A table without chips (assumed constants) gives its stored prior.
    Raises NotPredictable where no chip is left in any of them.
    """
    if not class_table.get("chips"):
        return {k: list(v) for k, v in class_table["prior"].items()}
    left_out = set(chip_ids)
    for widening, table in [(1.0, class_table), *((2.0, t) for t in nearest)]:
        kept = [own for chip, own in table.get("chips", {}).items() if chip not in left_out]
        if kept:
            parts = [p for p in kept[0] if p not in STATISTICS]
            return {p: _interval(p, np.log([own[p] for own in kept]), widening) for p in parts}
    raise NotPredictable(f"no measured chip is left without {', '.join(sorted(left_out))}")


def _pooled(tables: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The tables as one, each chip's constants the geometric mean over those that have it."""
    if len(tables) == 1:
        return tables[0]
    rows: dict[str, list[Mapping[str, float]]] = {}
    for table in tables:
        for chip, own in table["chips"].items():
            rows.setdefault(chip, []).append(own)
    chips = {
        chip: {
            p: float(np.exp(np.mean([np.log(own[p]) for own in several]))) for p in several[0] if p not in STATISTICS
        }
        for chip, several in rows.items()
    }
    return {"chips": chips}


def _interval(part: str, logs: np.ndarray, widening: float) -> list[float]:
    centre, degrees = float(np.median(logs)), WEIGHT + len(logs) - 1
    variance = (WEIGHT * SPREAD[part] ** 2 + float(np.sum((logs - centre) ** 2))) / degrees
    half = widening * student_t(0.95, degrees) * float(np.sqrt(variance * (1 + 1 / len(logs))))
    highest = 0.0 if part in SHARES else np.inf
    return [float(f"{np.exp(v):.5g}") for v in (centre, centre - half, min(centre + half, highest))]
