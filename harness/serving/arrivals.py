"""Requests as plain columns: what the simulator reads of a frame, one array a column, times in nanoseconds.

Sessions become links from a turn to the next. A prompt's blocks are runs of ids: those the trace gives, else, in a
session, its positions (a later turn's prompt continues the earlier one with its answer).
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.errors import UserMistake

NS = 1_000_000_000
NO_BLOCKS: tuple = ()


@dataclass
class Arrivals:
    """Requests in the frame's order.

    arrival: ns, -1 for a later turn; follower: the session's next turn, -1 at its end.
    """

    isl: array
    osl: array
    arrival: array
    gap: array
    follower: array
    key: Sequence[Any]  # of the tree of prefixes; None: shared by all
    runs: Sequence[Any]  # block ids of the prompt as ((first, last), ...); NO_BLOCKS: nothing to share
    priority: array | None
    block: int  # tokens of a block; 0 where no request has any
    by_position: bool  # blocks are positions in a session: answers are cached too

    def __len__(self) -> int:
        return len(self.isl)

    @property
    def most_context(self) -> int:
        return int((np.asarray(self.isl) + np.asarray(self.osl)).max(initial=1))


def arrivals(frame: pd.DataFrame, page: int) -> Arrivals:
    """A checked frame (harness.workloads.columns) -> its columns. page: tokens of a block where the trace has none."""
    session, follower, later = _links(frame)
    start = frame["arrival_s"].to_numpy(float)
    arrival = np.where(later, -1, np.rint(np.nan_to_num(start) * NS)).astype(np.int64)
    gap = np.rint(np.nan_to_num(frame["gap_s"].to_numpy(float)) * NS).astype(np.int64)
    isl, osl = frame["isl"].to_numpy(np.int64), frame["osl"].to_numpy(np.int64)
    hashed = frame["hash_ids"].notna().to_numpy()
    block, by_position = 0, False
    runs: Sequence[Any] = _Same(NO_BLOCKS)
    key: Sequence[Any] = _Same(None)
    if hashed.any():
        sizes = frame["block_size"].to_numpy(float, na_value=np.nan)[hashed]
        block = int(sizes[0])
        if (sizes != block).any():
            raise UserMistake(f"block_size is {block} and {int(sizes[sizes != block][0])}: one size a trace")
        runs = [_runs(v) if h else NO_BLOCKS for v, h in zip(frame["hash_ids"], hashed, strict=True)]
        local = (frame["scope"] == "session").to_numpy()
        key = [s if is_local else None for s, is_local in zip(session.tolist(), local.tolist(), strict=True)]
    elif later.any():
        block, by_position = page, True
        many = np.zeros(session.max() + 1, bool)
        many[session[later]] = True
        # A request's last token is never stored.
        runs = [((0, (p + a - 1) // page - 1),) if m and p + a > page else NO_BLOCKS
                for p, a, m in zip(isl.tolist(), osl.tolist(), many[session].tolist(), strict=True)]  # fmt: skip
        key = session.tolist()
    priority = frame["priority"].to_numpy(np.int64)
    return Arrivals(
        *(_packed(x) for x in (isl, osl, arrival, gap, follower)), key, runs,
        _packed(priority) if priority.any() else None, block, by_position,
    )  # fmt: skip


def _packed(column: np.ndarray) -> array:
    """Eight bytes a number, and quicker to index one by one than NumPy's."""
    return array("q", np.ascontiguousarray(column, np.int64).tobytes())


class _Same:
    """A column that is the same for every request."""

    def __init__(self, value: Any):
        self._value = value

    def __getitem__(self, _: int) -> Any:
        return self._value


def _links(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(session number, next turn or -1, is a later turn) of each row."""
    n, session = len(frame), pd.factorize(frame["session"])[0]
    order = np.argsort(session, kind="stable")  # turns rise from row to row
    same = session[order][1:] == session[order][:-1]
    follower = np.full(n, -1)
    follower[order[:-1][same]] = order[1:][same]
    later = np.zeros(n, bool)
    later[order[1:][same]] = True
    return session, follower, later


def _runs(cell: Any) -> tuple[tuple[int, int], ...]:
    """A hash_ids cell -> runs; neighbours that follow on from each other are one."""
    items = json.loads(cell) if isinstance(cell, str) else cell
    out: list[list[int]] = []
    for item in items:
        first, last = (item, item) if isinstance(item, (int, np.integer)) else item
        if out and out[-1][1] + 1 == first:
            out[-1][1] = int(last)
        else:
            out.append([int(first), int(last)])
    return tuple((a, b) for a, b in out)
