"""What the pages show to be typed or written: commands, files, programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

_BLOCK = re.compile(r"^```(sh|toml|yaml|python)\n(.*?)^```", re.M | re.S)
_FILE = re.compile(r"\A# (\S+\.(?:toml|yaml))\n")
_INLINE = re.compile(r"`((?:stackline|python|pytest|pip|sh|vllm)\s[^`]+)`")
_INDENTED = re.compile(r"^ {4}((?:stackline|python|pytest|pip|sh|vllm) (?:.*\\\n)*.*)", re.M)
PAGES = ("README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md")))


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def steps(page: str) -> Iterator[tuple[str, object]]:
    """("sh", commands), ("file", (file, text)) and ("python", text) of a page, in order.

    A block of settings without a file's name is an example.
    """
    for kind, text in _BLOCK.findall(text_of(page)):
        if kind == "sh":
            yield kind, [line.partition("  #")[0].rstrip() for line in text.replace("\\\n", " ").strip().splitlines()]
        elif kind == "python":
            yield kind, text
        elif named := _FILE.match(text):
            yield "file", (named[1], text)


def in_blocks(page: str) -> list[str]:
    """The commands of a page's blocks, without their remarks."""
    return [line for kind, lines in steps(page) if kind == "sh" for line in lines]


def in_sentences(page: str) -> list[str]:
    """The commands within a page's sentences and in its indented lines, each on one line."""
    rest = _BLOCK.sub("", text_of(page))
    return [
        " ".join(words.replace("\\\n", " ").split()) for words in (*_INLINE.findall(rest), *_INDENTED.findall(rest))
    ]


def put(folder: Path, named: tuple[str, str]) -> None:
    """Write a file that a page shows."""
    path = folder / named[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(named[1], "utf-8")
