"""What happened in a simulation: times and counts of every request, sums over every replica."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.serving.replica import Replica

_MOST_SAMPLES = 8192  # of a replica's state over time; beyond it every other short one is dropped
_LONG = 512  # a state is long if it lasted this part of the time so far


class Journal:
    """Arrays [requests] in nanoseconds and tokens; -1 where a thing has not happened."""

    def __init__(self, requests: int):
        never, none = array("q", [-1]), array("i", [0])
        self.arrival, self.admitted, self.first_ns, self.finished, self.replica = (never * requests for _ in range(5))
        self.cached, self.preemptions = none * requests, none * requests
        self.made = none * requests  # output tokens
        self.joined = array("q", [0]) * requests  # the replica's token count when it began to decode
        self.reason: dict[int, str] = {}
        # Over all replicas: decode steps, sequences in them, twice the tokens of their contexts, time at work.
        self.decode_steps = self.decoded = self.twice_context = self.busy_ns = 0
        self.prompt_ns = 0  # the part of `busy_ns` that chunks of prompts added
        self.restored_tokens = 0  # of cache that came back from host memory
        self.peak = 0  # most tokens of cache in use on a replica
        # Begun, end, replica, tokens in use and kept, requests running and waiting.
        self.samples: list[tuple[int, int, int, int, int, int, int]] = []
        self._stride, self._seen = 1, 0

    def admit(self, i: int, now: int, cached: int) -> None:
        if self.admitted[i] < 0:
            self.admitted[i], self.cached[i] = now, cached

    def first(self, i: int, now: int) -> None:
        self.made[i] += 1
        if self.first_ns[i] < 0:
            self.first_ns[i] = now

    def finish(self, i: int, now: int) -> None:
        self.finished[i] = now

    def worked(self, batch: int, steps: int, before: int, after: int) -> None:
        """Decode steps of a replica whose contexts went from `before` to `after` tokens in all."""
        self.decode_steps += steps
        self.decoded += batch * steps
        self.twice_context += steps * (before + after)

    @property
    def decode_ns(self) -> int:
        return self.busy_ns - self.prompt_ns

    def spent(self, replica: Replica, begun: int, end: int) -> None:
        """A replica was in its present state from `begun` to `end`: kept if it was long, else now and then."""
        self._seen += 1
        if (end - begun) * _LONG > end or not self._seen % self._stride:
            cache = replica.cache
            self.samples.append((begun, end, replica.number, cache.private + cache.pinned,
                                 cache.cached - cache.pinned, len(replica.decoding), len(replica.waiting)))  # fmt: skip
            if len(self.samples) > _MOST_SAMPLES:
                self.samples = [s for k, s in enumerate(self.samples) if k % 2 or (s[1] - s[0]) * _LONG > end]
                self._stride *= 2
