"""Can the suites tell models apart? Level 1 against chance, levels in order, formats and GGUFs against float32.

    python -m tests.benchmarks.discrimination SEED [PER_LEVEL [SUITE ...]]

SEED makes fresh items, so use one that was used nowhere else. All suites take hours, nearly all of them the episodes of
`long-horizon` and `repo-repair`; names choose some. p-values are Holm-corrected over the suites: level 1 by
the binomial tail at the suite's chance level (one-sided); changes of bits per byte by a paired t test (two-sided). A
format may move items both ways and leave their mean; so it is also asked whether more than half of the items move by
more than two harnesses with the same weights may differ (SAME nats a token; binomial tail).
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from gguf import GGMLQuantizationType
from scipy.stats import spearmanr, ttest_1samp

from harness.chance import chance_level
from harness.reference import weights
from harness.run.evaluate import evaluate
from harness.runners import runner
from harness.runners.reference import cores
from harness.stats import binomial_tail
from harness.suites import LEVELS, Item, Suite, all_suites
from tests.requantised import requantise

FORMATS = ("fp8", "nvfp4", "int4")
SAME = 1e-3
GGUFS = {"GGUF Q8_0": GGMLQuantizationType.Q8_0, "GGUF Q4_0": GGMLQuantizationType.Q4_0}


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Holm 1979, Scand. J. Stat. 6:65-70)."""
    order, out, so_far = np.argsort(p_values), [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[k]))
        out[k] = so_far
    return out


def main(seed: int, per_level: int, names: Sequence[str]) -> None:
    suites = [s for s in all_suites() if s.id in names or not names]
    chosen = {s.id: [i for level in LEVELS for i in s.items(seed, per_level, level)] for s in suites}
    plain = runner("reference", workers=cores())
    first, bits, gold = [], {}, {}
    for s in suites:
        graded = evaluate(s, chosen[s.id], plain, lambda _: None, lambda _: None).graded
        bits[s.id], gold[s.id] = [g.bits_per_byte for g in graded], [g.gold for g in graded]
        first.append(_levels(s, seed, graded))
    plain.close()
    print("\nlevel 1 against chance, Holm-corrected: " + _listed(suites, first))
    with tempfile.TemporaryDirectory() as folder:
        others = {name: {"precision": name} for name in FORMATS}
        source = weights._download(Path(folder), print)
        for name, kind in GGUFS.items():
            others[name] = {"weights_path": requantise(source, Path(folder) / f"{name[-4:].lower()}.gguf", kind)}
        for name, options in others.items():
            other = runner("reference", workers=cores(), **options)
            changes = [_change(other, chosen[s.id], gold[s.id], bits[s.id]) for s in suites]
            other.close()
            print(f"{name} against float32, Holm-corrected: " + _listed(suites, [c.p_mean for c in changes]))
            print("    moved at all: " + _listed(suites, [c.p_moved for c in changes]))
            print("    mean change, bits/byte, and share moved: " + "; ".join(
                f"{s.id} {c.mean:+.4f}, {c.moved:.2f}" for s, c in zip(suites, changes, strict=True)))  # fmt: skip


def _levels(s: Suite, seed: int, graded) -> float:
    """Print a suite's figures by level; the p-value of level 1."""
    chance = chance_level(s, s.items(seed, level=1)).value
    by_level = {level: [g for g in graded if g.item.level == level] for level in LEVELS}
    right = [sum(g.grade.value for g in by_level[level]) for level in LEVELS]
    mean = [float(np.mean([g.bits_per_byte for g in by_level[level]])) for level in LEVELS]
    rho, p = spearmanr([g.item.level for g in graded], [g.bits_per_byte for g in graded])
    trend, trend_p = spearmanr([g.item.level for g in graded], [g.grade.value for g in graded])
    print(
        f"{s.id}: right by level {[f'{r:.0f}/{len(b)}' for r, b in zip(right, by_level.values(), strict=True)]} "
        f"(rank correlation with level {trend:+.2f}, p {trend_p:.1g}); bits/byte {[round(m, 2) for m in mean]} "
        f"({rho:+.2f}, p {p:.1g}); chance at level 1 {chance:.2f}"
    )
    return binomial_tail(math.floor(right[0]), len(by_level[1]), chance)


class Change(NamedTuple):
    """Of bits a byte: the mean and the p-value of none; the share of items that moved, and the p-value of half."""

    mean: float
    p_mean: float
    moved: float
    p_moved: float


def _change(other, items: list[Item], gold: list[str], before: list[float]) -> Change:
    nats = other.loglikelihood([(i.prompt, g) for i, g in zip(items, gold, strict=True)])
    sizes = np.array([math.log(2) * len(g.encode()) for g in gold])  # nats of one bit a byte
    change = -np.array(nats) / sizes - before
    tokens = [len(other.tokenizer.encode(g)) for g in gold]
    moved = int(np.sum(np.abs(change) * sizes > SAME * np.array(tokens)))
    p_mean = float(ttest_1samp(change, 0.0).pvalue)
    return Change(float(change.mean()), p_mean, moved / len(items), binomial_tail(moved, len(items), 0.5))


def _listed(suites: Sequence[Suite], p_values: Sequence[float]) -> str:
    return "; ".join(f"{s.id} {p:.1g}" for s, p in zip(suites, holm(p_values), strict=True))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 12, sys.argv[3:])
