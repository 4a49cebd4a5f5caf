"""The command line: answers, mistakes in one line, and nothing heavy imported for a listing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from harness.cli import LazyGroup, main, stackline
from tests.conftest import ROOT
from tests.test_report import toy_run

HEAVY = ("pandas", "matplotlib", "datasets", "tokenizers", "gguf", "jinja2", "rich", "scipy", "threadpoolctl")


def call(*args: str, cwd=None, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "harness", *args], capture_output=True, text=True, cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("args", [["--help"], ["chips", "list"], ["models", "list"], ["run", "--help"]], ids=" ".join)
def test_a_light_command_imports_nothing_heavy(args):
    code = (
        "import sys; from harness.cli import stackline\n"
        f"try: stackline.main({args!r}, standalone_mode=False)\nexcept SystemExit: pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and done.stderr.strip().splitlines()[-1] == "[]"


def test_every_command_has_help_with_an_example():
    def walk(command, path):
        with command.make_context(path, [], resilient_parsing=True) as context:
            if hasattr(command, "list_commands"):
                for name in command.list_commands(context):
                    yield from walk(command.get_command(context, name), f"{path} {name}")
            yield path, command.help or ""

    pages = dict(walk(stackline, "stackline"))
    assert len(pages) > 15
    for path, text in pages.items():
        assert "Example" in text, path


def test_the_list_of_commands_says_what_each_does():
    text = CliRunner().invoke(stackline, ["--help"]).output
    for name in LazyGroup.list_commands(stackline, None):
        assert any(line.strip().startswith(name) and len(line.split()) > 3 for line in text.splitlines()), name


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize("what", ["chips", "models", "suites"])
def test_listings_come_in_three_formats(what, form):
    output = CliRunner().invoke(stackline, [what, "list", "--format", form]).stdout
    if form == "json":
        assert all(row["id"] for row in json.loads(output))
    else:
        assert len(output.splitlines()) > 3


MISTAKES = {
    "unknown chip": (["run", "--chip", "h20-96g"], "did you mean 'h20-96gb'"),
    "unknown model": (["run", "--model", "qwen3-23b"], "did you mean"),
    "unknown suite": (["run", "--suite", "science-choise"], "did you mean 'science-choice'"),
    "unknown command": (["rnu"], "did you mean 'run'"),
    "unknown option": (["run", "--sede", "3"], "--seed"),
    "unknown runner": (["run", "--runner", "gpt", "--limit", "1"], "unknown runner"),
    "too small a chip": (["run", "--model", "qwen3.8-2.4t-a95b", "--chip", "a100-sxm-80gb"], "weights need"),
    "no such run": (["report", "/nowhere/at/all"], "no such run file"),
    "no such path": (["chips", "list", "--path", "/nowhere/at/all"], "no such folder"),
    "missing replay": (["run", "--runner", "replay:/nowhere.jsonl", "--limit", "1"], "no such answers file"),
    "missing weights": (["run", "--weights", "/nowhere.gguf", "--limit", "1"], "no such weights"),
    "full and a limit": (["run", "--full", "--limit", "2"], "contradict"),
    "a limit of none": (["run", "--limit", "0"], "0"),
    "unknown plot": (["plot", "rooflin", "/nowhere"], "no such run file"),
    "nothing to check": (["chips", "check"], "--all"),
    "a bad id": (["chips", "new", "My Chip", "--like", "h20-96gb"], "no id"),
}


@pytest.mark.parametrize("args, expected", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(args, expected, tmp_path, monkeypatch, capsys, no_extra_paths):
    monkeypatch.setattr(sys, "argv", ["stackline", *args])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:  # anything else would be a traceback
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and expected in said, said
    assert len([line for line in said.splitlines() if line.startswith("stackline:")]) == 1
    assert not list(tmp_path.rglob("answers.jsonl"))  # nothing was begun


def test_a_group_alone_shows_its_help_in_lines():
    done = call("chips")
    assert "Commands:" in done.stdout + done.stderr and "stackline: Usage" not in done.stderr
    assert len((done.stdout + done.stderr).splitlines()) > 8


def test_a_malformed_profile_says_file_key_found_and_expected(tmp_path):
    folder = tmp_path / "hardware_profiles"
    folder.mkdir()
    text = (ROOT / "hardware_profiles/h20-96gb.toml").read_text("utf-8")
    (folder / "bad.toml").write_text(text.replace('unit = "W"', 'unit = "GB"', 1), "utf-8")
    done = call("chips", "check", "bad", cwd=tmp_path)
    assert done.returncode == 2
    for part in ("bad.toml", "power.tdp.unit", "'GB'", "a unit of power"):
        assert part in done.stderr


def test_every_mistake_of_a_profile_is_said(tmp_path):
    folder = tmp_path / "hardware_profiles"
    folder.mkdir()
    text = (ROOT / "hardware_profiles/h20-96gb.toml").read_text("utf-8")
    text = text.replace('unit = "W"', 'unit = "GB"', 1).replace("[memory.bandwidth]", "[memory.bandwith]")
    (folder / "bad.toml").write_text(text.replace("value = 148\n", "value = -148\n", 1), "utf-8")
    done = call("chips", "check", "bad", cwd=tmp_path)
    lines = [line for line in done.stderr.splitlines() if "bad.toml" in line]
    assert done.returncode == 2 and len(lines) == 4
    for key in (
        "power.tdp.unit",
        "memory.bandwith",
        "near: memory.bandwidth",
        "compute.bf16.value",
        "memory.bandwidth: ",
    ):
        assert any(key in line for line in lines), key


def test_an_unwritable_folder_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = call("run", "--runner", "null", "--limit", "1", "--out", str(tmp_path / "file" / "run"), cwd=tmp_path)
    assert done.returncode == 2 and "cannot write" in done.stderr


def test_a_run_folder_is_never_overwritten(tmp_path):
    args = ("run", "--runner", "null", "--suite", "science-choice", "--limit", "2", "--chip", "h20-96gb",
            "--model", "smollm2-135m-instruct", "--out", "r")  # fmt: skip
    toy_run(tmp_path / "r")
    before = (tmp_path / "r/rows.csv").read_bytes()
    again = call(*args, cwd=tmp_path)
    assert again.returncode == 2 and "already holds a run" in again.stderr
    assert (tmp_path / "r/rows.csv").read_bytes() == before


def hear_interrupts() -> None:
    """A job in the background of a script is born deaf to Ctrl-C, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_keeps_finished_answers_and_exits_130(tmp_path, weights_folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "--limit", "24", "--suite", "science-choice", "--suite",
         "word-problems-multilingual", "--out", "r"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    answers = tmp_path / "r/answers.jsonl"
    try:
        for _ in range(600):
            if answers.exists() and answers.stat().st_size > 0:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130 and "Traceback" not in errors
    kept = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    assert kept and all(row["outcome"] for row in kept)
    assert json.loads((tmp_path / "r/manifest.json").read_text())["status"] == "interrupted"
    assert not (tmp_path / "r/rows.csv").exists()


def test_a_new_profile_is_a_template_whose_values_are_all_assumed(tmp_path):
    done = call("chips", "new", "my-chip", "--like", "h20-96gb", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "hardware_profiles/my-chip.toml").read_text("utf-8")
    assert text.startswith("# my-chip: a template with the keys of h20-96gb") and "\n[sources" not in text
    assert call("chips", "check", "my-chip", cwd=tmp_path).returncode == 0
    shown = json.loads(call("chips", "show", "my-chip", "--format", "json", cwd=tmp_path).stdout)
    claims = [row for row in shown if row["kind"] and not row["key"].startswith("export.")]
    assert {row["kind"] for row in claims} == {"assumed", "missing"}
    assert all(row["low"] <= row["value"] / 2 and row["high"] >= row["value"] * 2 for row in claims if row["unit"])
    bandwidth = next(row for row in shown if row["key"] == "memory.bandwidth")
    assert (bandwidth["value"], bandwidth["unit"]) == (4000, "GB/s") and "h20-96gb's" in bandwidth["note"]
    assert "my-chip" in call("chips", "list", cwd=tmp_path).stdout
    assert call("chips", "new", "my-chip", "--like", "h20-96gb", cwd=tmp_path).returncode == 2
