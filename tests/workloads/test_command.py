"""`stackline workloads` as a user calls it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from harness.cli import stackline
from harness.discovery import WORKLOAD, find
from harness.errors import CannotWrite, UserMistake

TRACE = "arrival_s,isl,osl\n0,1200,80\n0.7,900,120\n1.1,2400,60\n2.9,1500,200\n"


def call(*args: str) -> str:
    done = CliRunner().invoke(stackline, ["workloads", *args], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trace.csv").write_text(TRACE, "utf-8")
    return tmp_path


def test_every_workload_is_listed_with_objectives_and_grade():
    rows = json.loads(call("list", "--format", "json"))
    assert [row["id"] for row in rows] == list(find(WORKLOAD))
    assert all(row["ttft"] and row["tpot"] and row["grade"][0] in "ABCD" for row in rows)


def test_the_agent_kinds_and_the_35_hour_run_are_there():
    kinds = {f"agent-{kind}" for kind in ("infrastructure", "research", "compliance", "enterprise", "35h")}
    wanted = {
        "chat",
        "retrieval-long-input",
        "batch-offline",
        "reasoning-long-output",
        "code-completion",
        "coding-agent",
    }
    assert wanted | kinds <= set(find(WORKLOAD))


def test_show_prints_figures_sources_and_a_sample():
    text = call("show", "agent-35h")
    for part in ("imitates one agent", "calls.p50", "1,158", "900 .. 1300", "assumed", "qwen.ai/blog", "no person",
                 "a sample of it", "sample.isl.p90", "sample.prefix_hit: 0.99"):  # fmt: skip
        assert part in text
    assert "maker not given" not in text
    rows = {row["key"]: row for row in json.loads(call("show", "chat", "--format", "json"))}
    assert rows["answer.p50"]["kind"] == "measured" and rows["sample.calls.p50"]["value"] == 2
    assert "sample.calls.p50,2.0" in call("show", "chat", "--format", "csv", "--seed", "1")


def test_all_shipped_workloads_pass_the_check():
    assert call("check", "--all").count(": ok, grade") == len(find(WORKLOAD))


def test_check_says_what_the_figures_must_be_to_each_other(folder):
    text = call("fit", "trace.csv").replace("value = 1,", "value = 4,")
    (folder / "bad.toml").write_text(text, "utf-8")
    done = CliRunner().invoke(stackline, ["workloads", "check", "bad.toml"])
    assert isinstance(done.exception, UserMistake) and "growth or message" in done.stderr


def test_new_begins_a_workload_with_every_figure_assumed(folder):
    for like in find(WORKLOAD):
        path = call("new", f"our-{like}", "--like", like).strip()
        assert path.endswith(f"tasks/workloads/our-{like}.toml") and f"our-{like}: ok" in call("check", f"our-{like}")
    rows = json.loads(call("show", "our-coding-agent", "--format", "json"))
    assert {row["kind"] for row in rows if row["unit"] and not row["key"].startswith("sample")} == {"assumed"}


def test_fit_prints_or_writes_a_file_that_is_found_by_its_name(folder):
    assert 'name = "trace"' in call("fit", "trace.csv")
    assert call("fit", "trace.csv", "-o", "tasks/workloads/ours.toml").strip() == "tasks/workloads/ours.toml"
    assert "ours: ok" in call("check", "ours") and "sample.isl.p50" in call("show", "ours")
    done = CliRunner().invoke(stackline, ["workloads", "fit", "trace.csv", "-o", "tasks/workloads/ours.toml"])
    assert isinstance(done.exception, CannotWrite)


def test_a_users_folder_is_found_by_path(folder, no_extra_paths):
    (folder / "mine").mkdir()
    call("fit", "trace.csv", "-o", "mine/loose.toml")
    assert "loose" in call("list", "--path", "mine")


@pytest.mark.parametrize(
    "args",
    [("fit", "none.csv"), ("fit", "trace.csv", "-o", "Big Name.toml"), ("fit", "trace.csv", "--format", "weka"),
     ("fit", "trace.csv", "--format", "nothing"), ("show", "chatt"), ("check",), ("new", "Bad Id", "--like", "chat")],
)  # fmt: skip
def test_mistakes_are_named_in_one_line(folder, args):
    done = CliRunner().invoke(stackline, ["workloads", *args])
    assert isinstance(done.exception, UserMistake) and "\n" not in str(done.exception)
