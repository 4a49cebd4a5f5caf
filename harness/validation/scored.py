"""Which rows of a measurements file count, for which figure, and why the others do not.

The file has the shape of published operating points: one row one measured configuration, blank where nothing was
published. The rules are data below, each beside the sentence it implements.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import MissingFile, UserMistake
from harness.validation import contradicted
from harness.validation.overdriven import overdriven
from harness.validation.overfull import overfull

CONFIGURATION = (
    "chip", "chips", "model", "weight_dtype", "act_dtype", "kv_dtype", "tp", "pp", "ep", "dp", "scenario", "isl", "osl",
    "concurrency",
)  # fmt: skip
FIGURES = ("ttft_ms", "tpot_ms", "output_tok_s_per_chip", "power_w", "energy_j_per_output_tok")
TEXTS = (
    "id", "source", "chip", "model", "weight_dtype", "act_dtype", "kv_dtype", "engine_family", "engine", "date",
    "scenario", "ttft_stat", "tpot_stat", "power_scope", "spec_decode",
)  # fmt: skip
NUMBERS = ("chips", "tp", "pp", "ep", "dp", "isl", "osl", "concurrency", *FIGURES, "disagg")
COLUMNS = (*TEXTS, *NUMBERS)
NEEDED = ("chip", "model", "isl", "osl")  # a column that is not there is blank, and an id the row's number
TARGETS = ("tpot", "ttft", "throughput", "saturated", "energy")

# A source's word for how requests arrive -> the contract's. Open-loop servers are closest to a closed loop: what they
# publish here has no concurrency and is their saturated throughput.
SCENARIOS = {
    "fixed-concurrency": "closed-loop", "closed-loop": "closed-loop", "singlestream": "closed-loop", "": "closed-loop",
    "server": "closed-loop", "interactive": "closed-loop", "static-batch": "static-batch", "offline": "offline",
}  # fmt: skip
_CLOSED_LOOP = ("fixed-concurrency", "closed-loop", "singlestream", "")

Mask = Callable[[pd.DataFrame], pd.Series]

# What keeps a row out of every figure; the first that applies is its reason.
EXCLUSIONS: tuple[tuple[str, Mask], ...] = (
    # "`disagg` blank or 0"
    ("prefill and decode disaggregated", lambda f: f.disagg.fillna(0) != 0),
    # "`spec_decode` blank"
    ("speculative decoding", lambda f: f.spec_decode != ""),
    # "`isl` and `osl` given"
    ("input or output length not published", lambda f: f.isl.isna() | f.osl.isna()),
    # "source not `gpustack-perf-lab`"
    ("source gpustack-perf-lab: its latencies are queueing", lambda f: f.source == "gpustack-perf-lab"),
    # "not llama.cpp on several GPUs"
    ("llama.cpp on several chips: a layer split", lambda f: (f.engine_family == "llama.cpp") & (f.chips > 1)),
    # "`tp` given or `chips` at most 8"
    ("split not published, more than 8 chips", lambda f: f.tp.isna() & ~(f.chips <= 8)),
    # Not among the rules above: a row that contradicts itself is not the configuration that it names
    ("more requests decode at once, by its own figures, than its memory holds", lambda f: overfull(f, SCENARIOS)),
    # Nor is one whose prompts were not all computed (overdriven.py)
    ("its prompts alone, by its own figures, need more time than there is", lambda f: overdriven(f, SCENARIOS)),
    # Nor is one that other rows contradict (contradicted.py)
    ("speculative decoding, as the source that marks it says of the same runs", contradicted.unmarked),
    ("faster than a run of its configuration with an eighth of the requests", contradicted.hurried),
    ("another run of the same words gives less than half or more than twice", contradicted.disputed),
    ("several replicas with the very output of one: worked from its run", contradicted.copied),
)

# What a row that is not excluded counts for.
COUNTS_FOR: dict[str, Mask] = {
    # "TPOT: `tpot_ms` and `concurrency` given"
    "tpot": lambda f: f.tpot_ms.notna() & f.concurrency.notna(),
    # "TTFT: `ttft_ms` and `concurrency` given, closed loop at that concurrency": a static batch is one wave, no loop
    "ttft": lambda f: f.ttft_ms.notna() & f.concurrency.notna() & f.scenario.isin(_CLOSED_LOOP),
    # "throughput: `output_tok_s_per_chip` and `concurrency` given"; not where the run stood still for a part of it
    "throughput": lambda f: f.output_tok_s_per_chip.notna() & f.concurrency.notna() & ~stalled(f),
    # "saturated throughput, reported apart: `output_tok_s_per_chip` given, `concurrency` blank"
    "saturated": lambda f: f.output_tok_s_per_chip.notna() & f.concurrency.isna(),
    # "energy, reported apart: `energy_j_per_output_tok` or `power_w`, by `power_scope` (board or wall)"
    "energy": lambda f: (f.energy_j_per_output_tok.notna() | f.power_w.notna()) & (power_scope(f.power_scope) != ""),
}
# Of the output tokens/s that a row's own latencies give. Requests of nominal lengths, with a start and an end, reach
# 0.97 of it at the median and 0.87 in nineteen of twenty runs.
LEAST_OF_OWN_LATENCIES = 0.75
# "Rows equal in configuration, engine, date, TTFT and TPOT count once": the first does; two blanks are equal.
_SAME = (*CONFIGURATION, "engine_family", "engine", "date", "ttft_ms", "tpot_ms")


def read(path: Path) -> pd.DataFrame:
    """A measurements file (.csv, .csv.gz, .parquet) as texts ("" where blank) and floats (NaN where blank).

    Further columns are left out, those that are not there are blank (but for NEEDED and one of FIGURES), and a figure
    of 0 is a blank. Raises MissingFile, or UserMistake for a missing column, a word where a number is due, a negative
    number, a row without id, chip or model, an id given twice, or an unknown scenario.
    """
    frame = _loaded(path)
    if missing := [c for c in NEEDED if c not in frame.columns]:
        raise UserMistake(f"{path}: no column {', '.join(missing)}")
    if not set(FIGURES) & set(frame.columns):
        raise UserMistake(f"{path}: no column of a figure: one of {', '.join(FIGURES)}")
    out = pd.DataFrame(index=pd.RangeIndex(len(frame)))
    for name in ("source_ref", *COLUMNS):
        if name in frame.columns or name in COLUMNS:
            column = frame[name].reset_index(drop=True) if name in frame.columns else _stand_in(name, len(frame))
            out[name] = _numbers(path, name, column) if name in NUMBERS else _texts(column)
    _check(path, out)
    return out


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    """For the rows of `read`: a boolean column a target, and `reason` ("" where the row counts for any)."""
    reason = pd.Series("", index=frame.index)
    for why, applies in EXCLUSIONS:
        reason = reason.mask((reason == "") & applies(frame), why)
    kept = frame[reason == ""]
    reason[kept.index[kept.duplicated(list(_SAME))]] = "equal to an earlier row"
    out = pd.DataFrame({target: (reason == "") & given(frame) for target, given in COUNTS_FOR.items()})
    nothing = (reason == "") & ~out.any(axis=1)
    return out.assign(reason=reason.mask(nothing, "no figure that counts"))


def stalled(frame: pd.DataFrame) -> pd.Series:
    """Whether a closed loop gave far fewer tokens/s than its own latencies do by Little's law (bool).

    b requests at once yield b osl / (TTFT + (osl - 1) TPOT). What falls far short of it stood still for a part of
    its run (kernels compiled or tuned between requests), which a median latency does not show.
    """
    e2e_s = (frame["ttft_ms"] + (frame["osl"] - 1) * frame["tpot_ms"]) / 1e3
    own = frame["concurrency"] * frame["osl"] / e2e_s / frame["chips"]
    return frame["scenario"].isin(_CLOSED_LOOP) & (frame["output_tok_s_per_chip"] < LEAST_OF_OWN_LATENCIES * own)


def statistic(names: pd.Series) -> pd.Series:
    """What a `ttft_stat` or `tpot_stat` names: median, mean, or unspecified (which is compared as a mean)."""
    words = names.str.lower()
    median = words.str.contains("median|p50")
    mean = words.str.contains("mean") & ~words.str.contains("unspecified")
    return pd.Series(np.select([median, mean], ["median", "mean"], "unspecified"), index=names.index)


def power_scope(names: pd.Series) -> pd.Series:
    """board (accelerators alone), wall (the whole server), or "" where the text says neither."""
    words = names.str.lower()
    wall, board = words.str.contains("wall"), words.str.contains("board|accelerator|per gpu|per chip")
    return pd.Series(np.select([wall, board], ["wall", "board"], ""), index=names.index)


def _loaded(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise MissingFile(path, "measurements file")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise UserMistake(f"{path}: not a table of measurements: {str(error).splitlines()[0]}") from error


def _stand_in(name: str, rows: int) -> pd.Series:
    """What a column holds that a file does not have."""
    return pd.Series([f"row {i + 1}" if name == "id" else "" for i in range(rows)], dtype=object)


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "").astype(str).str.strip()


def _numbers(path: Path, name: str, column: pd.Series) -> pd.Series:
    given = _texts(column)
    numbers = pd.to_numeric(given.mask(given == ""), errors="coerce").astype(float)
    wrong = ((given != "") & ~np.isfinite(numbers)) | (numbers < 0)
    if name in FIGURES:
        numbers = numbers.mask(numbers == 0)  # nothing takes no time: a figure that is not there
    elif name not in ("disagg", "ep"):
        wrong |= numbers == 0
    if wrong.any():
        first = wrong.idxmax()
        raise UserMistake(
            f"{path}: row {first + 1}: {name}: found {given[first]!r}, expected a positive number or blank"
        )
    return numbers


def _check(path: Path, frame: pd.DataFrame) -> None:
    for name in ("id", "chip", "model"):
        blank = frame[name] == ""
        if blank.any():
            raise UserMistake(f"{path}: row {blank.idxmax() + 1}: no {name}")
    if (twice := frame["id"].duplicated()).any():
        raise UserMistake(f"{path}: row {twice.idxmax() + 1}: id {frame['id'][twice.idxmax()]!r} is there twice")
    unknown = ~frame["scenario"].isin(list(SCENARIOS))
    if unknown.any():
        known = ", ".join(s for s in SCENARIOS if s)
        raise UserMistake(
            f"{path}: row {unknown.idxmax() + 1}: scenario {frame['scenario'][unknown.idxmax()]!r}, expected {known}"
        )
