"""Error measures over the lines of `compare`, each by any grouping.

Error of a line: |predicted / measured - 1|. Refused lines count in `n` and in `refused`, in no error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

MEASURES = ("n", "refused", "mape", "median", "p90", "bias", "coverage", "sharpness")
LEAST_ROWS = 10  # of a chip that counts in the unweighted mean
LEAST_STACKS = 3  # of a group whose ranks are compared


def table(compared: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The measures of each target, and within it each group: [groups, (target, *by, *MEASURES)].

    n: lines; refused: share of them without a prediction; mape, median, p90: of the error; bias: median of the signed
    error; coverage: share of the measured within p10..p90; sharpness: median of p90 / p10. Shares, not percent;
    NaN where no line has what a measure needs.
    """
    keys = ["target", *by]
    if compared.empty:
        return pd.DataFrame(columns=[*keys, *MEASURES])
    lines = compared.groupby(keys, observed=True)
    return lines[list(compared.columns)].apply(lambda g: measures(g)).reset_index()


def measures(lines: pd.DataFrame) -> pd.Series:
    """The measures of some lines together."""
    answered = lines[lines["predicted"].notna()]
    size = answered["error"].abs()
    interval = answered[answered["p10"].notna() & answered["p90"].notna()]
    inside = (interval["p10"] <= interval["measured"]) & (interval["measured"] <= interval["p90"])
    values = (
        float(len(lines)),
        1 - len(answered) / len(lines) if len(lines) else np.nan,
        size.mean(),
        size.median(),
        size.quantile(0.9),
        answered["error"].median(),
        inside.mean() if len(interval) else np.nan,
        (interval["p90"] / interval["p10"]).median(),
    )
    return pd.Series(values, index=list(MEASURES))


def unweighted(compared: pd.DataFrame) -> pd.DataFrame:
    """Each chip with at least 10 rows of a target counting once: [targets, (target, chips, mape, median, bias)].

    Means over those chips of the chip's own MAPE, median error and bias. `mape` is NaN where none of them is answered.
    """
    by_chip = table(compared, ["chip"])
    enough = by_chip[(by_chip["n"] >= LEAST_ROWS) & by_chip["mape"].notna()]
    means = enough.groupby("target", observed=True)[["mape", "median", "bias"]].mean()
    means.insert(0, "chips", enough.groupby("target", observed=True).size())
    return means.reindex(compared["target"].unique()).reset_index()


def refused_rows(compared: pd.DataFrame) -> float:
    """The share of measured rows of which any figure is refused."""
    return float((compared["refused"] != "").groupby(compared["id"]).any().mean())


def rank_correlation(compared: pd.DataFrame) -> tuple[float, int]:
    """(mean, groups) of Spearman's rank correlation of tokens/s per chip, measured and predicted.

    Over the stacks (any other chip, count, dtype, split, engine or date) of one model, isl, osl and concurrency, for
    groups of at least three that are not all measured equal. Predictions that are all equal rank nothing: 0.
    """
    lines = compared[(compared["target"] == "throughput") & compared["predicted"].notna()]
    found = []
    for _, group in lines.groupby(["model", "isl", "osl", "concurrency"]):
        if len(group) >= LEAST_STACKS and group["measured"].nunique() > 1:
            ranks = group[["measured", "predicted"]].rank()
            tied = group["predicted"].nunique() == 1
            found.append(0.0 if tied else float(np.corrcoef(ranks["measured"], ranks["predicted"])[0, 1]))
    return (float(np.mean(found)) if found else np.nan), len(found)


def worst(compared: pd.DataFrame, count: int = 20) -> pd.DataFrame:
    """The lines farthest off as a ratio (twice as long and half as long are equally far), one line a measured row."""
    far = np.log(compared["predicted"] / compared["measured"]).abs()
    order = far.dropna().sort_values(ascending=False, kind="stable").index
    return compared.loc[order].drop_duplicates("id").head(count)
