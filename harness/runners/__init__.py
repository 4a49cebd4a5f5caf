"""Ways to get answers, one file each; `runner(id)` makes one.

Ids: `reference` (or the model whose weights it runs: `smollm2-135m-instruct`), `null` (answers at once with
nothing: measures the harness itself), `replay:FILE` (recorded answers), `api:MODEL@URL` (an OpenAI-compatible
endpoint).
"""

from __future__ import annotations

from typing import Any

from harness.answers import Answer
from harness.errors import UnknownId
from harness.runners.base import Runner

__all__ = ["Answer", "Runner", "runner"]


def runner(runner_id: str = "reference", **options: Any) -> Runner:
    """The runner of an id. Raises UnknownId. `options` go to the runner (weights_path, workers, ...)."""
    kind, _, rest = runner_id.partition(":")
    if kind in ("reference", "smollm2-135m-instruct") and not rest:
        from harness.runners.reference import ReferenceRunner

        return ReferenceRunner(**options)
    if kind == "null" and not rest:
        from harness.runners.null import NullRunner

        return NullRunner()
    if kind == "replay" and rest:
        from harness.runners.replay import ReplayRunner

        return ReplayRunner(rest)
    if kind == "api" and "@" in rest:
        from harness.runners.api import ApiRunner

        return ApiRunner(*rest.split("@", 1), **options)
    known = ["reference", "smollm2-135m-instruct", "null", "replay:FILE", "api:MODEL@URL"]
    raise UnknownId("runner", runner_id, known)
