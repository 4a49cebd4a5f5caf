"""The event loop: arrivals are routed, replicas end what they do, and a finished turn brings the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush

import numpy as np

from harness.serving.arrivals import Arrivals
from harness.serving.cache import NEVER
from harness.serving.journal import Journal
from harness.serving.replica import WAKE, Replica

TOO_LONG = "its context needs more KV memory than a replica has"
Route = Callable[[Sequence[Replica], int, int], Replica]  # (replicas, request, time) -> the one that takes it
_END = (NEVER, -1, False)


class Loop:
    """One simulation. `later`: (time, request, whether its cache comes from a prefill replica)."""

    def __init__(
        self, a: Arrivals, entry: Sequence[Replica], decoders: Sequence[Replica], journal: Journal, route: Route,
        transfer: Callable[[int], int], concurrency: int | None, in_progress: bool = False,
    ):  # fmt: skip
        """entry: replicas that take arrivals; decoders: those that prompts move on to (none where one does both).

        transfer: tokens of cache -> ns that they take to a decode replica. concurrency: so many sessions (or requests,
        where there are none) at once, the next beginning when one ends; None: they begin when they arrive. in_progress:
        the first sessions of a closed loop come at their arrivals, not all at 0.
        """
        self.a, self.entry, self.decoders, self.journal, self.route = a, entry, decoders, journal, route
        self.replicas = [*entry, *decoders]
        self.transfer = transfer
        self.starts, self.followers = _starts(a, concurrency, in_progress)
        self.later: list[tuple[int, int, bool]] = []
        self.answered = 0

    def run(self, tick: Callable[[int], None] | None = None, until_ns: int = NEVER - 1) -> None:
        """Simulate until every request is answered or rejected, or a time; `tick` is told how many are by then.

        A request that arrives as a step ends has missed the next one, as one that an answer brings does; those that
        arrive together at an idle replica begin together.
        """
        later, only = self.later, self.replicas[0] if len(self.replicas) == 1 else None
        upcoming = next(self.starts, _END)
        while True:
            replica = only or min(self.replicas, key=_end)
            from_later = bool(later) and later[0] < upcoming
            arriving = later[0] if from_later else upcoming
            if arriving[0] > until_ns and replica.end > until_ns:
                break
            if arriving[0] < replica.end or (arriving[0] == replica.end and replica.doing == WAKE):
                if from_later:
                    heappop(later)
                else:
                    upcoming = next(self.starts, _END)
                self._arrive(*arriving)
                continue
            replica.complete()
            if replica.moved:
                self._move(replica)
            if replica.done:
                self._answer(replica)
                if tick is not None:
                    tick(self.answered)
        if tick is not None:
            tick(self.answered)

    def _arrive(self, now: int, i: int, brought: bool) -> None:
        target = self.route(self.decoders if brought else self.entry, i, now)
        if not brought:
            self.journal.arrival[i] = now
            if i not in self.journal.reason and not target.fits(i):
                self.journal.reason[i] = TOO_LONG
            if i in self.journal.reason:
                self._go_on(i, now)
                return
        self.journal.replica[i] = target.number
        target.enqueue(i, now, brought)

    def _move(self, replica: Replica) -> None:
        """Caches of finished prompts go to a decode replica; `begun` is when the prefill replica ended the step."""
        for i in replica.moved:
            heappush(self.later, (self.journal.first_ns[i] + self.transfer(self.a.isl[i]), i, True))
        replica.moved.clear()

    def _answer(self, replica: Replica) -> None:
        for i in replica.done:
            self._go_on(i, self.journal.finished[i])
        self.answered += len(replica.done)
        replica.done.clear()

    def _go_on(self, i: int, now: int) -> None:
        """What a request that ended brings: its session's next turn, or the next session."""
        following = self.a.follower[i]
        if i in self.journal.reason:
            self.answered += 1
            while following >= 0:
                self.journal.reason[following] = "an earlier turn of its session was rejected"
                self.answered += 1
                following = self.a.follower[following]
        if following >= 0:
            heappush(self.later, (now + self.a.gap[following], following, False))
        elif self.followers is not None:
            begun = next(self.followers, None)
            if begun is not None:
                heappush(self.later, (now, begun, False))


def _end(replica: Replica) -> int:
    return replica.end


def _starts(
    a: Arrivals, concurrency: int | None, in_progress: bool
) -> tuple[Iterator[tuple[int, int, bool]], Iterator[int] | None]:
    """What begins by itself, in order of time; and the sessions that wait for one to end."""
    arrival = np.frombuffer(a.arrival, np.int64)
    first = np.flatnonzero(arrival >= 0)
    if concurrency is not None:
        first, waiting = first[:concurrency], first[concurrency:]
        begun = sorted((a.arrival[i] if in_progress else 0, i, False) for i in first.tolist())
        return iter(begun), (int(i) for i in waiting)
    in_order = first[np.argsort(arrival[first], kind="stable")]
    return ((a.arrival[i], int(i), False) for i in in_order), None
