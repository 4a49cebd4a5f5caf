"""A stage imports only stages before it; the list is the design's order."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Each entry is a module or package of harness; later ones may import earlier ones.
ORDER = [
    "errors", "units", "dates", "discovery", "quantity", "profile_types", "profile_values", "profile_tables",
    "profile_loader", "profiles", "evidence", "export", "support", "scores", "stats", "architecture", "hf_config",
    "trace", "operators", "footprint", "activations", "answers", "numbers", "sandbox", "rows", "calls", "worlds",
    "suites", "options", "plain_suites", "chance", "evaluations", "reference", "runners", "agents", "stack",
    "whole_stacks", "cut", "results", "workloads",
    "roofline", "serving", "prediction", "validation", "run", "report", "commands", "cli", "__main__",
]  # fmt: skip
# The knots the order allows by name: a suite asks for its chance level; a file of questions is a suite.
ALLOWED = {("suites", "chance"), ("suites", "plain_suites")}
FILES = sorted((ROOT / "harness").rglob("*.py"))


def stage(path: Path) -> str:
    relative = path.relative_to(ROOT / "harness")
    return relative.parts[0].removesuffix(".py") if len(relative.parts) > 1 else relative.stem


def imported(path: Path) -> set[str]:
    """Stages of harness that a file imports, inside functions too (not those for type checkers alone)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "harness":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("harness.")}
    return found & set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT / "harness")))
def test_no_stage_imports_a_later_one(path):
    own = stage(path)
    if own == "__init__":
        return  # the package's table of contents
    assert own in ORDER, f"{own}: a new stage needs its place in the order"
    later = {s for s in imported(path) if ORDER.index(s) > ORDER.index(own) and (own, s) not in ALLOWED}
    assert not later


def test_the_report_reads_results_alone():
    for path in (ROOT / "harness/report").rglob("*.py"):
        assert imported(path) <= {"errors", "discovery", "quantity", "results", "report", "stats", "units"}, path


def test_tasks_import_small_types_only():
    for path in (ROOT / "tasks").glob("*.py"):
        small = {"suites", "options", "quantity", "numbers", "sandbox", "calls", "worlds", "errors", "stats"}
        assert imported(path) <= small, path
