"""The types that tasks share: `Item`, `Grade`, `Suite`, and how a suite is found and sampled.

A suite is one file: questions in YAML or JSONL (harness/plain_suites.py), or `tasks/<suite>.py` that defines
`SUITE = Suite(...)`. Its seeded generator makes items with computed answers; seed 0 is the shipped, versioned set in
`tasks/samples/<id>.jsonl`, read through `datasets`; any other seed generates a fresh set. `python -m harness.suites
[SUITE...]` rewrites the samples.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.discovery import SUITE, find, path_of, shipped_folder
from harness.errors import BadFile, UserMistake
from harness.quantity import stream
from harness.rows import rows_of
from harness.worlds import World

LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Item:
    """One question. `answer` is text that scores 1.0; `choices` is empty unless the suite offers options."""

    id: str
    prompt: str
    answer: str
    level: int  # 1 to 5; 0 where an evaluation has no levels
    lang: str = "en"
    choices: tuple[str, ...] = ()
    group: str = ""  # items that share a source or template: intervals are clustered by it
    data: Mapping[str, Any] = field(default_factory=dict)  # what the scorer needs: hidden tests, units


@dataclass(frozen=True)
class Grade:
    """What a scorer says of one answer. `outcome` is "correct", "partial", "wrong", "unparsed" or a failure class."""

    value: float  # credit from 0 to 1
    outcome: str
    extracted: str = ""

    @property
    def solved(self) -> float:
        """1.0 where nothing is missing, else 0.0: what an accuracy counts."""
        return float(self.value == 1.0)


@dataclass(frozen=True)
class Suite:
    """A task suite: what it asks, how it is answered, how it is scored, and what it imitates."""

    id: str
    title: str
    family: str  # coding | reasoning | multilingual | tools | agents
    imitates: str
    differs: str
    licence: str
    version: str
    method: str  # "choose" (log-likelihood of the options), "generate", or "act" (turns in a world)
    max_tokens: int  # generation limit, stated in the report
    stop: tuple[str, ...]
    make: Callable[[int], Sequence[Item]]  # seed -> all items, every level
    grade: Callable[[Item, str], Grade]
    trivial_answers: Callable[[Item], Mapping[str, str]]  # strategy -> answer, for the chance level
    needs_sandbox: bool = False
    # The world of an item, made anew at each call; the answer of such a suite is an episode's transcript.
    world: Callable[[Item], World] | None = None
    # An item's answer, played anew: for transcripts of a thousand moves, which the samples do not hold.
    expert: Callable[[Item], str] | None = None
    partial: bool = False  # grades lie between 0 and 1 too: their mean, the credit, stands beside the accuracy
    max_turns: int = 30
    sample: int = 60  # items of a default run
    fixed: bool = False  # its items are a list of its own: the same whatever the seed, and nothing is shipped for it
    normalise: str = "bytes"  # what an option's log-likelihood is divided by: bytes | characters | none
    # Other readings of an answer, shown beside the accuracy: (item, text, log-likelihoods) -> score.
    # None where the runner did not give what a reading needs.
    readings: Mapping[str, Callable[[Item, str, Mapping[str, float]], float | None]] = field(default_factory=dict)
    # The confidence (0..1) that an answer states, None where it states none; for suites that ask for one.
    confidence: Callable[[Item, str], float | None] | None = None

    def __post_init__(self) -> None:
        if (self.method == "act") != (self.world is not None):
            raise ValueError(f"{self.id}: a suite that acts has worlds, and no other has")

    def items(self, seed: int = 0, n: int | None = None, level: int | None = None) -> list[Item]:
        """Items of one seed, all or `n` of them stratified by level and language, of one level or all."""
        shipped = seed == 0 and not self.fixed and samples_file(self.id).exists()
        items = list(_shipped(self.id, self.version) if shipped else self.make(seed))
        if level is not None:
            items = [item for item in items if item.level == level]
        items = items if n is None else stratified(items, n, seed)
        return [item if item.answer or not self.expert else replace(item, answer=self.expert(item)) for item in items]

    def score(self, item: Item, text: str) -> float:
        """1.0 for a right answer, 0.0 for a wrong or empty one, between them where a part counts."""
        return self.grade(item, text).value

    @property
    def chance(self) -> float:
        """Best share right of any trivial strategy on the shipped items (see harness/chance.py)."""
        from harness.chance import chance_level

        return chance_level(self).value


def suite(suite_id: str) -> Suite:
    """The suite of an id. Raises UnknownId, or BadFile where the file defines no SUITE of that id."""
    return suite_of(path_of(SUITE, suite_id))


def all_suites() -> list[Suite]:
    return [suite_of(path) for path in find(SUITE).values()]


def beside(file: str, name: str) -> Any:
    """The module `name` in the folder of a suite's file: `beside(__file__, "_helper")`.

    Suites are found by path and belong to no package, so a plain import would not find their helpers.
    """
    path = Path(file).with_name(f"{name}.py")
    key = f"stackline_beside_{path}"
    if key not in sys.modules:
        sys.modules[key] = _import_file(key, path)
    return sys.modules[key]


def stratified(items: Sequence[Item], n: int, seed: int) -> list[Item]:
    """n items spread evenly over (level, language), drawn with `seed`; at least one of each if n allows.

    Rounds over the strata in a seeded order, one item a stratum a round, so that sizes differ by one at most
    while strata last. The items come back in their original order.
    """
    if n < 1:
        raise UserMistake(f"a sample needs at least 1 item, not {n}")
    rng = stream(seed, "stratified")
    strata: dict[tuple[str, int], list[int]] = {}
    for index in rng.permutation(len(items)):
        strata.setdefault((items[index].lang, items[index].level), []).append(int(index))
    queues = [strata[key] for key in sorted(strata)]
    order = rng.permutation(len(queues))
    chosen: list[int] = []
    while len(chosen) < min(n, len(items)):
        for k in order:
            if queues[k] and len(chosen) < n:
                chosen.append(queues[k].pop())
    return [items[i] for i in sorted(chosen)]


@cache
def suite_of(path: Path) -> Suite:
    """The suite of a file: Python with a SUITE, or questions in YAML or JSONL. Raises BadFile."""
    if path.suffix != ".py":
        from harness import plain_suites

        return plain_suites.load(path)
    module = _import_file(f"stackline_suite_{path.stem}", path)
    found = getattr(module, "SUITE", None)
    if not isinstance(found, Suite) or found.id != path.stem.replace("_", "-"):
        raise BadFile(path, "SUITE", getattr(found, "id", found), f"a Suite with id '{path.stem.replace('_', '-')}'")
    return found


def samples_file(suite_id: str) -> Path:
    """Where the items of seed 0 are shipped."""
    return shipped_folder(SUITE) / "samples" / f"{suite_id}.jsonl"


def write_samples(one: Suite, path: Path | None = None) -> Path:
    """Write the items of seed 0, one JSON object a line, and return the file."""
    path = path or samples_file(one.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(_to_line(item, one) + "\n" for item in one.make(0)), encoding="utf-8")
    return path


def _to_line(item: Item, one: Suite) -> str:
    # `data` differs in shape from suite to suite and from item to item, so it travels as JSON text:
    # a column of one type, whatever reads it.
    row = asdict(item) | {"data": json.dumps(item.data, ensure_ascii=False), "suite_version": one.version}
    row |= {"answer": ""} if one.expert else {}
    return json.dumps(row, ensure_ascii=False)


def _import_file(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while it is being made
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = getattr(error, "lineno", None) or "?"
        raise BadFile(path, f"line {line}", f"{type(error).__name__}: {error}", "a Python file that loads") from error
    return module


@cache
def _shipped(suite_id: str, version: str) -> tuple[Item, ...]:
    """The versioned items of seed 0, read through `datasets`."""
    path = samples_file(suite_id)
    rows = rows_of(path)
    for row in rows:
        found = row.pop("suite_version")
        if found != version:
            raise BadFile(path, "suite_version", found, f"'{version}', as in the suite; rewrite the samples")
    return tuple(Item(**row | {"choices": tuple(row["choices"]), "data": json.loads(row["data"])}) for row in rows)


if __name__ == "__main__":
    from harness import suites  # the module that the suite files import, not this copy named __main__

    for wanted in sys.argv[1:] or find(SUITE):
        print(suites.write_samples(suites.suite(wanted)))
