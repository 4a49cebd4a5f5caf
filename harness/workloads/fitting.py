"""A workload's file from a trace: every figure measured, with the number of observations behind it.

What is read off, on the rows of each session in order:

- calls a session, first prompts, answers, gaps after tools and people: their quantiles. A quantile is written where at
  least three observations lie beyond it. Zeros (a gap below the trace's resolution) stand below the lowest one.
- compaction: a prompt shorter by 30 % or more than the one before. The limit that a session first passed lies between
  the two prompts before it: their middle, corrected for sessions that ended first (Kaplan-Meier, with contexts at risk
  only above the length at which they began). Where fewer than ten contexts are left the estimate ends: who was not
  shortened by then is taken never to be.
- rewrite: another prompt that keeps less than 70 % of the one before.
- growth: how much the other prompts exceed the one before; those that do not are left out. What of it is the
  session's own is told by a one-way analysis of variance of normal scores.
- prefix: the median of what compactions and rewrites keep, of at least five.

What it leaves out: gaps that differ between sessions, growths and gaps that follow each other. See the tests for how
far a fit of half the sessions is from the other half.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.quantity import normal_ppf
from harness.workloads.hits import kept_tokens
from harness.workloads.limits import LEAST_AT_RISK, limits
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
    turns["kept"] = kept_tokens(frame)
    shorter = turns["isl"] < SHORTENED * turns["before"]
    turns["compacted"] = shorter
    turns["rewritten"] = ~turns["first"] & ~shorter & (turns["kept"] < SHORTENED * turns["before"])
    return turns


def _sessions(frame: pd.DataFrame, turns: pd.DataFrame, out: Figures) -> None:
    calls = turns.groupby("session", sort=False, observed=True).size()
    _distribution(out, "calls", calls.to_numpy(), "count", "sessions")
    first = turns.loc[turns["first"]].set_index("session")["isl"]
    _distribution(out, "first_prompt", first.to_numpy(), "token", "sessions")
    _tie(out, "first_prompt", first, calls[first.index])
    _distribution(out, "answer", frame["osl"].to_numpy(), "token", "calls")


def _contexts(turns: pd.DataFrame, out: Figures) -> None:
    later = turns.loc[~turns["first"]]
    if not len(later):
        return
    plain = later.loc[~later["compacted"] & ~later["rewritten"]]
    growth = plain["isl"] - plain["before"]
    unused = int((growth <= 0).sum())
    grown = growth[growth > 0]
    _distribution(out, "growth", grown.to_numpy(), "token", "later calls", f"{unused} that did not grow left out")
    _growth_of_sessions(grown, turns["session"], out)
    events = int(later["compacted"].sum())
    if events >= _LEAST_EVENTS:
        found, never, sessions = limits(turns)
        for name, value in found.items():
            out.add(f"compaction.limit.{name}", value, "token", sessions, "sessions' first compactions")
        length = later.loc[later["compacted"], "isl"].to_numpy()
        _distribution(out, "compaction.length", length, "token", "compactions")
        if never >= 0.01:
            out.add(
                "compaction.never",
                never,
                "1",
                sessions,
                "sessions' first compactions",
                "the Kaplan-Meier estimate's rest",
            )
    else:
        out.missing["compaction.limit.p50"] = f"{events} compactions in the trace: too few"
    if (rewritten := int(later["rewritten"].sum())) > 0:
        out.add("rewrite.share", rewritten / len(later), "1", len(later), "later calls", f"{rewritten} of them")
    cut = later.loc[later["compacted"] | later["rewritten"], "kept"]
    if len(cut) >= _LEAST_EVENTS and cut.median() >= 1:
        out.add("prefix.tokens", float(cut.median()), "token", len(cut), "compactions and rewrites")
        out.facts["prefix.scope"] = ("session", "what sessions share with each other is not read off")
    out.add("context.cap", float((turns["isl"] + turns["osl"]).max()), "token", len(turns), "calls", "the largest seen")


def _growth_of_sessions(grown: pd.Series, session: pd.Series, out: Figures) -> None:
    """How much of growth is the session's own (one-way analysis of variance of normal scores), its tie to calls."""
    scores = pd.Series(normal_ppf(((grown.rank() - 0.5) / max(len(grown), 1)).to_numpy()), grown.index)
    groups = scores.groupby(session[grown.index], sort=False, observed=True)
    n, means = groups.size(), groups.mean()
    if len(n) < LEAST_AT_RISK or len(grown) < 2 * len(n):
        return
    within = ((scores - groups.transform("mean")) ** 2).sum() / (len(grown) - len(n))
    typical = (len(grown) - (n**2).sum() / len(grown)) / (len(n) - 1)
    between = ((n * (means - scores.mean()) ** 2).sum() / (len(n) - 1) - within) / typical
    if between > 0:
        out.add("growth.session_share", float(between / (between + within)), "1", len(n), "sessions")
        told = n[n >= _LEAST_EVENTS].index  # a mean of fewer says little of its session
        _tie(out, "growth", means[told], session.value_counts()[told])


def _tie(out: Figures, name: str, values: pd.Series, calls: pd.Series) -> None:
    """The rank correlation of something of sessions with their calls, where it is told from none."""
    if values.nunique() < 2 or calls.nunique() < 2:
        return
    rank = float(np.corrcoef(calls.rank(), values.rank())[0, 1])
    if abs(rank) > 2 / np.sqrt(len(calls)):
        out.add(f"{name}.{'rises' if rank > 0 else 'falls'}_with_calls", abs(rank), "1", len(calls), "sessions")


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
