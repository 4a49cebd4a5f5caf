"""The worked example: what is committed rebuilds, and its page says what its rows say."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from harness.report.figures import figures_of
from harness.results import load_results
from tests.conftest import ROOT

FOLDER = ROOT / "results/baseline"
PAGE = ROOT / "docs/worked-example.md"
_MOST = 300_000  # bytes that a picture may have
# What a smaller rebuild can hold: the stacks of the first question, and the sessions of coding agents alone.
STACKS = [f"deepseek-v4-flash@{chip}:8" for chip in ("h20-141gb", "zhenwu-m890", "zhenwu-810e")]


def rows(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return [{k: v for k, v in row.items() if k != "run"} for row in csv.DictReader(lines)]


def test_it_is_small_and_rounded():
    assert sum(p.stat().st_size for p in FOLDER.rglob("*") if p.is_file()) < 2_500_000
    assert not list(FOLDER.rglob("*.png"))
    for row in rows(FOLDER / "rows.csv"):
        for name in ("value", "p10", "p90"):
            assert not row[name] or row[name] == f"{float(row[name]):.4g}"


def test_every_stack_of_the_list_is_in_it():
    lines = (FOLDER / "stacks.txt").read_text("utf-8").splitlines()
    asked = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    stacks = json.loads((FOLDER / "manifest.json").read_text("utf-8"))["comparison"]["stacks"].values()
    assert {entry["asked"] for entry in stacks} == asked


@pytest.mark.slow  # draws every plot once
def test_its_report_is_made_from_its_manifest_and_rows(tmp_path):
    """Under another hash seed, time zone and locale: nothing of a table hangs on them."""
    for name in ("manifest.json", "rows.csv"):
        shutil.copy(FOLDER / name, tmp_path / name)
    surroundings = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-m", "harness", "report", str(tmp_path)], cwd=ROOT, env=surroundings, check=True)
    for name in ("report.md", "rows.csv"):
        ours = FOLDER / ("report/report.md" if name == "report.md" else name)
        assert (tmp_path / "report" / name).read_bytes() == ours.read_bytes()


@pytest.mark.slow  # simulates sessions on three stacks: a minute or two
def test_its_rows_are_what_the_command_gives(tmp_path):
    """Fewer stacks and no long run, which change no row of those that stay: each stack's rows are its own."""
    out = tmp_path / "run"
    words = ["compare", *STACKS, "--least", "users=200,tpot_ms=50", "--digits", "4", "--out", str(out)]
    subprocess.run([sys.executable, "-m", "harness", *words], cwd=ROOT, check=True,
                   env=os.environ | {"PYTHONHASHSEED": "3"})  # fmt: skip
    committed = rows(FOLDER / "rows.csv")
    again = rows(out / "rows.csv")
    assert len(again) > 400 and all(row in committed for row in again if not row["metric"].startswith("claim."))


def test_the_page_has_the_numbers_of_the_rows():
    """Each table of the page stands in the report as it is; each figure in its prose is named with its row."""
    report = (FOLDER / "report/report.md").read_text("utf-8")
    page = PAGE.read_text("utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", page, re.M)
    assert tables
    for table in tables:
        header, _, *lines = table.splitlines()
        assert header in report and all(line in report for line in lines)


def test_what_the_questions_need_is_there():
    figures = figures_of(load_results(FOLDER))
    m890 = "deepseek-v4-flash@zhenwu-m890:8"
    assert 0 <= float(figures.one("ratio", "usd_per_session", stack=m890, workload="coding-agent").notes["better"]) <= 1
    assert figures.with_value("least_chips", model="qwen3-235b-a22b")
    for model in ("qwen3.7-max", "deepseek-v4-flash"):
        assert figures.with_value("list_usd_per_solved_task", model=model)
    assert {f.metric for f in figures} >= {"claim.3x", "claim.800gb_s", "claim.144gb", "claim.560000"}


def test_a_picture_is_small():
    for path in (ROOT / "docs").glob("*.[ps][nv]g"):
        assert path.stat().st_size < _MOST
