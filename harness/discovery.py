"""Where data files are found: the shipped folders, the working folder, and every `--path DIR`.

A file's name is its id; nothing is registered anywhere. Later places win, so a user's file of the same id
overrides a shipped one. A `--path DIR` may be laid out like the project (`DIR/hardware_profiles/x.toml`)
or hold loose files, which are told apart by their contents. Python files outside the package are loaded
only from `--path`, never from the working folder: what runs code must be asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness.errors import MissingFile, UnknownId

_PACKAGE = Path(__file__).parent
_BASE = re.compile(r"""^base\s*=\s*["']([^"'\n]+)["']""", re.M)
ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9.\-]*\Z")


@dataclass(frozen=True)
class Kind:
    """One sort of file: its folder in the project, its folder in a user's `--path`, and its suffixes."""

    name: str
    folder: str
    in_package: bool
    suffixes: tuple[str, ...]
    in_working_folder: tuple[str, ...]  # suffixes that are read there; what runs code must be asked for
    looks_like: re.Pattern[str]  # tells a loose file in a --path folder


CHIP = Kind("chip", "hardware_profiles", False, (".toml",), (".toml",), re.compile(r"^\[memory", re.M))
MODEL = Kind(
    "model",
    "models",
    True,
    (".toml",),
    (),
    re.compile(r"^\[\[?(architecture|endpoint|proxy|price\.(in|out)put)", re.M),
)
_QUESTIONS = (".yaml", ".yml", ".jsonl")
SUITE = Kind("suite", "tasks", False, (".py", *_QUESTIONS), _QUESTIONS, re.compile(r"^(SUITE\b|questions:)", re.M))
WORKLOAD = Kind(
    "workload", "tasks/workloads", False, (".toml",), (".toml",), re.compile(r"^\[?(calls|first_prompt|answer)\b", re.M)
)
STACK = Kind("stack", "stacks", True, (".toml",), (), re.compile(r"^serves\b", re.M))
PLOT = Kind("plot", "report/plots", True, (".py",), (), re.compile(r"^def draw\b", re.M))

_extra_paths: list[Path] = []


def add_paths(paths: tuple[str | Path, ...]) -> None:
    """Remember the user's `--path` folders. Raises MissingFile for one that is not a folder."""
    for path in paths:
        if not Path(path).is_dir():
            raise MissingFile(path, "folder")
        if Path(path) not in _extra_paths:
            _extra_paths.append(Path(path))


def shipped_folder(kind: Kind) -> Path:
    """The folder of the shipped files: beside the package in a checkout, inside it in a wheel."""
    if kind.in_package:
        return _PACKAGE / kind.folder
    checkout = _PACKAGE.parent / kind.folder
    return checkout if (_PACKAGE.parent / "pyproject.toml").exists() else _PACKAGE / "_shipped" / kind.folder


def find(kind: Kind) -> dict[str, Path]:
    """Every file of a kind as {id: path}, sorted by id. Names with a leading underscore are not ids."""
    found: dict[str, str] = {}
    for files in _places(kind):
        found.update(files)
    return {one: Path(path) for one, path in sorted(found.items())}


def path_of(kind: Kind, wanted: str, beneath: Path | None = None) -> Path:
    """The file of one id; with `beneath`, the one that the file `beneath` of the same id stands over.

    Raises UnknownId with the nearest known id.
    """
    known: dict[str, str] = {}
    for files in _places(kind):
        if beneath is not None and wanted in files and Path(files[wanted]).resolve() == beneath.resolve():
            break
        known.update(files)
    if wanted not in known:
        raise UnknownId(kind.name, wanted, known)
    return Path(known[wanted])


def _places(kind: Kind) -> Iterator[Mapping[str, str]]:
    """The files of each place, {id: path}; a later place stands over an earlier one."""
    known = _files_in(kind, shipped_folder(kind))
    yield known
    if kind.in_working_folder:
        yield (own := _files_in(kind, Path.cwd() / kind.folder, kind.in_working_folder))
        known = {**known, **own}
    for path in _extra_paths:
        loose = _files_in(kind, path)
        yield (own := {i: p for i, p in loose.items() if _looks_like(kind, p, known)})
        known = {**known, **own}
        yield _files_in(kind, path / kind.folder)


def _looks_like(kind: Kind, path: str, known: Iterable[str]) -> bool:
    """Whether a loose file is of a kind: by its tables, or because its base is. The loader does the checking."""
    text = Path(path).read_text("utf-8", errors="replace")
    base = _BASE.search(text)
    return bool(kind.looks_like.search(text)) or (base is not None and base[1] in known)


def _files_in(kind: Kind, folder: Path, suffixes: tuple[str, ...] = ()) -> Mapping[str, str]:
    try:
        names = tuple(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return _by_id(os.fspath(folder), names, suffixes or kind.suffixes)


@lru_cache(256)
def _by_id(folder: str, names: tuple[str, ...], suffixes: tuple[str, ...]) -> Mapping[str, str]:
    """{id: path} of the files of a folder; kept, since a prediction looks thousands of ids up in the same few."""
    # A Python file's name may not hold a dash where it is imported as a module; its id shows one.
    return {
        name.rpartition(".")[0].replace("_", "-"): os.path.join(folder, name)
        for name in sorted(names)
        if name.endswith(suffixes) and not name.startswith(("_", "."))
    }
