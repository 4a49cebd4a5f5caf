"""Which replica takes a request."""

from __future__ import annotations

from collections.abc import Sequence

from harness.serving.loop import Route
from harness.serving.replica import Replica

ROUTINGS = ("round-robin", "least-loaded", "cache-aware")


def router(name: str, caches: bool) -> Route:
    """A routing by name. caches: whether requests share prefixes, without which none can be looked for."""
    if name == "round-robin":
        return _RoundRobin()
    return _most_cached if name == "cache-aware" and caches else _least_loaded


class _RoundRobin:
    """The replicas in turn; a pool of prefill and one of decode replicas each have their own turn."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def __call__(self, replicas: Sequence[Replica], i: int, now: int) -> Replica:
        turn = self._next.get(id(replicas), 0)
        self._next[id(replicas)] = turn + 1
        return replicas[turn % len(replicas)]


def _least_loaded(replicas: Sequence[Replica], i: int, now: int) -> Replica:
    """The one with the fewest requests, the first of equals."""
    return replicas[0] if len(replicas) == 1 else min(replicas, key=lambda r: r.load)


def _most_cached(replicas: Sequence[Replica], i: int, now: int) -> Replica:
    """The one that holds most of the prompt; the least loaded of equals."""
    if len(replicas) == 1:
        return replicas[0]
    a = replicas[0].a
    if not a.runs[i]:
        return _least_loaded(replicas, i, now)
    most = a.isl[i] // replicas[0].cache.block
    for replica in replicas:
        replica.cache.expire(now)
    return min(replicas, key=lambda r: (-r.cache.find(a.key[i], a.runs[i], most)[1], r.load))
