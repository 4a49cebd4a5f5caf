"""The guides are followed to the letter: every command and every file that they print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

import harness
from tests.conftest import ROOT
from tests.shown import PAGES, put, steps

TUTORIALS = ("choose-a-stack", "add-a-chip", "check-my-measurements", "run-my-suite")


def followed(page, folder):
    """Do what a page says in an empty folder, and return the commands."""
    done = []
    for kind, what in steps(page):
        if kind == "file":
            put(folder, what)
            continue
        for line in what:
            command = line.replace("stackline ", f"{shlex.quote(sys.executable)} -m harness ", 1)
            result = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=900)
            assert result.returncode == 0, f"{line}\n{result.stderr}"
            done.append(line)
    return done


@pytest.mark.parametrize(
    "page", ["hardware_profiles/README.md", "harness/models/README.md", "tasks/workloads/README.md"]
)
def test_a_guide_works_as_it_stands(page, tmp_path):
    done = followed(page, tmp_path)
    assert any("check" in line for line in done) and any("show" in line for line in done)


@pytest.mark.slow  # comparisons with their plots, a suite on the reference model
@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_works_as_it_stands(name, tmp_path):
    assert len(followed(f"docs/{name}.md", tmp_path)) >= 4


def test_the_pages_are_linked_from_the_readme():
    text = (ROOT / "README.md").read_text("utf-8")
    assert not [p.name for p in (ROOT / "docs").glob("*.md") if f"docs/{p.name}" not in text]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text("utf-8")):
        assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"


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
