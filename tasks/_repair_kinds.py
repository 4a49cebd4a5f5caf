"""Kinds of project: one TOML file each in `_repair/`, drawn into repositories, faults and issues.

A file has `language`, `about`, and
- `words`: names and numbers to draw from, each a list; `derived`: Python expressions over them, in their order;
- `file`: path and text (`from_level`: only in larger repositories), with `@word@` where a word stands;
- `fault`: an id, an operator (what sort of slip it is), the file, the right text and the wrong one;
- `constant`: an id (a word, of which a right and a wrong value are drawn), the file, the name of the constant, and a
  `twin` that gets the wrong value too, so that a number alone does not say which line to change;
- `issue`: a level, the faults (or the constant) behind it, the text, and, where it shows an example, `run` with what it
  gives (`got`) and should give (`want`), which a test executes;
- `probes`: the hidden tests. `also` of an issue: more of them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from harness.suites import beside

Rng = beside(__file__, "_drawing").Rng
FOLDER = Path(__file__).with_name("_repair")
_WORD = re.compile(r"@([a-z][a-z0-9_]*)@")
_PLAIN = {"__builtins__": {}, "min": min, "max": max, "sum": sum, "len": len, "round": round, "range": range,
          "sorted": sorted, "str": str, "int": int, "abs": abs}  # fmt: skip
Words = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """One slip: in which file, the right text and the wrong one."""

    operator: str
    file: str
    right: str
    wrong: str


@dataclass(frozen=True)
class Kind:
    """A kind of project."""

    id: str
    language: str
    about: str
    words: Mapping[str, Sequence[Any]]
    derived: Mapping[str, str]
    files: Sequence[Mapping[str, Any]]
    faults: Mapping[str, Mapping[str, Any]]
    constants: Mapping[str, Mapping[str, Any]]
    issues: Sequence[Mapping[str, Any]]
    probes: Sequence[str]

    def of_level(self, level: int) -> list[int]:
        """The numbers of the issues of a level."""
        return [k for k, issue in enumerate(self.issues) if issue["level"] == level]


@dataclass(frozen=True)
class Repository:
    """What one item is about: the right files, the faulty ones, the faults, and the hidden tests."""

    right: dict[str, str]
    faulty: dict[str, str]
    faults: tuple[Fault, ...]
    probes: tuple[str, ...]
    about: str
    issue: str
    example: dict[str, str] = field(default_factory=dict)  # run, got, want, where the issue shows one


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its file's name."""
    return {path.stem: _kind(path) for path in sorted(FOLDER.glob("*.toml"))}


def _kind(path: Path) -> Kind:
    raw = tomllib.loads(path.read_text("utf-8"))
    by_id = lambda name: {one["id"]: one for one in raw.get(name, ())}  # noqa: E731
    probes = tuple(p for p in re.split(r"^---$", raw["probes"], flags=re.M) if p.strip())
    return Kind(path.stem, raw["language"], raw["about"], raw["words"], raw.get("derived", {}), raw["file"],
                by_id("fault"), by_id("constant"), raw["issue"], probes)  # fmt: skip


def draw(kind: Kind, issue: Mapping[str, Any], rng: Rng) -> dict[str, Any]:
    """The words of one item. A constant's issue also draws its right and wrong value, and gives its twin the latter."""
    words = {name: _pick(rng, values) for name, values in kind.words.items()}
    if "constant" in issue:
        constant = kind.constants[issue["constant"]]
        values = kind.words[constant["id"]]
        right, wrong = (values[int(k)] for k in rng.permutation(len(values))[:2])
        words |= {constant["id"]: right, constant["twin"]: wrong, "wrong": wrong}
    for name, expression in kind.derived.items():
        words[name] = eval(expression, _PLAIN, words)  # of this project's own files
    return words


def _pick(rng: Rng, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def rendered(text: str, words: Words) -> str:
    """A text with its words put in."""
    return _WORD.sub(lambda found: str(words[found[1]]), text)


def repository(kind: Kind, number: int, words: Words) -> Repository:
    """The repository behind issue `number` of a kind."""
    issue = kind.issues[number]
    right = {
        rendered(one["path"], words): rendered(one["text"], words)
        for one in kind.files
        if one.get("from_level", 1) <= issue["level"]
    }
    faults = tuple(_faults(kind, issue, words))
    faulty = dict(right)
    for fault in faults:
        if faulty[fault.file].count(fault.right) != 1:
            raise ValueError(f"{kind.id}: the text of a fault stands not once in {fault.file}: {fault.right!r}")
        faulty[fault.file] = faulty[fault.file].replace(fault.right, fault.wrong)
        if faulty[fault.file].count(fault.wrong) != 1:
            raise ValueError(f"{kind.id}: what is wrong stands not once in {fault.file}: {fault.wrong!r}")
    example = {key: rendered(issue[key], words) for key in ("run", "got", "want") if key in issue}
    probes = [*([example["run"]] if example else []), *(rendered(p, words) for p in issue.get("also", ()))]
    probes += [rendered(p, words) for p in kind.probes]
    return Repository(right, faulty, faults, tuple(probes), rendered(kind.about, words),
                      rendered(issue["text"], words).strip(), example)  # fmt: skip


def _faults(kind: Kind, issue: Mapping[str, Any], words: Words):
    if "constant" in issue:
        one = kind.constants[issue["constant"]]
        line = one.get("line", "{} = {}")
        yield Fault("wrong constant", rendered(one["file"], words), line.format(one["name"], words[one["id"]]),
                    line.format(one["name"], words["wrong"]))  # fmt: skip
        return
    for name in issue["faults"]:
        one = kind.faults[name]
        yield Fault(one["operator"], *(rendered(one[key], words).strip("\n") for key in ("file", "right", "wrong")))
