"""A user's own suite without code: one YAML file, or one JSONL file with a question a line.

YAML holds what the suite is and its `questions`; JSONL holds the questions alone. A question has `question` and
`answer`, and may have `choices`, `level` (1 to 5), `lang`, `group`, `id`. Everything else has a default:

    title: Questions of our help desk
    scorer: exact            # exact | number | contains | choice
    questions:
      - question: Which form closes an account?
        answer: F-17

Scorers: `exact` compares the answer's first line, case, outer spaces and a closing full stop aside; `number` the last
number of the text; `contains` looks for the answer in the text, as whole words; `choice` scores the options by
log-likelihood, or takes the option or letter that the text names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import BadFile
from harness.numbers import numbers
from harness.options import option_meant
from harness.suites import Grade, Item, Suite

FIELDS = ("id", "question", "answer", "choices", "level", "lang", "group")
ABOUT = ("title", "scorer", "licence", "version", "imitates", "differs", "max_tokens", "stop", "questions")
PROMPT = "Question: {}\nAnswer:"


def _plain(text: str) -> str:
    """What is compared: the first line that holds anything, without case, outer spaces and closing full stop."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return " ".join(line.casefold().split()).rstrip(".")


def _exact(item: Item, text: str) -> Grade:
    given = _plain(text)
    return _grade(given == _plain(item.answer), given)


def _number(item: Item, text: str) -> Grade:
    found = numbers(text)
    return _grade(found[-1] == numbers(item.answer)[-1], str(found[-1])) if found else Grade(0.0, "unparsed")


def _contains(item: Item, text: str) -> Grade:
    found = re.search(rf"(?<!\w){re.escape(item.answer.casefold())}(?!\w)", text.casefold())  # 7 is not in 17
    return _grade(found is not None, " ".join(text.split())[:80])


def _choice(item: Item, text: str) -> Grade:
    given = option_meant(item, text)
    return _grade(given == item.answer, given) if given is not None else Grade(0.0, "unparsed")


def _grade(right: bool, given: str) -> Grade:
    if not given:
        return Grade(0.0, "unparsed")
    return Grade(float(right), "correct" if right else "wrong", given)


SCORERS: Mapping[str, Callable[[Item, str], Grade]] = {
    "exact": _exact, "number": _number, "contains": _contains, "choice": _choice,
}  # fmt: skip


@dataclass(frozen=True)
class _Source:
    """Where a mistake is: the file, and the place in it."""

    path: Path

    def bad(self, where: str, found: Any, expected: str) -> BadFile:
        return BadFile(self.path, where, found, expected)


def load(path: Path) -> Suite:
    """The suite of a `.yaml`, `.yml` or `.jsonl` file; its id is the file's name. Raises BadFile."""
    source = _Source(path)
    about = _read(source)
    if unknown := sorted(set(about) - set(ABOUT)):
        raise source.bad(unknown[0], "an unknown key", f"one of {', '.join(ABOUT)}")
    questions = about.get("questions")
    if not isinstance(questions, list) or not questions:
        raise source.bad("questions", questions, "a list of questions")
    suite_id = path.name.rpartition(".")[0].replace("_", "-")
    offered = [isinstance(q, dict) and bool(q.get("choices")) for q in questions]
    scorer = about.get("scorer", "choice" if all(offered) else "exact")
    if scorer not in SCORERS:
        raise source.bad("scorer", scorer, f"one of {', '.join(SCORERS)}")
    items = tuple(_item(source, suite_id, k, q, scorer) for k, q in enumerate(questions, 1))
    _distinct(source, items)
    return Suite(
        id=suite_id,
        title=str(about.get("title", suite_id)),
        family="own",
        imitates=str(about.get("imitates", "nothing")),
        differs=str(about.get("differs", "your own questions")),
        licence=str(about.get("licence", "not stated")),
        version=str(about.get("version", "not stated")),
        method="choose" if scorer == "choice" else "generate",
        max_tokens=_tokens(source, about),
        stop=tuple(about.get("stop", ("\nQuestion:", "\n\n"))),
        make=lambda seed: list(items),
        grade=SCORERS[scorer],
        trivial_answers=_trivial,
        fixed=True,
    )


def _read(source: _Source) -> dict[str, Any]:
    try:
        text = source.path.read_text("utf-8")
        if source.path.suffix == ".jsonl":
            lines = [line for line in text.splitlines() if line.strip()]
            return {"questions": [_line(source, k, line) for k, line in enumerate(lines, 1)]}
        found = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise source.bad("file", " ".join(str(error).split())[:160], "YAML that can be read") from error
    if not isinstance(found, dict):
        raise source.bad("file", type(found).__name__, "keys such as title, scorer and questions")
    return found


def _line(source: _Source, k: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise source.bad(f"line {k}", str(error), "one JSON object a line") from error


def _item(source: _Source, suite_id: str, k: int, question: Any, scorer: str) -> Item:
    where = f"question {k}"
    if not isinstance(question, dict):
        raise source.bad(where, question, "an object with question and answer")
    if unknown := sorted(set(question) - set(FIELDS)):
        raise source.bad(f"{where}, {unknown[0]}", "an unknown key", f"one of {', '.join(FIELDS)}")
    for key in ("question", "answer"):
        if not str(question.get(key, "") or "").strip() and question.get(key) != 0:
            raise source.bad(f"{where}, {key}", question.get(key), "text")
    answer, level = str(question["answer"]), question.get("level", 0)
    choices = tuple(map(str, question.get("choices") or ()))
    if scorer == "choice":
        if not 2 <= len(set(choices)) == len(choices) <= 8 or answer not in choices:
            raise source.bad(f"{where}, choices", list(choices), f"2 to 8 different ones, '{answer}' among them")
    elif choices:
        raise source.bad(f"{where}, choices", list(choices), f"none, since answers are scored by '{scorer}'")
    if scorer == "number" and not numbers(answer):
        raise source.bad(f"{where}, answer", answer, "a number")
    if level not in range(6):
        raise source.bad(f"{where}, level", level, "1 to 5, or none")
    name = str(question.get("id", f"{suite_id}-{k}"))
    return Item(
        name, PROMPT.format(question["question"]), answer, level, str(question.get("lang", "en")), choices,
        str(question.get("group", "")), {"question": str(question["question"])},
    )  # fmt: skip


def _tokens(source: _Source, about: Mapping[str, Any]) -> int:
    tokens = about.get("max_tokens", 64)
    if not isinstance(tokens, int) or tokens < 1:
        raise source.bad("max_tokens", tokens, "a whole number of tokens, 1 or more")
    return tokens


def _distinct(source: _Source, items: Sequence[Item]) -> None:
    for part in ("id", "prompt"):
        seen: dict[str, int] = {}
        for k, item in enumerate(items, 1):
            value = getattr(item, part)
            if value in seen:
                raise source.bad(f"question {k}", f"the same {part} as question {seen[value]}", "another one")
            seen[value] = k


def _trivial(item: Item) -> Mapping[str, str]:
    """For the chance level: an option by its place or length; else a copied number, yes and no."""
    if item.choices:
        places = {f"option {k}": option for k, option in enumerate(item.choices, 1)}
        return places | {"the longest option": max(item.choices, key=len)}
    found = numbers(item.data["question"])
    copied = {"the last number in the question": str(found[-1])} if found else {}
    return copied | {"always yes": "yes", "always no": "no"}


TEMPLATE = """# A suite of your own: `stackline suites check {name}`, then `stackline run --suite {name}`.
title: {name}
licence: not stated
version: "1"        # raise it when a question or an answer changes: figures of two versions are not comparable
scorer: exact       # exact | number (the last one counts) | contains | choice (give each question its choices)
max_tokens: 64
questions:
  - question: How many legs has a spider? Answer with a word.
    answer: eight
    level: 1        # 1 (easy) to 5 (hard), or leave it out
    lang: en        # leave it out for English
  - question: Which planet is nearest to the Sun?
    answer: Mercury
    level: 2
"""
