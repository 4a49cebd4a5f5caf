"""Profiles side by side: each value with its range, and the ratio to the first with its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.commands._tables import show, value_shown
from harness.evidence import grade
from harness.profiles import Profile
from harness.quantity import Cited

_DRAWS, _SEED = 4096, 0
_WRAP = 36  # characters of a cell


def compare(profiles: Sequence[Profile], form: str, extra: Sequence[tuple] = ()) -> None:
    """A row a key that any of them has; `extra` are further rows (name, a cell a profile).

    A ratio is drawn from both values together, so what the two share cancels.
    """
    first, *others = profiles
    columns = ["key", *(p.id for p in profiles), *(f"{p.id} / {first.id}" for p in others)]
    rows = [
        [key, *(_cell(p, key) for p in profiles), *(_ratio(first, p, key) for p in others)] for key in _keys(profiles)
    ]
    rows += [[name, *cells, *(None for _ in others)] for name, *cells in extra]
    rows.append(["grade", *(str(grade(p)) for p in profiles), *(None for _ in others)])
    show(columns, rows, form, wrap=_WRAP)


def _keys(profiles: Sequence[Profile]) -> list[str]:
    keys = dict.fromkeys(key for p in profiles for key in (*p.texts, *p.facts, *p.values))
    return [key for key in keys if key not in ("name", "base")]


def _cell(profile: Profile, key: str) -> str | None:
    if key in profile.texts:
        return profile.texts[key]
    if key in profile.facts:
        return profile.facts[key].value
    if not profile.has(key):
        return None
    cited = profile.get(key)
    low, high = cited.range
    spread = f" ({cited.shown(low, 3)} .. {cited.shown(high, 3)})" if high > low else ""
    return f"{value_shown(cited, 3)}{spread} [{cited.kind}]" + (f" {cited.date}" if cited.date else "")


def _ratio(first: Profile, other: Profile, key: str) -> str | None:
    if not (first.has(key) and other.has(key)):
        return None
    return ratio(other.get(key), first.get(key))


def ratio(a: Cited, b: Cited) -> str:
    """a / b as "1.43 (1.2 .. 1.6)": of the values printed, and the 5 % and 95 % points of the drawn ratio."""
    draws = a.sample(_DRAWS, _SEED) / b.sample(_DRAWS, _SEED)
    low, high = (float(q) for q in np.quantile(draws, (0.05, 0.95)))
    return f"{a.point / b.point:.3g}" + (f" ({low:.3g} .. {high:.3g})" if high > low * (1 + 1e-9) else "")
