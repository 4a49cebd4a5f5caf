"""What a row is compared with: the statistic it names, the scope of its power, or a refusal that is counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.profiles import shared_value
from harness.validation.compare import BANDS, SATURATED, band
from tests.validation.support import lines

ALL = {
    "ttft_ms": 300.0, "ttft_p50_ms": 250.0, "tpot_ms": 30.0, "tpot_p50_ms": 22.0, "output_tok_s_per_chip": 50.0,
    "power_w_per_chip": 500.0, "energy_j_per_output_tok": 10.0,
}  # fmt: skip


def test_a_median_is_compared_with_the_median_and_all_else_with_the_mean(tmp_path):
    stats = ["mean", "median", ""]
    found = lines(tmp_path / "m.csv", [{"tpot_stat": s, "ttft_stat": s} for s in stats], [ALL] * 3)
    tpot, ttft = (found[found["target"] == t] for t in ("tpot", "ttft"))
    assert tpot["statistic"].tolist() == ttft["statistic"].tolist() == ["mean", "median", "unspecified"]
    assert tpot["predicted"].tolist() == [30, 22, 30] and ttft["predicted"].tolist() == [300, 250, 300]
    assert tpot["p10"].tolist() == pytest.approx([24, 17.6, 24]) and tpot["p90"][1] == pytest.approx(26.4)
    assert tpot["error"].tolist() == pytest.approx([0.5, 0.1, 0.5])


def test_a_refused_row_keeps_its_lines_and_says_why(tmp_path):
    found = lines(tmp_path / "m.csv", [{}, {"chip": "no-such-chip"}, {}], [ALL, "unknown chip", {}])
    tpot = found[found["target"] == "tpot"]
    assert tpot["refused"].tolist() == ["", "unknown chip", "no figure, no reason given"]
    assert tpot["predicted"].isna().tolist() == tpot["error"].isna().tolist() == [False, True, True]
    assert tpot["family"].tolist() == ["Hopper", "no-such-chip", "Hopper"]


def test_throughput_is_saturated_without_a_concurrency(tmp_path):
    rate = {"output_tok_s_per_chip": "40", "concurrency": "8"}
    found = lines(tmp_path / "m.csv", [rate, {**rate, "concurrency": ""}], [ALL] * 2)
    assert found.groupby("id")["target"].agg(list).tolist() == [["tpot", "ttft", "throughput"], ["saturated"]]
    assert found[found["target"].isin(["throughput", "saturated"])]["error"].tolist() == pytest.approx([0.25] * 2)


def test_energy_is_compared_in_the_scope_it_was_measured_in(tmp_path):
    """At the wall a chip has its share of the server: 10 J at 500 W are 10 * (500 + share) / 500."""
    wall, board = {"power_scope": "wall power of whole SUT"}, {"power_scope": "mean per GPU"}
    rows = [
        {**board, "energy_j_per_output_tok": "8", "power_w": "400"},
        {**board, "power_w": "400"},
        {**wall, "energy_j_per_output_tok": "8"},
        {**wall, "power_w": "6400"},
    ]
    found = lines(tmp_path / "m.csv", rows, [ALL] * 4)
    found = found[found["target"] == "energy"]
    share = shared_value("server.overhead_power").point
    assert found["scope"].tolist() == ["board", "board", "wall", "wall"]
    assert found["statistic"].tolist() == ["energy per token", "power"] * 2
    assert found["measured"].tolist() == [8, 400, 8, 800]
    assert found["predicted"].tolist() == pytest.approx([10, 500, 10 * (500 + share) / 500, 500 + share])
    assert found["unit"].tolist() == ["J/token", "W"] * 2


def test_bands_hold_their_upper_ends():
    given = pd.Series([1, 2, 8, 9, 32, 33, 128, 129, 512, 513, 1e6, np.nan])
    names = [name for _, name in BANDS]
    expected = [names[i] for i in (0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5)]
    assert band(given).astype(str).tolist() == [*expected, SATURATED]
