"""The real evaluations, read from the user's own copy: `load("gsm8k", path)` is a suite like any other.

One file an evaluation, found by its name; each defines `EVALUATION`. Prompts, continuations and answer filters follow
lm-evaluation-harness, so that scores compare with its own. No item is stored in the project, and nothing is fetched:
the file is the user's, and what was asked is recorded by its checksum.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import BadFile, MissingFile, UnknownId, UserMistake
from harness.rows import rows_of
from harness.suites import Grade, Item, Suite

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """How one published evaluation is read, asked and scored."""

    title: str
    family: str
    hub: str  # where it is published, for the user to fetch
    licence: str
    follows: str  # the task of lm-evaluation-harness whose prompts and filters these are
    method: str
    max_tokens: int
    stop: Callable[[str], tuple[str, ...]]  # language -> strings that end an answer
    fields: tuple[str, ...]  # that every row has
    items: Callable[[Sequence[Row], Sequence[Row], str], list[Item]]  # rows, examples, language -> items
    grade: Callable[[Item, str], Grade]
    trivial_answers: Callable[[Item], Mapping[str, str]]
    normalise: str = "bytes"
    readings: Mapping[str, Callable[[Item, str, Mapping[str, float]], float | None]] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    columns: tuple[str, ...] = ()  # of a table without a header
    shots: int = 0
    needs_sandbox: bool = False


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
    """The suite of an evaluation's file; examples come from a file `train*` beside it.

    The language is read from the file's name (`mgsm_es.tsv`, `test.it.jsonl`). Raises UnknownId, MissingFile, BadFile.
    """
    one = evaluation(name)
    if not path.is_file():
        raise MissingFile(path, f"{name} file (published as {one.hub})")
    lang = _language(one, path)
    rows = _checked(one, path)
    examples = _examples(one, path, one.shots if shots is None else shots)
    made = one.items(rows, examples, lang)
    # Of what is asked, examples included, whatever file they came from.
    asked_for = json.dumps([(item.prompt, item.answer, item.choices) for item in made])
    sha = hashlib.sha256(asked_for.encode()).hexdigest()
    asked = f"{len(examples)} examples before each item" if examples else "no example before an item"
    return Suite(
        id=name if len(one.languages) == 1 else f"{name}-{lang}",
        title=one.title,
        family=one.family,
        imitates=one.title,
        differs=f"the published items themselves, from {path.name}; prompts and filters of lm-evaluation-harness "
        f"{one.follows}; {asked}",
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
    )


def parse(texts: Sequence[str]) -> list[Suite]:
    """The suites of a command line's `ID=FILE`s. Raises UserMistake where one is not that, or comes twice."""
    suites: dict[str, Suite] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise UserMistake(f"--data '{text}': expected ID=FILE, ID one of {', '.join(names())}")
        one = load(name, Path(path))
        if one.id in suites:
            raise UserMistake(f"--data '{text}': {one.id} is given twice; run them apart")
        suites[one.id] = one
    return list(suites.values())


def _language(one: Evaluation, path: Path) -> str:
    if len(one.languages) == 1:
        return one.languages[0]
    parts = path.name.replace("_", ".").replace("-", ".").split(".")
    found = [part for part in parts if part in one.languages]
    if len(found) != 1:
        raise BadFile(path, "file name", path.name, f"its language in the name, one of {', '.join(one.languages)}")
    return found[0]


def _checked(one: Evaluation, path: Path) -> list[dict[str, Any]]:
    rows = rows_of(path, one.columns)
    if not rows:
        raise BadFile(path, "rows", "none", "one row an item")
    for number, row in enumerate(rows, 1):
        missing = [name for name in one.fields if row.get(name) is None]
        if missing:
            raise BadFile(path, f"row {number}", f"fields {', '.join(row)}", f"the field '{missing[0]}' too")
    return rows


def _examples(one: Evaluation, path: Path, shots: int) -> list[dict[str, Any]]:
    """The first `shots` rows of the training file beside the items; none where there is none."""
    beside = sorted(path.parent.glob("train*.json*")) if shots else []
    return _checked(one, beside[0])[:shots] if beside else []
