"""Which chips and models a run takes where none is named.

The library holds more pairs than a report is read with. Unnamed, a run takes the stacks that the project exists to
compare, and every profile of the user's own; `all` takes the whole library.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.discovery import CHIP, MODEL, Kind, find, shipped_folder

ALL = "all"
# The models whose serving of agents is simulated where none is named: open weights with a context of a million tokens,
# which holds the agents' (a fifth of the coding agents' calls are past 196,000 tokens), and which a server of each
# compared chip has room for, caches included.
SERVED = ("deepseek-v4-flash",)
COMPARED = {
    CHIP: (
        "a100-sxm-80gb", "ascend-910b2", "ascend-910c", "b200-sxm", "h100-sxm", "h20-96gb", "h200-sxm", "kunlun-p800",
        "mi300x", "mi355x", "zhenwu-810e", "zhenwu-m890",
    ),
    MODEL: (
        "deepseek-r1", "gpt-oss-120b", "llama-3.1-70b", "llama-3.1-8b", "qwen3-235b-a22b", "qwen3-32b",
        "qwen3.8-2.4t-a95b", "smollm2-135m-instruct",
    ),
}  # fmt: skip


def chosen(kind: Kind, named: Sequence[str]) -> list[str]:
    """The ids a run takes, in the order given; unknown ones are left for the loader to refuse."""
    known = find(kind)
    if ALL in named:
        return list(known)
    shipped = shipped_folder(kind).resolve()
    own = [i for i, path in known.items() if path.parent.resolve() != shipped]
    return list(dict.fromkeys(named)) or sorted({*COMPARED[kind], *own})


def served(kind: Kind, named: Sequence[str]) -> list[str]:
    """The ids whose serving of agents is simulated: it takes seconds a pair, so never the whole library."""
    if kind is MODEL and (not named or ALL in named):
        return list(SERVED)
    return chosen(kind, () if ALL in named else named)
