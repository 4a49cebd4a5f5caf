"""The requests that a replica decodes: how far they are, when each ends, when each needs a page.

All move on together, so nothing is kept a request but where it began: its context is `offset + tokens`, and the
replica's counts say the rest. Sequences of the same remainder need their next page in the same step.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush

from harness.serving.engine import Engine
from harness.serving.steptable import StepTable


class Decoding:
    """Counts are over the replica's ranks. `steps`: decode steps so far; `tokens`: what each sequence got in them."""

    def __init__(self, engine: Engine, table: StepTable):
        self.page, self.grows, self.advance = engine.page, engine.grows and not engine.reserves_output, table.advance
        self.offsets: dict[int, int] = {}  # request -> its context minus `tokens`; in order of admission
        self.finishing: list[tuple[int, int, int]] = []  # (step it ends with, order, request)
        self.steps = self.tokens = 0
        self.context = 0  # tokens of all requests
        self.most_gain = math.ceil(table.advance)  # tokens that a sequence may get in one step
        self._one_each = table.advance == 1
        self._phases = [0] * self.page  # requests by when they next need a page
        self._order = 0

    def __len__(self) -> int:
        return len(self.offsets)

    def gain(self, steps: int) -> int:
        """Tokens a sequence gets in the next `steps` decode steps."""
        if self._one_each:
            return steps
        return (self.steps + steps) * self.advance.numerator // self.advance.denominator - self.tokens

    def pages(self, gain: int) -> int:
        """Pages that the requests need for `gain` more tokens each; none where they were reserved."""
        if not self.grows:
            return 0
        page, at, phases = self.page, self.tokens, self._phases
        if gain == 1:
            return phases[at % page]
        rounds, rest = divmod(gain, page)
        return len(self.offsets) * rounds + sum([phases[(at + k) % page] for k in range(rest)])

    def next_finish(self) -> int:
        """Steps until the first request ends."""
        return self.finishing[0][0] - self.steps

    def within(self, steps: int, room_pages: int) -> int:
        """The most steps, up to `steps`, whose pages there is room for."""
        gain = self.gain(steps)
        if len(self.offsets) * (gain // self.page + 1) <= room_pages or self.pages(gain) <= room_pages:
            return steps
        low, high = 0, steps
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.pages(self.gain(middle)) <= room_pages else (low, middle)
        return low

    def join(self, i: int, stored: int, left: int) -> None:
        """A request with `stored` tokens in the cache and `left` to come decodes from the next step on."""
        offset = stored - self.tokens
        self.offsets[i] = offset
        self.context += stored
        self._phases[-offset % self.page] += 1
        self._order += 1
        steps = -(-left * self.advance.denominator // self.advance.numerator)
        heappush(self.finishing, (self.steps + steps, self._order, i))

    def leave(self, i: int) -> int:
        """A request ends or gives way; tokens that it has stored."""
        offset = self.offsets.pop(i)
        stored = offset + self.tokens
        self.context -= stored
        self._phases[-offset % self.page] -= 1
        return stored

    def give_way(self) -> tuple[int, int]:
        """(request admitted last, its stored tokens), which leaves before its end."""
        i = next(reversed(self.offsets))
        self.finishing = sorted(e for e in self.finishing if e[2] != i)  # sorted, so still a heap
        return i, self.leave(i)

    def move_on(self, steps: int) -> None:
        """`steps` decode steps of all."""
        gain = self.gain(steps)
        self.steps += steps
        self.tokens += gain
        self.context += len(self.offsets) * gain

    def due(self) -> int | None:
        """A request whose last step is done; None where there is none."""
        if self.finishing and self.finishing[0][0] <= self.steps:
            return heappop(self.finishing)[2]
        return None
