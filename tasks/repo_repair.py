"""repo-repair: find what is wrong in a small repository from a user's issue, and mend it.

Imitates SWE-bench Pro: a repository of several files, an issue, an agent's edits or a patch, and hidden tests of which
some fail before the repair and must pass after it (fail-to-pass), and the others must go on passing (pass-to-pass).
Differs: the repositories are small (60 to 300 lines), made from thirteen kinds of project, ten in Python and three in
POSIX shell with awk; names and numbers are drawn, and slips put in at places that matter. Nothing is installed. Tests
run in the sandbox, where no expected value ever is: a hidden test is an expression or a command, and what it gives is
compared outside with what the right repository gives. Level 1 names the line, level 5 joins several faults under an
issue that guesses wrongly at the cause.
Licence: Apache-2.0; every project, slip and issue is written here.

    >>> items = SUITE.make(0)
    >>> len(items), sorted({item.level for item in items})
    (130, [1, 2, 3, 4, 5])
    >>> SUITE.grade(items[0], "Answer: Done.").outcome, SUITE.grade(items[0], "").outcome
    ('wrong', 'unparsed')
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from harness import sandbox
from harness.calls import Call, written
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite, beside
from harness.worlds import World, asked, replay

_kinds, _world, _runs = (beside(__file__, f"_repair_{name}") for name in ("kinds", "world", "runs"))
PER_KIND = 2  # items of each kind on a level
DONE = "Answer: The cause is repaired."


def make(seed: int) -> list[Item]:
    """Two items of each kind on each level, of two issues where there are two; no question twice."""
    seen: set[str] = set()
    return [item for level in LEVELS for item in _level(seed, level, seen)]


def _level(seed: int, level: int, seen: set[str]):
    rng = stream(seed, f"repo-repair/{level}")
    for k in range(PER_KIND):
        for kind in _kinds.kinds().values():
            numbers = kind.of_level(level)
            number = numbers[k % len(numbers)]
            for _ in range(100):
                words = _kinds.draw(kind, kind.issues[number], rng)
                repo = _kinds.repository(kind, number, words)
                if (question := _question(repo, level)) not in seen:
                    break
            else:
                raise RuntimeError(f"{kind.id}: issue {number} has too few different words")
            seen.add(question)
            yield _item(f"repo-repair-{seed}-{level}-{kind.id}-{k}", kind, number, words, repo, question, level)


def _question(repo, level: int) -> str:
    """What the repository is, and the issue; on level 1 the settings of the file that the issue names instead."""
    if level > 1:
        return f"{repo.about}\n\n{repo.issue}"
    path = repo.faults[0].file
    settings = [line for line in repo.faulty[path].splitlines() if "=" in line]
    return "\n".join([f"{path}:", *settings, repo.issue])


def _item(name: str, kind, number: int, words: dict[str, Any], repo, question: str, level: int) -> Item:
    data = {"question": question, "kind": kind.id, "issue": number, "words": words, "digest": _digest(repo)}
    item = Item(name, "", "", level, group=f"{kind.id}/{number}", data=data)
    answer = "\n".join([*map(_mending, repo.faults), DONE])
    return Item(name, asked(world(item)), answer, level, group=item.group, data=data)


def _digest(repo) -> str:
    """What pins the files and hidden tests, which are built again from the words."""
    text = json.dumps([repo.right, repo.faulty, repo.probes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _mending(fault) -> str:
    """What an expert does about a fault."""
    call = Call("replace", {"path": fault.file, "old": fault.wrong, "new": fault.right})
    return f"Action: {written([call])}"


def repository(item: Item):
    """The files, right and faulty, and the hidden tests of an item."""
    return _built(item.data["kind"], item.data["issue"], json.dumps(item.data["words"]))


@lru_cache(maxsize=256)  # texts of this project's own, which nobody changes: a world has a copy
def _built(kind_id: str, number: int, words: str):
    return _kinds.repository(_kinds.kinds()[kind_id], number, json.loads(words))


def _kind(item: Item):
    return _kinds.kinds()[item.data["kind"]]


def world(item: Item, dry: bool = False) -> World:
    """The faulty repository, and the issue."""
    return _world.world(repository(item).faulty, _kind(item).language, item.data["question"], dry)


def grade(item: Item, text: str) -> Grade:
    """1.0 where the repository that a transcript, or a patch, leaves passes every hidden test."""
    repo = repository(item)
    files, trouble = _edited(item, text)
    if trouble is not None:
        return Grade(0.0, "unparsed", trouble)
    if files == repo.faulty:
        return Grade(0.0, "wrong", "nothing was changed")
    if text in trivial_answers(item).values():  # known word for word: the chance level needs no sandbox
        return Grade(float(files == repo.right), "correct" if files == repo.right else "wrong", "a trivial edit")
    return _tested(item, repo, files)


def _edited(item: Item, text: str) -> tuple[dict[str, str], str | None]:
    """The files after a transcript or a bare patch; and why it could not be read, where it could not."""
    new = world(item, dry=True)
    moves = any(line.strip().startswith("Action:") for line in text.splitlines())
    patch = () if moves else _world.patch_calls(text)
    steps = replay(new, f"Action: {written(patch)}" if patch else text)
    if not steps:
        return {}, "neither calls nor a patch"
    edits = [(call, error) for step in steps for call, (_, error) in zip(step.calls, step.outcomes, strict=False)
             if call.name in _world.EDITS]  # fmt: skip
    if edits and all(error for _, error in edits):
        return {}, f"no edit could be made: {edits[-1][1]}"[:200]
    return new.state["files"], None


def _tested(item: Item, repo, files: dict[str, str]) -> Grade:
    wanted, first_fails = truth(item)
    found, how = _runs.results([(files, _probes(item, repo))])
    if not found:
        return Grade(0.0, how if how in ("timeout", "memory", "output") else "error", f"the tests ended: {how}")
    passed = [sandbox.same(one, other) for one, other in zip(found[0], wanted, strict=True)]
    parts = []
    for name, first in (("fail-to-pass", True), ("pass-to-pass", False)):
        of = [p for p, fails in zip(passed, first_fails, strict=True) if fails == first]
        parts.append(f"{name} {sum(of)} of {len(of)}")
    stopped = any("stopped" in one for one in found[0])
    return Grade(float(all(passed)), "correct" if all(passed) else "timeout" if stopped else "wrong", ", ".join(parts))


def _probes(item: Item, repo) -> list[dict[str, Any]]:
    return [_runs.probe(text, _kind(item).language) for text in repo.probes]


def truth(item: Item) -> tuple[list[Any], list[bool]]:
    """(what each hidden test gives in the right repository, whether it fails in the faulty one), by running both."""
    return _truth(item.data["kind"], item.data["issue"], json.dumps(item.data["words"]), item.data["digest"])


@lru_cache(maxsize=256)  # an item is graded many times; only this project's own code runs here
def _truth(kind_id: str, number: int, words: str, digest: str) -> tuple[list[Any], list[bool]]:
    kind, repo = _kinds.kinds()[kind_id], _built(kind_id, number, words)
    if _digest(repo) != digest:
        raise ValueError(f"an item of {kind_id} was made from other files; rewrite the samples")
    probes = [_runs.probe(text, kind.language) for text in repo.probes]
    found, how = _runs.results([(repo.right, probes), (repo.faulty, probes)])
    if not found:
        raise RuntimeError(f"{kind_id}: the hidden tests of the right repository ended: {how}")
    return found[0], [not sandbox.same(faulty, right) for right, faulty in zip(*found, strict=True)]


def trivial_answers(item: Item) -> Mapping[str, str]:
    """Nothing done; the issue said again; a number of the issue for another; the first comparison turned round."""
    faulty, question = repository(item).faulty, item.data["question"]
    issue = question.rpartition("\n")[2] if item.level == 1 else question.partition("\n\n")[2]
    named = [path for path in faulty if path in question] or sorted(p for p in faulty if not p.startswith("tests/"))
    answers = {"nothing done": "Answer: Done.", "the issue again": f"Answer: {' '.join(issue.split())}"}
    numbers = re.findall(r"\d+(?:\.\d+)?", re.sub(r"\S*/\S*", "", issue))
    for name, pair in (("first number for second", numbers[1::-1]), ("second number for first", numbers[:2])):
        if len(pair) == 2:
            answers[name] = _replacing(named[0], *pair)
    for old, new in ((" > ", " >= "), (" < ", " <= "), (" >= ", " > "), (" <= ", " < ")):
        place = next((path for path in named if faulty[path].count(old) == 1), None)
        if place:
            answers[f"'{old.strip()}' made '{new.strip()}'"] = _replacing(place, old, new)
    return answers


def _replacing(path: str, old: str, new: str) -> str:
    return f"Action: {written([Call('replace', {'path': path, 'old': old, 'new': new})])}\nAnswer: Done."


SUITE = Suite(
    id="repo-repair",
    title="Repair a small repository from an issue",
    family="coding",
    imitates="SWE-bench Pro",
    differs="small generated repositories in Python and POSIX shell; an agent's edits, or a patch; results of hidden "
    "tests are compared outside the sandbox",
    licence="Apache-2.0",
    version="3",
    method="act",
    max_tokens=1024,  # a patch of the largest repair, or a whole file of it, with as much again
    stop=("\nObservation:", "\nUser:"),  # a patch has blank lines
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
    needs_sandbox=True,
    world=world,
    max_turns=30,
    sample=3,
)
