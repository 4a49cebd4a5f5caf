"""The figures to reach, out of sample, beside the figures reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.validation import errors

# (target, measure, at most): of the rows with one chip left out unless another grouping was asked for.
AT_MOST = (
    ("tpot", "mape", 0.15), ("tpot", "median", 0.10), ("ttft", "mape", 0.30), ("ttft", "median", 0.20),
    ("throughput", "mape", 0.18), ("throughput", "median", 0.12), ("saturated", "mape", 0.25),
    ("saturated", "median", 0.18),
)  # fmt: skip
BIAS, FAMILY_MAPE, REFUSED, ENERGY, SHARPNESS, RANKS = 0.05, 0.25, 0.02, 0.25, 1.7, 0.95
COVERAGE, CHIP_COVERAGE, CHIP_ROWS = (0.75, 0.85), (0.65, 0.95), 30


@dataclass(frozen=True)
class Goal:
    """A figure, what it should be, and whether it is; `figure` NaN and `met` None where nothing was compared."""

    name: str
    figure: float
    goal: str
    met: bool | None
    note: str = ""
    percent: bool = True


def goals(main: pd.DataFrame, family: pd.DataFrame | None, relatives: frozenset[str]) -> list[Goal]:
    """The goals on lines of `compare`: `main`, and those with one family left out where there are any.

    relatives: the chips of a fitted family, on which intervals should be sharp.
    """
    overall = errors.table(main).set_index("target")
    found = [_most(f"{t} {m}", _of(overall, t, m), most) for t, m, most in AT_MOST]
    bias = _of(overall, "tpot", "bias")
    found.insert(2, Goal("tpot bias", bias, "within ±5 %", None if np.isnan(bias) else abs(bias) <= BIAS))
    if family is not None:
        means = errors.unweighted(family).set_index("target")
        chips = f"{_of(means, 'tpot', 'chips'):.0f} chips"
        found.append(_most("tpot mape, family left out, unweighted", _of(means, "tpot", "mape"), FAMILY_MAPE, chips))
    found.append(_most("rows refused", errors.refused_rows(main) if len(main) else np.nan, REFUSED))
    found += [*_coverage(main), _sharpness(main, relatives)]
    ranks, count = errors.rank_correlation(main)
    met = None if np.isnan(ranks) else ranks >= RANKS
    found.append(Goal("rank correlation of tokens/s per chip", ranks, "≥ 0.95", met, f"{count} groups", percent=False))
    return [*found, *_energy(main)]


def _of(table: pd.DataFrame, target: str, measure: str) -> float:
    return float(table.loc[target, measure]) if target in table.index else np.nan


def _most(name: str, figure: float, most: float, note: str = "") -> Goal:
    return Goal(name, figure, f"≤ {most:.0%}".replace("%", " %"), None if np.isnan(figure) else figure <= most, note)


def _coverage(main: pd.DataFrame) -> Iterator[Goal]:
    low, high = COVERAGE
    share = float(errors.measures(main)["coverage"])
    met = None if np.isnan(share) else low <= share <= high
    yield Goal("coverage of p10..p90, all figures", share, "75-85 %", met)
    if main.empty:
        return
    by_chip = main.groupby("chip")
    enough = (
        by_chip[list(main.columns)].apply(errors.measures)["coverage"][by_chip["id"].nunique() >= CHIP_ROWS].dropna()
    )
    low, high = CHIP_COVERAGE
    for name, chip in (("lowest", enough.nsmallest(1)), ("highest", enough.nlargest(1))):
        for chip_id, value in chip.items():
            met = bool(value >= low if name == "lowest" else value <= high)
            goal = "≥ 65 %" if name == "lowest" else "≤ 95 %"
            yield Goal(f"{name} coverage of a chip with {CHIP_ROWS} rows", float(value), goal, met, str(chip_id))


def _sharpness(main: pd.DataFrame, relatives: frozenset[str]) -> Goal:
    lines = main[(main["target"] == "tpot") & main["chip"].isin(relatives)]
    width = float(errors.measures(lines)["sharpness"])
    met = None if np.isnan(width) else width <= SHARPNESS
    name = "median p90/p10 of tpot, chips of a fitted family"
    return Goal(name, width, "≤ 1.7", met, f"{lines['chip'].nunique()} chips", percent=False)


def _energy(main: pd.DataFrame) -> Iterator[Goal]:
    lines = main[(main["target"] == "energy") & (main["statistic"] == "energy per token")]
    for scope, some in lines.groupby("scope"):
        measured = errors.measures(some)
        yield _most(f"energy per token mape, {scope}", float(measured["mape"]), ENERGY, f"{len(some)} rows")
