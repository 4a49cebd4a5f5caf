"""Questions whose options stand lettered in the prompt, and whose answer is the letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.options import LETTERS
from harness.suites import Item


def listed(options: Sequence[str], form: str = "{letter}. {option}\n") -> str:
    """The options, a line each.

    >>> listed(["ice", "sand"])
    'A. ice\\nB. sand\\n'
    """
    return "".join(form.format(letter=letter, option=option) for letter, option in zip(LETTERS, options, strict=False))


def item(key: str, prompt: str, letters: Sequence[str], gold: int, lang: str, group: str = "", **data: Any) -> Item:
    """An item that is answered by one of the letters; it is not shown its options once more."""
    choices = tuple(letters)
    return Item(key, prompt, choices[gold], 0, lang, choices, group, data | {"options_shown": True})


def by_letter(one: Item) -> Mapping[str, str]:
    """Strategies that look at the letter alone."""
    return {f"always {letter}": letter for letter in one.choices}
