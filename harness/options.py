"""The options of a question: how they follow a prompt, how they are offered, and which of them an answer means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from harness.suites import Item

LETTERS = "ABCDEFGH"
_STOPS = ".。．।۔"


def continuation(prompt: str, text: str) -> str:
    """`text` as it follows the prompt: after a space, unless one of them brings its own white space."""
    return text if prompt[-1:].isspace() or text[:1].isspace() else f" {text}"


def with_options(item: Item) -> str:
    """The prompt with its options lettered before its last line, for a runner that cannot score them.

    As it stands where its options are shown already (`data["options_shown"]`).
    """
    if item.data.get("options_shown"):
        return item.prompt
    *head, last = item.prompt.split("\n")
    listed = [f"{letter}. {option}" for letter, option in zip(LETTERS, item.choices, strict=False)]
    return "\n".join([*head, *listed, last])


def by_length(item: Item, nats: Mapping[str, float], normalise: str) -> dict[str, float] | None:
    """Each option's log-likelihood over its length; None where one of them was not scored.

    normalise: what the length is, since a longer text is less likely, right or wrong: "bytes" of the continuation,
    "characters" of the option alone (lm-evaluation-harness's acc_norm), or "none" (its acc).
    """
    texts = {option: continuation(item.prompt, option) for option in item.choices}
    if not texts or not all(text in nats for text in texts.values()):
        return None
    length = {"bytes": lambda o: len(texts[o].encode()), "characters": len, "none": lambda o: 1}[normalise]
    return {option: nats[text] / length(option) for option, text in texts.items()}


def likeliest(item: Item, nats: Mapping[str, float], normalise: str) -> str | None:
    """The option with the highest log-likelihood over its length, the first of equals; None where not all have one."""
    scores = by_length(item, nats, normalise)
    return max(item.choices, key=scores.get) if scores else None


def rank_of_right(item: Item, nats: Mapping[str, float], normalise: str) -> float | None:
    """Place of the right option by `by_length`, 1 the likeliest; equals share the mean of their places."""
    scores = by_length(item, nats, normalise)
    if not scores:
        return None
    right = scores[item.answer]
    above, equal = sum(v > right for v in scores.values()), sum(v == right for v in scores.values())
    return above + (equal + 1) / 2


def plain(text: str) -> str:
    """A text without what is no part of a word: capitals, wide or composed letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def option_meant(item: Item, text: str) -> str | None:
    """The option that an answer names by its text or its letter ("B", "(B)", "B. 12 N"); None where it names none.

    Full stops, colons and brackets may be those of Chinese, Japanese, Hindi, Bangla or Urdu. Capitals and wide letters
    do not matter where the options differ without them: "Lunes" is "lunes", "CO" is not "Co" where both are offered.
    """
    given = text.strip().rstrip(_STOPS)
    for same in (str, plain):
        named = [option for option in item.choices if same(option.rstrip(_STOPS)) == same(given)]
        if len(named) == 1:
            return named[0]
    letter = re.match(r"[(（]?([A-Ha-h])(?:[)）.:：．、。]|\Z)", given)
    return dict(zip(LETTERS, item.choices, strict=False)).get(letter[1].upper()) if letter else None
