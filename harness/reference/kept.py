"""Caches of answered prompts: a prompt that goes on from one, as an agent's next turn does, runs only its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.reference.model import Cache


@dataclass
class _Held:
    ids: np.ndarray  # the tokens that the cache has run
    cache: Cache
    call: int  # when it was made or last found


class Kept:
    """Caches up to a number of bytes; what the current call uses is never dropped for something new.

    Turns come in rounds over all episodes. To drop the oldest would drop each just before it is wanted.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._held: list[_Held] = []
        self._call = 0

    def begin(self) -> None:
        """A new call: what it does not use may go."""
        self._call += 1

    def longest(self, ids: list[int]) -> tuple[Cache | None, int]:
        """The cache that has the most of a prompt's beginning, and how many tokens; (None, 0) without any."""
        prompt = np.asarray(ids)
        best, length = None, 0
        for one in self._held:
            common = _common(one.ids, prompt)
            if common > length:
                best, length = one, common
        if best is None:
            return None, 0
        best.call = self._call
        return best.cache, length

    def keep(self, ids: list[int], cache: Cache) -> None:
        """Keep the cache of `ids` in the place of what it went on from, if there is room or something unused goes."""
        new = _Held(np.asarray(ids), cache, self._call)
        self._held = [one for one in self._held if _common(one.ids, new.ids) < len(one.ids)]
        room = self.budget_bytes - cache.nbytes - sum(one.cache.nbytes for one in self._held)
        unused = sorted((one for one in self._held if one.call < self._call), key=lambda one: one.call)
        if room + sum(one.cache.nbytes for one in unused) < 0:
            return
        while room < 0:
            dropped = unused.pop(0)
            room += dropped.cache.nbytes
            self._held = [one for one in self._held if one is not dropped]
        self._held.append(new)


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """How many tokens both begin with."""
    n = min(len(a), len(b))
    differ = np.flatnonzero(a[:n] != b[:n])
    return int(differ[0]) if len(differ) else n
