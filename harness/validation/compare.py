"""Predicted beside measured, one line a figure.

Columns: `id, target, statistic, measured, predicted, p10, p90, unit, error, refused` and the columns to group by.
`error` is predicted / measured - 1; `refused` says why there is no prediction ("" where there is one).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.errors import UnknownId
from harness.profiles import chip, shared_value
from harness.validation.outside import groups
from harness.validation.scored import TARGETS, power_scope, statistic

LATENCIES = {"tpot": ("tpot_ms", "tpot_stat"), "ttft": ("ttft_ms", "ttft_stat")}
UNITS = {"tpot": "ms", "ttft": "ms", "throughput": "token/s/chip", "saturated": "token/s/chip", "energy": "J/token"}
GROUPS = (
    "chip", "family", "model", "engine", "band", "scope", "source", "scenario", "chips", "weight_dtype", "tp", "pp",
    "ep", "dp", "isl", "osl", "concurrency", "date",
)  # fmt: skip
BANDS = ((1, "1"), (8, "2-8"), (32, "9-32"), (128, "33-128"), (512, "129-512"), (np.inf, "over 512"))
SATURATED = "not given"
_NAMES = ("predicted", "p10", "p90")


def compare(frame: pd.DataFrame, counts: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """`read`'s rows, `scored`'s columns and the predictions, one index -> the long frame, a fresh index."""
    about = _about(frame)
    parts = []
    for target in TARGETS:
        rows = counts.index[counts[target]]
        part = _figures(target, frame.loc[rows], predicted.loc[rows])
        refused = predicted.loc[rows, "error"].fillna("").astype(str)
        refused = refused.mask(part["predicted"].notna(), "").mask(
            part["predicted"].isna() & (refused == ""), "no figure, no reason given"
        )
        part = part.assign(error=part["predicted"] / part["measured"] - 1, refused=refused)
        parts.append(part.assign(target=target, **{c: about.loc[rows, c] for c in ("id", *GROUPS)}))
    columns = ["id", "target", "statistic", "measured", *_NAMES, "unit", "error", "refused", *GROUPS]
    out = pd.concat(parts, ignore_index=True)[columns]
    return out.assign(target=pd.Categorical(out["target"], TARGETS, ordered=True))


def band(concurrency: pd.Series) -> pd.Series:
    """The band of concurrency a row falls in, in order; saturated rows give none."""
    ends, names = zip(*BANDS, strict=True)
    place = np.where(concurrency.isna(), len(ends), np.searchsorted(ends, concurrency.fillna(0)))
    return pd.Series(pd.Categorical.from_codes(place, [*names, SATURATED], ordered=True), index=concurrency.index)


def _about(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        family=groups(frame, "family"),
        engine=frame["engine_family"].mask(frame["engine_family"] == "", "unknown"),
        band=band(frame["concurrency"]),
        scope=power_scope(frame["power_scope"]),
    )


def _figures(target: str, rows: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """[rows, (statistic, measured, predicted, p10, p90, unit)] of one target."""
    if target in LATENCIES:
        return _latency(target, rows, predicted)
    if target == "energy":
        return _energy(rows, predicted)
    part = _named(predicted, "output_tok_s_per_chip")
    return part.assign(statistic="", measured=rows["output_tok_s_per_chip"], unit=UNITS[target])


def _latency(target: str, rows: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """A row is compared with the statistic that it names: the median over requests, else the mean."""
    figure, named = LATENCIES[target]
    which = statistic(rows[named])
    medians = _named(predicted, figure.replace("_ms", "_p50_ms"))
    part = _either(which == "median", medians, _named(predicted, figure))
    return part.assign(statistic=which, measured=rows[figure], unit=UNITS[target])


def _energy(rows: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Energy per output token where the row gives it, else power per chip; at the wall with the server's share.

    The predictor's power is the board's. At the wall a chip's share of its server is added, a range in the profiles,
    taken at its point; the width of that range is left out.
    """
    per_token = rows["energy_j_per_output_tok"].notna()
    energy, power = (_named(predicted, c) for c in ("energy_j_per_output_tok", "power_w_per_chip"))
    wall = power_scope(rows["power_scope"]) == "wall"
    share = _server_share_w(rows["chip"]).where(wall, 0.0)
    at_wall = energy.mul(1 + share / power["predicted"], axis=0)
    part = _either(per_token, at_wall, power.add(share, axis=0))
    # A power at the wall is the whole server's; one of the boards is a mean over them.
    measured = rows["energy_j_per_output_tok"].where(per_token, rows["power_w"] / rows["chips"].where(wall, 1.0))
    names = pd.Series(np.where(per_token, "energy per token", "power"), index=rows.index)
    return part.assign(statistic=names, measured=measured, unit=np.where(per_token, UNITS["energy"], "W"))


def _server_share_w(chips: pd.Series) -> pd.Series:
    """Server power that is not the chips', per chip, W: the profile's own or the shared value."""

    def one(name: str) -> float:
        try:
            profile = chip(name)
        except UnknownId:
            return np.nan
        key = "server.overhead_power"
        return (profile.get(key) if profile.has(key) else shared_value(key)).point

    return chips.map({name: one(name) for name in chips.unique()}).astype(float)


def _either(first: pd.Series, a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Row by row of a where `first` is true, else of b."""
    return pd.DataFrame(np.where(first.to_numpy()[:, None], a, b), a.index, a.columns)


def _named(predicted: pd.DataFrame, figure: str) -> pd.DataFrame:
    """A figure of the predictor and its interval, as (predicted, p10, p90)."""
    columns = [figure, f"{figure}_p10", f"{figure}_p90"]
    return predicted[columns].astype(float).set_axis(list(_NAMES), axis=1)
