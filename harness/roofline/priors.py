"""The constants of a chip without measurements, from those of the chips that have them.

Centre and spread of each constant are the median and the median absolute deviation (x 1.4826) of its logarithm over
chips, so that one chip with an old kernel does not widen everyone's. With k chips the spread is widened by
Student's t (k - 1 degrees of freedom, at most 3) and by sqrt(1 + 1/k), the predictive interval of one more chip.
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
# At least 15 % a constant: three chips of one vendor that happen to agree are no proof.
LEAST = 0.15 / 1.645
# One chip's constants: efficiencies of two chips rarely differ by half, fixed times by a factor 2.
SINGLE = {"e_bw": 1.5, "e_fl": 1.5}
SINGLE_OTHER = 2.0
# Classes that stand in, in this order, where no chip of a class is left; their spread is doubled.
NEAREST = {
    "gemm.nvfp4": ("gemm.fp8_block", "gemm.fp8", "gemm.bf16"),
    "gemm.fp8_block": ("gemm.fp8", "gemm.bf16"),
    "gemm.fp8": ("gemm.fp8_block", "gemm.bf16"),
    "attention_prefill.fp8": ("attention_prefill.bf16",),
    "attention_decode.fp8": ("attention_decode.bf16",),
    "moe.nvfp4": ("moe.fp8_block", "moe.fp8", "moe.bf16"),
    "moe.mxfp4-fp8": ("moe.fp8", "moe.bf16"),
    "moe.mxfp4": ("moe.bf16",),
    "moe.fp8_block": ("moe.fp8", "moe.bf16"),
    "moe.fp8": ("moe.fp8_block", "moe.bf16"),
}


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


def _interval(part: str, logs: np.ndarray, widening: float) -> list[float]:
    count, centre = len(logs), float(np.median(logs))
    if count < 2:
        half = float(np.log(SINGLE.get(part, SINGLE_OTHER)))
    else:
        spread = max(1.4826 * float(np.median(np.abs(logs - centre))), LEAST)
        half = min(student_t(0.95, count - 1), 3.0) * spread * float(np.sqrt(1 + 1 / count))
    highest = 0.0 if part in SHARES else np.inf
    points = (centre, centre - widening * half, min(centre + widening * half, highest))
    return [float(f"{np.exp(v):.5g}") for v in points]
