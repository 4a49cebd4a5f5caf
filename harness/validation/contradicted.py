"""Rows that other rows of the same table contradict: what they measured is not the configuration that they name.

Four rules, each a comparison of published words and figures alone, none of a prediction:

unmarked   A source that never marks speculative decoding repeats runs of one that does. Where all marked-or-not runs of
           that other source, of the same chip, model, format, engine and day, are marked, so are the repeated ones.
hurried    A run has at least eight times the requests of another of the same configuration that is no older, and yet
           a shorter time a token: more requests at once cannot be faster, and software does not get slower.
disputed   Two runs of the same configuration, engine and day differ by more than a factor of two: the words do not
           tell which of two settings a row is about, so neither counts.
copied     A deployment of several independent replicas gives, to four digits, the tokens/s of one replica that is asked
           for as many requests at once: worked from that run, not measured.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

MORE_REQUESTS, APART, COPY = 8.0, 2.0, 5e-4
# What a row says of its configuration beside lengths and concurrency; blanks are the defaults of a deployment.
_LAYOUT = ("chip", "chips", "model", "format", "tp", "pp", "ep", "dp", "scenario", "engine_family")
_FORMATS = {"fp4": "nvfp4", "mxfp4": "nvfp4"}  # one format under three names: sources do not agree on which


def unmarked(frame: pd.DataFrame) -> pd.Series:
    """Whether each row of `scored.read` is a speculative run by the words of another source (bool)."""
    rows = _named(frame)
    marked = rows["spec_decode"] != ""
    marks = marked.groupby(rows["source"]).transform("any")
    day = ["chip", "model", "format", "engine_family", "date"]
    told = rows.loc[marks, day].assign(said=marked[marks].astype(float)).groupby(day, as_index=False).min()
    said = rows[day].merge(told, on=day, how="left")["said"].eq(1.0).to_numpy()
    return ~marks & said & (rows["date"] != "")


def hurried(frame: pd.DataFrame) -> pd.Series:
    """Whether a run with far fewer requests, no older, takes longer a token (bool)."""
    rows = _named(frame)[["concurrency", "tpot_ms"]].assign(day=_day(frame["date"]))
    out = pd.Series(False, index=frame.index)
    plain = frame["tpot_ms"].notna() & frame["concurrency"].notna() & (frame["spec_decode"] == "")
    for _, same in rows[plain].groupby(_keys(frame[plain], "isl", "osl"), dropna=False):
        requests, tpot, day = (same[c].to_numpy() for c in ("concurrency", "tpot_ms", "day"))
        fewer = requests[None, :] * MORE_REQUESTS <= requests[:, None]
        slower = (tpot[None, :] > tpot[:, None]) & (day[None, :] >= day[:, None])
        out[same.index] = (fewer & slower).any(axis=1)
    return out


def disputed(frame: pd.DataFrame) -> pd.Series:
    """Whether another run of the same words gives less than half, or more than twice, the figure (bool)."""
    rows = _named(frame)
    out = pd.Series(False, index=frame.index)
    for figure in ("tpot_ms", "output_tok_s_per_chip"):
        plain = frame[figure].notna() & frame["concurrency"].notna() & (frame["spec_decode"] == "")
        keys = _keys(frame[plain], "isl", "osl", "concurrency", "date", "source", "engine")
        of = rows.loc[plain, figure].groupby(keys, dropna=False)
        out[plain] |= of.transform("max") > APART * of.transform("min")
    return out


def copied(frame: pd.DataFrame) -> pd.Series:
    """Whether one replica's run stands under the name of several (bool)."""
    rows = _named(frame).assign(total=frame["output_tok_s_per_chip"] * frame["chips"])
    same = ["source", "chip", "model", "format", "tp", "pp", "scenario", "isl", "osl", "concurrency", "date"]
    several = (rows["dp"] > 1) & (rows["ep"] == 1) & rows["total"].notna() & rows["concurrency"].notna()
    one = rows.loc[(rows["dp"] == 1) & rows["total"].notna(), [*same, "total"]]
    pairs = rows.loc[several, [*same, "total"]].reset_index().merge(one, on=same, suffixes=("", "_of_one"))
    twins = (pairs["total"] / pairs["total_of_one"] - 1).abs() < COPY
    return pd.Series(frame.index.isin(pairs.loc[twins, "index"]), index=frame.index)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    layout = frame[["tp", "pp", "ep", "dp"]].fillna(1).clip(lower=1)
    return frame.assign(format=frame["weight_dtype"].replace(_FORMATS), **layout)


def _keys(frame: pd.DataFrame, *more: str) -> list[pd.Series]:
    rows = _named(frame)
    return [rows[k] for k in (*_LAYOUT, *more)]


def _day(date: pd.Series) -> pd.Series:
    """Days since 1970; a blank is the newest."""
    days = pd.to_datetime(date, errors="coerce", format="mixed")
    return (days - pd.Timestamp(0)).dt.days.fillna(np.inf)
