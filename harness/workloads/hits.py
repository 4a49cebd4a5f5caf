"""The share of a trace's input tokens that a prefix cache without limits would hold, and what prompts keep."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.workloads.blocks import spans


def trace_hit_rate(frame: pd.DataFrame) -> float:
    """Cached input tokens over input tokens, weighted by tokens, with a cache that forgets nothing.

    The rows are taken in their order, which for blocks shared across sessions is taken to be that of time. A prompt
    hits as far as its leading blocks were all in earlier prompts (of its session, or of any, by `scope`); an answer's
    tokens are held as well only where no `hash_ids` say otherwise: there the prefix is the session's previous prompt
    and answer.
    """
    return float(cached_tokens(frame).sum() / frame["isl"].sum())


def cached_tokens(frame: pd.DataFrame) -> np.ndarray:
    """Input tokens of each row that such a cache would hold, [rows] int64."""
    isl = frame["isl"].to_numpy()
    by_session = frame.groupby("session", sort=False, observed=True)
    before = by_session["isl"].shift().to_numpy() + by_session["osl"].shift().to_numpy()
    hit = np.minimum(np.nan_to_num(before), isl).astype(np.int64)
    given = np.flatnonzero(np.not_equal(frame["hash_ids"].to_numpy(object), None))
    if not len(given):
        return hit
    sizes, local = frame["block_size"].to_numpy(np.float64, na_value=np.nan), frame["scope"].to_numpy() == "session"
    space = np.where(local, pd.factorize(frame["session"])[0], -1)
    for _, rows in pd.Series(given).groupby(space[given], sort=False):
        rows = rows.to_numpy()
        for size, same in pd.Series(rows).groupby(sizes[rows], sort=False):
            at = same.to_numpy()
            blocks = _leading_hits([spans(cell) for cell in frame["hash_ids"].to_numpy(object)[at]])
            hit[at] = np.minimum(blocks * int(size), isl[at])
    return hit


def _leading_hits(prompts: list[np.ndarray]) -> np.ndarray:
    """Leading blocks of each prompt that were in earlier ones; prompts are [n, 2] half-open spans of ids.

    The ids are cut at every end of a span, so that each piece lies wholly inside or outside any prompt.
    """
    edges = np.unique(np.concatenate([p.ravel() for p in prompts]))
    seen = np.zeros(len(edges), bool)
    hits = np.zeros(len(prompts), np.int64)
    for k, prompt in enumerate(prompts):
        pieces = np.searchsorted(edges, prompt)
        for first, end in pieces:
            known = seen[first:end]
            if not known.all():
                stop = first + int(np.argmin(known))
                hits[k] += edges[stop] - edges[first]
                break
            hits[k] += edges[end] - edges[first]
        for first, end in pieces:
            seen[first:end] = True
    return hits


def kept_tokens(frame: pd.DataFrame) -> np.ndarray:
    """Tokens of the session's previous prompt that begin each one, [rows] float64; NaN on first turns."""
    by_session = frame.groupby("session", sort=False, observed=True)
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
