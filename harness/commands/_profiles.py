"""What chips, models and workloads have in common on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from harness.commands._tables import value_shown
from harness.discovery import ID_PATTERN, MODEL, WORKLOAD, Kind, find, path_of
from harness.errors import BadFile, CannotWrite, UserMistake
from harness.evidence import STALE_DAYS, grade, stale
from harness.profiles import ASSUMED, Profile, Workload, load_file, schema_of
from harness.results import write_whole
from harness.units import from_si

_IDENTITY = ("release", "availability")


def readable(kind: Kind) -> Iterator[Profile]:
    """Every profile of a kind that loads; one that does not is named on stderr and left out."""
    for path in find(kind).values():
        try:
            yield load_file(kind, path)
        except BadFile as error:
            click.echo(f"stackline: left out: {error} (`stackline {kind.name}s check {path.stem}` says all)", err=True)


def shown(profile: Profile, key: str) -> str | None:
    """A value for a listing; ~ marks the median of a range."""
    if not profile.has(key):
        return None
    return value_shown(profile.get(key), 3)


def check(kind: Kind, names: tuple[str, ...], every: bool) -> None:
    """Load each file and say what is wrong; exit code 2 where anything is."""
    if not names and not every:
        raise UserMistake(f"name a {kind.name} or a file, or give --all")
    paths = [Path(n) if n.endswith(".toml") else path_of(kind, n) for n in names] or list(find(kind).values())
    mistakes = 0
    for path in paths:
        try:
            profile = load_file(kind, path)
            _look_further(kind, profile, path)
        except BadFile as error:
            mistakes += 1
            for one in (error, *error.others):
                click.echo(f"stackline: {one}", err=True)
        else:
            old = sum(bool(stale(cited)) for cited in profile.all_values)
            warning = f"; {old} price(s) older than {STALE_DAYS} days" if old else ""
            click.echo(f"{profile.id}: ok, grade {grade(profile)}{warning}")
    if mistakes:
        raise UserMistake(f"{mistakes} of {len(paths)} files have a mistake")


def _look_further(kind: Kind, profile: Profile, path: Path) -> None:
    """What a file's figures must be to each other, beyond the schema. Raises BadFile."""
    if kind is MODEL and "architecture" in profile.tables:
        from harness.architecture import from_table

        from_table(profile.tables["architecture"], path)
    elif kind is WORKLOAD:
        from harness.workloads import shape

        shape(profile)


def new(kind: Kind, name: str, like: str, out: Path | None) -> Path:
    """Write a template under a new id: the keys of `like`, every value assumed until it is cited.

    Raises UserMistake for a bad name, CannotWrite where the file is already there.
    """
    if not ID_PATTERN.fullmatch(name):
        raise UserMistake(f"'{name}' is no id: lower case letters, digits, dots and dashes")
    base = load_file(kind, path_of(kind, like))
    if name in find(kind):
        click.echo(f"stackline: note: this stands over the {kind.name} '{name}' that is there already", err=True)
    target = out or Path(kind.folder) / f"{name}.toml"
    if target.exists():
        raise CannotWrite(target, "it is already there")
    header = (
        f"# {name}: a template with the keys of {like}. Every number is {like}'s, widened and marked as assumed.\n"
        f"# Replace each, and say where you read it: kind, and source = a name under [sources].\n"
        f"# Then: stackline {kind.name}s check {name}\n\n"
    )
    write_whole(target, header + template(kind, base, name))
    load_file(kind, target)
    return target


def template(kind: Kind, base: Profile, name: str) -> str:
    """A profile's keys as TOML, each value an assumption of a factor 2 either way that says whose it was.

    What identifies a part (maker, jurisdiction, release, where to buy it), or what a workload imitates, is left to be
    filled in.
    """
    import tomli_w

    note = f"{base.id}'s; replace it and cite your own"
    is_part = not isinstance(base, Workload)
    named = {"vendor": "to be filled in", "jurisdiction": "xx"} if is_part else {"imitates": "to be filled in"}
    out: dict[str, Any] = {"name": name, **named}
    for key, cited in ((key, base.get(key)) for key in base.values):
        low, high = cited.range
        rule = schema_of(kind).get(key) or schema_of(kind).get(f"{key.rpartition('.')[0]}.*") or {}
        least, most = rule.get("plausible", (0.0, float("inf")))
        spread = (max(min(low, cited.point / 2), least), min(max(high, cited.point * 2), most))
        numbers = dict(zip(("value", "low", "high"), (cited.point, *spread), strict=True))
        entry = {k: float(f"{from_si(v, cited.unit):.4g}") for k, v in numbers.items()}
        entry |= {"unit": cited.unit, "kind": "assumed", "source": ASSUMED, "note": note}
        entry |= {"direction": "one"} if cited.direction else {}
        entry |= {"date": cited.date} if cited.date else {}
        _set(out, key, entry | ({"region": cited.extra["region"]} if "region" in cited.extra else {}))
    out["missing"] = {
        key: "to be filled in" for key in (*base.missing, *(_IDENTITY if is_part else ())) if key not in base.values
    }
    for key, fact in base.facts.items():
        if key in _IDENTITY:
            continue
        _set(out, key, {"value": fact.value, "kind": "assumed", "source": ASSUMED, "note": note})
    if "dtypes" in base.tables:
        kept = {k: v for k, v in base.tables["dtypes"].items() if k in ("unsupported", "fallback", "native")}
        out["dtypes"] = {**kept, "kind": "assumed", "source": ASSUMED, "note": note}
    return tomli_w.dumps(out)


def _set(tree: dict[str, Any], key: str, value: dict[str, Any]) -> None:
    *path, last = key.split(".")
    for part in path:
        tree = tree.setdefault(part, {})
    tree[last] = value
