"""The scoring rules: for each a row that counts, and one that does not."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.errors import MissingFile, UserMistake
from harness.validation.scored import COLUMNS, TARGETS, power_scope, read, scored, statistic
from tests.conftest import OUTSIDE
from tests.validation.support import rows, table

TABLE = OUTSIDE / "measurements/operating_points.csv.gz"
THROUGHPUT = {"output_tok_s_per_chip": "100"}


@pytest.mark.parametrize(
    ("counts", "does_not", "reason"),
    [
        ({"disagg": ""}, {"disagg": "1"}, "disaggregated"),
        ({"spec_decode": ""}, {"spec_decode": "mtp"}, "speculative"),
        ({"isl": "7"}, {"isl": ""}, "length"),
        ({"osl": "700"}, {"osl": ""}, "length"),
        ({"source": "dstack"}, {"source": "gpustack-perf-lab"}, "queueing"),
        ({"engine_family": "llama.cpp", "chips": "1"}, {"engine_family": "llama.cpp", "chips": "2"}, "layer split"),
        ({"tp": "", "chips": "8"}, {"tp": "", "chips": "9"}, "split not published"),
        ({"tp": "8", "chips": "16"}, {"tp": "", "chips": ""}, "split not published"),
        ({"concurrency": "500"}, {"concurrency": "100000"}, "more requests decode at once"),
        # Requests that wait hold no memory.
        ({"concurrency": "100000", "ttft_ms": "1e7"}, {"concurrency": "100000"}, "more requests decode at once"),
        ({"concurrency": "500"}, {"concurrency": "1000"}, "prompts alone"),  # 50,000 prompt tokens/s of a 70B
        ({"chip": "no-such-chip", "model": "no-such-model"}, {"ttft_ms": "", "tpot_ms": ""}, "no figure"),
    ],
)
def test_a_rule_keeps_one_row_and_drops_the_other(tmp_path, counts, does_not, reason):
    _, found = rows(tmp_path / "m.csv", counts, does_not)
    assert found[list(TARGETS)].any(axis=1).tolist() == [True, False]
    assert found["reason"][0] == "" and reason in found["reason"][1]


@pytest.mark.parametrize(
    ("target", "counts", "does_not"),
    [
        ("tpot", {}, {"tpot_ms": ""}),
        ("tpot", {"scenario": "static-batch"}, {"concurrency": ""}),
        ("ttft", {}, {"ttft_ms": ""}),
        ("ttft", {"scenario": "singlestream"}, {"concurrency": ""}),
        ("ttft", {"scenario": ""}, {"scenario": "static-batch"}),
        ("ttft", {}, {"scenario": "server"}),
        ("throughput", THROUGHPUT, {}),
        # The latencies of these give 99 tokens/s a chip.
        ("throughput", {"output_tok_s_per_chip": "80"}, {"output_tok_s_per_chip": "70"}),
        ("throughput", {**THROUGHPUT, "scenario": "static-batch"}, {**THROUGHPUT, "concurrency": ""}),
        ("saturated", {**THROUGHPUT, "concurrency": "", "scenario": "offline"}, THROUGHPUT),
        ("energy", {"energy_j_per_output_tok": "2", "power_scope": "mean per GPU (accelerator only)"}, {}),
        ("energy", {"power_w": "600", "power_scope": "wall power of whole SUT"}, {"power_w": "600"}),
    ],
)
def test_a_figure_counts_under_its_conditions(tmp_path, target, counts, does_not):
    _, found = rows(tmp_path / "m.csv", counts, does_not)
    assert found[target].tolist() == [True, False]


def test_equal_rows_count_once_and_a_difference_in_any_part_counts(tmp_path):
    same = {"date": "2025-06-01"}
    different = [{"tp": "4"}, {"isl": "9"}, {"engine": "vllm 1"}, {"ttft_ms": "201"}, {"tpot_ms": "21"}, {"dp": "2"}]
    _, found = rows(tmp_path / "m.csv", same, same, *({**same, **d} for d in different), {"date": "2025-07"})
    assert found["reason"].tolist() == ["", "equal to an earlier row", *[""] * 7]
    _, blank = rows(tmp_path / "m.csv", *[{**same, "ttft_ms": "", "tpot_ms": "", **THROUGHPUT}] * 2)
    assert blank["throughput"].tolist() == [True, False]


def test_an_excluded_row_does_not_take_the_place_of_an_equal_one(tmp_path):
    same = {"date": "2025-06-01"}
    _, found = rows(tmp_path / "m.csv", {**same, "source": "gpustack-perf-lab"}, same)
    assert found["tpot"].tolist() == [False, True]


def test_statistics_and_scopes_are_read_as_they_are_named():
    named = pd.Series(["mean", "median", "", "as published (unspecified, presumably mean)", "2nd token latency", "p50"])
    assert statistic(named).tolist() == ["mean", "median", *["unspecified"] * 3, "median"]
    scopes = pd.Series(["mean per GPU (accelerator only)", "wall power of whole SUT", "board", "", "rack"])
    assert power_scope(scopes).tolist() == ["board", "wall", "board", "", ""]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"isl": "1k"}, "row 1: isl: found '1k'"),
        ({"tpot_ms": "-3"}, "tpot_ms: found '-3'"),
        ({"concurrency": "0"}, "concurrency: found '0'"),
        ({"concurrency": "inf"}, "concurrency: found 'inf'"),
        ({"chip": ""}, "no chip"),
        ({"scenario": "guess"}, "scenario 'guess', expected fixed-concurrency"),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_row_and_column(tmp_path, change, said):
    with pytest.raises(UserMistake) as mistake:
        read(table(tmp_path / "m.csv", change))
    assert said in str(mistake.value) and "\n" not in str(mistake.value)


def test_files_that_are_not_measurements(tmp_path):
    (tmp_path / "m.csv").write_text("id,chip\n1,h100-sxm\n")
    with pytest.raises(UserMistake, match=r"no column model, isl, osl"):
        read(tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text("chip,model,isl,osl\nh100-sxm,llama-3.1-8b,8,8\n")
    with pytest.raises(UserMistake, match="no column of a figure"):
        read(tmp_path / "m.csv")
    (tmp_path / "m.parquet").write_text("no parquet")
    with pytest.raises(UserMistake, match="not a table of measurements"):
        read(tmp_path / "m.parquet")
    with pytest.raises(MissingFile):
        read(tmp_path / "none.csv")
    with pytest.raises(UserMistake, match="id '0' is there twice"):
        read(table(tmp_path / "m.csv", {}, {"id": "0"}))


def test_what_a_file_does_not_have_is_blank_and_an_id_is_the_row(tmp_path):
    (tmp_path / "m.csv").write_text("chip,chips,model,isl,osl,concurrency,tpot_ms\nh100-sxm,1,llama-3.1-8b,8,8,4,9\n")
    found = read(tmp_path / "m.csv")
    assert list(found.columns) == list(COLUMNS) and found["id"].tolist() == ["row 1"]
    assert found["engine"].tolist() == [""] and found["ttft_ms"].isna().all() and scored(found)["tpot"].all()


def test_csv_gz_and_parquet_read_alike_and_further_columns_are_left_out(tmp_path):
    path = table(tmp_path / "m.csv", {"date": "2025"}, {"tp": "", "ttft_ms": "0"})
    whole = read(path)
    typed = pd.read_csv(path).assign(remark="more")
    typed.to_csv(tmp_path / "m.csv.gz", index=False)
    typed.to_parquet(tmp_path / "m.parquet")
    assert list(whole.columns) == list(COLUMNS) and whole["ttft_ms"].isna().tolist() == [False, True]
    for other in ("m.csv.gz", "m.parquet"):
        pd.testing.assert_frame_equal(read(tmp_path / other), whole)


@pytest.mark.golden
@pytest.mark.skipif(not TABLE.exists(), reason="no measurements/operating_points.csv.gz in STACKLINE_REFERENCE_DATA")
def test_the_whole_table_gives_the_counts_that_the_rules_give_by_hand():
    """The same rules, written once more on the plain columns."""
    frame = read(TABLE)
    found = scored(frame)
    f = pd.read_csv(TABLE, low_memory=False)
    f = f[(f.disagg.fillna(0) == 0) & f.spec_decode.isna() & f.isl.notna() & f.osl.notna()]
    f = f[(f.source != "gpustack-perf-lab") & ~((f.engine_family == "llama.cpp") & (f.chips > 1))]
    f = f[f.tp.notna() | (f.chips <= 8)]
    f = f.drop_duplicates([
        "chip", "chips", "model", "weight_dtype", "act_dtype", "kv_dtype", "tp", "pp", "ep", "dp", "scenario", "isl",
        "osl", "concurrency", "engine_family", "engine", "date", "ttft_ms", "tpot_ms",
    ])  # fmt: skip
    for said in ("more requests decode", "prompts alone"):  # the rules that are not of plain columns
        modelled = found["reason"].str.contains(said)
        assert 0 < modelled.sum() < len(f) / 200
        f = f[~f.id.isin(frame.id[modelled])]
    # Nor are those that compare rows; their own tests are in test_contradicted.py.
    words = {"as the source that marks it": 64, "eighth of the requests": 11, "another run of the same words": 34,
             "worked from its run": 19}  # fmt: skip
    for said, most in words.items():
        against = found["reason"].str.contains(said)
        assert 0 < f.id.isin(frame.id[against]).sum() <= most
        f = f[~f.id.isin(frame.id[against])]
    at, rate = f.concurrency.notna(), f.output_tok_s_per_chip.notna()
    assert found["tpot"].sum() == (at & f.tpot_ms.notna()).sum() > 2000
    assert found["ttft"].sum() == (at & f.ttft_ms.notna() & (f.scenario == "fixed-concurrency")).sum() > 2000
    latency = f.concurrency * f.osl / (f.ttft_ms + (f.osl - 1) * f.tpot_ms) * 1e3 / f.chips
    short = at & rate & (f.scenario == "fixed-concurrency") & (f.output_tok_s_per_chip / latency < 0.75)
    assert 0 < short.sum() < (at & rate).sum() / 30
    assert found["throughput"].sum() == (at & rate & ~short).sum() > 500
    assert found["saturated"].sum() == (~at & rate).sum() > 100
    assert found["energy"].sum() == (f.energy_j_per_output_tok.notna() | f.power_w.notna()).sum() > 5
