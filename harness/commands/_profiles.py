"""What chips and models have in common on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import click

from harness.commands._tables import show
from harness.discovery import CHIP, ID_PATTERN, MODEL, Kind, find, path_of
from harness.errors import BadFile, CannotWrite, UserMistake
from harness.profiles import Profile, load_file
from harness.quantity import Cited
from harness.results import write_whole


def shown(profile: Profile, key: str) -> str | None:
    """A value for a listing; ~ marks the median of a range."""
    if not profile.has(key):
        return None
    cited = profile.get(key)
    return ("~" if cited.is_median else "") + cited.shown(cited.point, 3)


def show_profile(profile: Profile, form: str) -> None:
    """Every value with its 90 % range, kind and source; then facts, and what is missing with the reason."""
    rows = [_value_row(key, cited) for key, listed in profile.values.items() for cited in listed]
    facts = [(key, fact.value, None, fact.kind, fact.source, fact.note or None) for key, fact in profile.facts.items()]
    missing = [(key, None, None, "missing", None, reason) for key, reason in profile.missing.items()]
    columns = ("key", "value", "5 % .. 95 %", "kind", "source", "note")
    if form != "table":
        show(columns, rows + facts + missing, form)
        return
    click.echo(f"{profile.name} ({profile.id})  {profile.texts.get('vendor') or profile.texts.get('publisher')}\n")
    show(columns[:5], [row[:5] for row in rows])
    for title, listed in (("facts", facts), ("missing", missing)):
        click.echo(f"\n{title}:")
        for key, text, _, kind, source, note in listed:
            click.echo(f"  {key}: {text} [{kind}, {source}]" if text else f"  {key}: {note}")
    click.echo("\nsources:")
    for source in profile.sources.values():
        click.echo(f"  {source.id}: {source.title}, {source.publisher} {source.url}")


def _value_row(key: str, cited: Cited) -> tuple:
    low, high = cited.range
    spread = f"{cited.shown(low)} .. {cited.shown(high)}" if high > low else None
    value = cited.shown(cited.point) + (" (median of the range)" if cited.is_median else "")
    label = key + (f" ({cited.date})" if cited.date else "")
    return label, value, spread, cited.kind, cited.source, cited.note or None


def check(kind: Kind, names: tuple[str, ...], every: bool) -> None:
    """Load each file and say what is wrong; exit code 2 where anything is."""
    if not names and not every:
        raise UserMistake(f"name a {kind.name} or a file, or give --all")
    paths = [Path(n) if n.endswith(".toml") else path_of(kind, n) for n in names] or list(find(kind).values())
    mistakes = 0
    for path in paths:
        try:
            profile = load_file(kind, path)
            if kind is MODEL and "architecture" in profile.tables:
                from harness.architecture import from_table

                from_table(profile.tables["architecture"], path)
        except BadFile as error:
            mistakes += 1
            for one in (error, *error.others):
                click.echo(f"stackline: {one}", err=True)
        else:
            weak = [k for k, listed in profile.values.items() if any(c.kind == profile.weakest_kind for c in listed)]
            summary = f"weakest {profile.weakest_kind}: {', '.join(weak[:4])}"
            click.echo(f"{profile.id}: ok, {len(profile.all_values)} values, {summary}")
    if mistakes:
        raise UserMistake(f"{mistakes} of {len(paths)} files have a mistake")


def new(kind: Kind, name: str, like: str, out: Path | None) -> Path:
    """Write a copy of `like` under a new id. Raises UserMistake for a bad or taken name."""
    if not ID_PATTERN.fullmatch(name):
        raise UserMistake(f"'{name}' is no id: lower case letters, digits, dots and dashes")
    source = path_of(kind, like)
    target = out or Path(CHIP.folder) / f"{name}.toml"
    if target.exists():
        raise CannotWrite(target, "it is already there")
    text = source.read_text("utf-8")
    header = (
        f"# {name}: begun as a copy of {like}. Change every number and cite where you read it (kind, source under\n"
        f"# [sources]); until then each is {like}'s, not yours. Check with `stackline chips check {name}`.\n"
    )
    text = re.sub(r"\A(#[^\n]*\n)+", "", text)
    text = re.sub(r'^name = ".*"$', f'name = "{name}"', text, count=1, flags=re.M)
    write_whole(target, header + text)
    load_file(kind, target)
    return target
