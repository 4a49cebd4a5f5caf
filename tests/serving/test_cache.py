"""The tree of prefixes against the plainest cache there is: single blocks, forgotten one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.serving.cache import NEVER, Cache

BLOCK = 4


class PlainCache:
    """Blocks by their whole path from the root; each remembers when, and how deep in its request, it was last used."""

    def __init__(self, blocks: int) -> None:
        self.capacity, self.used = blocks, {}

    def serve(self, key, ids: list[int], now: int) -> int:
        """Blocks found; then the request's own are there, and the least recently used make room."""
        paths = [(key, tuple(ids[: k + 1])) for k in range(len(ids))]
        found = next((k for k, path in enumerate(paths) if path not in self.used), len(paths))
        for depth, path in enumerate(paths):
            self.used[path] = (now, -depth)
        while len(self.used) > self.capacity:
            del self.used[min(self.used, key=self.used.get)]
        return found


requests = st.lists(
    st.tuples(st.sampled_from("ab"), st.lists(st.integers(0, 2), min_size=1, max_size=7)), min_size=1, max_size=40
)


def runs_of(ids: list[int]) -> tuple[tuple[int, int], ...]:
    """Block ids whose value says the path so far, so that equal ids mean equal prefixes; neighbours form runs."""
    path, out = 0, []
    for depth, branch in enumerate(ids):
        path = path * 3 + branch
        number = depth * 10_000 + path * 2  # never neighbours by accident
        out.append((number, number))
    return tuple(out)


def serve(cache: Cache, key, runs, now: int) -> int:
    """One request at a time: find, compute the rest, share it, let go."""
    blocks = sum(b - a + 1 for a, b in runs)
    node, found = cache.find(key, runs, blocks)
    cache.pin(node)
    cache.take((blocks - found) * BLOCK)
    cache.private -= (blocks - found) * BLOCK
    node = cache.insert(key, runs, blocks, node, found)
    cache.unpin(node, now)
    return found


@given(requests, st.integers(7, 20))
@settings(max_examples=300)
def test_it_forgets_the_same_blocks_as_a_list_of_single_ones(asked, capacity):
    tree, plain = Cache(capacity * BLOCK, BLOCK), PlainCache(capacity)
    for now, (key, ids) in enumerate(asked):
        assert serve(tree, key, runs_of(ids), now) == plain.serve(key, ids, now)
        assert tree.cached == len(plain.used) * BLOCK
        assert tree.pinned == tree.private == 0


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=30), st.integers(8, 60))
def test_runs_of_neighbouring_ids_count_like_single_blocks(asked, capacity):
    """A growing session: whole runs, or cut into single blocks."""
    long, short = Cache(capacity * BLOCK, BLOCK), Cache(capacity * BLOCK, BLOCK)
    for now, (last, _) in enumerate(asked):
        if last < capacity:
            one = serve(long, "s", ((0, last),), now)
            assert one == serve(short, "s", tuple((k, k) for k in range(last + 1)), now)
            assert long.cached == short.cached


@given(requests, st.integers(3, 12), st.integers(4, 24))
def test_memory_is_never_more_than_there_is(asked, capacity, host):
    cache = Cache(capacity * BLOCK, BLOCK, host=host * BLOCK)
    for now, (key, ids) in enumerate(asked):
        if len(ids) <= capacity:
            serve(cache, key, runs_of(ids), now)
        assert 0 <= cache.cached + cache.private <= cache.capacity
        assert 0 <= cache.hosted <= cache.host_capacity


@given(requests, st.integers(7, 12))
def test_host_memory_only_adds_hits(asked, capacity):
    bare, helped = Cache(capacity * BLOCK, BLOCK), Cache(capacity * BLOCK, BLOCK, host=10_000 * BLOCK)
    hits = [(serve(bare, k, runs_of(i), n), serve(helped, k, runs_of(i), n)) for n, (k, i) in enumerate(asked)]
    assert all(without <= with_host for without, with_host in hits)


def test_what_nobody_used_for_its_lifetime_is_gone():
    cache = Cache(100 * BLOCK, BLOCK, lifetime_ns=10)
    serve(cache, "s", ((0, 9),), now=0)
    serve(cache, "t", ((0, 4),), now=5)
    cache.expire(10)
    assert cache.cached == 15 * BLOCK
    cache.expire(11)
    assert cache.cached == 5 * BLOCK
    cache.expire(16)
    assert cache.cached == 0
    assert cache.find("t", ((0, 4),), 5) == (None, 0)


def test_a_pinned_prefix_is_not_evicted_and_a_returning_one_comes_from_the_host():
    cache = Cache(10 * BLOCK, BLOCK, host=100 * BLOCK)
    serve(cache, "s", ((0, 5),), now=0)
    node, found = cache.find("s", ((0, 5),), 6)
    cache.pin(node)
    assert (found, cache.available) == (6, 4 * BLOCK)
    cache.take(4 * BLOCK)
    assert cache.find("s", ((0, 5),), 6)[1] == 6
    cache.unpin(node, now=1)
    cache.take(5 * BLOCK)
    assert (cache.cached, cache.hosted) == (BLOCK, 5 * BLOCK)
    cache.private = 0
    node, found = cache.find("s", ((0, 5),), 6)
    cache.pin(node)
    assert (found, cache.restored, cache.hosted) == (6, 5 * BLOCK, 0)


def test_without_a_lifetime_nothing_expires():
    cache = Cache(10 * BLOCK, BLOCK)
    serve(cache, "s", ((0, 5),), now=0)
    cache.expire(NEVER - 1)
    assert cache.cached == 6 * BLOCK
