"""TraceLab's replay CSV: session_id, arrival_time, round_idx, prefix_len, input_len, output_len, tool_wait_after_ms.

The prompt is prefix_len + input_len. A round keeps the first prefix_len tokens of its session's context, which is the
previous prompt and answer, or less where an answer was not kept; what it keeps is written as block ids of
`PAGE_TOKENS` tokens, local to the session. A prefix on a session's first round was held from before the trace: with an
empty cache it is new. The gap before a round is tool_wait_after_ms of the one before it; its kind is left blank, since
people's pauses stand in that column too. arrival_time is read as ms, like its neighbour (not verified: the format names
no unit); without it all sessions start at 0. Rounds must be in order. Format: https://github.com/uw-syfi/TraceLab.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.workloads.blocks import PAGE_TOKENS
from harness.workloads.files import csv_frame, header

NEEDS = "CSV with session_id, round_idx, prefix_len, input_len, output_len, tool_wait_after_ms"
_COLUMNS = ("session_id", "round_idx", "prefix_len", "input_len", "output_len", "tool_wait_after_ms")


def matches(head: str) -> bool:
    return set(_COLUMNS) <= set(header(head))


def load(path: Path) -> pd.DataFrame:
    raw = csv_frame(path, _COLUMNS)
    sessions = raw.groupby("session_id", sort=False)
    first = (sessions.cumcount() == 0).to_numpy()
    arrival_ms = raw["arrival_time"].to_numpy(np.float64) if "arrival_time" in raw else np.zeros(len(raw))
    isl = raw["prefix_len"] + raw["input_len"]
    return pd.DataFrame({
        "arrival_s": np.where(first, arrival_ms / 1e3, np.nan), "isl": isl,
        "osl": raw["output_len"].mask(raw["output_len"] == 0, 1), "session": raw["session_id"].astype(str),
        "turn": raw["round_idx"], "gap_s": sessions["tool_wait_after_ms"].shift() / 1e3,
        "hash_ids": _ids(raw["session_id"].to_numpy(), raw["prefix_len"].to_numpy(), isl.to_numpy()),
        "block_size": PAGE_TOKENS, "scope": "session",
    })  # fmt: skip


def _ids(session: np.ndarray, kept_tokens: np.ndarray, isl: np.ndarray) -> list[list[list[int]]]:
    """Block ids of each round: the session's context cut to what is kept, then new ids for the rest."""
    context: dict[object, tuple[list[list[int]], int]] = {}  # runs of the last prompt, next unused id
    cells = []
    for owner, kept, tokens in zip(session, kept_tokens, isl, strict=True):
        known, unused = context.get(owner, ([], 0))
        cell = _cut(known, int(kept) // PAGE_TOKENS)
        fresh = int(tokens) // PAGE_TOKENS - sum(b - a + 1 for a, b in cell)
        if fresh > 0 and cell and cell[-1][1] == unused - 1:
            cell[-1][1] += fresh
        elif fresh > 0:
            cell.append([unused, unused + fresh - 1])
        context[owner] = (cell, unused + max(fresh, 0))
        cells.append([run.copy() for run in cell])
    return cells


def _cut(cell: list[list[int]], blocks: int) -> list[list[int]]:
    """The first `blocks` blocks of some runs."""
    out = []
    for a, b in cell:
        if blocks <= 0:
            break
        out.append([a, min(b, a + blocks - 1)])
        blocks -= out[-1][1] - a + 1
    return out
