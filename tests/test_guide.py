"""The guides are followed to the letter: every command and every file that they print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

import harness
from tests.conftest import ROOT

BLOCK = re.compile(r"^```(sh|toml)\n(.*?)^```", re.M | re.S)
FILE = re.compile(r"\A# (\S+\.toml)\n")


def steps(page):
    """("sh", commands) and ("toml", (file, text)) of a page in order; a block without a file name is an example."""
    for kind, text in BLOCK.findall(page.read_text("utf-8")):
        if kind == "sh":
            yield kind, text.strip().splitlines()
        elif named := FILE.match(text):
            yield kind, (named[1], text)


@pytest.mark.parametrize(
    "page", ["hardware_profiles/README.md", "harness/models/README.md", "tasks/workloads/README.md"]
)
def test_a_guide_works_as_it_stands(page, tmp_path):
    done = []
    for kind, what in steps(ROOT / page):
        if kind == "toml":
            path = tmp_path / what[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(what[1], "utf-8")
            continue
        for line in what:
            command = line.replace("stackline ", f"{shlex.quote(sys.executable)} -m harness ", 1)
            result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=300)
            assert result.returncode == 0, f"{line}\n{result.stderr}"
            done.append(line)
    assert any("check" in line for line in done) and any("show" in line for line in done)


def test_the_guide_lists_what_has_no_profile():
    text = (ROOT / "hardware_profiles/README.md").read_text("utf-8")
    for chip in ("V900", "J900", "M100", "MLU690", "BW1000"):
        assert chip in text


def test_the_citation_names_the_version_and_the_licence():
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f'version: "{harness.__version__}"' in text and "license: Apache-2.0" in text


def test_a_dispute_is_described():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for part in ("Dispute a value", "stays", "datasheet", "hardware_profiles"):
        assert part in text
