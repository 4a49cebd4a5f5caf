"""Simulations beside runs of a real engine: the errors of today may not grow."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from harness.cli import stackline
from harness.errors import BadFile, MissingFile, UserMistake
from harness.serving.deploy import deploy
from harness.validation.serving import compare_run, read_run
from tests.conftest import OUTSIDE
from tests.serving.support import SMALL, serve, sessions

RUNS = OUTSIDE / "traces/vllm_runs"
POINTS = 0.03
# Run -> the stack with what its engine was told (engine_kwargs of meta.json) and the day of the run, and the errors
# when this was written.
# Where an error falls, write the new one here.
TRUTH = {
    "rtx4090_llama-3.1-8b": (
        "llama-3.1-8b@rtx-4090,engine=vllm,max_seqs=256,max_batched_tokens=2048,date=2026-08-20",
        {"TTFT p50": 0.080, "TTFT p90": 0.086, "TPOT p50": 0.084, "TPOT p90": 0.083, "total time": 0.055},
    ),
    "rtxpro6000_qwen3-30b-a3b-instruct-2507": (
        "qwen3-30b-a3b@rtx-pro-6000:2,tp=1,dp=2,ep=2,engine=vllm,max_seqs=128,max_batched_tokens=2048,date=2026-04-25",
        {"TTFT p50": 0.135, "TTFT p90": -0.146, "TPOT p50": -0.052, "TPOT p90": -0.068, "total time": -0.037},
    ),
}
_outside = pytest.mark.skipif(not RUNS.is_dir(), reason="no traces/vllm_runs in STACKLINE_REFERENCE_DATA")


@_outside
@pytest.mark.golden
@pytest.mark.parametrize("name", TRUTH)
def test_no_error_is_more_than_three_points_worse_than_written_here(name):
    stack, was = TRUTH[name]
    found = compare_run(RUNS / name / "requests.jsonl.gz", stack).errors
    assert set(found) == set(was)
    worse = {figure: (was[figure], error) for figure, error in found.items() if abs(error) > abs(was[figure]) + POINTS}
    assert not worse, f"written and found: {worse}"


@_outside
@pytest.mark.golden
def test_the_cache_is_as_large_as_the_engine_made_it():
    """num_kv_tokens of the run on the RTX 4090, which its profiling run left."""
    truth = json.loads((RUNS / "rtx4090_llama-3.1-8b/meta.json").read_text("utf-8"))["kv_cache"]["num_kv_tokens"]
    predicted = deploy(TRUTH["rtx4090_llama-3.1-8b"][0]).engine.capacity
    assert predicted == pytest.approx(truth, rel=0.1)


@_outside
@pytest.mark.golden
def test_a_real_run_is_read_whole():
    frame = read_run(RUNS / "rtx4090_llama-3.1-8b/requests.jsonl.gz")
    assert len(frame) == 300 and frame["arrival_s"].iloc[0] == 0
    assert frame["ttft_s"].median() == pytest.approx(60.1109, abs=1e-3)  # summary.txt of the run
    assert frame["tpot_s"].median() == pytest.approx(30.8e-3, abs=1e-4)


# The comparison itself


def own_run(path):
    """A simulation's requests.csv, which is a run as well."""
    trace = sessions(2, 40, 1)
    _, table = serve(SMALL, trace)
    table.to_csv(path, index=False)
    return table


def test_a_simulation_beside_itself_has_no_error(tmp_path):
    own_run(tmp_path / "run.csv")
    found = compare_run(tmp_path / "run.csv", SMALL)
    np.testing.assert_allclose(list(found.errors.values()), 0, atol=1e-6)
    assert found.table["met"].all() and len(found.requests) == 40


def test_a_run_twice_as_slow_has_half_the_time(tmp_path):
    table = own_run(tmp_path / "run.csv")
    for name in ("ttft_s", "e2e_s"):
        table[name] *= 2
    table.to_csv(tmp_path / "slow.csv", index=False)
    found = compare_run(tmp_path / "slow.csv", SMALL).errors
    for figure in ("TTFT p50", "TTFT p90", "TPOT p50", "TPOT p90"):
        assert found[figure] == pytest.approx(-0.5, abs=1e-6)


def test_the_result_of_a_benchmark_client(tmp_path):
    result = {"start_times": [5.0, 5.5, 6.0], "input_lens": [10, 20, 30], "output_lens": [3, 1, 0],
              "ttfts": [0.1, 0.2, 0.0], "itls": [[0.01, 0.03], [], []], "errors": ["", "", "refused"]}  # fmt: skip
    (tmp_path / "r.json").write_text(json.dumps(result), "utf-8")
    frame = read_run(tmp_path / "r.json")
    assert frame["arrival_s"].tolist() == [0, 0.5] and frame["e2e_s"].tolist() == pytest.approx([0.14, 0.2])
    assert frame["tpot_s"].iloc[0] == pytest.approx(0.02) and np.isnan(frame["tpot_s"].iloc[1])


def test_records_of_an_engine(tmp_path):
    line = {"queued_ts": 7.0, "first_token_ts": 7.5, "last_token_ts": 9.5, "input_toks": 8, "output_toks": 5}
    (tmp_path / "r.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    row = read_run(tmp_path / "r.jsonl").iloc[0]
    assert (row["ttft_s"], row["tpot_s"], row["e2e_s"], row["isl"], row["osl"]) == (0.5, 0.5, 2.5, 8, 5)


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(MissingFile):
        read_run(tmp_path / "none.csv")
    for text in ("arrival_s,isl,osl\n0,1,1\n", '{"ttfts": []}\n', "{\n", "arrival_s,isl,osl,ttft_s,e2e_s\n"):
        (tmp_path / "wrong").write_text(text, "utf-8")
        with pytest.raises(BadFile):
            read_run(tmp_path / "wrong")
    (tmp_path / "long.csv").write_text("arrival_s,isl,osl,ttft_s,e2e_s\n0,500000,2,1,2\n", "utf-8")
    with pytest.raises(BadFile, match="context"):
        compare_run(tmp_path / "long.csv", SMALL)


def test_the_command_prints_and_writes_it(tmp_path):
    own_run(tmp_path / "run.csv")
    words = ["validate", "--serving", str(tmp_path / "run.csv"), "--stack", SMALL]
    done = CliRunner().invoke(stackline, [*words, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert done.exit_code == 0 and "TTFT p90" in done.stdout and "yes" in done.stdout
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"serving.csv", "serving-requests.csv"}
    printed = CliRunner().invoke(stackline, [*words, "--format", "json"], catch_exceptions=False).stdout
    assert {row["figure"]: row["met"] for row in json.loads(printed)}["total time"] is True
    with pytest.raises(UserMistake):
        CliRunner().invoke(stackline, words[:3], catch_exceptions=False)
