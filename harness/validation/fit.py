"""Fit of the scales on measured operating points, on all of them and leaving out each chip, family and model.

What a fit (`solve.py`) leaves unexplained on the chips it did not see becomes the intervals.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harness.results import write_whole
from harness.roofline.constants import TARGETS, Constants
from harness.roofline.hardware import SOFTWARE, software
from harness.validation import outside
from harness.validation.flat import Ready, ready
from harness.validation.scored import scored, statistic
from harness.validation.solve import solve
from harness.validation.unexplained import Unexplained, by_distance, quantiles

_SPEAKING_CHIPS = 2  # of a vendor that tell its software from a chip of it
_SWEEP = ["chip", "model", "engine_family", "weight_dtype"]


@dataclass(frozen=True)
class Points:
    """Measured rows ready to be fitted: log of what was measured, NaN where a row does not count for a figure."""

    ready: Ready
    measured: Mapping[str, np.ndarray]
    median: Mapping[str, np.ndarray]  # bool: the row gives the median over requests
    sweep: np.ndarray  # a number for each chip, model, engine and format of weights [rows]

    @classmethod
    def of(cls, frame: pd.DataFrame, left_out: Collection[str] = ()) -> Points:
        counts = scored(frame)
        kept = frame[counts[["tpot", "ttft", "throughput", "saturated"]].any(axis=1)]
        rows = ready(outside.inputs(kept), left_out)
        frame, counts = frame.loc[rows.index], counts.loc[rows.index]
        columns = {"tpot": frame.tpot_ms / 1e3, "ttft": frame.ttft_ms / 1e3, "throughput": frame.output_tok_s_per_chip}
        given = {"tpot": counts.tpot, "ttft": counts.ttft, "throughput": counts.throughput}
        measured = {t: np.log(columns[t].where(given[t])).to_numpy() for t in TARGETS}
        median = {t: (statistic(frame[f"{t}_stat"]) == "median").to_numpy() for t in ("tpot", "ttft")}
        return cls(rows, measured, median, frame.groupby(_SWEEP, dropna=False).ngroup().to_numpy())

    def errors(self, scales: Mapping[str, float]) -> dict[str, np.ndarray]:
        """log(predicted / measured) by target, NaN where a row does not count for it."""
        x = self.ready.latency(scales)
        return {
            "tpot": np.log(np.where(self.median["tpot"], x.tpot_median, x.tpot)) - self.measured["tpot"],
            "ttft": np.log(np.where(self.median["ttft"], x.ttft_median, x.ttft)) - self.measured["ttft"],
            "throughput": np.log(self.ready.per_chip(x)) - self.measured["throughput"],
        }


def fit(frame: pd.DataFrame, without_chips: Collection[str] = ()) -> Constants:
    """Constants fitted on the scored rows of `scored.read`'s frame.

    without_chips: whose measured kernels do not count. The intervals' errors are the shipped ones.
    Raises UserMistake with too few rows, or without scipy.
    """
    from harness.roofline import constants

    points = Points.of(frame, without_chips)
    scales = _solve(points, np.ones(len(points.ready.index), bool))
    return Constants(scales, constants.load().errors, frozenset(without_chips))


def _solve(points: Points, rows: np.ndarray, start: Mapping[str, float] | None = None) -> dict[str, float]:
    """The scales that fit `rows` (bool) best."""
    # A layout that was inferred is a guess: its rows are predicted, and teach nothing.
    rows = rows & ~points.ready.demand.split
    counts = {t: rows & ~np.isnan(points.measured[t]) for t in TARGETS}
    counts["throughput"] &= np.isnan(points.measured["tpot"])  # else the same run twice
    found = solve(points.errors, counts, {"ttft": points.sweep}, start)
    hardware, index = points.ready.view.hardware, points.ready.view.index
    used = np.unique(index[np.any([*counts.values()], axis=0)])
    return placed(found, Counter(software(hardware.chips[i]) for i in used))


def placed(scales: Mapping[str, float], chips: Mapping[str, int]) -> dict[str, float]:
    """The scales as a prediction takes them. chips: how many of each vendor's software taught the fit.

    What one chip measured of a vendor's software cannot be told from the chip: that vendor takes the middle, to which
    it counted, as a new one does.
    """
    few = {f"vendor.{name}" for name in SOFTWARE if chips.get(name, 0) < _SPEAKING_CHIPS} & set(scales)
    return {name: scales["vendor.other"] if name in few else value for name, value in scales.items()}


def fit_file(frame: pd.DataFrame, name: str, out: Path, say: Callable[[str], None] = lambda _: None) -> Path:
    """Fit on all rows and leaving out each chip, family and model; write `deployment.toml` under `out`."""
    import tomli_w

    everything = Points.of(frame)
    everyone = np.ones(len(everything.ready.index), bool)
    scales = _solve(everything, everyone)
    report = _report(everything.errors(scales))
    say(f"all rows, in sample: {report}")
    table: dict = {"all": {"scales": scales}, "chip": {}, "family": {}, "model": {}}
    missed: dict[str, Unexplained] = {}
    kinds = (frame["model"] + "/" + frame["engine_family"]).astype("category").cat.codes
    for by in ("chip", "family", "model"):
        names = outside.groups(frame, by)
        for group in sorted(names.unique()):
            gone = () if by == "model" else tuple(frame.loc[names == group, "chip"].unique())
            points = Points.of(frame, gone) if gone else everything
            left = (names.loc[points.ready.index] == group).to_numpy()
            if left.all() or not left.any():
                continue
            found = _solve(points, ~left, scales)
            table[by][group] = {"scales": found, "chips": list(gone)}
            errors = points.errors(found)
            say(f"without {by} {group}: {_report({t: e[left] for t, e in errors.items()})}")
            if by == "chip":
                of = kinds.loc[points.ready.index].to_numpy()
                missed[group] = by_distance(group, errors, of, left, points.ready.demand.split)
    for part in (table["all"], *(one for by in ("chip", "family", "model") for one in table[by].values())):
        gone = part.get("chips", ())
        part["errors"] = quantiles({c: e for c, e in missed.items() if c not in gone})
    target = out / "deployment.toml"
    write_whole(target, _head(name, report) + tomli_w.dumps(table))
    return target


def _report(errors: Mapping[str, np.ndarray]) -> str:
    said = []
    for target, e in errors.items():
        miss = np.abs(np.expm1(e[np.isfinite(e)]))
        if len(miss):
            said.append(f"{target} MAPE {miss.mean():.1%}, median {np.median(miss):.1%} of {len(miss)}")
    return "; ".join(said)


def _head(name: str, report: str) -> str:
    import tomli_w

    source = {
        "id": "fit-deployment",
        "title": f"Stackline's fit of published operating points ({name}), in sample: {report}",
        "publisher": "Stackline, from InferenceX runs and NVIDIA aiconfigurator's published measurements",
        "url": "https://github.com/ai-dynamo/aiconfigurator",
        "retrieved": datetime.date.today().isoformat(),
    }
    return "# Written by `stackline calibrate --points`; do not edit.\n" + tomli_w.dumps({"source": source})
