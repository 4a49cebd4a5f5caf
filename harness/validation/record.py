"""The figures that the regression test holds: `python -m harness.validation.record [FILE]`.

Writes tests/golden/accuracy.json: the MAPE of TPOT, TTFT and throughput and the share of rows refused, with one chip
left out, on the shipped table and, where FILE is given, on that larger one (else its figures stay as they were).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from harness.errors import StacklineError
from harness.results import write_whole
from harness.validation import errors
from harness.validation.extract import SHIPPED
from harness.validation.outcome import validate

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "accuracy.json"
TARGETS = ("tpot", "ttft", "throughput")


def figures(path: Path) -> dict[str, float]:
    """{target: MAPE} and {"refused": share of rows} of a measurements file, one chip left out; not percent."""
    lines = validate(path, "chip").main
    mape = errors.table(lines).set_index("target")["mape"]
    found = {target: mape[target] for target in TARGETS} | {"refused": errors.refused_rows(lines)}
    return {name: float(f"{value:.4f}") for name, value in found.items()}


def main(arguments: list[str]) -> None:
    kept = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    kept["shipped"] = figures(SHIPPED)
    if arguments:
        kept["full"] = figures(Path(arguments[0]))
    write_whole(GOLDEN, json.dumps(kept, indent=1) + "\n")
    print(GOLDEN.read_text("utf-8"), end="")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except StacklineError as error:
        sys.exit(f"record: {error}")
