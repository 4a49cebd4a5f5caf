"""A profile in full on the terminal: every value with range, kind and source, then what is said and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from harness.commands._tables import show, value_shown
from harness.evidence import STALE_DAYS, grade, stale
from harness.profiles import Chip, Profile, Workload
from harness.quantity import Cited
from harness.units import from_si

COLUMNS = ("key", "value", "low", "high", "unit", "kind", "source", "date", "region", "note")


def show_profile(profile: Profile, form: str, sample: Sequence[tuple] = ()) -> None:
    """As a table: sections for people. As CSV or JSON: one row a claim, numbers in the source's unit.

    low and high are the 5 % and 95 % points. sample: further rows of COLUMNS, what a workload's figures come to.
    """
    if form != "table":
        show(COLUMNS, [*_records(profile), *sample], form)
        return
    values = [_value_row(key, cited) for key, listed in profile.values.items() for cited in listed]
    click.echo(f"{profile.name} ({profile.id})  {_origin(profile)}")
    click.echo(f"grade {grade(profile)}" + (f"; read on top of {profile.base}" if profile.base else "") + "\n")
    show(("key", "value", "5 % .. 95 %", "kind", "source"), [(_dated(r), *r[1:5]) for r in values])
    _section("old prices", _stale_lines(profile))
    _section("a sample of it", (_line(row) for row in sample))
    _section("facts", (f"{key}: {f.value} [{f.kind}, {f.source}]" for key, f in profile.facts.items()))
    if isinstance(profile, Chip):
        _section("formats", _format_lines(profile))
        _section("export", (f"{row[1]} [{row[6]}]" for row in _export_rows(profile)))
    _section("stated", (_line(row) for row in _list_rows(profile) if not row[0].startswith("scores")))
    _section("notes", _note_lines(profile))
    _section("missing", (f"{key}: {reason}" for key, reason in profile.missing.items()))
    _section(
        "sources", (f"{s.id}: {s.title}. {s.publisher}. {s.url or 'no address'}" for s in profile.sources.values())
    )


def _origin(profile: Profile) -> str:
    if isinstance(profile, Workload):
        return f"imitates {profile.imitates}"
    who = profile.texts.get("vendor") or profile.texts.get("publisher") or "maker not given"
    return f"{who}, {profile.texts.get('jurisdiction', 'jurisdiction not given')}"


def _records(profile: Profile) -> Iterator[tuple]:
    """Every claim of a profile as a row of COLUMNS."""
    for key, text in (("id", profile.id), *profile.texts.items(), ("grade", str(grade(profile)))):
        yield record(key, text)
    for key, listed in profile.values.items():
        for cited in listed:
            yield _number_record(key, cited)
            for i, r in enumerate(cited.readings):
                yield record(f"{key}.readings[{i}]", from_si(r.value, cited.unit), unit=cited.unit, kind=r.kind,
                              source=r.source, note=r.note)  # fmt: skip
    for key, fact in profile.facts.items():
        yield record(key, fact.value, kind=fact.kind, source=fact.source, note=fact.note)
    yield from (*_list_rows(profile), *_export_rows(profile))
    for key, reason in profile.missing.items():
        yield record(key, None, kind="missing", note=reason)
    for s in profile.sources.values():
        yield record(f"sources.{s.id}", s.url or None, source=s.publisher, date=s.retrieved, note=s.title)


def record(key: str, value: object, **about: object) -> tuple:
    """A row of COLUMNS; what is not given is None."""
    return (key, value, *(about.get(column) or None for column in COLUMNS[2:]))


def _number_record(key: str, cited: Cited) -> tuple:
    """A link of unknown direction has no single value: both readings are its low and high."""
    low, high = cited.range
    value = None if cited.is_median else from_si(cited.point, cited.unit)
    spread = {"low": from_si(low, cited.unit), "high": from_si(high, cited.unit)} if high > low else {}
    return record(key, value, **spread, unit=cited.unit, kind=cited.kind, source=cited.source, date=cited.date,
                   region=cited.extra.get("region"), note=cited.note)  # fmt: skip


def _section(title: str, lines: Iterable[str]) -> None:
    lines = list(lines)
    if lines:
        click.echo(f"\n{title}:")
        for line in lines:
            click.echo(f"  {line}")


def _value_row(key: str, cited: Cited) -> tuple:
    low, high = cited.range
    spread = f"{cited.shown(low)} .. {cited.shown(high)}" if high > low else None
    either = cited.direction == "unknown" and cited.value is not None
    value = value_shown(cited).removeprefix("~")
    value += " (direction not stated)" if either else " (median of the range)" if cited.is_median else ""
    return key, value, spread, cited.kind, cited.source, cited.date or None, cited.note or None


def _dated(row: tuple) -> str:
    return f"{row[0]} ({row[5]})" if row[5] else row[0]


def _list_rows(profile: Profile) -> list[tuple]:
    """Entries of structured lists: what is stated to run, statements, export facts, scores, a proxy."""
    rows = []
    for key in ("engines", "statements", "proxy", "scores", "export"):
        for i, entry in enumerate(profile.tables.get(key, [])):
            about = {k: v for k, v in entry.items() if k not in ("source", "date", "note") and v not in ("", [])}
            text = entry.get("text") or "; ".join(f"{k} {_joined(v)}" for k, v in about.items())
            kind = entry.get("evidence")
            rows.append(record(f"{key}[{i}]", text, kind=kind, source=entry["source"], date=entry.get("date"),
                                note=entry.get("note")))  # fmt: skip
    return rows


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _line(row: tuple) -> str:
    about = dict(zip(COLUMNS, row, strict=True))
    date = f"{about['date']}: " if about["date"] else ""
    return f"{about['key']}: {date}{about['value']} [{about['source']}]" + (
        f" ({about['note']})" if about["note"] else ""
    )


def _export_rows(profile: Profile) -> list[tuple]:
    if not isinstance(profile, Chip):
        return []
    from harness.export import statuses

    return [
        record(f"export.{s.rule}", str(s), kind="derived", source=s.source, date=s.effective) for s in statuses(profile)
    ]


def _format_lines(chip: Chip) -> list[str]:
    from harness.support import fallback

    lines = []
    if chip.unsupported:
        lines.append(f"not computed: {', '.join(chip.unsupported)}")
    instead = {d: fallback(chip, d) for d in ("fp8", "int8", "fp4", "nvfp4", "mxfp4", "int4")}
    if instead := {d: f for d, f in instead.items() if f}:
        lines.append("runs instead: " + ", ".join(f"{d} in {f}" for d, f in instead.items()))
    if note := chip.tables.get("dtypes", {}).get("note"):
        lines.append(note)
    return lines


def _stale_lines(profile: Profile) -> list[str]:
    lines = []
    for key, listed in profile.values.items():
        lines += [f"{key}: of {c.date}, {age} days ago" for c in listed if (age := stale(c))]
    return [*lines, f"(a warning past {STALE_DAYS} days)"] if lines else []


def _note_lines(profile: Profile) -> list[str]:
    """Notes of the values, and under each the conflicting values that were published."""
    lines = []
    for key, listed in profile.values.items():
        for cited in listed:
            name = key + (f" ({cited.date})" if cited.date else "")
            if cited.note or cited.readings:
                lines.append(f"{name}: {cited.note or 'published values differ'}")
            lines += [
                f"    {cited.shown(r.value)} [{r.kind}, {r.source}]" + (f" {r.note}" if r.note else "")
                for r in cited.readings
            ]  # fmt: skip
    return lines
