"""Coding-agent sessions as kv-cache-tester records them: one session a line, gzip or plain JSON lines.

A session has id, block_size, hash_id_scope and requests, each with t (s from the session's start), in, out, api_time,
think_time, input_types, and hash_ids or their runs hash_ranges [[first, last], ...]. Only full blocks have an id.

- Sessions start at 0: the files do not say when one began against another. A closed loop starts them as it has room.
- The gap of a call is its think_time, the client's pause before it (a tool's run, a person's thinking, or both). Where
  that is missing it is t less the end of the call before (t + api_time), or 0 where that is unknown too.
- A call whose input holds a tool_result followed a tool, any other followed a person.
- A sub-agent, an entry with its own requests, becomes a session named <session>/<agent_id>[#n]. Its `t` is when it
  ended, so it arrives at t - duration_ms, just after the call of its parent that started it had ended; one that the
  parent did not wait for (launched, without a duration) has the launch as its `t`, and arrives then. That time is the
  recorded one: it does not move if the parent runs slower. The parent's own next call waits for it through its
  recorded think_time. Its block ids are local to it, as every session's here; what it shared with its siblings under
  the same parent counts as new.
- An answer of no tokens counts as one.

Format: https://github.com/callanjfox/kv-cache-tester (traces/).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import BadFile
from harness.workloads.blocks import runs
from harness.workloads.files import field, first_object, json_lines

NEEDS = "JSON lines with id, block_size, requests [{t, in, out, hash_ids, ...}]"
_COLUMNS = (
    "arrival_s", "isl", "osl", "id", "session", "turn", "gap_s", "gap_kind", "hash_ids", "block_size", "scope",
)  # fmt: skip
_LOCAL = {"local": "session", "global": "global"}


def matches(head: str) -> bool:
    begins = head[:4096]
    return '"requests"' in begins and '"block_size"' in begins and not {"isl", "input_length"} & set(first_object(head))


def load(path: Path) -> pd.DataFrame:
    rows: list[tuple] = []
    for number, session in json_lines(path):
        try:
            scope = _LOCAL[session.get("hash_id_scope", "local")]
            for name, start_s, calls in _threads(path, number, session):
                rows.extend(_rows(name, start_s, calls, session["block_size"], scope))
        except KeyError as error:
            raise BadFile(path, f"line {number}, {error.args[0]}", "nothing", "a value") from error
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _threads(path: Path, number: int, session: dict[str, Any]) -> Iterator[tuple[str, float, list[dict[str, Any]]]]:
    """(name, start in s, calls) of a session's own calls and of each sub-agent's; those without calls are left out."""
    entries, name = field(path, number, session, "requests"), str(field(path, number, session, "id"))
    if own := [entry for entry in entries if "requests" not in entry]:
        yield name, 0.0, own
    taken: set[str] = set()
    for entry in entries:
        if not entry.get("requests"):
            continue
        agent = base = f"{name}/{entry.get('agent_id', 'agent')}"
        while agent in taken:
            agent = f"{base}#{len(taken) + 1}"
        taken.add(agent)
        yield agent, max(entry["t"] - (entry.get("duration_ms") or 0.0) / 1e3, 0.0), entry["requests"]


def _rows(name: str, start_s: float, calls: list[dict[str, Any]], block: int, scope: str) -> Iterator[tuple]:
    for turn, (before, call) in enumerate(pairwise([None, *calls])):
        ids = call["hash_ranges"] if "hash_ranges" in call else runs(call["hash_ids"])
        arrival_s, gap_s, kind = (start_s, None, None) if before is None else (None, _gap_s(before, call), _kind(call))
        yield (arrival_s, call["in"], max(call["out"], 1), f"{name}:{turn}", name, turn, gap_s, kind, ids, block, scope)


def _gap_s(before: dict[str, Any], call: dict[str, Any]) -> float:
    if "think_time" in call:
        return max(call["think_time"], 0.0)
    return max(call["t"] - before["t"] - before["api_time"], 0.0) if "api_time" in before else 0.0


def _kind(call: dict[str, Any]) -> str:
    return "tool" if "tool_result" in call.get("input_types", ()) else "person"
