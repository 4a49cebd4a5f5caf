"""Predictions of rows that the constants never saw: leave out a chip, a family or a model.

What is left out leaves the fit's operating points and its measured kernels both. A row whose chip (family, model) was
in no fit is predicted with the shipped constants: for it they are already out of sample.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from harness.discovery import CHIP, find
from harness.errors import UnknownId
from harness.prediction import predict
from harness.profiles import chip
from harness.roofline import constants as calibration
from harness.validation.launched import as_launched
from harness.validation.scored import CONFIGURATION, SCENARIOS

LEFT_OUT = ("chip", "family", "model")
INPUTS = (*CONFIGURATION, "engine_family", "date")


def inputs(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that `predict` reads, with the contract's scenario names and as launched; index as given."""
    return as_launched(frame)[list(INPUTS)].assign(scenario=frame["scenario"].map(SCENARIOS))


def family_of(chip_id: str) -> str:
    """The family that a chip's profile names; a chip without a profile is its own."""
    try:
        return chip(chip_id).family
    except UnknownId:
        return chip_id


def groups(frame: pd.DataFrame, by: str) -> pd.Series:
    """For each row the name of what is left out with it: its chip, its chip's family or its model."""
    return frame["chip"].map({c: family_of(c) for c in frame["chip"].unique()}) if by == "family" else frame[by]


def predictions(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """`predict`'s columns for the rows of `read`, index as given.

    by: chip, family or model: with the shipped constants that were fitted without each; none: with the shipped
    constants as they are, in sample.
    """
    shipped = calibration.load()
    return _predicted(frame, by, lambda name: calibration.left_out(by, name) or shipped, shipped)


def refitted(frame: pd.DataFrame, by: str, say: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
    """As `predictions`, with constants fitted here on the frame's other rows: about a minute a group."""
    from harness.validation.fit import fit as fit_scales

    names = groups(frame, by)
    order = sorted(names.unique())

    def fit(name: str) -> calibration.Constants:
        say(f"fit {order.index(name) + 1} of {len(order)}: without {by} {name}")
        return fit_scales(frame[names != name], _chips_of(by, name))

    return _predicted(frame, by, fit, None)


def fitted_relatives(frame: pd.DataFrame) -> frozenset[str]:
    """The chips of a fitted family: another chip of their family, among those of the frame, was in the fit."""
    chips = frame["chip"].unique()
    fitted = [c for c in chips if calibration.left_out("chip", c) is not None]
    return frozenset(c for c in chips if any(o != c and family_of(o) == family_of(c) for o in fitted))


def _predicted(frame: pd.DataFrame, by: str, constants_without: Callable, shipped: object) -> pd.DataFrame:
    if by == "none":
        return predict(inputs(frame), constants=shipped)
    parts = [
        predict(inputs(rows), constants=constants_without(name)) for name, rows in frame.groupby(groups(frame, by))
    ]
    return pd.concat(parts).loc[frame.index]


def _chips_of(by: str, name: str) -> tuple[str, ...]:
    """The chips whose measured kernels leave the fit too."""
    if by == "model":
        return ()
    return (name,) if by == "chip" else tuple(c for c in find(CHIP) if family_of(c) == name)
