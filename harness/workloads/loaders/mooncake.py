"""Mooncake's traces: JSON lines of timestamp (ms), input_length, output_length, hash_ids of 512-token blocks.

Ids are global: equal ids are equal blocks whoever asks; a part-filled last block has an id too. Every request is its
own session. An answer of no tokens counts as one. Format: https://github.com/kvcache-ai/Mooncake (FAST25-release).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.workloads.blocks import runs
from harness.workloads.files import field, first_object, json_lines

NEEDS = "JSON lines with timestamp, input_length, output_length, hash_ids"
BLOCK_TOKENS = 512
_FIELDS = ("timestamp", "input_length", "output_length", "hash_ids")


def matches(head: str) -> bool:
    return set(_FIELDS) <= set(first_object(head))


def load(path: Path) -> pd.DataFrame:
    rows = [tuple(field(path, number, entry, name) for name in _FIELDS) for number, entry in json_lines(path)]
    frame = pd.DataFrame(rows, columns=["arrival_s", "isl", "osl", "hash_ids"])
    frame["arrival_s"] /= 1e3
    frame["osl"] = frame["osl"].mask(frame["osl"] == 0, 1)
    frame["hash_ids"] = [runs(ids) for ids in frame["hash_ids"]]
    return frame.assign(block_size=BLOCK_TOKENS, scope="global")
