"""Patches as models write them, read and applied.

Four forms: a unified diff, whose line numbers are only a hint, for models miscount; the same between
`*** Begin Patch` and `*** End Patch`; SEARCH/REPLACE blocks under a file's path; whole files, each a fenced block under
its path. What cannot be read or does not fit raises ValueError with a sentence, and nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_FILE = r"[\w.\-]+(?:/[\w.\-]+)*\.\w+"
_HEAD = re.compile(rf"^\W*(?:[Ff]ile:?\s*)?[`*]*({_FILE})[`*:]*\s*$")
_HUNK = re.compile(r"^@@(?: -(\d+)(?:,\d+)? \+\d+(?:,\d+)?)?.*$")
_BEGIN = re.compile(r"^\*\*\* (Update|Add|Delete) File: (\S+)\s*$")
_SEARCH = re.compile(r"^<{5,} ?SEARCH\s*$")


@dataclass
class Hunk:
    """Lines to find and lines to put there; `near` is where they are said to be (0: not said)."""

    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    near: int = 0


@dataclass
class Edit:
    """What is done to one file: hunks, in their order; or the whole text; or (text is None, no hunks) it goes."""

    path: str
    hunks: list[Hunk] = field(default_factory=list)
    text: str | None = None


def read(text: str) -> list[Edit]:
    """The edits that a text holds, in its first form that holds any; none where it is no patch."""
    lines = text.replace("\r\n", "\n").split("\n")
    for form in (_blocks, _diff, _whole):
        if edits := list(form(lines)):
            return edits
    return []


def applied(files: Mapping[str, str], edits: Sequence[Edit]) -> dict[str, str]:
    """The files after the edits; raises ValueError where one does not fit."""
    new = dict(files)
    for edit in edits:
        if edit.text is not None:
            new[edit.path] = edit.text
        elif not edit.hunks:
            if new.pop(edit.path, None) is None:
                raise ValueError(f"there is no file {edit.path}")
        else:
            if edit.path not in new and any(hunk.old for hunk in edit.hunks):
                raise ValueError(f"there is no file {edit.path}")
            new[edit.path] = _patched(edit, new.get(edit.path, ""))
    return new


def _patched(edit: Edit, text: str) -> str:
    lines, shift = text.split("\n"), 0
    for hunk in edit.hunks:
        place, old, new = _place(edit.path, hunk, lines, shift)
        lines[place : place + len(old)] = new
        shift += len(new) - len(old)
    return "\n".join(lines)


def _place(path: str, hunk: Hunk, lines: list[str], shift: int) -> tuple[int, list[str], list[str]]:
    """Where a hunk fits, and its two sides as they fit: exactly, or but for white space at line ends."""
    old, new = list(hunk.old), list(hunk.new)
    if not old:
        at = min(hunk.near + shift, len(lines)) if hunk.near else len(lines) - (lines[-1] == "")
        return at, old, new
    while True:
        for same in (lambda a, b: a == b, lambda a, b: a.rstrip() == b.rstrip()):
            spots = [k for k in range(len(lines) - len(old) + 1) if all(map(same, lines[k:], old))]
            if len(spots) > 1 and not hunk.near:
                raise ValueError(f"the lines to change stand {len(spots)} times in {path}; give more lines around them")
            if spots:
                return min(spots, key=lambda k: abs(k - (hunk.near - 1 + shift))), old, new
        if len(old) > 1 and new and old[-1] == new[-1] == "":  # an empty line at the end is often the message's own
            old.pop(), new.pop()
            continue
        raise ValueError(f"{path} has no such lines: {next((line for line in old if line.strip()), '')!r} and so on")


def _diff(lines: Sequence[str]) -> Iterator[Edit]:
    """Unified diffs and `*** Begin Patch`, line by line."""
    edit: Edit | None = None
    source = ""
    for k, line in enumerate(lines):
        begun = _BEGIN.match(line)
        head = line.startswith("--- ") and k + 1 < len(lines) and lines[k + 1].startswith("+++ ")
        if begun or head or line.startswith(("diff --git", "*** End", "```")):
            if edit is not None:
                yield edit
            edit = None
            source = _path(line[4:]) if head else ""
            if begun:
                edit = Edit(begun[2])
                if begun[1] == "Add":
                    edit.hunks.append(Hunk())
        elif source and line.startswith("+++ "):
            target = _path(line[4:])
            edit = Edit(source if target == "/dev/null" else target)
            if target == "/dev/null":  # its hunks only repeat what goes
                yield edit
                edit = None
            source = ""
        elif edit is not None:
            _take(edit, line)
    if edit is not None:
        yield edit


def _take(edit: Edit, line: str) -> None:
    """One line of a file's part of a diff."""
    if found := _HUNK.match(line):
        edit.hunks.append(Hunk(near=int(found[1] or 0)))
    elif line[:1] in (" ", "-", "+", ""):
        if not edit.hunks:
            if not line:
                return
            edit.hunks.append(Hunk())
        hunk = edit.hunks[-1]
        if line[:1] != "+":
            hunk.old.append(line[1:])
        if line[:1] != "-":
            hunk.new.append(line[1:])


def _path(text: str) -> str:
    path = text.split("\t")[0].strip().strip('"')
    return path if path == "/dev/null" else re.sub(r"^[ab]/", "", path)


def _blocks(lines: Sequence[str]) -> Iterator[Edit]:
    """SEARCH/REPLACE blocks; the path is the last line before one that looks like a path."""
    path, side, hunk = "", "", Hunk()
    for line in lines:
        if not side and (head := _HEAD.match(line)):
            path = head[1]
        elif _SEARCH.match(line) and path:
            side, hunk = "old", Hunk()
        elif side == "old" and re.match(r"^={5,}\s*$", line):
            side = "new"
        elif side == "new" and re.match(r"^>{5,} ?REPLACE\s*$", line):
            side = ""
            yield Edit(path, [hunk] if hunk.old else [], None if hunk.old else "\n".join([*hunk.new, ""]))
        elif side:
            getattr(hunk, side).append(line)


def _whole(lines: Sequence[str]) -> Iterator[Edit]:
    """Fenced blocks, each under a line that is a path."""
    path, held = "", None
    for line in lines:
        if line.startswith("```"):
            if held is not None:
                yield Edit(path, text="\n".join([*held, ""]))
                path, held = "", None
            elif path:
                held = []
            continue
        if held is not None:
            held.append(line)
        elif line.strip():
            head = _HEAD.match(line)
            path = head[1] if head else ""
