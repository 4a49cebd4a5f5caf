"""Every mistake Stackline can name, each a sentence with what was found and what to do.

`UserMistake` and its children end the command with exit code 2 and one line on stderr;
any other `StacklineError` is a failure of the run itself (exit code 1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class StacklineError(Exception):
    """A failure that Stackline understands; `str()` is the whole message, in one line."""

    exit_code = 1


class UserMistake(StacklineError):
    """Something the user can mend: an id, a file, an option."""

    exit_code = 2


class UnknownId(UserMistake):
    """An id that names no file; the nearest known one is suggested."""

    def __init__(self, kind: str, wanted: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(wanted.lower(), known, n=1, cutoff=0.5)
        more = f" and {len(known) - 20} more" if len(known) > 20 else ""
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known[:20])}{more}"
        super().__init__(f"unknown {kind} '{wanted}': {hint}")
        self.kind, self.wanted, self.suggestion = kind, wanted, near[0] if near else None


class BadFile(UserMistake):
    """A data file with a mistake: file, key, what was found and what was expected."""

    def __init__(self, path: Path | str, key: str, found: object, expected: str) -> None:
        shown = repr(found)
        if len(shown) > 80:
            shown = shown[:77] + "..."
        super().__init__(f"{path}: {key}: found {shown}, expected {expected}")
        self.path, self.key, self.found, self.expected = Path(path), key, found, expected
        self.others: tuple[BadFile, ...] = ()  # further mistakes of the same file, where all were looked for


class MissingFile(UserMistake):
    """A path the user gave that is not there (or not readable)."""

    def __init__(self, path: Path | str, what: str = "file") -> None:
        super().__init__(f"no such {what}: {path}")


class CannotWrite(UserMistake):
    """A folder or file that cannot be written."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"cannot write {path}: {why}")


class NotPredictable(UserMistake):
    """A stack that cannot be modelled: weights that do not fit, a context too long, a dtype the chip lacks."""


class WeightsError(StacklineError):
    """The reference model's weights could not be fetched, verified or read."""


class SandboxUnavailable(StacklineError):
    """No confinement for model-written code passed its self-test on this machine."""
