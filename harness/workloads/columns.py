"""The request frame: one row a call to a model, the columns of a trace as `stackline simulate` reads them.

    arrival_s   seconds; the session's first call alone has one, a later turn is blank (NaN)
    isl, osl    tokens of the whole prompt, its cached part included, and of the answer
    id          of the call, unique; row numbers from 0 where the trace has none
    session     calls of one session are answered one after the other; a blank one is a session of its own
    turn        ascending within a session; 0, 1, 2, ... where the trace has none
    gap_s       seconds between the end of the session's previous answer and this call; NaN on a first turn
    gap_kind    what filled the gap: tool or person; blank where unknown
    priority    integer, 0 unless given
    hash_ids    ids of the prompt's blocks in order, None where unknown (see below)
    block_size  tokens of such a block
    scope       whether equal ids mean equal blocks within a session or everywhere (global, the default)

`hash_ids` is a list (JSON text in a file) whose items are an int, one block, or a pair [first, last], a run of
consecutive ids: an extension that keeps a prompt of 200,000 tokens short. Two prompts share a prefix as far as their
ids agree from the start. The ids cover the prompt's full blocks; whether a last, part-filled block has an id is the
trace's choice, and a hit never counts more tokens than the prompt has. Ids describe prompts: an answer's blocks have
ids once a later prompt holds them. Without `hash_ids` the prefix follows from the order of turns: the session's
previous prompt and its answer begin the next prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import BadFile
from harness.workloads.blocks import parsed

COLUMNS = (
    "arrival_s", "isl", "osl", "id", "session", "turn", "gap_s", "gap_kind", "priority", "hash_ids", "block_size",
    "scope",
)  # fmt: skip
GAP_KINDS, SCOPES = ("tool", "person"), ("session", "global")
# Names that other tools give to these columns; they are pointed out, never taken silently.
MEANT = {
    "arrived_at": "arrival_s", "arrival": "arrival_s", "arrival_time": "arrival_s", "timestamp": "arrival_s",
    "input_length": "isl", "input_tokens": "isl", "input_len": "isl", "prompt_len": "isl", "input_toks": "isl",
    "output_length": "osl", "output_tokens": "osl", "output_len": "osl", "output_toks": "osl",
    "session_id": "session", "request_id": "id",
}  # fmt: skip


def checked(frame: pd.DataFrame, where: str | Path = "trace") -> pd.DataFrame:
    """The frame with all COLUMNS and no others, checked and of fixed types; the rows and their order are kept.

    Without an `arrival_s` column every session starts at 0 (all at once, or when a closed loop has room).
    Raises BadFile naming the row (the first is 1) and the column, what was found and what is expected.
    """
    _check_names(frame, where)
    rows = len(frame)
    out: dict[str, object] = {name: _counts(frame, name, where) for name in ("isl", "osl")}
    out["id"] = _names(frame, "id", where)
    if len(repeated := np.flatnonzero(pd.Series(out["id"]).duplicated())):
        _refuse(where, repeated[0], "id", out["id"][repeated[0]], "an id that no other row has")
    out["session"] = _names(frame, "session", where)
    order = pd.Series(np.arange(rows)).groupby(out["session"], sort=False).cumcount().to_numpy()
    out["turn"] = _turns(frame, out["session"], order, where)
    first = order == 0
    out["arrival_s"] = _arrivals(frame, first, where)
    out["gap_s"] = _gaps(frame, first, where)
    out["gap_kind"] = _words(frame, "gap_kind", GAP_KINDS, where)
    out["priority"] = _integers(frame, "priority", where, default=0)
    out["hash_ids"], out["block_size"], out["scope"] = _blocks(frame, where)
    return pd.DataFrame({name: out[name] for name in COLUMNS}, copy=False)


def _check_names(frame: pd.DataFrame, where: str | Path) -> None:
    for name, meant in MEANT.items():
        if name in frame and meant not in frame:
            raise BadFile(where, f"column {name}", name, f"the name '{meant}' ({_UNITS[meant]})")
    for name in ("isl", "osl"):
        if name not in frame:
            raise BadFile(where, "columns", ", ".join(map(str, frame.columns)), f"a column '{name}' ({_UNITS[name]})")
    if not len(frame):
        raise BadFile(where, "rows", 0, "at least one request")


_UNITS: Mapping[str, str] = {
    "arrival_s": "seconds", "isl": "tokens of the whole prompt", "osl": "tokens of the answer", "session": "its id",
    "id": "of the request",
}  # fmt: skip


def _refuse(where: str | Path, row: int, column: str, found: object, expected: str) -> None:
    raise BadFile(where, f"row {row + 1}, {column}", found, expected)


def _refuse_where(bad: np.ndarray, frame: pd.DataFrame, column: str, where: str | Path, expected: str) -> None:
    if len(rows := np.flatnonzero(bad)):
        found = frame[column].iloc[rows[0]]
        _refuse(where, rows[0], column, found.item() if isinstance(found, np.generic) else found, expected)


def _numbers(frame: pd.DataFrame, column: str, where: str | Path) -> np.ndarray:
    """Float64, NaN where blank; text that is no number is refused."""
    given = frame[column]
    numbers = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    blank = given.isna().to_numpy() | (given.astype(str).str.strip() == "").to_numpy() if given.dtype == object else (
        given.isna().to_numpy())  # fmt: skip
    _refuse_where((np.isnan(numbers) & ~blank) | np.isinf(numbers), frame, column, where, "a number")
    return numbers


def _integers(frame: pd.DataFrame, column: str, where: str | Path, default: int) -> np.ndarray:
    if column not in frame:
        return np.full(len(frame), default, np.int64)
    numbers = _numbers(frame, column, where)
    whole = np.where(np.isnan(numbers), default, numbers)
    _refuse_where(whole != np.floor(whole), frame, column, where, "a whole number")
    return whole.astype(np.int64)


def _counts(frame: pd.DataFrame, column: str, where: str | Path) -> np.ndarray:
    numbers = _numbers(frame, column, where)
    bad = ~(numbers >= 1) | (numbers != np.floor(numbers))
    _refuse_where(bad, frame, column, where, "a whole number of tokens, 1 or more")
    return numbers.astype(np.int64)


def _names(frame: pd.DataFrame, column: str, where: str | Path) -> np.ndarray:
    """Integers where all are whole numbers, else text; row numbers where the column is absent or all blank."""
    if column not in frame or frame[column].isna().all():
        return np.arange(len(frame))
    given = frame[column]
    if pd.api.types.is_integer_dtype(given.dtype) and not given.isna().any():
        return given.to_numpy(np.int64)
    blank = given.isna().to_numpy() | (given.astype(str).str.strip() == "").to_numpy()
    if pd.api.types.is_float_dtype(given.dtype):
        _refuse_where(~blank & (given != np.floor(given)).to_numpy(), frame, column, where, "text or a whole number")
        given = given.astype("Int64")
    texts = given.astype(str).to_numpy(object)
    texts[blank] = [f"row-{row}" for row in np.flatnonzero(blank)]
    return texts


def _turns(frame: pd.DataFrame, session: np.ndarray, order: np.ndarray, where: str | Path) -> np.ndarray:
    if "turn" not in frame or frame["turn"].isna().all():
        return order
    numbers = _numbers(frame, "turn", where)
    _refuse_where(~(numbers == np.floor(numbers)), frame, "turn", where, "a whole number")
    before = pd.Series(numbers).groupby(session, sort=False).shift().to_numpy()
    _refuse_where(numbers <= before, frame, "turn", where, "a turn above the session's one before it, row by row")
    return numbers.astype(np.int64)


def _arrivals(frame: pd.DataFrame, first: np.ndarray, where: str | Path) -> np.ndarray:
    if "arrival_s" not in frame:
        return np.where(first, 0.0, np.nan)
    numbers = _numbers(frame, "arrival_s", where)
    bad = first & ~(numbers >= 0)
    _refuse_where(bad, frame, "arrival_s", where, "seconds, 0 or more: the first turn of a session has an arrival")
    late = ~first & ~np.isnan(numbers)
    _refuse_where(late, frame, "arrival_s", where, "blank: a later turn starts gap_s after the answer before it")
    return numbers


def _gaps(frame: pd.DataFrame, first: np.ndarray, where: str | Path) -> np.ndarray:
    if "gap_s" not in frame:
        return np.where(first, np.nan, 0.0)
    numbers = _numbers(frame, "gap_s", where)
    _refuse_where(first & ~np.isnan(numbers), frame, "gap_s", where, "blank: a session's first turn has an arrival")
    _refuse_where(numbers < 0, frame, "gap_s", where, "seconds, 0 or more")
    return np.where(~first & np.isnan(numbers), 0.0, numbers)


def _words(frame: pd.DataFrame, column: str, words: tuple[str, ...], where: str | Path) -> pd.Categorical:
    """One of some words, or blank; one byte a row."""
    if column not in frame:
        return pd.Categorical.from_codes(np.full(len(frame), -1, np.int8), categories=list(words))
    given = frame[column].astype(object).where(frame[column].notna() & (frame[column] != ""), None)
    _refuse_where((given.notna() & ~given.isin(words)).to_numpy(), frame, column, where, " or ".join(words))
    return pd.Categorical(given, categories=list(words))


def _blocks(frame: pd.DataFrame, where: str | Path) -> tuple[np.ndarray, pd.Series, pd.Categorical]:
    """(hash_ids, block_size, scope): the ids as lists of runs and single ids, None where blank."""
    cells = np.full(len(frame), None, object)
    if "hash_ids" in frame:
        raw = frame["hash_ids"].to_numpy(object)
        for row, cell in enumerate(raw):
            if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)) or cell == "":
                continue
            cells[row] = _cell(cell, row, where)
    given = np.not_equal(cells, None)
    size = _numbers(frame, "block_size", where) if "block_size" in frame else np.full(len(frame), np.nan)
    for row in np.flatnonzero(given & ~((size >= 1) & (size == np.floor(size)))):
        _refuse(where, row, "block_size", None if np.isnan(size[row]) else size[row], "tokens of a block of hash_ids")
    scope = _words(frame, "scope", SCOPES, where)
    codes = np.where(given & (scope.codes < 0), SCOPES.index("global"), np.where(given, scope.codes, -1))
    sizes = pd.Series(np.where(given, size, np.nan)).astype("Int64")
    return cells, sizes, pd.Categorical.from_codes(codes.astype(np.int8), categories=list(SCOPES))


def _cell(cell: object, row: int, where: str | Path) -> list[int | list[int]]:
    try:
        return parsed(cell)
    except ValueError as error:
        return _refuse(where, row, "hash_ids", cell, str(error))
