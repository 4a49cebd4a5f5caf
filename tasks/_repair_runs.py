"""Repositories of repo-repair run in the sandbox: the tests that an agent sees, and the hidden ones.

A hidden test is a probe: an expression, or a command, whose result is compared out here with the result of the right
repository, run in a sandbox of its own. So no expected value is ever where a repair could read it, and a repair that
leaves early, rewrites tests, or patches what runs it gives results that differ, or none.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import sandbox

_INSIDE = Path(__file__).with_name("_repair_inside.py").read_text("utf-8")
_LIMITS = sandbox.Limits(wall_s=30, output_bytes=1 << 20)  # a busy machine is slow; 5 s a test
_IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.M)
_VISIBLE = {
    "python": '"$PYTHON" -S -B -m unittest discover -s tests 2>&1',
    "sh": "sh tests/run.sh 2>&1",
}
Files = Mapping[str, str]


def probe(text: str, language: str) -> dict[str, Any]:
    """A hidden test as the sandbox takes it: for Python the last line is the expression."""
    if language == "sh":
        return {"shell": text.strip()}
    *setup, expression = text.strip().splitlines()
    return {"python": ["\n".join(setup), expression]}


def results(repos: Sequence[tuple[Files, Sequence[dict[str, Any]]]]) -> tuple[list[list[Any]], str]:
    """(the probes' results of each repository, how the sandbox ended); no results unless that is "passed"."""
    texts = [text for files, _ in repos for path, text in files.items() if path.endswith(".py")]
    named = {name for text in texts for name in _IMPORT.findall(text)} & sys.stdlib_module_names
    request = {"repos": [{"files": dict(f), "probes": list(p)} for f, p in repos], "preload": sorted(named)}
    outcome = sandbox.run(_INSIDE, json.dumps(request), _LIMITS)
    if outcome.status != "passed":
        return [], outcome.status
    try:
        return json.loads(outcome.stdout), "passed"
    except (ValueError, RecursionError):
        return [], "error"


def visible(files: Files, language: str) -> str:
    """What the repository's own tests print."""
    found, how = results([(files, [{"shell": _VISIBLE[language]}])])
    if not found:
        return f"the tests ended: {how}"
    said = found[0][0]
    if "stopped" in said:
        return said["stopped"] + "\nthe tests took too long or wrote too much"
    return re.sub(r"(Ran \d+ tests?) in [\d.]+s", r"\1", said["out"])  # the same each time
