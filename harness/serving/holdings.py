"""What a replica's requests hold of its KV memory: pages of their own, shared prefixes, and what waits for a turn.

A prompt takes pages for all its tokens when it is admitted (vLLM's `scheduler_reserve_full_isl`), an answer page by
page as it grows; engines that promise never to preempt take the answer's at once. When a prompt is done its full
blocks become a prefix that others find; where blocks are positions in a session the answer's do as well.
"""

from __future__ import annotations

from heapq import heappop, heappush

from harness.serving.arrivals import Arrivals
from harness.serving.cache import NEVER, Cache, Node, Runs
from harness.serving.engine import Engine
from harness.serving.journal import Journal


class Holdings:
    """hold_ns: how long a session's prefix stays pinned for its next turn."""

    def __init__(self, a: Arrivals, engine: Engine, cache: Cache, journal: Journal, hold_ns: int):
        self.a, self.engine, self.cache, self.journal, self.hold_ns = a, engine, cache, journal, hold_ns
        self.held: dict[int, tuple[Node | None, int]] = {}  # request -> (deepest node of its prefix, its blocks)
        self.kept: dict[int, Node] = {}  # a turn to come -> the prefix that its session's last one left, pinned
        self.deadlines: list[tuple[int, int]] = []  # (until when it is kept, turn to come)

    def fits(self, i: int, beyond: int) -> bool:
        """Whether an empty replica has the memory for a request, its answer and `beyond` more tokens."""
        return self._whole(self.a.isl[i] + self.a.osl[i] + beyond) <= self.cache.capacity

    def admit(self, i: int, stored: int, spare: int, now: int, look: bool) -> int:
        """Give a request memory for `stored` tokens; how many of them are cached, or -1 where there is no room.

        spare: tokens that others need this step; look: whether to look for a prefix.
        """
        a, cache = self.a, self.cache
        node, blocks, runs = None, 0, a.runs[i]
        if look and runs and self.engine.prefix:
            if cache.lifetime < NEVER:
                cache.expire(now)
            node, blocks = cache.find(a.key[i], runs, (stored - 1) // cache.block)
        cached = blocks * cache.block
        need = self._own(i, stored, blocks)
        if need + cache.unused(node) + spare > cache.available:
            return -1
        restored = cache.restored
        cache.pin(node)
        self.take(need)
        self.held[i] = node, blocks
        if i in self.kept:
            self.drop_kept(i, now)
        self.journal.restored_tokens += cache.restored - restored
        return cached

    def take(self, tokens: int) -> None:
        """Memory for running requests; prefixes that nobody uses make room."""
        cache = self.cache
        cache.take(tokens)
        used = cache.private + cache.pinned
        if used > self.journal.peak:
            self.journal.peak = used

    def share(self, i: int, stored: int) -> None:
        """A prompt is computed: its full blocks become a prefix, which it holds with whoever finds it."""
        # Where a trace names the blocks, those of answers have no names.
        self._insert(i, stored if self.a.by_position else min(stored, self.a.isl[i]), own=True)

    def release(self, i: int, stored: int, now: int) -> None:
        """A request gives up all it holds; its prefix stays as long as its memory is not needed."""
        node, blocks = self.held.pop(i)
        self.cache.private -= self._own(i, stored, blocks)
        self.cache.unpin(node, now)

    def answered(self, i: int, stored: int, now: int) -> None:
        """A request ends: its pages are free, its prefix is kept for its session's next turn or for anyone."""
        self.cache.private -= self._own(i, stored, self.held[i][1])
        if self.a.by_position:
            self._insert(i, self.a.isl[i] + self.a.osl[i] - 1, own=False)
        self._leave(i, now)

    def handed_over(self, i: int, stored: int, now: int) -> None:
        """A prompt's cache has gone to a decode replica: its prefix is kept here, where the next turn's is computed."""
        self.cache.private -= self._own(i, stored, self.held[i][1])
        self._leave(i, now)

    def _leave(self, i: int, now: int) -> None:
        """Let go of a request's prefix, or keep it for its session's next turn."""
        node, _ = self.held.pop(i)
        following = self.a.follower[i]
        if self.hold_ns and following >= 0 and node is not None:
            self.kept[following] = node
            heappush(self.deadlines, (now + self.hold_ns, following))
        else:
            self.cache.unpin(node, now)

    def drop_kept(self, following: int, now: int) -> None:
        """A turn's prefix is no longer held for it."""
        self.cache.unpin(self.kept.pop(following), now)

    def drop_oldest_kept(self, now: int) -> bool:
        """Let one held prefix go; whether there was one."""
        if not self.kept:
            return False
        self.drop_kept(next(iter(self.kept)), now)
        return True

    def expire(self, now: int) -> None:
        """Let go of prefixes that were held long enough."""
        while self.deadlines and self.deadlines[0][0] <= now:
            deadline, following = heappop(self.deadlines)
            if following in self.kept:
                self.drop_kept(following, deadline)

    def _insert(self, i: int, tokens: int, own: bool) -> None:
        """The prompt's blocks up to `tokens` become a prefix; `own`: out of pages that the request holds."""
        runs = self.a.runs[i]
        if not (runs and self.engine.prefix):
            return
        node, blocks = self.held[i]
        full = min(tokens // self.cache.block, _count(runs))
        if full > blocks:
            if own:
                self.cache.private -= (full - blocks) * self.cache.block
            self.held[i] = self.cache.insert(self.a.key[i], runs, full, node, blocks), full

    def _own(self, i: int, stored: int, blocks: int) -> int:
        """Tokens of memory that a request with `stored` tokens holds alone, beside `blocks` shared ones."""
        if self.engine.reserves_output:
            stored = self.a.isl[i] + self.a.osl[i]
        return self._whole(stored) - blocks * self.cache.block

    def _whole(self, stored: int) -> int:
        """Whole pages of a sequence's tokens, and its fixed state."""
        engine = self.engine
        return (-(-stored // engine.page) * engine.page if engine.grows else 0) + engine.state


def _count(runs: Runs) -> int:
    """Blocks of a prompt."""
    return sum(last - first + 1 for first, last in runs)
