"""Export status by the numbers: a chip's figures against the dated rules of `hardware_profiles/_shared.toml`.

Total processing performance (TPP) is the dense peak in TOP/s times the bit length of its inputs, the largest over
the formats a profile gives (the note to ECCN 3A090; a multiply-accumulate is two operations). TF32 is left out: its
bit length is read differently. What a rule asks besides (end user, volume, tests, performance density) is not
weighed, and neither is what other jurisdictions rule. This is arithmetic, not legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.discovery import CHIP
from harness.profiles import Chip, shared
from harness.units import to_si

DISCLAIMER = "by the numbers, not legal advice"
BITS = {"fp32": 32, "bf16": 16, "fp16": 16, "fp8": 8, "int8": 8, "fp4": 4, "nvfp4": 4, "mxfp4": 4, "int4": 4}
_DRAWS = 2048


@dataclass(frozen=True)
class Status:
    """What one rule says of one chip. `verdict` is the rule's text for the side it lies on, or both where it may be
    on either; tpp and bandwidth are (5 % point, the profile's value, 95 % point) in TOP/s x bit and bytes/s."""

    rule: str
    title: str
    effective: str
    read: str
    note: str
    source: str
    verdict: str
    tpp: tuple[float, float, float]
    bandwidth: tuple[float, float, float] | None

    def __str__(self) -> str:
        low, middle, high = self.tpp
        shown = f"TPP {middle:,.0f}" + (f" ({low:,.0f} to {high:,.0f})" if high > low else "")
        if self.bandwidth:
            low, middle, high = (x / 1e9 for x in self.bandwidth)
            shown += f", memory {middle:,.0f} GB/s" + (f" ({low:,.0f} to {high:,.0f})" if high > low else "")
        since = f"since {self.effective}" if self.effective else f"as read on {self.read}"
        return f"{self.verdict} [{shown}; {self.title}, {since}; {self.note}; {DISCLAIMER}]"


def rules() -> list[dict[str, Any]]:
    """The dated rules, in the order in which they build on one another."""
    return shared(CHIP).tables.get("export_rules", [])


def tpp(chip: Chip, n: int = _DRAWS, seed: int = 0) -> np.ndarray | None:
    """Draws [n] of total processing performance in TOP/s x bit. None where the profile gives no peak."""
    peaks = [chip.get(f"compute.{d}").sample(n, seed) * bits for d, bits in BITS.items() if chip.has(f"compute.{d}")]
    return np.max(peaks, axis=0) / 1e12 if peaks else None


def statuses(chip: Chip) -> list[Status]:
    """Each rule's verdict on a chip; none for a chip of another origin than the rule's, or without figures.

    A rule that builds on another says nothing of a part that is below the other.
    """
    performance = tpp(chip)
    if performance is None or not chip.has("memory.bandwidth"):
        return []
    cited = chip.get("memory.bandwidth")
    bandwidth = cited.sample(_DRAWS)
    found: list[Status] = []
    below: dict[str, bool] = {}
    for rule in rules():
        if rule["origin"] != chip.texts.get("jurisdiction") or below.get(rule.get("after", "")):
            continue
        inside = performance < rule["tpp"]
        if "bandwidth_gb_s" in rule:
            inside &= bandwidth < to_si(rule["bandwidth_gb_s"], "GB/s")
        below[rule["id"]] = bool(inside.all())
        found.append(Status(
            rule["id"], rule["title"], rule.get("effective", ""), rule["read"], rule.get("note", ""), rule["source"],
            _verdict(inside, rule),
            _spread(performance, _tpp_point(chip)),
            _spread(bandwidth, cited.point) if "bandwidth_gb_s" in rule else None,
        ))  # fmt: skip
    return found


def _verdict(inside: np.ndarray, rule: dict[str, Any]) -> str:
    if inside.all():
        return rule["below"]
    if not inside.any():
        return rule["above"]
    return f"either, by the range of its figures: {rule['below']}; or {rule['above']}"


def _tpp_point(chip: Chip) -> float:
    return max(chip.get(f"compute.{d}").point * bits for d, bits in BITS.items() if chip.has(f"compute.{d}")) / 1e12


def _spread(draws: np.ndarray, point: float) -> tuple[float, float, float]:
    low, high = (float(q) for q in np.quantile(draws, (0.05, 0.95)))
    return min(low, point), point, max(high, point)
