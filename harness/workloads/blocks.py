"""Block ids of a prompt: a list of ints and of pairs [first, last], each pair a run of consecutive ids."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

Ids = list[int | list[int]]
PAGE_TOKENS = 16  # block of the ids written here: a page of the KV cache in vLLM by default


def parsed(cell: object) -> Ids:
    """A cell of the column `hash_ids`, a list or its JSON text, checked. Raises ValueError saying what is expected."""
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except json.JSONDecodeError:
            raise ValueError("a JSON list of block ids") from None
    if not isinstance(cell, list | tuple | np.ndarray):
        raise ValueError("a list of block ids")
    for item in cell:
        if not (_is_id(item) or (_is_pair(item) and item[0] <= item[1])):
            raise ValueError("block ids from 0, each an int or a pair [first, last]")
    return list(cell)


def _is_id(item: object) -> bool:
    return isinstance(item, int | np.integer) and not isinstance(item, bool) and item >= 0


def _is_pair(item: object) -> bool:
    return isinstance(item, list | tuple) and len(item) == 2 and all(map(_is_id, item))


def runs(ids: Sequence[int]) -> Ids:
    """Block ids, one an item, with each stretch of consecutive ones as a pair [first, last]."""
    if not len(ids):
        return []
    whole = np.asarray(ids)
    starts = np.flatnonzero(np.diff(whole, prepend=whole[0] - 2) != 1)
    ends = np.append(starts[1:], len(whole)) - 1
    firsts, lasts = whole[starts].tolist(), whole[ends].tolist()
    return [a if a == b else [a, b] for a, b in zip(firsts, lasts, strict=True)]


def spans(cell: Ids) -> np.ndarray:
    """The runs of a cell as [n, 2] half-open spans of ids; a single id is a span of one."""
    pairs = [(item[0], item[1] + 1) if isinstance(item, list | tuple) else (item, item + 1) for item in cell]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def expanded(cell: Ids) -> np.ndarray:
    """Every block id of a cell in order, [blocks] int64."""
    ranges = [np.arange(a, b) for a, b in spans(cell)]
    return np.concatenate(ranges) if ranges else np.zeros(0, np.int64)
