"""The real evaluations, from the user's own copy or the hub: `load("gsm8k", path)` is a suite like any other.

One file an evaluation, found by its name; each defines `EVALUATION`. Prompts, continuations and answer filters follow
lm-evaluation-harness where it has the task, so that scores compare with its own. No item is stored in the project;
what was asked is recorded by its checksum, and what came from the hub by its revision.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import BadFile, MissingFile, UnknownId, UserMistake
from harness.evaluations import _hub as hub
from harness.rows import rows_of
from harness.suites import Grade, Item, Suite
from harness.worlds import World

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """How one published evaluation is read, asked and scored."""

    title: str
    family: str
    hub: str  # "repository, configuration, split"; {lang} stands for the language
    licence: str
    follows: str  # whose prompts and filters these are: a task of lm-evaluation-harness, or what it says
    method: str
    max_tokens: int
    stop: Callable[[str], tuple[str, ...]]  # language -> strings that end an answer
    fields: tuple[str, ...]  # that every row has
    items: Callable[[Sequence[Row], Sequence[Row], str], list[Item]]  # rows, examples, language -> items
    grade: Callable[[Item, str], Grade]
    trivial_answers: Callable[[Item], Mapping[str, str]]
    normalise: str = "bytes"
    readings: Mapping[str, Callable[[Item, str, Mapping[str, float]], float | None]] = field(default_factory=dict)
    confidence: Callable[[Item, str], float | None] | None = None
    languages: tuple[str, ...] = ("en",)
    hub_codes: Mapping[str, str] = field(default_factory=dict)  # the hub's names of languages, where they differ
    language_field: str = ""  # of a row, where the language is told so and not by the file's name
    columns: tuple[str, ...] = ()  # of a table without a header
    read: Callable[[Path], list[Row]] | None = None  # where rows are no plain table; then it is no dataset of the hub
    part: Callable[[Path], str] | None = None  # which part of the evaluation a file is
    shots: int = 0  # examples before an item, of those that share its `examples_by`
    examples: str = "train"  # the split that they come from, and how the file beside the items begins
    examples_by: str = ""  # a field: examples are of the item's own kind
    needs_sandbox: bool = False
    world: Callable[[Item], World] | None = None
    gated: bool = False  # its publisher gives access to those who ask
    tried: bool = False  # run by us on the published items; else written to the published fields alone
    refusal: str = ""  # why it cannot be run here; empty where it can


def names() -> list[str]:
    """Ids of the evaluations that can be read."""
    files = Path(__file__).parent.glob("[!_]*.py")
    return sorted(path.stem.replace("_", "-") for path in files)


def evaluation(name: str) -> Evaluation:
    """The evaluation of an id. Raises UnknownId."""
    if name not in names():
        raise UnknownId("evaluation", name, names())
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").EVALUATION


def load(name: str, path: Path, shots: int | None = None) -> Suite:
    """The suite of an evaluation's file; examples come from a file beside it, `train*` or as the evaluation says.

    The language is read from the file's name (`mgsm_es.tsv`, `test.it.jsonl`) or from its rows. Raises UnknownId,
    MissingFile, BadFile, UserMistake where the evaluation cannot be run here.
    """
    one = _runnable(name)
    if not path.is_file():
        raise MissingFile(path, f"{name} file (published as {one.hub.replace(', ,', ',')})")
    named = "" if one.language_field else _language_of(one, path)
    read = one.read or partial(rows_of, columns=one.columns)
    rows = _checked(one, path, read(path))
    beside = sorted(p for p in path.parent.glob(f"{one.examples}*.*") if p.is_file() and p != path)
    examples = _checked(one, beside[0], read(beside[0])) if beside and _wanted(one, shots) else []
    name += f"-{one.part(path)}" if one.part else ""
    lang = named or _shared(row[one.language_field] for row in rows)
    return _suite(one, name, lang, rows, _first(one, examples, shots), f"from {path.name}")


def load_from_hub(name: str, lang: str = "", revision: str = "", shots: int | None = None) -> tuple[Suite, str]:
    """(the suite of an evaluation as the hub has it, the revision that was read).

    Raises UnknownId, BadFile, and UserMistake where the hub cannot be read, access is not granted, or a language is
    missing.
    """
    one = _runnable(name)
    if one.read:
        raise UserMistake(f"{name} is no dataset that the hub can show as rows: download its files and give one")
    if "{lang}" in one.hub and not lang:
        known = f", one of {', '.join(one.languages)}" if len(one.languages) > 1 else ""
        raise UserMistake(f"{name} has several languages: write {name}=hub:LANGUAGE{known}")
    if len(one.languages) > 1 and lang not in one.languages:
        raise UnknownId(f"language of {name}", lang, one.languages)
    place = hub.place(one.hub, one.hub_codes.get(lang, lang))
    sha = hub.resolved(place, revision, one.gated)
    rows = _checked(one, place.repository, hub.rows(place, sha))
    examples = hub.rows(place.of(one.examples), sha) if _wanted(one, shots) else []
    source = f"{place.repository} at revision {sha}"
    lang = lang or one.languages[0]
    return _suite(one, name, lang, rows, _first(one, examples, shots), source), sha


def _runnable(name: str) -> Evaluation:
    one = evaluation(name)
    if one.refusal:
        raise UserMistake(f"{name} cannot be run here: {one.refusal}")
    return one


def _wanted(one: Evaluation, shots: int | None) -> int:
    return one.shots if shots is None else shots


def _first(one: Evaluation, examples: Sequence[Row], shots: int | None) -> list[Row]:
    """The first examples of each kind, as many as are wanted."""
    taken: dict[Any, list[Row]] = {}
    for row in examples:
        taken.setdefault(row.get(one.examples_by), []).append(row)
    return [row for rows in taken.values() for row in rows[: _wanted(one, shots)]]


def _suite(one: Evaluation, name: str, lang: str, rows: Sequence[Row], examples: Sequence[Row], source: str) -> Suite:
    made = one.items(rows, examples, lang)
    # Of what is asked, examples included, whatever file they came from.
    asked_for = json.dumps([(item.prompt, item.answer, item.choices) for item in made])
    sha = hashlib.sha256(asked_for.encode()).hexdigest()
    each = " of its kind" if one.examples_by else ""
    count = min(len(examples), _wanted(one, None)) if one.examples_by else len(examples)
    asked = f"{count} examples{each} before each item" if examples else "no example before an item"
    several = len(one.languages) > 1 or bool(one.language_field and lang)
    return Suite(
        id=f"{name}-{lang.lower().replace('_', '-')}" if several else name,
        title=one.title,
        family=one.family,
        imitates=one.title,
        differs=f"the published items themselves, {source}; prompts and filters of {one.follows}; {asked}",
        licence=one.licence,
        version=f"sha256:{sha[:12]}",
        method=one.method,
        max_tokens=one.max_tokens,
        stop=one.stop(lang),
        make=lambda seed: made,
        grade=one.grade,
        trivial_answers=one.trivial_answers,
        needs_sandbox=one.needs_sandbox,
        normalise=one.normalise,
        readings=one.readings,
        confidence=one.confidence,
        world=one.world,
    )


def parse(texts: Sequence[str], warn: Callable[[str], None] = lambda text: None) -> list[Suite]:
    """The suites of a command line's `ID=FILE`s and `ID=hub[:LANGUAGE][@REVISION]`s.

    `warn` is told of a revision that the user did not name. Raises UserMistake where one is neither, or comes twice.
    """
    suites: dict[str, Suite] = {}
    for text in texts:
        name, equals, source = text.partition("=")
        if not (name and equals and source):
            raise UserMistake(f"--data '{text}': expected ID=FILE or ID=hub, ID one of {', '.join(names())}")
        one = _parsed(name, source, warn)
        if one.id in suites:
            raise UserMistake(f"--data '{text}': {one.id} is given twice; run them apart")
        suites[one.id] = one
    return list(suites.values())


def _parsed(name: str, source: str, warn: Callable[[str], None]) -> Suite:
    at_hub = re.fullmatch(r"hub(?::(\w+))?(?:@([\w.-]+))?", source)
    if at_hub is None:
        return load(name, Path(source))
    lang, revision = at_hub[1] or "", at_hub[2] or ""
    one, sha = load_from_hub(name, lang, revision)
    if revision != sha:
        again = f"{name}=hub{f':{lang}' if lang else ''}@{sha}"
        warn(f"{name} was read at revision {sha}, which nobody pinned: --data {again} asks the same again")
    return one


def _shared(values: Iterable[str]) -> str:
    """The one value that all share; empty where they do not."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _language_of(one: Evaluation, path: Path) -> str:
    """The language that a file's name tells. Raises BadFile."""
    if len(one.languages) == 1:
        return one.languages[0]
    parts = path.name.lower().replace("_", ".").replace("-", ".").split(".")
    found = [part for part in parts if part in one.languages]
    if len(found) != 1:
        raise BadFile(path, "file name", path.name, f"its language in the name, one of {', '.join(one.languages)}")
    return found[0]


def _checked(one: Evaluation, source: Path | str, rows: list[Row]) -> list[Row]:
    if not rows:
        raise BadFile(source, "rows", "none", "one row an item")
    for number, row in enumerate(rows, 1):
        missing = [name for name in one.fields if row.get(name) is None]
        if missing:
            raise BadFile(source, f"row {number}", f"fields {', '.join(row)}", f"the field '{missing[0]}' too")
    return rows
