"""A replica's KV memory: what running requests hold, and the prefixes kept for those to come.

Prefixes are a tree whose nodes are runs of consecutive block ids. The least recently used leaf goes first, from its
end: the same blocks, in the same order, as a list of single blocks would lose (vLLM frees a request's last block
first), at the cost of a few nodes a request however long its prompt is. Amounts are in tokens of cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

NEVER = 1 << 62
Runs = Sequence[tuple[int, int]]  # block ids from first to last, both counted


class Node:
    """A run of `count` blocks from `first` on; `pins` requests use it, `used` is when the last one let go."""

    __slots__ = ("alive", "children", "count", "first", "host", "on_chip", "order", "parent", "pins", "used")

    def __init__(self, first: int, count: int, parent: Node | None):
        self.first, self.count, self.parent = first, count, parent
        self.children: dict[int, Node] = {}
        self.pins = self.used = self.order = 0
        self.on_chip = 0  # children that are not in host memory
        self.host = False
        self.alive = True


class Cache:
    """KV memory of one replica.

    capacity: tokens; block: tokens of one cached block; lifetime_ns: how long an unused prefix is kept; host: tokens
    of host memory that evicted prefixes move to.
    """

    def __init__(self, capacity: int, block: int, lifetime_ns: int = NEVER, host: int = 0):
        self.capacity, self.block, self.lifetime, self.host_capacity = capacity, block, lifetime_ns, host
        self.private = 0  # tokens that running requests hold alone, whole pages
        self.pinned = 0  # tokens of prefixes that running requests use
        self.cached = 0  # tokens of all prefixes on the chip, pinned ones included
        self.hosted = 0  # tokens of prefixes in host memory
        self.restored = 0  # tokens that came back from host memory
        self._roots: dict[object, Node] = {}
        self._leaves: list[tuple[int, int, int, Node]] = []
        self._hosted_leaves: list[tuple[int, int, int, Node]] = []
        self._order = self._entries = 0

    @property
    def available(self) -> int:
        """Tokens that could be taken: free, or held by prefixes that nobody uses."""
        return self.capacity - self.private - self.pinned

    def take(self, tokens: int) -> None:
        """Give a request `tokens` of its own; prefixes make room."""
        self.private += tokens
        short = self.private + self.cached - self.capacity
        if short > 0:
            self._evict(short)

    def find(self, key: object, runs: Runs, most: int) -> tuple[Node | None, int]:
        """(deepest node, blocks) of the longest cached prefix, `most` blocks at most; splits a node it ends in."""
        node = self._roots.get(key)
        if node is None or most <= 0:
            return None, 0
        found, at, last, rest = 0, runs[0][0], runs[0][1], 1
        while found < most:
            child = node.children.get(at)
            if child is None:
                break
            same = min(child.count, last - at + 1, most - found)
            if same < child.count:
                child = self._split(child, same)
            node, found, at = child, found + same, at + same
            if at > last:
                if rest == len(runs):
                    break
                (at, last), rest = runs[rest], rest + 1
        return (node, found) if found else (None, 0)

    def unused(self, node: Node | None) -> int:
        """Tokens of a prefix that nobody uses: what pinning it takes from `available`."""
        tokens = 0
        while node is not None and node.parent is not None:
            if node.pins == 0:
                tokens += node.count
            node = node.parent
        return tokens * self.block

    def pin(self, node: Node | None) -> None:
        """Keep a prefix, from its deepest node up; parts in host memory come back."""
        hosted = []
        while node is not None and node.parent is not None:
            if node.pins == 0:
                self.pinned += node.count * self.block
                if node.host:
                    hosted.append(node)
            node.pins += 1
            node = node.parent
        for node in reversed(hosted):
            self._restore(node)
        if hosted:
            self.take(0)

    def unpin(self, node: Node | None, now: int) -> None:
        """Let go of a prefix, from its deepest node up."""
        while node is not None and node.parent is not None:
            node.pins -= 1
            self._order += 1
            node.used, node.order = now, self._order
            if node.pins == 0:
                self.pinned -= node.count * self.block
                if not node.on_chip:
                    self._push(self._leaves, node)
            node = node.parent

    def insert(self, key: object, runs: Runs, blocks: int, node: Node | None, known: int) -> Node | None:
        """Add the first `blocks` blocks below `node`, which holds the first `known`; returns the new deepest, pinned.

        Blocks that another request added meanwhile are shared with it. The caller gives up `private` for them.
        """
        if blocks <= known:
            return node
        found, have = self.find(key, runs, blocks)
        if found is not None and have > known:
            self.pin(found)
            self._unpin_silently(node)
            node = found
        else:
            have = known
        parent = node or self._root(key)
        for first, count in _rest(runs, have, blocks - have):
            child = Node(first, count, parent)
            child.pins = 1
            parent.children[first] = child
            parent.on_chip += 1
            self.cached += count * self.block
            self.pinned += count * self.block
            parent = child
        return parent

    def warm(self, key: object, runs: Runs, blocks: int, used: int) -> None:
        """A prefix that was there before the simulation, last used at `used` (negative); kept if there is room."""
        if blocks and self.cached + blocks * self.block <= self.capacity:
            self.unpin(self.insert(key, runs, blocks, None, 0), used)

    def expire(self, now: int) -> None:
        """Drop prefixes that nobody used for the lifetime."""
        while self._leaves and self._leaves[0][0] + self.lifetime < now:
            node = self._pop(self._leaves)
            if node is not None:
                self._remove(node)
        while self._hosted_leaves and self._hosted_leaves[0][0] + self.lifetime < now:
            node = self._pop(self._hosted_leaves)
            if node is not None:
                self._remove(node)

    def _root(self, key: object) -> Node:
        if key not in self._roots:
            self._roots[key] = Node(key, 0, None)
        return self._roots[key]

    def _unpin_silently(self, node: Node | None) -> None:
        while node is not None and node.parent is not None:
            node.pins -= 1
            node = node.parent

    def _split(self, node: Node, count: int) -> Node:
        """Cut a node after `count` blocks; the upper part is new, so that who holds the node holds both."""
        upper = Node(node.first, count, node.parent)
        upper.pins, upper.used, upper.order, upper.host = node.pins, node.used, node.order, node.host
        upper.children[node.first + count] = node
        upper.on_chip = 0 if node.host else 1
        node.parent.children[node.first] = upper
        node.first, node.count, node.parent = node.first + count, node.count - count, upper
        return upper

    def _push(self, heap: list, node: Node) -> None:
        """Of nodes let go at the same instant the first one goes first, however often it is cut."""
        self._entries += 1
        heappush(heap, (node.used, node.order, self._entries, node))

    def _pop(self, heap: list) -> Node | None:
        """The heap's first node, None where its entry is out of date."""
        used, order, _, node = heappop(heap)
        stale = not node.alive or node.pins or node.used != used or node.order != order
        wrong = (node.children or not node.host) if heap is self._hosted_leaves else (node.on_chip or node.host)
        return None if stale or wrong else node

    def _evict(self, tokens: int) -> None:
        """Take at least `tokens` from unused prefixes, the oldest first, from its end."""
        while tokens > 0:
            node = self._pop(self._leaves)
            if node is None:
                continue
            blocks = min(-(-tokens // self.block), node.count)
            tokens -= blocks * self.block
            if blocks < node.count:
                if not self.host_capacity:
                    node.count -= blocks
                    self.cached -= blocks * self.block
                    self._push(self._leaves, node)
                    continue
                self._split(node, node.count - blocks)
            if self.host_capacity >= blocks * self.block:
                self._offload(node)
            else:
                self._remove(node)

    def _offload(self, node: Node) -> None:
        tokens = node.count * self.block
        self.cached -= tokens
        self.hosted += tokens
        node.host = True
        self._left_chip(node)
        if not node.children:
            self._push(self._hosted_leaves, node)
        while self.hosted > self.host_capacity:
            old = self._pop(self._hosted_leaves)
            if old is not None:
                self._remove(old)

    def _restore(self, node: Node) -> None:
        tokens = node.count * self.block
        node.host = False
        node.parent.on_chip += 1
        self.hosted -= tokens
        self.cached += tokens
        self.restored += tokens

    def _remove(self, node: Node) -> None:
        """Forget a leaf; host parts below it go with it."""
        node.alive = False
        for child in list(node.children.values()):
            self._remove(child)
        tokens = node.count * self.block
        parent = node.parent
        del parent.children[node.first]
        if parent.parent is None and not parent.children:
            del self._roots[parent.first]
        if node.host:
            self.hosted -= tokens
            if parent.host and not parent.children and not parent.pins:
                self._push(self._hosted_leaves, parent)
        else:
            self.cached -= tokens
            self._left_chip(node)

    def _left_chip(self, node: Node) -> None:
        parent = node.parent
        parent.on_chip -= 1
        if parent.on_chip == 0 and parent.parent is not None and not parent.pins:
            self._push(self._leaves, parent)


def _rest(runs: Runs, skip: int, want: int) -> list[tuple[int, int]]:
    """The runs after `skip` blocks, `want` blocks in all, as (first, count)."""
    out = []
    for first, last in runs:
        size = last - first + 1
        if skip >= size:
            skip -= size
            continue
        count = min(size - skip, want)
        if count <= 0:
            break
        out.append((first + skip, count))
        want -= count
        skip = 0
    return out
