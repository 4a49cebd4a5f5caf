"""Requests of vLLM runs: the result of `vllm bench serve --save-result --save-detailed`, or one record a request.

The result file is one JSON object with a list a quantity: input_lens, output_lens, and start_times (seconds of the
client's clock when each request was sent); the names are those in vllm/benchmarks/serve.py at commit 009e6d4a.
Older versions write no start_times: then all arrive at 0, as under a closed loop. A request that failed (a text in
errors, or no output) is left out. The latencies (ttfts, itls) are results and are not read.

One record a request, JSON lines with input_toks, output_toks and queued_ts (seconds): what the engine's own per-request
metrics give, as LLMServingSim's bench writes them; queued_ts is the arrival. Both: the first request arrives at 0,
every request is its own session, and prompts are taken to share nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import BadFile
from harness.workloads.files import field, first_object, json_lines, opened

NEEDS = "JSON with input_lens and output_lens (--save-detailed), or JSON lines with input_toks, output_toks, queued_ts"
_RECORD = ("queued_ts", "input_toks", "output_toks")


def matches(head: str) -> bool:
    return set(_RECORD) <= set(first_object(head)) or ('"input_lens"' in head and '"output_lens"' in head) or (
        '"request_throughput"' in head and '"total_input_tokens"' in head)  # fmt: skip


def load(path: Path) -> pd.DataFrame:
    with opened(path) as file:
        head = file.readline()
    frame = _records(path) if set(_RECORD) <= set(first_object(head)) else _result(path)
    frame["arrival_s"] -= frame["arrival_s"].min()
    return frame.sort_values("arrival_s", kind="stable", ignore_index=True)


def _records(path: Path) -> pd.DataFrame:
    rows = [
        (*(field(path, number, entry, name) for name in _RECORD), entry.get("request_id"))
        for number, entry in json_lines(path)
    ]
    return pd.DataFrame(rows, columns=["arrival_s", "isl", "osl", "id"])


def _result(path: Path) -> pd.DataFrame:
    with opened(path) as file:
        try:
            result = json.load(file)
        except json.JSONDecodeError as error:
            raise BadFile(path, "file", str(error), "the JSON of `vllm bench serve --save-detailed`") from error
    if not isinstance(result, dict) or not {"input_lens", "output_lens"} <= set(result):
        raise BadFile(path, "input_lens, output_lens", "nothing", "the lists that --save-detailed adds")
    isl, osl = np.array(result["input_lens"], float), np.array(result["output_lens"], float)
    start = np.array(result.get("start_times") or np.zeros(len(isl)), float)
    if not len(isl) == len(osl) == len(start):
        raise BadFile(path, "lengths", [len(isl), len(osl), len(start)], "one input, output and start a request")
    errors = result.get("errors") or [""] * len(isl)
    answered = (osl > 0) & np.array([not error for error in errors], bool)
    return pd.DataFrame({"arrival_s": start, "isl": isl, "osl": osl})[answered]
