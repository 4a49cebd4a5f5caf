"""What an agent does in a repository of repo-repair: look, search, edit, run the tests that it can see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.calls import Call
from harness.errors import SandboxUnavailable
from harness.suites import beside
from harness.worlds import World, tool_of

_patches, _runs = beside(__file__, "_repair_patches"), beside(__file__, "_repair_runs")
State = dict[str, Any]
MOST_TEXT, MOST_FILES, MOST_SHOWN = 60_000, 60, 4_000  # characters of a file, files, characters of a result
_PLACE = re.compile(r"[\w.\-]+(/[\w.\-]+)*\Z")
EDITS = ("replace", "write_file", "apply_patch")

INSTRUCTIONS = (
    "You repair a small repository. An issue tells what a user saw, not always why. Find the cause and change as "
    "little as you need: what works today has to go on working. Other tests than those you see decide. Text to be "
    "replaced has to stand in the file exactly once; copy it as it stands. When the repair is done, answer in words. "
    "Instead of calling functions you may answer with a patch (a unified diff)."
)
EXAMPLES = """Write one line: Action: with a list of calls, or Answer: with words. Three examples:

User: farm/sizes.py:
MOST_PEARS = 6
MOST_APPLES = 6
MOST_PLUMS = 40
A basket may hold 8 apples, but ours is full with 6. In farm/sizes.py, MOST_APPLES is wrong.
Action: [replace(path='farm/sizes.py', old='MOST_APPLES = 6', new='MOST_APPLES = 8')]
Observation: "done"
Answer: MOST_APPLES is 8 now.

User: bees/honey.py:
JARS_PER_BOX = 31
BOXES_A_DAY = 31
We fill 27 boxes a day, but the plan says 31. In bees/honey.py, BOXES_A_DAY is wrong.
Action: [replace(path='bees/honey.py', old='BOXES_A_DAY = 31', new='BOXES_A_DAY = 27')]
Observation: "done"
Answer: BOXES_A_DAY is 27 now.

User: etc/times.sh:
GATE_SECONDS=45
BELL_SECONDS=45
The gate should stay open for 90 seconds, but it closes after 45. In etc/times.sh, GATE_SECONDS is wrong.
Action: [replace(path='etc/times.sh', old='GATE_SECONDS=45', new='GATE_SECONDS=90')]
Observation: "done"
Answer: GATE_SECONDS is 90 now."""


def list_files(state: State) -> list:
    """The paths of all files."""
    return sorted(state["files"])


def read_file(state: State, path: str) -> str:
    """The text of a file."""
    return state["files"][_path(state, path)]


def search(state: State, text: str) -> list:
    """Lines that hold a text, as path:number: line."""
    lines = ((path, k, line) for path, whole in sorted(state["files"].items())
             for k, line in enumerate(whole.split("\n"), 1))  # fmt: skip
    hits = [f"{path}:{k}: {line}" for path, k, line in lines if text.casefold() in line.casefold()]
    return [*hits[:40], f"and {len(hits) - 40} more"] if len(hits) > 40 else hits


def replace(state: State, path: str, old: str, new: str) -> str:
    """Put new text in the place of old text, which stands in the file exactly once."""
    path = _path(state, path)
    text = state["files"][path]
    count = text.count(old) if old else 0
    if count != 1:
        raise ValueError(f"the old text stands {count} times in {path}, not once")
    return _write(state, {path: text.replace(old, new)})


def write_file(state: State, path: str, text: str) -> str:
    """Write a whole file, new or old."""
    return _write(state, {path: text})


def apply_patch(state: State, patch: str) -> str:
    """Apply a unified diff."""
    edits = _patches.read(patch)
    if not edits:
        raise ValueError("no patch: give a unified diff, with --- and +++ lines before its @@ parts")
    new = _patches.applied(state["files"], edits)
    for path in state["files"].keys() - new.keys():
        del state["files"][path]
    return _write(state, {path: text for path, text in new.items() if state["files"].get(path) != text})


def run_tests(state: State) -> str:
    """Run the repository's own tests, and see what they print."""
    if state.get("dry"):  # a replay is after the files alone
        return ""
    try:
        return _runs.visible(state["files"], state["language"])[-MOST_SHOWN:]
    except SandboxUnavailable:
        raise ValueError("the tests cannot be run on this machine") from None


TOOLS = [tool_of(f) for f in (list_files, read_file, search, replace, write_file, apply_patch, run_tests)]


def world(files: dict[str, str], language: str, opening: str, dry: bool = False) -> World:
    """A new world over some files. dry: tests are not run, for a replay."""
    state = {"files": dict(files), "language": language, "dry": dry}
    return World(state, TOOLS, opening, INSTRUCTIONS, examples=EXAMPLES, reads=patch_calls)


def patch_calls(text: str) -> Sequence[Call]:
    """The call that an answer means which is a patch."""
    body = text.strip().removeprefix("Answer:").lstrip(" ").lstrip("\n")
    return [Call("apply_patch", {"patch": body})] if _patches.read(body) else []


def _path(state: State, path: str) -> str:
    """The path of a file that is there; its last part alone will do where no other file has it."""
    named = [one for one in state["files"] if one == path or one.endswith(f"/{path}")]
    if path not in named and len(named) != 1:
        raise ValueError(f"there is no file {path}; there are {', '.join(sorted(state['files']))}")
    return path if path in named else named[0]


def _write(state: State, new: dict[str, str]) -> str:
    for path, text in new.items():
        if not _PLACE.match(path) or any(part in (".", "..") for part in path.split("/")) or len(path) > 120:
            raise ValueError(f"{path!r} is no path in the repository")
        if len(text) > MOST_TEXT or not _encodes(text):
            raise ValueError(f"the text of {path} is too long or no text")
    files = state["files"] | new
    folders = {p.rpartition("/")[0] for p in files}
    if len(files) > MOST_FILES or folders & files.keys():
        raise ValueError("too many files, or a folder where a file is")
    state["files"] = files
    return "done"


def _encodes(text: str) -> bool:
    try:
        return "\0" not in text and bool(text.encode("utf-8") or True)
    except UnicodeEncodeError:
        return False
