"""Out of sample: what is left out is out, and rows come back in their places."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.discovery import CHIP, find
from harness.prediction import predict
from harness.profiles import chip
from harness.roofline import constants
from harness.validation import fit as fitting
from harness.validation import outside
from harness.validation.extract import SHIPPED
from harness.validation.scored import read
from tests.validation.support import FIGURES


@pytest.fixture(scope="module")
def some() -> pd.DataFrame:
    """Rows of several chips and models, out of order."""
    return read(SHIPPED).sample(60, random_state=4)


@pytest.mark.parametrize("by", ["chip", "family", "model", "none"])
def test_predictions_keep_the_rows_places(some, by):
    found = outside.predictions(some, by)
    assert found.index.tolist() == some.index.tolist() and found["chip"].tolist() == some["chip"].tolist()


def test_a_row_is_predicted_with_the_constants_that_did_not_see_its_chip(some):
    name = next(c for c in some["chip"].unique() if constants.left_out("chip", c) is not None)
    own = some[some["chip"] == name]
    expected = predict(outside.inputs(own), constants=constants.left_out("chip", name))
    found = outside.predictions(some, "chip").loc[own.index]
    pd.testing.assert_frame_equal(found[list(FIGURES)], expected[list(FIGURES)])


def test_scenarios_become_the_contracts(some):
    assert set(outside.inputs(some)["scenario"]) <= {"closed-loop", "static-batch", "offline"}


@pytest.mark.parametrize("by", ["chip", "family", "model"])
def test_a_refit_sees_neither_rows_nor_kernels_of_what_is_left_out(some, by, monkeypatch):
    """The fit, which takes a minute, is not run: what it is asked to fit on is looked at."""
    asked, said = [], []

    def fit(rows, without_chips=()):
        asked.append((rows, without_chips))
        return constants.load()

    monkeypatch.setattr(fitting, "fit", fit)
    outside.refitted(some, by, said.append)
    names, families = sorted(outside.groups(some, by).unique()), {c: chip(c).family for c in find(CHIP)}
    assert len(asked) == len(said) == len(names) and said[0] == f"fit 1 of {len(names)}: without {by} {names[0]}"
    for name, (rows, without) in zip(names, asked, strict=True):
        assert name not in set(outside.groups(rows, by)) and 0 < len(rows) < len(some)
        relatives = {c for c, family in families.items() if family == name}
        assert set(without) == {"chip": {name}, "model": set(), "family": relatives}[by]


def test_every_chip_of_the_library_names_a_family():
    families = {c: outside.family_of(c) for c in find(CHIP)}
    assert not [c for c, family in families.items() if family == c]
    assert families["h20-96gb"] == families["gh200"] == "Hopper" and families["l20"] == families["a40"] == "Ampere/Ada"
    assert outside.family_of("no-such-chip") == "no-such-chip"


def test_a_relative_is_a_chip_whose_family_was_fitted_on_another(some):
    found = outside.fitted_relatives(some)
    fitted = {c for c in some["chip"].unique() if constants.left_out("chip", c) is not None}
    assert found and all(any(o != c and outside.family_of(o) == outside.family_of(c) for o in fitted) for c in found)
