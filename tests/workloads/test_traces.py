"""Readers of recorded traces: on small files written here, and on the real ones."""

from __future__ import annotations

import gzip
import json
import time

import pytest

from harness.errors import BadFile, MissingFile, UserMistake
from harness.workloads import cached_tokens, formats, load_trace
from tests.workloads.support import TRACES, WEKA, outside

CALL = {"in": 130, "out": 10, "input_types": ["text"], "api_time": 2.0}
SESSION = {
    "id": "s1", "block_size": 64, "hash_id_scope": "local",
    "requests": [
        {**CALL, "t": 0.0, "hash_ranges": [[1, 2]], "think_time": 0.0},
        {"t": 12.5, "type": "subagent", "agent_id": "a", "duration_ms": 10000, "requests": [
            {**CALL, "t": 0.0, "hash_ranges": [[50, 51]]},
            {**CALL, "t": 5.0, "think_time": 3.0, "hash_ids": [50, 51], "input_types": ["tool_result"]}]},
        {**CALL, "t": 20.0, "in": 200, "hash_ranges": [[1, 3]], "think_time": 17.5, "input_types": ["tool_result"]},
        {**CALL, "t": 30.0, "in": 260, "out": 0, "hash_ranges": [[1, 3], [9, 9]]},
    ],
}  # fmt: skip


def written(path, text: str):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_coding_sessions(tmp_path, name):
    frame = load_trace(written(tmp_path / name, json.dumps(SESSION) + "\n"))
    own, agent = (frame[frame["session"] == s] for s in ("s1", "s1/a"))
    assert own["isl"].tolist() == [130, 200, 260] and own["osl"].tolist() == [10, 10, 1]  # no answer counts as one
    assert own["gap_s"].tolist()[1:] == [17.5, 8.0]  # the second is not said: 30 less the end at 20 + 2
    assert own["gap_kind"].tolist()[1:] == ["tool", "person"]
    assert agent["arrival_s"].iloc[0] == 2.5 and agent["gap_s"].iloc[1] == 3.0  # its t is when it ended
    assert frame["scope"].unique().tolist() == ["session"] and frame["block_size"].unique().tolist() == [64]
    assert cached_tokens(frame).tolist() == [0, 128, 192, 0, 128]


def test_mooncake(tmp_path):
    line = {"timestamp": 1500, "input_length": 1100, "output_length": 0, "hash_ids": [4, 5, 9]}
    frame = load_trace(written(tmp_path / "m.jsonl", json.dumps(line)))
    row = frame.iloc[0]
    assert (row["arrival_s"], row["isl"], row["osl"], row["hash_ids"]) == (1.5, 1100, 1, [[4, 5], 9])
    assert (row["block_size"], row["scope"]) == (512, "global")


def test_azure(tmp_path):
    text = (
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.03,3180,8\n"
    )
    frame = load_trace(written(tmp_path / "a.csv", text))
    assert frame["arrival_s"].tolist() == pytest.approx([0, 0.05004]) and frame["isl"].tolist() == [4808, 3180]


def test_a_result_of_vllm_bench_serve(tmp_path):
    result = {"request_throughput": 1.0, "input_lens": [5, 6, 7], "output_lens": [2, 3, 0], "errors": ["", "", "gone"],
              "start_times": [101.5, 100.0, 102.0], "ttfts": [0.1, 0.2, 0.0]}  # fmt: skip
    frame = load_trace(written(tmp_path / "v.json", json.dumps(result)))
    assert frame["arrival_s"].tolist() == [0.0, 1.5] and frame["isl"].tolist() == [6, 5]
    del result["start_times"]
    assert load_trace(written(tmp_path / "v.json", json.dumps(result, indent=1)))["arrival_s"].tolist() == [0, 0]


def test_a_result_without_its_details_says_which_option_is_missing(tmp_path):
    text = json.dumps({"request_throughput": 1.0, "total_input_tokens": 5})
    with pytest.raises(BadFile, match="--save-detailed"):
        load_trace(written(tmp_path / "v.json", text))


def test_tracelab_keeps_of_the_context_what_prefix_len_says(tmp_path):
    text = ("session_id,round_idx,prefix_len,input_len,output_len,tool_wait_after_ms\n"
            "0,0,0,320,64,500\n0,1,384,96,32,250\n0,2,160,200,10,0\n")  # fmt: skip
    frame = load_trace(written(tmp_path / "r.csv", text))
    assert frame["isl"].tolist() == [320, 480, 360] and frame["gap_s"].tolist()[1:] == [0.5, 0.25]
    assert cached_tokens(frame).tolist() == [0, 320, 160]  # an answer's blocks have ids once a prompt holds them


def test_a_plain_table_and_its_other_columns(tmp_path):
    frame = load_trace(written(tmp_path / "p.csv.gz", "isl,osl,arrival_s,remark\n5,6,0.25,x\n"))
    assert frame["arrival_s"].tolist() == [0.25] and "remark" not in frame


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x.csv", "arrived_at,isl,osl\n0,1,1\n", "arrival_s"),
        ("x.csv", "a,b\n1,2\n", "weka"),
        ("x.txt", "hello\n", "name it with --format"),
        ("x.jsonl", '{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": [0]}\n{oops\n', "line 2"),
        ("x.jsonl", '{"id": "s", "block_size": 64, "requests": [{"in": 1, "hash_ranges": []}]}\n', "line 1, out"),
        ("x.csv", "isl,osl\n5,none\n", "row 1, osl"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_in_one_line(tmp_path, name, text, expected):
    with pytest.raises(UserMistake) as refused:
        load_trace(written(tmp_path / name, text))
    assert expected in str(refused.value) and "\n" not in str(refused.value)


def test_files_that_are_not_there_or_broken(tmp_path):
    with pytest.raises(MissingFile):
        load_trace(tmp_path / "none.csv")
    (tmp_path / "half.csv.gz").write_bytes(gzip.compress(b"isl,osl\n" + b"5,6\n" * 1000)[:40])
    with pytest.raises(BadFile, match="whole gzip"):
        load_trace(tmp_path / "half.csv.gz")
    with pytest.raises(UserMistake, match="known are azure, csv"):
        load_trace(written(tmp_path / "p.csv", "isl,osl\n5,6\n"), "parquet")


def test_a_format_is_one_file_found_by_its_name():
    assert formats() == ("azure", "csv", "mooncake", "tracelab", "vllm", "weka")


@outside
@pytest.mark.parametrize(
    ("path", "calls", "sessions"),
    [
        ("weka_cc/sessions_355.jsonl.gz", 24_015, 403),
        ("mooncake/conversation_trace.jsonl.gz", 12_031, 12_031),
        ("azure2023/AzureLLMInferenceTrace_conv.csv.gz", 19_366, 19_366),
        ("vllm_runs/rtx4090_llama-3.1-8b/requests.jsonl.gz", 300, 300),
        ("tracelab_examples/multi_session_large.csv", 303, 48),
        ("tracelab_examples/session_workload_example.csv", 11, 1),
        ("simulator_runs/input_weka19.jsonl.gz", 482, 19),
    ],
)
def test_the_real_traces_are_told_apart_and_read_whole(path, calls, sessions):
    frame = load_trace(TRACES / path)
    assert len(frame) == calls and frame["session"].nunique() == sessions


@outside
def test_the_24_000_calls_of_the_coding_sessions_load_in_seconds():
    start = time.process_time()
    load_trace(WEKA)
    assert time.process_time() - start < 3
