"""Error measures against numbers worked out by hand, and laws that hold for any rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.validation import errors
from harness.validation.goals import goals


def frame(measured, predicted, target="tpot", **columns) -> pd.DataFrame:
    """Lines as `compare` gives them; a prediction of NaN is a refusal, intervals a fifth either way."""
    measured, predicted = np.array(measured, float), np.array(predicted, float)
    base = {
        "id": [f"{target}{i}" for i in range(len(measured))], "target": target, "statistic": "mean",
        "measured": measured, "predicted": predicted, "p10": predicted * 0.8, "p90": predicted * 1.2,
        "error": predicted / measured - 1, "refused": np.where(np.isnan(predicted), "why", ""), "chip": "a",
        "model": "m", "isl": 1.0, "osl": 1.0, "concurrency": 1.0, "scope": "",
    }  # fmt: skip
    return pd.DataFrame(base | columns)


def test_measures_by_hand():
    """Errors +10 %, -20 %, +50 %, 0, and one refusal; |error| sorted 0, 10, 20, 50."""
    found = errors.measures(frame([10, 10, 10, 10, 10], [11, 8, 15, 10, np.nan]))
    assert found["n"] == 5 and found["refused"] == pytest.approx(0.2)
    assert found["mape"] == pytest.approx(0.2) and found["median"] == pytest.approx(0.15)
    assert found["p90"] == pytest.approx(0.2 + 0.7 * 0.3)  # 2.7 of 3 steps along the sorted errors
    assert found["bias"] == pytest.approx(0.05)  # of -20, 0, 10, 50
    # 10 lies within 8.8..13.2 and 8..12, not within 6.4..9.6 or 12..18.
    assert found["coverage"] == pytest.approx(0.5) and found["sharpness"] == pytest.approx(1.5)


def test_where_all_is_refused_nothing_is_invented():
    found = errors.measures(frame([10, 10], [np.nan, np.nan]))
    assert found["n"] == 2 and found["refused"] == 1
    assert found[["mape", "median", "p90", "bias", "coverage", "sharpness"]].isna().all()


def test_an_absent_interval_covers_nothing_and_misses_nothing():
    lines = frame([10, 10], [10, 10])
    lines.loc[0, ["p10", "p90"]] = np.nan
    assert errors.measures(lines)["coverage"] == 1
    lines.loc[1, ["p10", "p90"]] = np.nan
    assert np.isnan(errors.measures(lines)["coverage"])


def test_a_table_has_a_line_a_group_within_each_target():
    lines = pd.concat([
        frame([10, 10, 10], [11, 12, 10], chip=["a", "a", "b"]), frame([5], [10], target="ttft", chip="b"),
    ])  # fmt: skip
    found = errors.table(lines, ["chip"]).set_index(["target", "chip"])["mape"]
    assert found.to_dict() == pytest.approx({("tpot", "a"): 0.15, ("tpot", "b"): 0.0, ("ttft", "b"): 1.0})
    assert errors.table(lines).set_index("target")["n"].to_dict() == {"tpot": 3, "ttft": 1}
    assert list(errors.table(lines.iloc[:0], ["chip"]).columns) == ["target", "chip", *errors.MEASURES]


def test_the_unweighted_mean_takes_chips_of_ten_rows_once_each():
    chips = ["a"] * 30 + ["b"] * 10 + ["c"] * 9
    errors_of = {"a": 1.1, "b": 1.3, "c": 9.0}
    lines = frame([10.0] * 49, [10 * errors_of[c] for c in chips], chip=chips)
    found = errors.unweighted(lines).iloc[0]
    assert found["chips"] == 2 and found["mape"] == pytest.approx(0.2) and found["bias"] == pytest.approx(0.2)
    assert np.isnan(errors.unweighted(lines[lines["chip"] == "c"]).iloc[0]["mape"])


def test_rows_refused_are_counted_once_for_all_their_figures():
    lines = pd.concat([frame([1, 1], [np.nan, 1]), frame([1, 1], [np.nan, 1], target="ttft")])
    lines["id"] = ["x", "y", "x", "y"]
    assert errors.refused_rows(lines) == 0.5


def test_rank_correlation_by_hand():
    """Ranks 1 2 3 4 against 1 2 4 3: 1 - 6 * 2 / (4 * 15) = 0.8; the other group's agree: 1."""
    ranked = frame([10, 20, 30, 40], [1, 2, 4, 3], target="throughput")
    agreeing = frame([1, 2, 3], [7, 8, 9], target="throughput", concurrency=2.0)
    too_few = frame([1, 2], [2, 1], target="throughput", concurrency=3.0)
    latency = frame([1, 2, 3], [3, 2, 1], target="tpot", concurrency=4.0)
    whole = pd.concat([ranked, agreeing, too_few, latency])
    assert errors.rank_correlation(whole) == (pytest.approx(0.9), 2)
    assert errors.rank_correlation(frame([1, 2, 3], [5, 5, 5], target="throughput")) == (0.0, 1)
    assert errors.rank_correlation(frame([5, 5, 5], [1, 2, 3], target="throughput"))[1] == 0


def test_rank_correlation_is_scipys():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(3)
    measured, predicted = rng.integers(1, 9, 20), rng.integers(1, 9, 20)
    found, _ = errors.rank_correlation(frame(measured, predicted, target="throughput"))
    assert found == pytest.approx(spearmanr(measured, predicted).statistic)


def test_the_worst_rows_are_the_farthest_ratios_one_line_each():
    lines = frame([10, 10, 10, 10], [20, 4, 11, np.nan])
    lines["id"] = ["twice", "less", "near", "refused"]
    assert errors.worst(pd.concat([lines, lines]))["id"].tolist() == ["less", "twice", "near"]


VALUES = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=30)


@given(VALUES)
def test_perfect_predictions_have_no_error_and_full_coverage(measured):
    found = errors.measures(frame(measured, measured))
    assert found[["mape", "median", "p90", "bias", "refused"]].tolist() == [0] * 5 and found["coverage"] == 1


@given(VALUES, st.floats(0.2, 5))
def test_a_common_factor_is_every_error_and_units_cancel(measured, factor):
    found = errors.measures(frame(measured, np.array(measured) * factor))
    for name in ("mape", "median", "p90"):
        assert found[name] == pytest.approx(abs(factor - 1), abs=1e-9)
    assert found["bias"] == pytest.approx(factor - 1, abs=1e-9)
    scaled = errors.measures(frame(np.array(measured) * 1e3, np.array(measured) * factor * 1e3))
    assert scaled.tolist() == pytest.approx(found.tolist())


def test_goals_are_met_by_perfect_predictions_and_not_by_doubled_ones():
    measured = np.arange(1.0, 41.0)

    def of(factor: float) -> dict:
        lines = pd.concat([
            frame(measured, measured * factor, target=t)
            for t in ("tpot", "ttft", "throughput", "saturated")
        ])  # fmt: skip
        power = frame(measured, measured * factor, target="energy", statistic="energy per token", scope="board")
        return {g.name: g for g in goals(pd.concat([lines, power]), lines, frozenset("a"))}

    good, bad = of(1.0), of(2.0)
    too_wide = {"coverage of p10..p90, all figures", "highest coverage of a chip with 30 rows"}
    assert {name for name, g in good.items() if not g.met} == too_wide  # 100 % of the measured inside is too much
    same = {"rows refused", "median p90/p10 of tpot, chips of a fitted family", "rank correlation of tokens/s per chip"}
    assert {name for name, g in bad.items() if g.met} <= {*same, "highest coverage of a chip with 30 rows"}
    assert bad["energy per token mape, board"].figure == pytest.approx(1.0)
    nothing = goals(frame([], []), None, frozenset())
    assert all(g.met is None and np.isnan(g.figure) for g in nothing)
