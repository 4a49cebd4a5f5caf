"""The share of a trace's input tokens that a prefix cache without limits would hold: the trace's own reuse."""

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
