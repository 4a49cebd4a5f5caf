"""One wish of a user who talks over several turns: what is said, and the calls that grant it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.calls import Call

PEOPLE = ("Mara", "Tomas", "Ines", "Joel", "Priya", "Hugo", "Aiko", "Femi")
CITIES = ("Lisbon", "Oslo", "Prague", "Riga", "Turin", "Dublin", "Bergen")


@dataclass(frozen=True)
class Job:
    """`find` looks up what `do` needs; `see` reads what the user asked to hear, and has to be called.

    vague, detail: the same wish with something left out that no function tells, and what the user adds when asked.
    """

    text: str
    do: tuple[Call, ...] = ()
    find: tuple[Call, ...] = ()
    see: tuple[Call, ...] = ()
    vague: str = ""
    detail: str = ""


def call(function, **arguments: Any) -> Call:
    return Call(function.__name__, arguments)


def one(rng, pool: Sequence[Any]) -> Any:
    return pool[int(rng.integers(len(pool)))]


def some(rng, pool: Sequence[Any], n: int) -> list[Any]:
    """n different ones."""
    return [pool[int(k)] for k in rng.permutation(len(pool))[:n]]


def known(table: dict[str, Any], key: str, what: str) -> Any:
    """The entry of an id. Raises ValueError with a sentence."""
    if key not in table:
        raise ValueError(f"there is no {what} '{key}'")
    return table[key]
