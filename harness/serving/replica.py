"""One replica: requests wait, are prefilled in chunks beside those that decode, and finish.

A replica always does one of four things until `end`: nothing, a step with chunks of prompts, a run of decode steps
alone, or it wakes at an instant. A run's length is known at once (the next finish, or the memory's end), so it is one
subtraction in the step table; a request that arrives cuts it at the end of the step it falls in.

The order is vLLM's: decoding requests first, then prompts begun, then those waiting, until the step's tokens are
spent. When memory runs out the request admitted last gives up its cache and waits again, its tokens a longer prompt.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush

from harness.serving.arrivals import Arrivals
from harness.serving.cache import NEVER, Cache, Node, Runs
from harness.serving.engine import Engine
from harness.serving.journal import Journal
from harness.serving.steptable import StepTable

IDLE, STEP, RUN, WAKE = range(4)
BOTH, PREFILL, DECODE = "both", "prefill", "decode"  # what a replica is for


class Replica:
    """State of one replica. Counts are over its ranks; times are whole nanoseconds."""

    def __init__(
        self, number: int, a: Arrivals, engine: Engine, table: StepTable, cache: Cache, journal: Journal,
        role: str = BOTH, hold_ns: int = 0, stepwise: bool = False,
    ):  # fmt: skip
        """hold_ns: how long a session's cache stays pinned for its next turn. stepwise: runs of one step each."""
        self.number, self.a, self.engine, self.table, self.cache, self.journal = (
            number,
            a,
            engine,
            table,
            cache,
            journal,
        )
        self.role, self.hold_ns, self.stepwise = role, hold_ns, stepwise
        self.end = NEVER
        self.begun = 0
        self.doing = IDLE
        self.waiting: list[tuple[int, int, int]] = []
        self.prefilling: dict[int, list[int]] = {}  # request -> [tokens done, tokens in all]
        self.running: dict[int, int] = {}  # decoding request -> its context minus `tokens`; in order of admission
        self.finishing: list[tuple[int, int, int]] = []  # (step it ends with, order, request)
        self.steps = 0  # decode steps so far; `tokens`: what each sequence got in them
        self.tokens = 0
        self.context = 0  # tokens of all decoding requests
        self.phases = [0] * engine.page  # decoding requests by when they next need a page
        self.held: dict[int, tuple[Node | None, int]] = {}  # running request -> (deepest node, its blocks)
        self.own: dict[int, int] = {}  # of a prompt being prefilled: tokens of cache it holds alone
        self.kept: dict[int, Node | None] = {}  # a turn to come -> what its session's last one left, pinned
        self.deadlines: list[tuple[int, int]] = []  # (until when it is kept, turn to come)
        self.brought: set[int] = set()  # waiting requests whose cache came from a prefill replica
        self.done: list[int] = []  # requests that finished at the end of what was done last
        self.moved: list[int] = []  # likewise, prompts whose cache goes to a decode replica
        self._order = self._front = 0
        self._one_each = table.advance == 1
        self._most_gain = math.ceil(table.advance)  # tokens that a sequence may get in one step
        self._chunks: list[tuple[int, int]] = []
        self._ahead = 0  # steps of the run

    def holds(self, i: int) -> bool:
        """Whether an empty replica has the memory for a request and its answer."""
        whole = self.a.isl[i] + self.a.osl[i]
        return self._need(whole, 0) <= self.cache.capacity

    @property
    def load(self) -> int:
        """Requests it has, waiting ones included."""
        return len(self.waiting) + len(self.prefilling) + len(self.running)

    def enqueue(self, i: int, now: int, brought: bool = False) -> None:
        """A request arrives, or (`brought`) the cache of its prompt does."""
        if brought:
            self.brought.add(i)
        self._order += 1
        place = (self.a.priority[i] if self.a.priority else 0, self._order, i)
        if self.doing == IDLE:
            self.journal.spent(self, self.begun, now)
            self.doing, self.begun, self.end = WAKE, now, now
        elif self.doing == RUN and (not self.waiting or self.a.priority):
            self._cut(now)
        heappush(self.waiting, place)

    def complete(self) -> None:
        """The end of what is being done: account for it, then begin the next."""
        now, doing = self.end, self.doing
        if doing != WAKE:
            self.journal.busy_ns += now - self.begun
            self.journal.spent(self, self.begun, now)
        if doing == RUN:
            self._move_on(self._ahead)
            self._finish_due(now)
        elif doing == STEP:
            self._end_step(now)
        self._begin(now)

    # What to do next

    def _begin(self, now: int) -> None:
        self.begun = now
        if self.deadlines:
            self._let_expire(now)
        chunks = self._plan(now) if self.waiting or self.prefilling else []
        if chunks:
            self._begin_step(now, chunks)
        elif self.running:
            self._begin_run(now)
        else:
            self.doing, self.end = IDLE, NEVER

    def _begin_step(self, now: int, chunks: list[tuple[int, int]]) -> None:
        table, batch = self.table, len(self.running) if self.engine.mixed else 0
        self._chunks, self.doing, self._ahead = chunks, STEP, 1 if batch else 0
        if table.ranks == 1:
            dense = sum([c for _, c in chunks])
            attention = sum([table.attention(c, self.prefilling[i][0]) for i, c in chunks])
            attention -= (len(chunks) - 1) * table.shared
        else:
            dense, attention = self._heaviest(chunks)
        prompts = table.chunks(dense, batch) + attention
        decoding = table.decode(batch, self.context, self.context + batch * self._gain(1)) if batch else 0
        self.end = now + max(prompts + decoding, 1)
        self.journal.prompt_ns += prompts

    def _heaviest(self, chunks: list[tuple[int, int]]) -> tuple[int, int]:
        """(tokens, attention's ns) of the rank with most to do; ranks take chunks in turn, the lightest first."""
        ranks = [[0, 0, 0] for _ in range(min(self.table.ranks, len(chunks)))]
        for i, c in chunks:
            rank = min(ranks)
            rank[0] += c
            rank[1] += self.table.attention(c, self.prefilling[i][0]) - (self.table.shared if rank[2] else 0)
            rank[2] += 1
        return max(r[0] for r in ranks), max(r[1] for r in ranks)

    def _begin_run(self, now: int) -> None:
        ahead = self.finishing[0][0] - self.steps
        if self.engine.grows:
            ahead = self._within_memory(ahead, now)
        ahead = 1 if self.stepwise else ahead
        self.doing, self._ahead = RUN, ahead
        batch = len(self.running)
        gained = batch * self._gain(ahead)
        self.end = now + self.table.decode(batch, self.context, self.context + gained)
        if self.deadlines and self.deadlines[0][0] < self.end:
            self._cut(self.deadlines[0][0])

    def _cut(self, now: int) -> None:
        """End the run with the step that `now` falls in: the fewest steps that last until then."""
        table, batch, context = self.table, len(self.running), self.context
        before, target = table.until(batch, context), now - self.begun
        low, high, low_time, high_time = 0, self._ahead, 0, self.end - self.begun
        while high - low > 1:
            # Steps of a run last about as long as each other: where a straight line would have it.
            guess = low + (high - low) * (target - low_time) // (high_time - low_time)
            guess = min(max(guess, low + 1), high - 1)
            time = table.until(batch, context + batch * self._gain(guess)) - before
            if time >= target:
                high, high_time = guess, time
            else:
                low, low_time = guess, time
        self._ahead, self.end = high, self.begun + high_time

    def _gain(self, steps: int) -> int:
        """Tokens a sequence gets in the next `steps` decode steps."""
        if self._one_each:
            return steps
        advance = self.table.advance
        return (self.steps + steps) * advance.numerator // advance.denominator - self.tokens

    # Memory

    def _pages(self, gain: int) -> int:
        """Pages that decoding requests need for `gain` more tokens each."""
        page, at, phases = self.engine.page, self.tokens, self.phases
        if gain == 1:
            return phases[at % page]
        rounds, rest = divmod(gain, page)
        return len(self.running) * rounds + sum([phases[(at + k) % page] for k in range(rest)])

    def _within_memory(self, ahead: int, now: int) -> int:
        """Decode steps until memory runs out; requests are preempted until there is room for one."""
        page = self.engine.page
        while True:
            room = self.cache.available // page
            if len(self.running) * (self._gain(ahead) // page + 1) <= room or self._pages(self._gain(ahead)) <= room:
                return ahead
            if self._pages(self._gain(1)) <= room:
                break
            self._make_room(now)
            ahead = self.finishing[0][0] - self.steps
        low, high = 1, ahead
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._pages(self._gain(middle)) <= room else (low, middle)
        return low

    def _room_for_step(self, now: int) -> bool:
        """Make room for one more token of every decoding request; whether none had to give way."""
        page, untouched = self.engine.page, True
        if len(self.running) * page * self._most_gain <= self.cache.available:
            return True
        while self.running and self._pages(self._gain(1)) * page > self.cache.available:
            untouched &= not self._make_room(now)
        return untouched

    def _make_room(self, now: int) -> bool:
        """A kept prefix is let go, else a request preempted; whether it was a request."""
        if self.kept:
            self._drop_kept(next(iter(self.kept)), now)
            return False
        self._preempt(now)
        return True

    def _drop_kept(self, following: int, now: int) -> None:
        self.cache.unpin(self.kept.pop(following), now)

    def _let_expire(self, now: int) -> None:
        while self.deadlines and self.deadlines[0][0] <= now:
            deadline, following = heappop(self.deadlines)
            if following in self.kept:
                self._drop_kept(following, deadline)

    def _preempt(self, now: int) -> None:
        """The request admitted last gives up its memory and waits again, before all others."""
        if self.prefilling:
            i = next(reversed(self.prefilling))
            del self.prefilling[i]
            self.cache.private -= self.own.pop(i)
        else:
            i = next(reversed(self.running))
            self.cache.private -= self._own_of(i)
            self.journal.made[i] += self.tokens - self.journal.joined[i]
            self._leave(i)
            self.finishing = sorted(e for e in self.finishing if e[2] != i)  # sorted, so still a heap
        node, _ = self.held.pop(i)
        self.cache.unpin(node, now)
        self.journal.preemptions[i] += 1
        self._front -= 1
        heappush(self.waiting, (self.a.priority[i] if self.a.priority else 0, self._front, i))

    def _own_of(self, i: int) -> int:
        """Tokens of cache that a decoding request holds alone, in whole pages."""
        if not self.engine.grows:
            return self.engine.state
        page = self.engine.page
        stored = self.running[i] + self.tokens
        return -(-stored // page) * page - self.held[i][1] * self.cache.block + self.engine.state

    def _leave(self, i: int) -> None:
        offset = self.running.pop(i)
        self.context -= offset + self.tokens
        self.phases[-offset % self.engine.page] -= 1

    # Planning a step

    def _plan(self, now: int) -> list[tuple[int, int]]:
        """(request, tokens) of the step's chunks of prompts; admits requests."""
        engine, chunks = self.engine, []
        beside = engine.mixed and bool(self.running)  # decoding goes on in this step
        admitting = not (beside and engine.grows) or self._room_for_step(now)
        batch = len(self.running) if engine.mixed else 0
        free = self.table.ranks  # chunks that still have a rank of their own
        left = engine.budget * free - batch * self._most_gain
        for i, (done, whole) in self.prefilling.items():
            if left <= 0:
                break
            size = min(whole - done, self._share(left, free), engine.chunk or whole)
            chunks.append((i, size))
            left, free = left - size, free - 1
        if not (admitting and self.waiting):
            return chunks
        spare = self._pages(self._gain(1)) * engine.page if engine.grows and batch else 0
        while self.waiting and left > 0:
            if len(self.running) + len(self.prefilling) >= engine.sequences:
                break
            i = self.waiting[0][2]
            size = self._admit(i, now, spare)
            if size < 0 and self.kept and not (self.running or self.prefilling):
                self._drop_kept(next(iter(self.kept)), now)
                continue
            if size < 0:
                break
            heappop(self.waiting)
            if size == 0:
                self._join(i, self.prefilling.pop(i)[1])
                continue
            size = min(size, self._share(left, free), engine.chunk or size)
            chunks.append((i, size))
            left, free = left - size, free - 1
        return chunks

    def _share(self, left: int, free: int) -> int:
        """Tokens that one prompt can have of a step's: those of its rank."""
        return left if self.table.ranks == 1 else min(-(-left // max(free, 1)), self.engine.budget)

    def _admit(self, i: int, now: int, spare: int) -> int:
        """Give a waiting request its memory; tokens to compute (0: they were brought), or -1 where there is no room."""
        a, cache, engine = self.a, self.cache, self.engine
        # A brought cache holds the prompt; the first token, which came with it, is stored by the step it goes into.
        whole = a.isl[i] if i in self.brought else a.isl[i] + self.journal.made[i]
        node, blocks, runs = None, 0, a.runs[i]
        if runs and engine.prefix and i not in self.brought:
            if cache.lifetime < NEVER:
                cache.expire(now)
            node, blocks = cache.find(a.key[i], runs, (whole - 1) // cache.block)
        cached = blocks * cache.block
        need = self._need(whole, cached)
        ahead = a.osl[i] if engine.reserves_output and engine.grows else 0
        if need + ahead + cache.unused(node) + spare > cache.available:
            return -1
        restored = cache.restored
        cache.pin(node)
        cache.take(need)
        self._note_peak()
        self.held[i], self.own[i] = (node, blocks), need
        self.prefilling[i] = [cached, whole]
        if i in self.kept:
            self._drop_kept(i, now)
        self.journal.admit(i, now, cached, cache.restored - restored)
        if i in self.brought:
            self.brought.remove(i)
            return 0
        return whole - cached

    def _note_peak(self) -> None:
        used = self.cache.private + self.cache.pinned
        if used > self.journal.peak:
            self.journal.peak = used

    def _need(self, whole: int, cached: int) -> int:
        """Tokens of memory that a prompt takes beside its cached part."""
        engine = self.engine
        if not engine.grows:
            return engine.state
        return -(-whole // engine.page) * engine.page - cached + engine.state

    # Moving on

    def _move_on(self, steps: int) -> None:
        """`steps` decode steps of everything that runs."""
        gain, batch = self._gain(steps), len(self.running)
        if self.engine.grows:
            self.cache.take(self._pages(gain) * self.engine.page)
            self._note_peak()
        self.steps += steps
        self.tokens += gain
        self.context += batch * gain
        self.journal.worked(batch, steps, self.context - batch * gain, self.context)

    def _end_step(self, now: int) -> None:
        if self._ahead:
            self._move_on(1)
            self._finish_due(now)
        for i, size in self._chunks:
            progress = self.prefilling[i]
            progress[0] += size
            if progress[0] == progress[1]:
                self._first_token(i, progress[1], now)

    def _first_token(self, i: int, whole: int, now: int) -> None:
        """A prompt is done: its blocks can be shared, its first token is out."""
        a, cache = self.a, self.cache
        del self.prefilling[i]
        node, blocks = self.held[i]
        own = self.own.pop(i)
        if a.runs[i] and self.engine.prefix:
            # Where a trace names the blocks, those of answers have no names.
            full = min((whole if a.by_position else a.isl[i]) // cache.block, _count(a.runs[i]))
            if full > blocks:
                cache.private -= (full - blocks) * cache.block
                node = cache.insert(a.key[i], a.runs[i], full, node, blocks)
                self.held[i] = (node, full)
        self.journal.first(i, now)
        rest = a.osl[i] - self.journal.made[i]
        if rest <= 0 or self.role == PREFILL:  # what it held alone is `own`, less the blocks that are shared now
            cache.private -= own - (self.held[i][1] - blocks) * cache.block
            if rest <= 0:
                self._let_go(i, now)
            else:
                cache.unpin(self.held.pop(i)[0], now)
                self.moved.append(i)
            return
        self._join(i, whole)

    def _join(self, i: int, whole: int) -> None:
        """A request whose `whole` tokens are in the cache decodes from the next step on."""
        self.own.pop(i, None)
        rest = self.a.osl[i] - self.journal.made[i]
        self.running[i] = whole - self.tokens
        self.context += whole
        self.phases[-(whole - self.tokens) % self.engine.page] += 1
        self.journal.joined[i] = self.tokens
        self._order += 1
        advance = self.table.advance
        heappush(self.finishing, (self.steps - (-rest * advance.denominator // advance.numerator), self._order, i))

    def _finish_due(self, now: int) -> None:
        while self.finishing and self.finishing[0][0] <= self.steps:
            i = heappop(self.finishing)[2]
            self.cache.private -= self._own_of(i)
            self._leave(i)
            self._let_go(i, now)

    def _let_go(self, i: int, now: int) -> None:
        """A request is answered: what it held is free, or kept as a prefix."""
        a, cache = self.a, self.cache
        node, blocks = self.held.pop(i)
        if a.by_position and a.runs[i] and self.engine.prefix:
            node = cache.insert(a.key[i], a.runs[i], _count(a.runs[i]), node, blocks)
        following = a.follower[i]
        if self.hold_ns and following >= 0 and node is not None:
            self.kept[following] = node
            heappush(self.deadlines, (now + self.hold_ns, following))
        else:
            cache.unpin(node, now)
        self.journal.finish(i, now)
        self.done.append(i)


def _count(runs: Runs) -> int:
    """Blocks of a prompt."""
    return sum(last - first + 1 for first, last in runs)
