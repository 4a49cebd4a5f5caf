"""One path for one point, for a table and for the fit: the same numbers by each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.errors import NotPredictable
from harness.prediction import explain, plans, predict
from harness.prediction.rows import read as read_rows
from harness.prediction.table import FIGURES
from harness.profiles import chip, model
from harness.roofline import constants
from harness.roofline.evaluate import timed
from harness.roofline.operate import prepare
from harness.roofline.point import point
from harness.stack import Stack
from harness.validation import outside
from harness.validation.extract import SHIPPED
from harness.validation.fit import Points
from harness.validation.flat import ready
from harness.validation.scored import read

OPTIONS = {"tp": "tp", "pp": "pp", "ep": "ep", "dp": "dp", "kv_dtype": "kv", "act_dtype": "act",
           "engine_family": "engine", "date": "date"}  # fmt: skip


@pytest.fixture(scope="module")
def some() -> pd.DataFrame:
    """Rows as `predict` takes them, of closed loops at a given concurrency."""
    frame = outside.inputs(read(SHIPPED).sample(150, random_state=1))
    blank = ["requests", "prefix_hit"]  # said of a run, not of a stack
    return frame[(frame["scenario"] == "closed-loop") & frame["concurrency"].notna() & frame["chips"].notna()].drop(
        columns=blank, errors="ignore"
    )


def words(row) -> Stack:
    """The stack that a row is in words."""
    options = {}
    for column, option in OPTIONS.items():
        value = getattr(row, column)
        if not pd.isna(value) and value not in ("", 0):
            options[option] = f"{value:g}" if isinstance(value, float) else str(value)
    return Stack(row.model, "" if pd.isna(row.weight_dtype) else row.weight_dtype, row.chip, int(row.chips), options)


def test_a_point_and_a_row_of_a_table_are_one_answer(some):
    found, compared = predict(some), 0
    for row in found[found["error"].isna()].itertuples():
        p = point(words(row), model(row.model), chip(row.chip), row.isl, row.osl, row.concurrency)
        assert p.bound_by == row.bound_by
        for name in set(FIGURES) & set(p.figures):
            figure = p.figures[name]
            shown = [getattr(row, f"{name}{part}") for part in ("", "_p10", "_p90")]
            assert shown == pytest.approx([figure.value, figure.p10, figure.p90], rel=1e-9), (row.Index, name)
        compared += 1
    assert compared > 60


def test_the_fit_sees_what_is_predicted(some):
    """Flat blocks and the blocks of a step: one latency, whatever the scales."""
    shipped = constants.load()
    scales = {k: v * (1 + 0.1 * (i % 3)) for i, (k, v) in enumerate(shipped.scales.items())}
    other = constants.Constants(scales, shipped.errors)
    flat = ready(some)
    x, per_chip = flat.latency(scales), flat.per_chip(flat.latency(scales))
    at, compared = {label: i for i, label in enumerate(flat.index)}, 0
    sorted_ = plans.sort(read_rows(some))
    for plan in sorted_.plans:
        rows = plan.rows[[some.index[r] in at for r in plan.rows]]
        if not len(rows):
            continue
        view, asked = sorted_.asked(rows)
        t = timed(prepare(plan.arch, plan.dtypes, plan.layout, plan.split, view, asked), asked, other)
        places = [at[some.index[r]] for r in rows]
        for name in ("ttft", "ttft_median", "tpot", "tpot_median", "e2e", "prefills", "queued"):
            np.testing.assert_allclose(getattr(x, name)[places], getattr(t.latency, name), rtol=1e-9, err_msg=name)
        compared += len(rows)
    assert compared == len(flat.index) > 60
    shown = predict(some, other).loc[flat.index, "output_tok_s_per_chip"]
    np.testing.assert_allclose(per_chip, shown, rtol=1e-9)


def test_the_fits_errors_are_those_of_the_table():
    frame = read(SHIPPED)
    points = Points.of(frame)
    errors = points.errors(constants.load().scales)["tpot"]
    counts = np.isfinite(errors)
    rows = frame.loc[points.ready.index[counts]]
    found = predict(outside.inputs(rows))
    shown = np.where(points.median["tpot"][counts], found["tpot_p50_ms"], found["tpot_ms"])
    np.testing.assert_allclose(np.exp(errors[counts]), shown / rows["tpot_ms"], rtol=1e-9)


def test_a_frame_longer_than_a_batch_is_answered_whole(some, monkeypatch):
    from harness import prediction

    whole = predict(some)
    monkeypatch.setattr(prediction, "FRAME_ROWS", 50)
    pd.testing.assert_frame_equal(predict(some), whole, rtol=1e-12)


def test_the_terms_of_a_row_are_its_steps(some):
    """Seconds of the decode step and of a request's own prefill, by operator; shares of the peak are at most 1."""
    p, row = None, predict(some).query("error.isna() and chips > 1").iloc[:1]
    for r in row.itertuples():
        p = point(words(r), model(r.model), chip(r.chip), r.isl, r.osl, r.concurrency)
    terms = explain(some.loc[row.index])
    for phase, step in (("decode", p.decode), ("prefill", p.prefill)):
        of = terms[terms["phase"] == phase]
        assert of["seconds"].sum() == pytest.approx(step.seconds, rel=1e-9)
        assert of["share"].sum() == pytest.approx(1, rel=1e-9) and of["of_peak"].dropna().between(0, 1).all()
    assert sum(terms.attrs["unknowns"].values()) == pytest.approx(1)
    of = terms.attrs["token"]
    whole_ms = (of["decode"] + of["prefills"] * of["prefill"] - of["saved"]) * 1e3
    assert whole_ms == pytest.approx(row["tpot_ms"].iloc[0], rel=1e-9) and of["saved"] >= 0
    with pytest.raises(NotPredictable, match="no-such-chip"):
        explain(some[:1].assign(chip="no-such-chip"))
