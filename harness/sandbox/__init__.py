"""Runs programs that nobody has read: model-written code, confined, judged from outside.

`check` sends a candidate and call expressions into the sandbox and gets plain values back; the expected
values never enter it. So nothing the candidate does in there can forge a pass: exiting early, printing
"passed", patching builtins or returning an object that claims to equal everything gives values that differ,
or none. The level of confinement is found once, by a self-test that tries what a hostile program would.

    >>> check("def double(x):\\n    return x * 2", [("double(4)", 8)]).status  # doctest: +SKIP
    'passed'
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import SandboxUnavailable
from harness.sandbox import confine
from harness.sandbox.process import Limits, Outcome, execute
from harness.sandbox.selftest import failures

__all__ = ["Level", "Limits", "Outcome", "allow_unconfined", "check", "check_all", "level", "run"]

_DRIVER = Path(__file__).with_name("_inside.py").read_text("utf-8")


@dataclass(frozen=True)
class Level:
    """How programs are confined here: "bubblewrap", "user-namespaces" or "unconfined", and with which interpreter."""

    name: str
    note: str
    python: str


_unconfined_allowed = False


def allow_unconfined() -> None:
    """Where no confinement passes its self-test, run programs without one, under limits of time and memory alone.

    For this process, and only on a user's own word (`run --allow-unsafe-exec`): such a program may read and write
    whatever the user may, and use the network.
    """
    global _unconfined_allowed
    _unconfined_allowed = True
    level.cache_clear()


@cache
def level() -> Level:
    """The strongest confinement that passes its self-test. Raises SandboxUnavailable where none does."""
    tried = []
    python = confine.interpreter()
    if python is None:
        raise SandboxUnavailable("no sandbox for model-written code: no Python that an unprivileged user can read")
    for name, build in confine.LEVELS.items():
        command = build(python)
        if command is None:
            tried.append(f"{name}: not installed")
            continue
        wrong = failures(command)
        if not wrong:
            return Level(name, f"{name}, {python}, self-test passed", python)
        tried.append(f"{name}: {'; '.join(wrong)}")
    if _unconfined_allowed:
        return Level("unconfined", f"no confinement, as the user allowed ({' | '.join(tried)})", python)
    raise SandboxUnavailable(
        f"no sandbox for model-written code ({' | '.join(tried)}); install bubblewrap to run code suites, or let them "
        "run without one with --allow-unsafe-exec"
    )


def run(program: str, stdin: str = "", limits: Limits = Limits()) -> Outcome:  # noqa: B008 (frozen)
    """Run a whole Python program. "passed" means exit code 0; nothing is judged."""
    request = json.dumps({"program": program, "stdin": stdin})
    return _execute(request, limits)


def check(candidate: str, calls: Sequence[tuple[str, Any]], limits: Limits = Limits()) -> Outcome:  # noqa: B008
    """Define `candidate`, evaluate each call expression, and compare with the expected values out here.

    "passed" if all are equal, "wrong" if the program ran and some differ; else how it failed.
    """
    outcome = _execute(json.dumps({"program": candidate, "calls": [call for call, _ in calls]}), limits)
    return replace(outcome, status=_verdict(outcome, [expected for _, expected in calls]))


def check_all(jobs: Sequence[tuple[str, Sequence[tuple[str, Any]]]], workers: int = 2) -> list[Outcome]:
    """`check` for many candidates, a few at a time, in order."""
    level()  # the self-test runs once, before the threads start
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda job: check(*job), jobs))


def plain(value: Any) -> Any:
    """A value as JSON holds it, with tuples, sets and dicts marked: what `_inside.plain` makes in there."""
    if isinstance(value, list):
        return [plain(x) for x in value]
    if isinstance(value, tuple):
        return {"tuple": [plain(x) for x in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted((plain(x) for x in value), key=json.dumps)}
    if isinstance(value, dict):
        return {"dict": sorted(([plain(k), plain(v)] for k, v in value.items()), key=json.dumps)}
    return value


def _execute(request: str, limits: Limits) -> Outcome:
    here = level()
    build = confine.LEVELS.get(here.name, confine.unconfined)
    command = [*build(here.python), "-c", _DRIVER]
    return execute(command, request, limits)


def _verdict(outcome: Outcome, expected: list[Any]) -> str:
    if outcome.status != "passed":
        return outcome.status
    try:
        answers = json.loads(outcome.stdout)
    except (ValueError, RecursionError):
        return "error"
    if not isinstance(answers, list) or len(answers) != len(expected):
        return "error"
    return "passed" if all(same(a, plain(e)) for a, e in zip(answers, expected, strict=True)) else "wrong"


def same(answer: Any, expected: Any) -> bool:
    """Python's equality on plain values, with the room that floating-point sums need."""
    if isinstance(expected, float) and isinstance(answer, (int, float)):
        return abs(answer - expected) <= 1e-9 * max(1.0, abs(expected))
    if isinstance(expected, list) and isinstance(answer, list):
        return len(answer) == len(expected) and all(map(same, answer, expected))
    if isinstance(expected, dict) and isinstance(answer, dict):
        return answer.keys() == expected.keys() and all(same(answer[k], expected[k]) for k in expected)
    return answer == expected
