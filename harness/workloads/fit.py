"""A workload's file from a trace: every figure measured, with the number of observations behind it.

What is read off, on the rows of each session in order:

- calls a session, first prompts, answers, gaps after tools and people: their quantiles. A quantile is written where at
  least three observations lie beyond it. Zeros (a gap below the trace's resolution) stand below the lowest one.
- compaction: a prompt shorter by 30 % or more than the one before. Its limit is the prompt length before it, corrected
  for sessions that ended first (Kaplan-Meier, with contexts at risk only above the length at which they began);
  quantiles that the trace does not reach are left out.
- rewrite: another prompt that keeps less than 70 % of the one before.
- growth: how much the other prompts exceed the one before; those that do not are left out.
- prefix: the median of what compactions and rewrites keep, of at least five.

What it leaves out: growth and gaps that differ between sessions or follow each other, which widens or narrows the
spread of context lengths; see the tests for how far a fit of half the sessions is from the other half.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.workloads.blocks import spans
from harness.workloads.toml import Figures, written

QUANTILES = {"p01": 0.01, "p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90, "p99": 0.99, "p999": 0.999}
SHORTENED = 0.7  # a prompt below this share of the one before was compacted
_LEAST_BEYOND, _LEAST_EVENTS = 3, 5


def fit(frame: pd.DataFrame, id: str = "fitted", source: dict[str, str] | None = None) -> str:
    """The TOML text of a workload that has a trace's statistics.

    frame: as `load_trace` and `columns.checked` give it. source: title, publisher, url of the trace. The objectives are
    left under [missing]: a trace has none.
    """
    turns = _turns(frame)
    out = Figures({}, {"slo.ttft": "a trace names no objective", "slo.tpot": "a trace names no objective"})
    _sessions(frame, turns, out)
    _contexts(turns, out)
    _gaps(turns, out)
    _load(frame, turns, out)
    about = source or {"title": "the trace that this file was fitted on", "publisher": "own", "url": ""}
    imitates = f"{frame['session'].nunique()} sessions, {len(frame)} calls of {about['title']}"
    return written(id, imitates, out, about)


def _turns(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with what came before each in its session: `before` (tokens), `kept` of them, `first`."""
    by_session = frame.groupby("session", sort=False, observed=True)
    turns = frame[["arrival_s", "session", "isl", "osl", "gap_s", "gap_kind"]].copy()
    turns["before"] = by_session["isl"].shift()
    turns["first"] = turns["before"].isna()
    turns["kept"] = _kept(frame, by_session)
    shorter = turns["isl"] < SHORTENED * turns["before"]
    turns["compacted"] = shorter
    turns["rewritten"] = ~turns["first"] & ~shorter & (turns["kept"] < SHORTENED * turns["before"])
    return turns


def _kept(frame: pd.DataFrame, by_session) -> np.ndarray:
    """Tokens of the session's previous prompt that begin this one; NaN on first turns."""
    before, isl = by_session["isl"].shift().to_numpy(), frame["isl"].to_numpy()
    kept = np.minimum(before, isl)
    cells, size = frame["hash_ids"].to_numpy(object), frame["block_size"].to_numpy(np.float64, na_value=np.nan)
    previous = pd.Series(np.arange(len(frame))).groupby(by_session.ngroup().to_numpy()).shift().to_numpy()
    for row in np.flatnonzero(~np.isnan(previous)):
        one, other = cells[int(previous[row])], cells[row]
        if one is not None and other is not None:
            whole = sum(int(b - a) for a, b in spans(one)) * size[row]
            # A prompt that begins with all blocks of the one before keeps its part-filled last block too.
            same = _common(spans(one), spans(other)) * size[row]
            kept[row] = kept[row] if same >= min(whole, before[row]) else min(same, kept[row])
    return kept


def _common(one: np.ndarray, other: np.ndarray) -> int:
    """Leading blocks that two prompts share, each as [n, 2] half-open spans of ids, however they are cut into runs."""
    i = j = blocks = 0
    a, b = (list(map(list, s.tolist())) for s in (one, other))
    while i < len(a) and j < len(b) and a[i][0] == b[j][0]:
        step = min(a[i][1] - a[i][0], b[j][1] - b[j][0])
        blocks += step
        a[i][0] += step
        b[j][0] += step
        i, j = i + (a[i][0] == a[i][1]), j + (b[j][0] == b[j][1])
    return blocks


def _sessions(frame: pd.DataFrame, turns: pd.DataFrame, out: Figures) -> None:
    calls = turns.groupby("session", sort=False, observed=True).size()
    _distribution(out, "calls", calls.to_numpy(), "count", "sessions")
    first = turns.loc[turns["first"]].set_index("session")["isl"]
    _distribution(out, "first_prompt", first.to_numpy(), "token", "sessions")
    if calls.nunique() > 1 and first.nunique() > 1:
        rank = float(np.corrcoef(calls.rank(), first.loc[calls.index].rank())[0, 1])
        if abs(rank) > 2 / np.sqrt(len(calls)):  # else not told from none
            out.add(
                f"first_prompt.{'rises' if rank > 0 else 'falls'}_with_calls", abs(rank), "1", len(calls), "sessions"
            )
    _distribution(out, "answer", frame["osl"].to_numpy(), "token", "calls")


def _contexts(turns: pd.DataFrame, out: Figures) -> None:
    later = turns.loc[~turns["first"]]
    if not len(later):
        return
    plain = later.loc[~later["compacted"] & ~later["rewritten"]]
    growth = (plain["isl"] - plain["before"]).to_numpy()
    unused = int((growth <= 0).sum())
    _distribution(out, "growth", growth[growth > 0], "token", "later calls", f"{unused} that did not grow left out")
    events = int(later["compacted"].sum())
    if events >= _LEAST_EVENTS:
        for name, value in _limits(turns).items():
            out.add(f"compaction.limit.{name}", value, "token", events, "compactions")
        share = (later["isl"] / later["before"])[later["compacted"]].to_numpy()
        _distribution(out, "compaction.share", share, "1", "compactions")
    else:
        out.missing["compaction.limit.p50"] = f"{events} compactions in the trace: too few"
    if (rewritten := int(later["rewritten"].sum())) > 0:
        out.add("rewrite.share", rewritten / len(later), "1", len(later), "later calls", f"{rewritten} of them")
    cut = later.loc[later["compacted"] | later["rewritten"], "kept"]
    if len(cut) >= _LEAST_EVENTS and cut.median() >= 1:
        out.add("prefix.tokens", float(cut.median()), "token", len(cut), "compactions and rewrites")
        out.facts["prefix.scope"] = ("session", "what sessions share with each other is not read off")
    out.add("context.cap", float((turns["isl"] + turns["osl"]).max()), "token", len(turns), "calls", "the largest seen")


def _limits(turns: pd.DataFrame) -> dict[str, float]:
    """Quantiles of the prompt length at which contexts are shortened, as far as the trace reaches."""
    spells = pd.DataFrame(_spells(turns), columns=["began", "reached", "shortened"])
    left, out = 1.0, {}
    for length in np.sort(spells.loc[spells["shortened"], "reached"].to_numpy()):
        at_risk = int(((spells["began"] < length) & (spells["reached"] >= length)).sum())
        left *= 1 - 1 / max(at_risk, 1)
        for name in ("p10", "p25", "p50", "p75", "p90"):
            if name not in out and 1 - left >= QUANTILES[name]:
                out[name] = float(length)
    return out or {"p50": float(spells.loc[spells["shortened"], "reached"].median())}


def _spells(turns: pd.DataFrame) -> Iterator[tuple[float, float, bool]]:
    """(first prompt, longest prompt, whether it ended shortened) of each stretch between compactions."""
    stretch = turns["compacted"].groupby(turns["session"], sort=False, observed=True).cumsum()
    for _, part in turns.groupby(["session", stretch], sort=False, observed=True):
        following = turns["compacted"].get(part.index[-1] + 1, False) and (
            turns["session"].get(part.index[-1] + 1) == part["session"].iloc[0])  # fmt: skip
        yield float(part["isl"].iloc[0]), float(part["isl"].max()), bool(following)


def _gaps(turns: pd.DataFrame, out: Figures) -> None:
    later = turns.loc[~turns["first"]]
    if not len(later):
        return
    person = later["gap_kind"] == "person"
    if person.any():
        out.add("person.share", float(person.mean()), "1", len(later), "later calls")
        _distribution(out, "person_gap", later.loc[person, "gap_s"].to_numpy(), "s", "gaps")
    if not person.all():
        unknown = int(later["gap_kind"].isna().sum())
        note = f"{unknown} of unknown kind" if unknown else ""
        _distribution(out, "tool_gap", later.loc[~person, "gap_s"].to_numpy(), "s", "gaps", note)


def _load(frame: pd.DataFrame, turns: pd.DataFrame, out: Figures) -> None:
    starts = np.sort(turns.loc[turns["first"], "arrival_s"].to_numpy())
    if len(starts) < 2 or starts[-1] <= starts[0]:
        out.missing["load.rate"] = "the trace does not say when its sessions began against each other"
        return
    between = np.diff(starts)
    out.add("load.rate", 1 / between.mean(), "1/s", len(starts), "sessions")
    out.add("arrivals.cv", float(between.std() / between.mean()), "1", len(starts), "sessions")


def _distribution(out: Figures, name: str, values: np.ndarray, unit: str, of: str, note: str = "") -> None:
    """The quantiles of some observations, and the largest; one that is the same for all is one figure."""
    n = len(values)
    if not n or not (values > 0).any():
        out.missing[f"{name}.p50"] = f"no observation above 0 among {n}"
        return
    if values.min() == values.max():
        out.add(f"{name}.p50", float(values[0]), unit, n, of, note)
        return
    for quantile, share in QUANTILES.items():
        value = float(np.quantile(values, share))
        if value > 0 and (share == 0.5 or n * min(share, 1 - share) >= _LEAST_BEYOND):
            out.add(f"{name}.{quantile}", value, unit, n, of, note)
    out.add(f"{name}.max", float(values.max()), unit, n, of, note)
