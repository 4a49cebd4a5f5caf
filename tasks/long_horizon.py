"""long-horizon: agents at long work, from 20 to 1,000 calls, each in a simulated world whose end state is verified.

Imitates Terminal-Bench, and the agent run of 35 hours that tuned a kernel: work of many steps, in which something is
found out early and needed late, things happen meanwhile, and what counts is how the world stands at the end.
Differs: the worlds are simulated here, in plain Python, and not real machines; five kinds of agent (coding,
infrastructure, research, compliance, enterprise), whose functions are few and answer at once; five levels, on which an
expert needs about 25, 60, 160, 400 and 950 calls, never more than 1,000; level 1 begins with pieces that say which
call does them, value for value, for very small models; every item gives partial credit, the goals that are met less
the damage done. A default run stops after 45 turns, in which only level 1 can be done: `--max-turns`
gives the whole length.
Licence: Apache-2.0; every world, task and sentence is written here.

    >>> item = SUITE.make(3)[0]
    >>> SUITE.grade(item, item.answer).value, SUITE.grade(item, "Answer: Done.").value, SUITE.grade(item, "").outcome
    (1.0, 0.0, 'unparsed')
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside
from harness.worlds import World, asked, replay

_shared = beside(__file__, "_horizon")
JOBS = {p.stem.removeprefix("_horizon_").replace("_", "-"): beside(__file__, p.stem).JOB
        for p in sorted(Path(__file__).parent.glob("_horizon_*.py"))}  # fmt: skip
KINDS = sorted({name.partition("-")[0] for name in JOBS})
PER_KIND = 5  # items of each kind on a level; its jobs in turn


def make(seed: int) -> list[Item]:
    """Items of five levels, five of each kind on a level, with the expert's transcripts.

    Each level begins with another kind, so that one item a level, as a default run asks, is not all of one kind.
    """
    seen: set[str] = set()
    kinds = {level: [KINDS[(i - level) % len(KINDS)] for i in range(len(KINDS))] for level in LEVELS}
    return [_item(seed, level, kind, k, seen) for level in LEVELS for k in range(PER_KIND) for kind in kinds[level]]


def _item(seed: int, level: int, kind: str, k: int, seen: set[str]) -> Item:
    """An item; `seen`: the prompts of a set, none of which comes twice."""
    jobs = [name for name in JOBS if name.startswith(f"{kind}-")]
    data = {"kind": kind, "job": jobs[k % len(jobs)], "draw": [seed, k]}
    item = Item(f"long-horizon-{seed}-{level}-{data['job']}-{k}", "", "", level, group=data["job"], data=data)
    while asked(world(item)) in seen:
        data["draw"][1] += PER_KIND
    seen.add(asked(world(item)))
    answer = expert(item)
    # The samples hold no transcripts, which would be megabytes; this tells if a world or its expert has changed.
    digest = hashlib.blake2b(answer.encode(), digest_size=8).hexdigest()
    prompt = asked(world(item))
    question = prompt[prompt.rindex("\nFunctions:\n") + 1 :]
    data |= {"question": question, "calls": answer.count("Action: "), "expert": digest}
    return Item(item.id, prompt, answer, level, group=item.group, data=data)


@lru_cache(512)
def _drawn(job: str, seed: int, level: int, k: int) -> tuple[Sequence[str], Any]:
    """The task, in pieces, and the plan of an item; a plan is never changed."""
    return JOBS[job].draw(stream(seed, f"long-horizon/{job}/{level}/{k}"), level)


def world(item: Item) -> World:
    """A new world of an item."""
    return JOBS[item.data["job"]].world(*_of(item), item.level)


def _of(item: Item) -> tuple[Sequence[str], Any]:
    seed, k = item.data["draw"]
    return _drawn(item.data["job"], seed, item.level, k)


def expert(item: Item) -> str:
    """The transcript of an expert who acts on what the functions return, and on nothing else."""
    seed, k = item.data["draw"]
    return _played(item.data["job"], seed, item.level, k)


@lru_cache(512)
def _played(job: str, seed: int, level: int, k: int) -> str:
    """Kept, since whoever lists the items plays them all."""
    new = JOBS[job].world(*_drawn(job, seed, level, k), level)
    hands, piece = _shared.Hands(new), new.opening
    while piece is not None:
        JOBS[job].expert(hands, piece)
        piece = hands.say("It is done.")
    return hands.transcript


def grade(item: Item, text: str) -> Grade:
    """The goals that a replay of the transcript leaves met, less the damage it leaves, as a share of all goals."""
    new = world(item)
    if not replay(new, text):
        return Grade(0.0, "unparsed")
    judged = JOBS[item.data["job"]].judge(new.state)
    outcome = "correct" if judged.credit == 1.0 else "partial" if judged.credit else "wrong"
    return Grade(judged.credit, outcome, f"{sum(judged.goals)} of {len(judged.goals)} goals, damage {judged.damage}")


def trivial_answers(item: Item) -> Mapping[str, str]:
    """Claiming to be done, repeating the task, and what each job has for blanket actions."""
    pieces, _ = _of(item)
    claims = {
        "says it is done": "\n".join("Answer: It is done." for _ in pieces),
        "the task's own words": "\n".join(f"Answer: {piece}" for piece in pieces),
    }
    return claims | JOBS[item.data["job"]].trivial(pieces)


SUITE = Suite(
    id="long-horizon",
    title="Long work: five kinds of agent, up to 1,000 calls",
    family="agents",
    imitates="Terminal-Bench, the 35-hour agent run",
    differs="simulated worlds; graded by replaying the transcript; partial credit",
    licence="Apache-2.0",
    version="2",
    method="act",
    max_tokens=64,
    stop=(),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
    world=world,
    expert=expert,
    partial=True,
    max_turns=45,
    sample=5,
)
