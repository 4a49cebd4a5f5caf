"""The model of time against the shipped operating points that it covers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from harness.profiles import chip, model
from harness.roofline.hardware import how_known
from harness.roofline.point import Point, point
from harness.stack import Stack
from harness.validation.extract import SHIPPED
from harness.validation.scored import read, scored


@cache
def rows() -> tuple[dict, ...]:
    """Those with TTFT, TPOT and a closed loop, whose chips neither pipeline nor spread experts or attention."""
    frame = read(SHIPPED)
    counts = scored(frame)
    plain = frame[["pp", "ep", "dp"]].fillna(1).le(1).all(axis=1) & (frame["tp"] == frame["chips"]) & (frame["tp"] <= 8)
    return tuple(frame[counts["tpot"] & counts["ttft"] & plain].to_dict("records"))


@cache
def predicted() -> tuple[Point, ...]:
    """Every row's own point; one that is refused fails the test that asks."""
    out = []
    for r in rows():
        stack = Stack(r["model"], r["weight_dtype"], r["chip"], int(r["chips"]), {"tp": str(int(r["tp"]))})
        out.append(point(stack, model(r["model"]), chip(r["chip"]), r["isl"], r["osl"], int(r["concurrency"])))
    return tuple(out)


@pytest.mark.golden
def test_half_the_token_times_are_predicted_within_30_percent():
    """Measured: the median error of TPOT over the 199 rows is 13 % (bias of the median -4 %).

    By chip 8 % (H100), 11 % (B200, MI355X), 13 % (B300), 17 % (H200), 24 % (MI300X, too fast); the MAPE of 34 % is
    that of four rows on GB200 and TPU. In sample: the scales were fitted on the table that these rows are from.
    """
    errors = [p.figures["tpot_ms"].value / r["tpot_ms"] - 1 for r, p in zip(rows(), predicted(), strict=True)]
    assert np.median(np.abs(errors)) < 0.30
    assert abs(np.median(errors)) < 0.15


@pytest.mark.golden
def test_most_measured_token_times_fall_inside_the_interval():
    """Measured: 79 % of the TPOTs, and 73 % of the TTFTs, fall within p10..p90, whose nominal share is 80 %."""
    pairs = list(zip(rows(), predicted(), strict=True))
    for figure, least in (("tpot_ms", 0.6), ("ttft_ms", 0.6)):
        inside = [p.figures[figure].p10 <= r[figure] <= p.figures[figure].p90 for r, p in pairs]
        assert np.mean(inside) >= least, figure


@pytest.mark.golden
def test_an_interval_is_not_so_wide_that_anything_would_fall_inside():
    """Measured: p90 over p10 of TPOT is 1.5 to 2.6 on NVIDIA's and AMD's software, 7 on others', fitted by few rows."""
    widths = {known: [] for known in (True, False)}
    for r, p in zip(rows(), predicted(), strict=True):
        known = how_known(chip(r["chip"])) != "other"
        widths[known].append(p.figures["tpot_ms"].p90 / p.figures["tpot_ms"].p10)
    assert 1.2 < min(widths[True]) <= max(widths[True]) < 3 and max(widths[False]) < 9
