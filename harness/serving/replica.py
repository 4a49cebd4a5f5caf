"""One replica: requests wait, are prefilled in chunks beside those that decode, and finish.

A replica always does one of four things until `end`: nothing, a step with chunks of prompts, a run of decode steps
alone, or it wakes at an instant. A run's length is known at once (the next finish, or the memory's end), so it is one
subtraction in the step table; a request that arrives cuts it at the end of the step it falls in.

An engine that schedules a step while the one before it runs (`Engine.overlaps`) sees a request one step later.

The order is vLLM's: decoding requests first, then prompts begun, then those waiting, until the step's tokens are
spent. When memory runs out the request admitted last gives up its cache and waits again: its tokens are computed once
more as a longer prompt, or come back from host memory.
"""

from __future__ import annotations

from heapq import heappop, heappush

from harness.serving.arrivals import Arrivals
from harness.serving.cache import NEVER, Cache
from harness.serving.decoding import Decoding
from harness.serving.engine import Engine
from harness.serving.holdings import Holdings
from harness.serving.journal import Journal
from harness.serving.steptable import StepTable

IDLE, STEP, RUN, WAKE = range(4)
BOTH, PREFILL, DECODE = "both", "prefill", "decode"  # what a replica is for


class Replica:
    """State of one replica. Counts are over its ranks; times are whole nanoseconds."""

    def __init__(
        self, number: int, a: Arrivals, engine: Engine, table: StepTable, cache: Cache, journal: Journal,
        role: str = BOTH, hold_ns: int = 0, swaps: bool = False, stepwise: bool = False,
    ):  # fmt: skip
        """swaps: a preempted request's cache goes to host memory. stepwise: runs of one step each."""
        self.number, self.a, self.engine, self.table, self.cache = number, a, engine, table, cache
        self.journal, self.role, self.swaps, self.stepwise = journal, role, swaps, stepwise
        self.holdings = Holdings(a, engine, cache, journal, hold_ns)
        self.decoding = Decoding(engine, table)
        self.doing, self.begun, self.end = IDLE, 0, NEVER
        self.waiting: list[tuple[int, int, int]] = []  # (priority, order, request)
        self.unseen: list[tuple[int, int, int]] = []  # likewise, arrived when the next step was already scheduled
        self.prefilling: dict[int, list[int]] = {}  # request -> [tokens done, tokens in all]
        self.brought: dict[int, int] = {}  # waiting requests whose tokens come from elsewhere -> how many
        self.swapped: set[int] = set()  # those of them that wait in host memory
        self.done: list[int] = []  # requests that finished at the end of what was done last
        self.moved: list[int] = []  # likewise, prompts whose cache goes to a decode replica
        self._order = self._front = 0
        self._chunks: list[tuple[int, int]] = []
        self._ahead = 0  # decode steps of what is being done
        self._made_room = False  # since the last plan: what waits may fit in the next step
        self._restored = 0  # tokens that come back from host memory for the step to come

    @property
    def load(self) -> int:
        """Requests it has, waiting ones included."""
        return len(self.waiting) + len(self.unseen) + len(self.prefilling) + len(self.decoding)

    def fits(self, i: int) -> bool:
        """Whether it has, empty, the memory for a request and its answer, and what its last step may write beyond."""
        return self.holdings.fits(i, self.decoding.most_gain - 1)

    def enqueue(self, i: int, now: int, brought: bool = False) -> None:
        """A request arrives, or (`brought`) the cache of its prompt does."""
        if brought:
            # The first token, which came with the prompt's cache, is stored by the step it goes into.
            self.brought[i] = self.a.isl[i]
        self._order += 1
        if self.doing == IDLE:
            self.journal.spent(self, self.begun, now)
            self.doing, self.begun, self.end = WAKE, now, now
        elif self.doing == RUN and (not self.waiting or self.a.priority):
            self._cut(now)
        ahead = self.engine.overlaps and self.doing != WAKE and now >= self._last_begun()
        heappush(self.unseen if ahead else self.waiting, self._place(i, self._order))

    def _last_begun(self) -> int:
        """When the last step of what is being done begins."""
        if self.doing != RUN or self._ahead <= 1:
            return self.begun
        decoding, batch = self.decoding, len(self.decoding)
        last, all_ = (decoding.context + batch * decoding.gain(n) for n in (self._ahead - 1, self._ahead))
        return self.end - self.table.decode(batch, last, all_)

    def complete(self) -> None:
        """The end of what is being done: account for it, then begin the next."""
        now, doing = self.end, self.doing
        if doing != WAKE:
            self.journal.busy_ns += now - self.begun
            self.journal.spent(self, self.begun, now)
        if self._ahead:
            self._move_on(self._ahead, now)
        if doing == STEP:
            self._end_chunks(now)
        self._begin(now)

    def _place(self, i: int, order: int) -> tuple[int, int, int]:
        return (self.a.priority[i] if self.a.priority else 0, order, i)

    # What to do next

    def _begin(self, now: int) -> None:
        self.begun, self._ahead, self._made_room = now, 0, False
        if self.holdings.deadlines:
            self.holdings.expire(now)
        chunks = self._plan(now) if self.waiting or self.prefilling else []
        if not (chunks or self.decoding.offsets) and self.unseen:  # nothing was scheduled ahead of them
            self._see()
            chunks = self._plan(now)
        if chunks:
            self._begin_step(now, chunks)
        elif self.decoding.offsets:
            self._begin_run(now)
        else:
            self.doing, self.end = IDLE, NEVER
        if self.unseen:
            self._see()

    def _see(self) -> None:
        """The scheduler looks at its queue, for the step after the one that begins."""
        for place in self.unseen:
            heappush(self.waiting, place)
        self.unseen.clear()

    def _begin_step(self, now: int, chunks: list[tuple[int, int]]) -> None:
        table, decoding = self.table, self.decoding
        batch = len(decoding) if self.engine.mixed else 0
        self._chunks, self.doing, self._ahead = chunks, STEP, 1 if batch else 0
        if table.ranks == 1:
            dense = sum([c for _, c in chunks])
            attention = sum([table.attention(c, self.prefilling[i][0]) for i, c in chunks])
            attention -= (len(chunks) - 1) * table.shared
        else:
            dense, attention = self._heaviest(chunks)
        steps = table.decode(batch, decoding.context, decoding.context + batch * decoding.gain(1)) if batch else 0
        self.end = now + max(table.mixed(dense, attention, batch, steps), 1) + self._loading()
        self.journal.prompt_ns += self.end - now - steps

    def _heaviest(self, chunks: list[tuple[int, int]]) -> tuple[int, int]:
        """(tokens, attention's ns) of the rank with most to do; ranks take chunks in turn, the lightest first."""
        ranks = [[0, 0, 0] for _ in range(min(self.table.ranks, len(chunks)))]
        for i, c in chunks:
            rank = min(ranks)
            rank[0] += c
            rank[1] += self.table.attention(c, self.prefilling[i][0]) - (self.table.shared if rank[2] else 0)
            rank[2] += 1
        return max(r[0] for r in ranks), max(r[1] for r in ranks)

    def _loading(self) -> int:
        """Nanoseconds of what comes back from host memory; nothing else is done meanwhile."""
        tokens, self._restored = self._restored, 0
        return round(tokens * self.engine.restore_ns) if tokens else 0

    def _begin_run(self, now: int) -> None:
        decoding = self.decoding
        ahead = self._within_memory(now) if decoding.grows else decoding.next_finish()
        loading = self._loading()
        # Those it now sees, and those that there is room for now, go into the step after this one.
        single = self.stepwise or loading or self.unseen or (self._made_room and self.waiting)
        self.doing, self._ahead = RUN, 1 if single else ahead
        batch, context = len(decoding), decoding.context
        self.end = now + self.table.decode(batch, context, context + batch * decoding.gain(self._ahead)) + loading
        deadlines = self.holdings.deadlines
        if deadlines and deadlines[0][0] < self.end:
            self._cut(deadlines[0][0])

    def _cut(self, now: int) -> None:
        """End the run with the step that `now` falls in: the fewest steps that last until then."""
        table, decoding = self.table, self.decoding
        batch, context = len(decoding), decoding.context
        before, target = table.until(batch, context), now - self.begun
        low, high, low_time, high_time = 0, self._ahead, 0, self.end - self.begun
        while high - low > 1:
            # Steps of a run last about as long as each other: where a straight line would have it.
            guess = low + (high - low) * (target - low_time) // (high_time - low_time)
            guess = min(max(guess, low + 1), high - 1)
            time = table.until(batch, context + batch * decoding.gain(guess)) - before
            if time >= target:
                high, high_time = guess, time
            else:
                low, low_time = guess, time
        self._ahead, self.end = high, self.begun + high_time

    # Memory

    def _within_memory(self, now: int) -> int:
        """Decode steps until a request ends or memory runs out; some give way until there is room for one."""
        decoding, page = self.decoding, self.engine.page
        while True:
            steps = decoding.within(decoding.next_finish(), self.cache.available // page)
            if steps:
                return steps
            self._make_room(now)

    def _room_for_step(self, now: int) -> bool:
        """Make room for one more step of every decoding request; whether none had to give way."""
        decoding, page, untouched = self.decoding, self.engine.page, True
        if len(decoding) * page * decoding.most_gain <= self.cache.available:
            return True
        while decoding.offsets and decoding.pages(decoding.gain(1)) * page > self.cache.available:
            untouched &= not self._make_room(now)
        return untouched

    def _make_room(self, now: int) -> bool:
        """A held prefix is let go, else a request preempted; whether it was a request."""
        self._made_room = True
        if self.holdings.drop_oldest_kept(now):
            return False
        self._preempt(now)
        return True

    def _preempt(self, now: int) -> None:
        """The request admitted last gives up its memory and waits again, before all others."""
        journal = self.journal
        if self.prefilling:
            i = next(reversed(self.prefilling))
            stored = self.prefilling.pop(i)[1]
        else:
            i, stored = self.decoding.give_way()
            # Speculation may have written all before the step that ends it: that step is still to come.
            written = journal.made[i] + self.decoding.tokens - journal.joined[i]
            journal.made[i] = min(written, self.a.osl[i] - 1)
            if self.swaps:
                self.brought[i] = stored
                self.swapped.add(i)
        self.holdings.release(i, stored, now)
        journal.preemptions[i] += 1
        self._front -= 1
        heappush(self.waiting, self._place(i, self._front))

    # Planning a step

    def _plan(self, now: int) -> list[tuple[int, int]]:
        """(request, tokens) of the step's chunks of prompts; admits requests."""
        engine, decoding, chunks = self.engine, self.decoding, []
        beside = engine.mixed and bool(decoding.offsets)  # decoding goes on in this step
        admitting = not (beside and decoding.grows) or self._room_for_step(now)
        batch = len(decoding) if engine.mixed else 0
        free = self.table.ranks  # chunks that still have a rank of their own
        left = engine.budget * free - batch * decoding.most_gain
        for i, (done, whole) in self.prefilling.items():
            if left <= 0:
                break
            size = min(whole - done, self._share(left, free), engine.chunk or whole)
            chunks.append((i, size))
            left, free = left - size, free - 1
        if not (admitting and self.waiting):
            return chunks
        spare = decoding.pages(decoding.gain(1)) * engine.page if batch else 0
        each = engine.page * decoding.most_gain if decoding.grows else 0
        while self.waiting and left > 0 and len(decoding) + len(self.prefilling) < engine.sequences:
            i = self.waiting[0][2]
            # One whose cache is brought decodes at once; alone it has all memory, and it was let in because it fits.
            others = bool(decoding.offsets or self.prefilling)
            size = self._admit(i, now, spare + (each if others and i in self.brought else 0))
            if size is None:
                if not others and self.holdings.drop_oldest_kept(now):
                    continue
                break
            heappop(self.waiting)
            if size:
                size = min(size, self._share(left, free), engine.chunk or size)
                chunks.append((i, size))
                left, free = left - size, free - 1
            elif engine.mixed:  # it decodes in this step
                spare, left = decoding.pages(decoding.gain(1)) * engine.page, left - decoding.most_gain
        return chunks

    def _share(self, left: int, free: int) -> int:
        """Tokens that one prompt can have of a step's: those of its rank."""
        return left if self.table.ranks == 1 else min(-(-left // max(free, 1)), self.engine.budget)

    def _admit(self, i: int, now: int, spare: int) -> int | None:
        """Give a waiting request its memory; tokens to compute (0: it decodes at once), None where there is no room."""
        brought = self.brought.get(i)
        whole = self.a.isl[i] + self.journal.made[i] if brought is None else brought
        restored = self.cache.restored
        cached = self.holdings.admit(i, whole, spare, now, look=brought is None)
        if cached < 0:
            return None
        self._restored += self.cache.restored - restored
        self.journal.admit(i, now, cached)
        if brought is None:
            self.prefilling[i] = [cached, whole]
            return whole - cached
        del self.brought[i]
        if i in self.swapped:
            self.swapped.remove(i)
            self._restored += 2 * whole  # out, and back
        self._join(i, whole)
        return 0

    # Moving on

    def _move_on(self, steps: int, now: int) -> None:
        """`steps` decode steps of everything that decodes; those that end let go."""
        decoding, holdings = self.decoding, self.holdings
        if decoding.grows:
            holdings.take(decoding.pages(decoding.gain(steps)) * self.engine.page)
        batch, before = len(decoding), decoding.context
        decoding.move_on(steps)
        self.journal.worked(batch, steps, before, decoding.context)
        while (i := decoding.due()) is not None:
            self._answered(i, decoding.leave(i), now)

    def _end_chunks(self, now: int) -> None:
        for i, size in self._chunks:
            progress = self.prefilling[i]
            progress[0] += size
            if progress[0] == progress[1]:
                del self.prefilling[i]
                self._first_token(i, progress[1], now)

    def _first_token(self, i: int, whole: int, now: int) -> None:
        """A prompt is done: its blocks can be shared, its first token is out."""
        self.holdings.share(i, whole)
        self.journal.first(i, now)
        if self.journal.made[i] >= self.a.osl[i]:
            self._answered(i, whole, now)
        elif self.role == PREFILL:
            self.holdings.handed_over(i, whole, now)
            self.moved.append(i)
        else:
            self._join(i, whole)

    def _join(self, i: int, whole: int) -> None:
        """A request whose `whole` tokens are in the cache decodes from the next step on."""
        self.journal.joined[i] = self.decoding.tokens
        self.decoding.join(i, whole, self.a.osl[i] - self.journal.made[i])

    def _answered(self, i: int, stored: int, now: int) -> None:
        self.holdings.answered(i, stored, now)
        self.journal.finish(i, now)
        self.done.append(i)
