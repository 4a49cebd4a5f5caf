"""Stackline: honest comparison of chip-and-model stacks for AI inference.

The public names, each imported when first used so that the command line starts at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.prediction import predict
    from harness.profiles import chip, model
    from harness.results import load_results
    from harness.runners import runner
    from harness.serving.simulate import simulate
    from harness.suites import suite

__version__ = "0.1.0"
__all__ = ["__version__", "chip", "load_results", "model", "predict", "runner", "simulate", "suite"]

_HOMES = {
    "chip": "harness.profiles",
    "model": "harness.profiles",
    "predict": "harness.prediction",
    "runner": "harness.runners",
    "simulate": "harness.serving.simulate",
    "suite": "harness.suites",
    "load_results": "harness.results",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
