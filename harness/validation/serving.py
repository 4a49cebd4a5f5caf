"""A real engine's run, request by request, beside the same requests simulated.

The run's arrivals and lengths are the simulation's input; its times are the truth. What the engine was told (limits,
split, formats) belongs into the stack; what it measured of itself, such as its number of cache blocks, does not.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import BadFile, MissingFile
from harness.serving.deploy import deploy
from harness.serving.simulate import columns, run
from harness.workloads import checked
from harness.workloads.files import field, first_object, json_lines, opened

# Figure -> (column, percentile, largest error that is the goal); the last is of the whole run.
FIGURES = {
    "TTFT p50": ("ttft_s", 50, 0.15), "TTFT p90": ("ttft_s", 90, 0.20),
    "TPOT p50": ("tpot_s", 50, 0.15), "TPOT p90": ("tpot_s", 90, 0.20), "total time": ("end_s", 100, 0.10),
}  # fmt: skip
TIMES = ("ttft_s", "tpot_s", "e2e_s")
_RECORD = ("queued_ts", "first_token_ts", "last_token_ts", "input_toks", "output_toks")
NEEDS = (
    f"JSON lines with {', '.join(_RECORD)}; the JSON of `vllm bench serve --save-detailed`, with start_times; or a "
    "CSV with arrival_s, isl, osl, ttft_s, e2e_s"
)


@dataclass(frozen=True)
class Compared:
    """table: figure, measured, simulated (s), error (simulated over measured, less 1), goal, met. requests: one row a
    request, `<time>` measured and `<time>_simulated`. capacity: tokens of cache that the stack is taken to have."""

    stack: str
    table: pd.DataFrame
    requests: pd.DataFrame
    capacity: int

    @property
    def errors(self) -> Mapping[str, float]:
        return dict(zip(self.table["figure"], self.table["error"], strict=True))


def compare_run(path: Path, stack: str) -> Compared:
    """Raises MissingFile or BadFile where the run cannot be read, and what `simulate` raises."""
    real, deployment = read_run(path), deploy(stack)
    frame = checked(real[["arrival_s", "isl", "osl"]], path)
    found = columns(frame, run(deployment, frame))
    refused = found.loc[found["status"] == "rejected", "reason"]
    if len(refused):
        row = int(refused.index[0])
        raise BadFile(path, f"request {row + 1}", refused.iloc[0], "a run that the stack can serve whole")
    both = real.assign(**{f"{name}_simulated": found[name].to_numpy() for name in TIMES})
    both["end_s"], both["end_s_simulated"] = (both["arrival_s"] + both[f"e2e_s{s}"] for s in ("", "_simulated"))
    rows = []
    for figure, (column, percentile, goal) in FIGURES.items():
        measured, simulated = (float(np.nanpercentile(both[f"{column}{s}"], percentile)) for s in ("", "_simulated"))
        error = simulated / measured - 1
        rows.append((figure, measured, simulated, error, goal, abs(error) <= goal))
    table = pd.DataFrame(rows, columns=["figure", "measured", "simulated", "error", "goal", "met"])
    return Compared(str(deployment.stack), table, both, deployment.engine.capacity)


def read_run(path: Path) -> pd.DataFrame:
    """arrival_s (the first at 0), isl, osl, ttft_s, tpot_s (NaN where osl < 2), e2e_s of a run, by arrival."""
    if not path.is_file():
        raise MissingFile(path)
    with opened(path) as file:
        head = file.readline()
    if set(_RECORD) <= set(first_object(head)):
        frame = _records(path)
    elif head.lstrip().startswith("{"):
        frame = _result(path)
    else:
        frame = _table(path, head)
    if not len(frame):
        raise BadFile(path, "requests", 0, "at least one answered request")
    frame["arrival_s"] -= frame["arrival_s"].min()
    rest = frame["osl"] - 1
    frame["tpot_s"] = ((frame["e2e_s"] - frame["ttft_s"]) / rest).where(rest > 0)
    return frame.sort_values("arrival_s", kind="stable", ignore_index=True)


def _records(path: Path) -> pd.DataFrame:
    """One record a request, on the engine's clock."""
    rows = [[field(path, number, entry, name) for name in _RECORD] for number, entry in json_lines(path)]
    queued, first, last, isl, osl = np.array(rows, float).T
    return pd.DataFrame({"arrival_s": queued, "isl": isl.astype(int), "osl": osl.astype(int), "ttft_s": first - queued,
                         "e2e_s": last - queued})  # fmt: skip


def _result(path: Path) -> pd.DataFrame:
    """A benchmark client's result: its own clock, the way to the server and back included."""
    with opened(path) as file:
        try:
            result = json.load(file)
        except json.JSONDecodeError as error:
            raise BadFile(path, "file", str(error), NEEDS) from error
    names = ("start_times", "input_lens", "output_lens", "ttfts", "itls")
    if missing := [name for name in names if name not in result]:
        raise BadFile(path, ", ".join(missing), "nothing", NEEDS)
    start, isl, osl, ttft = (np.array(result[name], float) for name in names[:4])
    whole = ttft + np.array([sum(times) for times in result["itls"]])
    errors = result.get("errors") or [""] * len(isl)
    answered = np.array([not error for error in errors]) & (osl > 0)
    frame = pd.DataFrame({"arrival_s": start, "isl": isl, "osl": osl, "ttft_s": ttft, "e2e_s": whole})[answered]
    return frame.astype({"isl": int, "osl": int})


def _table(path: Path, head: str) -> pd.DataFrame:
    needed = ["arrival_s", "isl", "osl", "ttft_s", "e2e_s"]
    if missing := [name for name in needed if name not in next(csv.reader([head]), [])]:
        raise BadFile(path, ", ".join(missing), "nothing", NEEDS)
    with opened(path) as file:
        return pd.read_csv(file)[needed].dropna().reset_index(drop=True)
