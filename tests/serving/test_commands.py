"""`stackline simulate`, `capacity` and `sweep` as a user calls them."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from harness import cli
from harness.cli import stackline
from tests.conftest import OUTSIDE

H100 = "llama-3.1-8b@h100-sxm"
COLUMNS = ["id", "session", "turn", "arrival_s", "isl", "osl", "cached_tokens", "replica", "queue_s", "ttft_s",
           "tpot_s", "e2e_s", "preemptions", "status", "reason"]  # fmt: skip
LATENCIES = ("ttft_s", "tpot_s", "e2e_s")
FIGURES = ("makespan_s", "output_tok_s_per_chip", "total_tok_s_per_chip", "goodput_req_s", "prefix_hit_rate",
           "kv_peak_fraction", "preemptions", "power_w_per_chip", "energy_j", "usd")  # fmt: skip
TRACE = """id,arrival_s,isl,osl,session,turn,gap_s
late,2.5,1000,20,,0,
first,0,100,20,s,0,
second,,300,1,s,1,1.5
long,1,300000,5,t,0,
after,,300100,5,t,1,1
one,1,1,1,,0,
"""


def call(*args: str) -> str:
    done = CliRunner().invoke(stackline, args, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trace.csv").write_text(TRACE, "utf-8")
    return tmp_path


# The contract of the files


def test_a_row_of_requests_for_every_row_of_the_trace_in_its_order(folder):
    call("simulate", H100, "--trace", "trace.csv", "-o", "out")
    found = rows(folder / "out/requests.csv")
    assert list(found[0]) == COLUMNS
    assert [row["id"] for row in found] == ["late", "first", "second", "long", "after", "one"]
    by = {row["id"]: row for row in found}
    assert [by[k]["status"] for k in ("first", "second", "long", "after")] == ["ok", "ok", "rejected", "rejected"]
    assert by["second"]["tpot_s"] == by["one"]["tpot_s"] == "" != by["first"]["tpot_s"]  # one token has no time between
    first, second = by["first"], by["second"]
    ended = float(first["arrival_s"]) + float(first["e2e_s"])
    assert float(second["arrival_s"]) == pytest.approx(ended + 1.5, abs=1e-6)  # the gap after the answer
    assert 0 < int(second["cached_tokens"]) <= 119 and int(by["late"]["cached_tokens"]) == 0
    assert "context" in by["long"]["reason"] and "earlier turn" in by["after"]["reason"] and by["late"]["reason"] == ""
    for name in ("queue_s", "ttft_s", "tpot_s", "e2e_s", "replica"):
        assert by["long"][name] == by["after"][name] == ""


def figure(found: dict, kind: str = "modelled") -> None:
    assert set(found) == {"value", "p10", "p90", "unit", "kind"} and found["kind"] == kind
    assert found["p10"] <= found["value"] <= found["p90"]


def test_the_summary_has_every_figure_of_the_contract(folder):
    call("simulate", H100, "--trace", "trace.csv", "-o", "out", "--slo", "ttft_ms=500,tpot_ms=50", "--seed", "3")
    found = json.loads((folder / "out/summary.json").read_text("utf-8"))
    assert (found["schema_version"], found["stack"], found["seed"]) == (1, f"{H100}:1", 3)
    assert (found["requests"], found["rejected"]) == (6, 2)
    for name in LATENCIES:
        assert list(found[name]) == ["mean", "p50", "p90", "p95", "p99"]
        for part in found[name].values():
            figure(part)
        assert found[name]["p50"]["value"] <= found[name]["p90"]["value"] <= found[name]["p99"]["value"]
        assert found[name]["mean"]["p10"] < found[name]["mean"]["p90"]  # a step's uncertainty is carried through
    for name in FIGURES:
        figure(found[name])


def test_figures_are_those_of_the_requests(folder):
    call("simulate", H100, "--trace", "trace.csv", "-o", "out", "--slo", "ttft_ms=0.001")
    found = json.loads((folder / "out/summary.json").read_text("utf-8"))
    table = pd.read_csv(folder / "out/requests.csv")
    some = table[table["status"] == "ok"]
    end = (some["arrival_s"] + some["e2e_s"]).max()
    expected = {
        "makespan_s": end, "output_tok_s_per_chip": some["osl"].sum() / end,
        "total_tok_s_per_chip": (some["isl"] + some["osl"]).sum() / end, "goodput_req_s": 0.0,
        "prefix_hit_rate": some["cached_tokens"].sum() / some["isl"].sum(),
        "energy_j": found["power_w_per_chip"]["value"] * end,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-9), name
    for name in LATENCIES:
        assert found[name]["mean"]["value"] == pytest.approx(some[name].mean(), rel=1e-9)
        assert found[name]["p90"]["value"] == pytest.approx(some[name].quantile(0.9), rel=1e-9)


def test_what_cannot_be_said_is_null(folder):
    """Only rejected requests; a chip without a price."""
    (folder / "long.csv").write_text("arrival_s,isl,osl\n0,900000,5\n", "utf-8")
    call("simulate", H100, "--trace", "long.csv", "-o", "out")
    found = json.loads((folder / "out/summary.json").read_text("utf-8"))
    assert found["rejected"] == 1
    assert all(found[name] is None for name in (*LATENCIES, *FIGURES))


# Same seed, same bytes


def test_same_seed_same_bytes_of_every_file_and_another_seed_others(folder):
    words = ("simulate", H100, "--workload", "chat", "--requests", "60", "--rate", "5")
    for name, seed in (("a", "4"), ("b", "4"), ("c", "5")):
        call(*words, "--seed", seed, "-o", name)
    files = sorted(p.name for p in (folder / "a").iterdir())
    assert files == ["requests.csv", "summary.json", "timeline.png"]
    assert all((folder / "a" / f).read_bytes() == (folder / "b" / f).read_bytes() for f in files)
    assert all((folder / "a" / f).read_bytes() != (folder / "c" / f).read_bytes() for f in files)


def test_so_many_requests_as_were_asked_for(folder):
    for workload, count in (("chat", "7"), ("coding-agent", "150"), ("agent-35h", "30")):
        call(
            "simulate",
            "qwen3-30b-a3b@h200-sxm",
            "--workload",
            workload,
            "--requests",
            count,
            "--no-interval",
            "-o",
            "n",
        )
        assert len(rows(folder / "n/requests.csv")) == int(count)
    call("simulate", H100, "--trace", "trace.csv", "--requests", "2", "-o", "n")
    assert [row["id"] for row in rows(folder / "n/requests.csv")] == ["late", "first"]


def test_a_closed_loop_has_so_many_at_once(folder):
    call("simulate", H100, "--workload", "batch-offline", "--requests", "40", "--concurrency", "4", "--no-interval",
         "-o", "n")  # fmt: skip
    table = pd.read_csv(folder / "n/requests.csv")
    events = sorted([(t, 1) for t in table["arrival_s"]] + [(t, -1) for t in table["arrival_s"] + table["e2e_s"]])
    assert max(itertools.accumulate(step for _, step in events)) in (4, 5)  # 5 where an end is rounded past a start
    assert (table["arrival_s"] == 0).sum() == 4


# Mistakes

SIMULATE = ("simulate", H100)
TRACED = (*SIMULATE, "--trace", "trace.csv")
CHAT = ("--workload", "chat", "--rate", "1")
MISTAKES = {
    "no chip": ("simulate", "llama-3.1-8b", "--trace", "trace.csv"),
    "unknown chip": ("simulate", "llama-3.1-8b@nochip", "--trace", "trace.csv"),
    "unknown model": ("simulate", "nomodel@h100-sxm", "--trace", "trace.csv"),
    "unknown stack option": ("simulate", f"{H100},foo=1", "--trace", "trace.csv"),
    "wrong stack option": ("simulate", f"{H100},max_seqs=0", "--trace", "trace.csv"),
    "no architecture": ("simulate", "gpt-5.4@h100-sxm", "--trace", "trace.csv"),
    "weights too large": ("simulate", "deepseek-r1@rtx-4090", "--trace", "trace.csv"),
    "split that does not fit": ("simulate", f"{H100}:4,tp=1,disagg=1x2", "--trace", "trace.csv"),
    "split misspelt": ("simulate", f"{H100}:4,tp=1,disagg=1-3", "--trace", "trace.csv"),
    "no requests": SIMULATE,
    "no such trace": (*SIMULATE, "--trace", "none.csv"),
    "a folder": (*SIMULATE, "--trace", "."),
    "unknown format": (*TRACED, "--format", "nope"),
    "unknown workload": (*SIMULATE, "--workload", "nope", "--rate", "1"),
    "trace and workload": (*TRACED, *CHAT),
    "two loops": (*TRACED, "--rate", "1", "--concurrency", "2"),
    "rate of nothing": (*SIMULATE, "--workload", "chat", "--rate", "0"),
    "rate without end": (*SIMULATE, "--workload", "chat", "--rate", "inf"),
    "rate that is none": (*TRACED, "--rate", "nan"),
    "rate of a trace that begins at once": (*SIMULATE, "--trace", "once.csv", "--rate", "1"),
    "no requests asked": (*TRACED, "--requests", "0"),
    "negative seed": (*SIMULATE, *CHAT, "--seed", "-1"),
    "unknown limit": (*TRACED, "--slo", "ttft=3"),
    "limit below 0": (*TRACED, "--slo", "ttft_ms=-3"),
    "limit twice": (*TRACED, "--slo", "ttft_ms=3,ttft_ms=4"),
    "limit without a number": (*TRACED, "--slo", "ttft_ms"),
    "hold without end": (*TRACED, "--hold", "inf"),
    "keep of no length": (*TRACED, "--keep", "nan"),
    "host memory without end": (*TRACED, "--host-gb", "inf"),
    "warm-up that is none": (*TRACED, "--warmup", "nan"),
    "results into a file": (*TRACED, "-o", "trace.csv"),
    "results below a file": (*TRACED, "-o", "trace.csv/out"),
    "other names of columns": (*SIMULATE, "--trace", "names.csv"),
    "an answer of nothing": (*SIMULATE, "--trace", "zero.csv"),
    "an arrival of a later turn": (*SIMULATE, "--trace", "turn.csv"),
    "no rows": (*SIMULATE, "--trace", "empty.csv"),
    "no demand": ("capacity", H100),
    "demand of no amount": ("capacity", H100, "--demand", "workload=chat"),
    "demand twice": ("capacity", H100, "--demand", "workload=chat,users=3,users=4"),
    "demand of two kinds": ("capacity", H100, "--demand", "workload=chat,users=3,rate=4"),
    "demand below 0": ("capacity", H100, "--demand", "workload=chat,users=-3"),
    "demand of an unknown workload": ("capacity", H100, "--demand", "workload=nope,users=3"),
    "capacity without a chip": ("capacity", "llama-3.1-8b", "--demand", "workload=chat,users=3"),
    "capacity's unknown limit": ("capacity", H100, "--demand", "workload=chat,users=3", "--slo", "x=3"),
    "capacity past context": ("capacity", "falcon-7b@h100-sxm", "--demand", "workload=retrieval-long-input,users=1"),
    "capacity into a folder": ("capacity", H100, "--demand", "workload=chat,users=3", "-o", "."),
    "sweep of nothing": ("sweep", H100),
    "sweep of an unknown workload": ("sweep", H100, "--workload", "nope"),
    "sweep of words": ("sweep", H100, "--workload", "chat", "--values", "a"),
    "sweep of no values": ("sweep", H100, "--workload", "chat", "--values", ""),
    "sweep of part of a user": ("sweep", H100, "--workload", "chat", "--values", "1.5"),
    "sweep of users with users": ("sweep", H100, "--workload", "chat", "--users", "5"),
    "sweep of a rate, no users said": ("sweep", H100, "--workload", "chat", "--over", "keep", "--values", "-1"),
}  # fmt: skip
FILES = {
    "names.csv": "arrived_at,input_tokens,osl\n0,1,1\n", "zero.csv": "arrival_s,isl,osl\n0,5,0\n",
    "turn.csv": "arrival_s,isl,osl,session\n0,5,1,a\n1,5,1,a\n", "empty.csv": "arrival_s,isl,osl\n",
    "once.csv": "arrival_s,isl,osl\n0,5,1\n0,5,1\n",
}  # fmt: skip


@pytest.mark.parametrize("words", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(words, folder, monkeypatch, capsys):
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    monkeypatch.setattr("sys.argv", ["stackline", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if not line.startswith(("bisecting", "simulating"))]
    assert (ended.value.code, said.out) == (2, "")
    assert len(lines) == 1 and lines[0].startswith("stackline: ") and len(lines[0]) < 700


# Examples of the help


def examples(command: str) -> list[str]:
    text = CliRunner().invoke(stackline, [command, "--help"]).stdout
    return [line.strip() for line in text.splitlines() if line.strip().startswith(f"stackline {command} ")]


SHORTER = {"simulate": ["--requests", "40", "--no-interval"], "sweep": ["--values", "1"], "capacity": []}
SMALLER = {"users=2000": "users=20", "sessions_per_day=1e8": "sessions_per_day=1e6"}


@pytest.mark.slow
@pytest.mark.parametrize("command", SHORTER)
def test_the_examples_of_the_help_work(command, folder):
    lines = examples(command)
    assert len(lines) >= 2
    for line in lines:
        for word, less in SMALLER.items():
            line = line.replace(word, less)
        call(*shlex.split(line)[1:], *SHORTER[command])
        if out := re.search(r" -o (\S+)", line):
            assert any((folder / out[1]).iterdir())


def test_the_first_example_of_simulate_works(folder):
    call(*shlex.split(examples("simulate")[0])[1:], *SHORTER["simulate"])
    assert (folder / "sim/requests.csv").exists()


# capacity and sweep

SMALL = ("capacity", "llama-3.1-8b@rtx-4090,engine=vllm", "--demand", "workload=code-completion,users=500", "--slo",
         "ttft_ms=2000,tpot_ms=80")  # fmt: skip


@pytest.mark.slow
def test_capacity_says_load_fleet_and_assumptions(folder):
    text = call(*SMALL, "-o", "deep/found.json")
    found = json.loads((folder / "deep/found.json").read_text("utf-8"))
    assert found["demand"] == {"users": 500.0} and found["workload"] == "code-completion" and found["slo"]
    for name, part in found["figures"].items():
        figure(part)
        assert part["unit"], name
    load, copies = (found["figures"][k]["value"] for k in ("load", "copies"))
    assert copies == -(-500 // load) and found["figures"]["chips"]["value"] == copies
    assert "Assumes" in text and "kept by 95%" in text
    again = json.loads(call(*SMALL, "--format", "json"))
    assert {row["value"] for row in again} == {part["value"] for part in found["figures"].values()}


def test_sweep_writes_a_row_a_value_and_a_plot(folder):
    words = ("sweep", "llama-3.1-8b@rtx-4090,engine=vllm", "--workload", "code-completion", "--values", "8,2")
    text = call(*words, "--format", "csv", "-o", "out")
    found = rows(folder / "out/sweep.csv")
    assert [float(row["users"]) for row in found] == [2, 8]
    assert float(found[0]["tpot_p50_s"]) < float(found[1]["tpot_p50_s"])
    assert text.splitlines()[0] == ",".join(found[0])
    assert (folder / "out/sweep.png").stat().st_size > 10_000
    call(*words, "-o", "again")
    assert all(
        (folder / "out" / f).read_bytes() == (folder / "again" / f).read_bytes() for f in ("sweep.csv", "sweep.png")
    )


# Traces of others

REAL = {
    "weka": ("weka_cc/sessions_355.jsonl.gz", 1, "qwen3-coder-480b-a35b-instruct@b200-sxm:8"),
    "mooncake": ("mooncake/conversation_trace.jsonl.gz", 60, "llama-3.1-8b@h200-sxm"),
    "azure": ("azure2023/AzureLLMInferenceTrace_conv.csv.gz", 60, H100),
    "vllm": ("vllm_runs/rtx4090_llama-3.1-8b/requests.jsonl.gz", 60, H100),
}


@pytest.mark.golden
@pytest.mark.parametrize("form", REAL)
def test_heads_of_recorded_traces_run_end_to_end(form, folder):
    source, lines, stack = REAL[form]
    path = OUTSIDE / "traces" / source
    if not path.exists():
        pytest.skip(f"no traces/{source} in STACKLINE_REFERENCE_DATA")
    head = folder / path.name.removesuffix(".gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        head.write_text("".join(itertools.islice(file, lines)), "utf-8")
    call("simulate", stack, "--trace", str(head), "--format", form, "--no-interval", "-o", "named")
    call("simulate", stack, "--trace", str(head), "--no-interval", "-o", "guessed")
    named, guessed = (rows(folder / k / "requests.csv") for k in ("named", "guessed"))
    assert named == guessed and len(named) >= min(lines, 10)
    assert {row["status"] for row in named} == {"ok"}
    hits = sum(int(row["cached_tokens"]) for row in named)
    assert (hits > 0) == (form in ("weka", "mooncake"))
