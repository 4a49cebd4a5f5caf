"""A validation as a run folder: what was published and what is predicted, side by side, for plots and tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from harness.results import Results, Row, RunFolder, load_results

_UNITS = {"tpot": "ms", "ttft": "ms", "energy": "J/token"}
_SOURCES = {"measurements": {"title": "the validation's table of measurements; each row's source is in its note"},
            "time-model": {"title": "Stackline's model of time"}}  # fmt: skip


def write_run(lines: pd.DataFrame, left_out: str, folder: Path) -> Results:
    """Write the lines of `compare` as a run in `folder`, in the place of an earlier one. Raises CannotWrite."""
    for name in ("manifest.json", "rows.csv", "answers.jsonl"):
        (folder / name).unlink(missing_ok=True)
    run = RunFolder(folder, "validation")
    run.write_rows(row for line in lines.to_dict("records") for row in _rows(line))
    run.write_manifest({"left_out_of_fit": left_out, "sources": _SOURCES})
    return load_results(folder)


def _rows(line: dict[str, Any]) -> Iterator[Row]:
    """The published figure, and the predicted one where there is any. Power has few rows and stays out."""
    target = line["target"]
    if line["statistic"] == "power":
        return
    at = {"model": line["model"], "chip": line["chip"], "workload": str(line["id"])}
    stack, unit = f"{line['model']}@{line['chip']}", _UNITS.get(target, "token/s")
    yield Row(stack, f"validation.published[{target}]", float(line["measured"]), unit, "published", "measurements",
              note=f"from={line['source']}", **at)  # fmt: skip
    if pd.notna(line["predicted"]):
        p10, p90 = (float(line[end]) if pd.notna(line[end]) else None for end in ("p10", "p90"))
        yield Row(stack, f"validation.predicted[{target}]", float(line["predicted"]), unit, "modelled", "time-model",
                  p10=p10, p90=p90, note=f"family={line['family']}", **at)  # fmt: skip
