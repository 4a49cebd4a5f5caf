"""`predict` from end to end: the contract's table, the same figures by every way of asking, files and command."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import harness
from harness.cli import stackline
from harness.prediction.files import predict_file
from harness.prediction.table import FIGURES, MAY_BE_BLANK, SCHEMA
from tests.conftest import ROOT

ROWS = [
    # chip, chips, model, weight_dtype, tp, isl, osl, concurrency, kv_dtype, date, scenario
    ("h100-sxm", 1, "llama-3.1-8b", "fp8", 1, 1024, 128, 16, None, "2026-03", None),
    ("h100-sxm", 8, "llama-3.1-70b", None, 8, 8192, 512, 64, "fp8", None, "closed-loop"),
    ("h20-96gb", 2, "llama-3.1-8b", "bf16", None, 100, 100, None, None, "2025", None),
    ("mi300x", 8, "qwen3-32b", "bf16", 4, 512, 2, 1, None, None, "static-batch"),
    ("zhenwu-m890", 8, "llama-3.1-8b", None, 1, 3000, 300, 40, None, None, "offline"),
    ("h100-sxm", 1, "llama-3.1-8b", "fp8", 1, 10_000_000, 128, 16, None, None, None),
    ("h100-sxm", 1, "llama-3.1-405b", "bf16", 1, 128, 128, 1, None, None, None),
    ("h100-sxn", 1, "llama-3.1-8b", "fp8", 1, 128, 128, 1, None, None, None),
    ("h100-sxm", 1, "llama-3.1-8c", "fp8", 1, 128, 128, 1, None, None, None),
    ("h100-sxm", 8, "llama-3.1-8b", "fp8", 3, 128, 128, 1, None, None, None),
    ("h100-sxm", -1, "llama-3.1-8b", "fp8", 1, 128, 128, 1, None, None, None),
]
REFUSED = [False] * 5 + [True] * 6
COLUMNS = "chip chips model weight_dtype tp isl osl concurrency kv_dtype date scenario".split()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS).assign(note=[f"{i:03}" for i in range(len(ROWS))])


@pytest.fixture(scope="module")
def out(rows) -> pd.DataFrame:
    return harness.predict(rows)


def test_every_row_is_answered_or_refused_with_a_reason_of_one_line(out):
    assert out.error.notna().tolist() == REFUSED
    assert all("\n" not in reason for reason in out.error.dropna())
    good, bad = out[out.error.isna()], out[out.error.notna()]
    assert bad[[c for c in SCHEMA.names if c not in ("fits", "error")]].isna().all(axis=None)
    assert good[["ttft_ms", "tpot_ms", "output_tok_s_per_chip", "bound_by"]].notna().all(axis=None)
    assert set(good.bound_by) <= {"compute", "memory", "network", "overhead", "queue", "capacity"}


def test_a_reason_says_what_was_wrong(out):
    context, weights, chip, model, layout, chips = out.error.dropna()

    assert (
        "context" in context and "weights need 811.7 GB" in weights and "h100-sxm" in chip and "llama-3.1-8b" in model
    )
    assert "3" in layout and chips == "chips: found -1, expected a whole number from 1 to 1e9"
    assert out.fits.tolist()[:2] == [True, True] and not out.fits[6]


def test_a_row_that_does_not_fit_says_the_same_alone_and_among_others(rows):
    """Whatever else is in its plan: shorter rows that fit, longer ones that need more."""
    long = rows[:1].assign(chip="h100-sxm", model="llama-3.1-70b", weight_dtype="fp8", chips=1, tp=1, osl=1)
    frame = pd.concat([long.assign(isl=n) for n in (128, 20_000, 60_000, 120_000, 60_000)])
    together = harness.predict(frame)
    alone = [harness.predict(frame[i : i + 1]).error.iloc[0] for i in range(len(frame))]
    assert together.error.fillna("").tolist() == [reason if isinstance(reason, str) else "" for reason in alone]
    assert together.error.iloc[:2].isna().all() and together.error.iloc[2:].str.contains("cache do not fit").all()


def test_an_interval_holds_its_figure(out):
    for figure in FIGURES:
        value, low, high = (out[f"{figure}{part}"].dropna() for part in ("", "_p10", "_p90"))
        assert (low > 0).all() and (low <= value).all() and (value <= high).all(), figure


def test_the_users_columns_order_index_and_dtypes_are_kept(rows):
    odd = rows.astype({"chip": "category", "isl": "Int64", "model": object, "osl": "float32"})
    odd.index = pd.MultiIndex.from_tuples([("a", i // 2) for i in range(len(odd))])  # with repeats
    kept = odd.copy(deep=True)

    answered = harness.predict(odd)

    pd.testing.assert_frame_equal(answered[list(odd)], kept)
    pd.testing.assert_frame_equal(odd, kept)
    assert list(answered) == [*odd, *SCHEMA.names]
    assert (
        answered.fits.dtype == "boolean" and answered.tpot_ms.dtype == np.float64 and answered.tp_used.dtype == "Int64"
    )


def test_dtypes_of_the_input_change_no_figure(rows, out):
    as_words = rows.astype(str)  # blanks become "None" and "nan", numbers words

    pd.testing.assert_frame_equal(harness.predict(as_words)[SCHEMA.names], out[SCHEMA.names])


def test_a_row_is_answered_alike_alone_and_in_any_company(rows, out):
    turned = harness.predict(rows[::-1])

    pd.testing.assert_frame_equal(turned[::-1][SCHEMA.names], out[SCHEMA.names], rtol=1e-12)
    alone = pd.concat([harness.predict(rows[i : i + 1]) for i in range(len(rows))])
    pd.testing.assert_frame_equal(alone[SCHEMA.names], out[SCHEMA.names], rtol=1e-12)


def test_what_stood_in_is_shown_only_where_the_input_was_blank(rows, out):
    for name in MAY_BE_BLANK:
        given = rows[name].notna() if name in rows else pd.Series(False, rows.index)
        assert out.loc[given | out.error.notna(), f"{name}_used"].isna().all(), name
        assert out.loc[~given & out.error.isna(), f"{name}_used"].notna().all(), name


def test_what_stood_in_when_given_changes_no_figure(rows, out):
    given = rows.copy()
    for name in MAY_BE_BLANK:
        if name != "concurrency":  # the saturated point is another question than the one at its concurrency
            asked = given[name].astype(object) if name in given else pd.Series(None, given.index, dtype=object)
            given[name] = asked.where(asked.notna(), out[f"{name}_used"].astype(object))

    again = harness.predict(given)

    figures = [c for c in SCHEMA.names if not c.endswith("_used")]
    pd.testing.assert_frame_equal(again[figures], out[figures], rtol=2e-3)  # a stand-in date is shown to the day


@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_a_file_has_the_figures_of_the_frame_whatever_the_batches(rows, out, tmp_path, kind, batch_rows):
    source, target = tmp_path / f"in.{kind}", tmp_path / f"out.{kind}"
    rows.to_parquet(source) if kind == "parquet" else rows.to_csv(source, index=False)

    summary = predict_file(source, target, batch_rows=batch_rows)

    read = pd.read_parquet(target) if kind == "parquet" else pd.read_csv(target, dtype={"note": str})
    assert list(read) == list(out) and read.note.tolist() == rows.note.tolist()
    assert (summary.rows, summary.refused) == (len(rows), sum(REFUSED))
    for name in SCHEMA.names:
        if SCHEMA.field(name).type == "double":
            np.testing.assert_allclose(read[name], out[name], rtol=1e-12, err_msg=name)
        else:
            assert read[name].isna().tolist() == out[name].isna().tolist(), name
            assert read[name].dropna().tolist() == out[name].dropna().tolist(), name


def test_the_share_done_grows_to_one(rows, tmp_path):
    rows.to_csv(tmp_path / "in.csv", index=False)
    shares = []

    predict_file(tmp_path / "in.csv", tmp_path / "out.csv", shares.append, batch_rows=4)

    assert shares == sorted(shares) and shares[-1] == 1.0


def test_the_command_counts_what_it_refused_and_succeeds(rows, tmp_path):
    rows.to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "out.parquet").write_text("an older file")

    done = subprocess.run(
        [sys.executable, "-m", "harness", "predict", "in.csv", "-o", "out.parquet"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0 and done.stdout == ""
    assert "11 rows in" in done.stderr and "6 refused\n" in done.stderr
    assert "        1  unknown chip 'h100-sxn': did you mean 'h100-sxm'?" in done.stderr
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == len(rows)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.parquet"]


def test_a_chip_of_ones_own_is_predicted(rows, tmp_path, no_extra_paths):
    (tmp_path / "chips").mkdir()
    (tmp_path / "chips" / "my-chip.toml").write_text('base = "h100-sxm"\nname = "My chip"\n')
    rows[:1].assign(chip="my-chip").to_csv(tmp_path / "in.csv", index=False)
    words = ["predict", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "--path", str(tmp_path / "chips")]

    done = CliRunner().invoke(stackline, words)

    assert done.exit_code == 0, done.output
    assert pd.read_csv(tmp_path / "out.csv").error.isna().all()


def test_a_proxy_is_named_beside_its_figures():
    frame = pd.DataFrame({"chip": "b300-sxm", "chips": 8, "model": ["qwen3.7-max", "qwen3-32b"], "isl": 512, "osl": 64})
    out = harness.predict(frame.assign(concurrency=4, weight_dtype="nvfp4"))
    assert out.error.isna().all() and out.model_used[0] == "qwen3.8-2.4t-a95b" and pd.isna(out.model_used[1])
