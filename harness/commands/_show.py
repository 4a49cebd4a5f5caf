"""A profile in full on the terminal: every value with range, kind and source, then what is said and what is missing."""

from __future__ import annotations

from collections.abc import Iterable

import click

from harness.commands._tables import show
from harness.evidence import STALE_DAYS, grade, stale
from harness.profiles import Chip, Profile
from harness.quantity import Cited

COLUMNS = ("key", "value", "5 % .. 95 %", "kind", "source", "date", "note")


def show_profile(profile: Profile, form: str) -> None:
    """As a table: sections. As CSV or JSON: one row a claim, lists and sources included."""
    values = [_value_row(key, cited) for key, listed in profile.values.items() for cited in listed]
    facts = [(k, f.value, None, f.kind, f.source, None, f.note or None) for k, f in profile.facts.items()]
    if form != "table":
        rows = [*values, *_reading_rows(profile), *facts, *_list_rows(profile), *_export_rows(profile)]
        rows += [(key, None, None, "missing", None, None, reason) for key, reason in profile.missing.items()]
        rows += [(f"sources.{s.id}", s.url or None, None, None, s.publisher, s.retrieved or None, s.title)
                 for s in profile.sources.values()]  # fmt: skip
        rows.append(("grade", str(grade(profile)), None, None, None, None, None))
        show(COLUMNS, rows, form)
        return
    who = profile.texts.get("vendor") or profile.texts.get("publisher") or "maker not given"
    click.echo(f"{profile.name} ({profile.id})  {who}, {profile.texts.get('jurisdiction', 'jurisdiction not given')}")
    click.echo(f"grade {grade(profile)}" + (f"; read on top of {profile.base}" if profile.base else "") + "\n")
    show(("key", "value", "5 % .. 95 %", "kind", "source"), [(_dated(r), *r[1:5]) for r in values])
    _section("old prices", _stale_lines(profile))
    _section("facts", (f"{k}: {v} [{kind}, {source}]" for k, v, _, kind, source, *_ in facts))
    if isinstance(profile, Chip):
        _section("formats", _format_lines(profile))
        _section("export", (f"{row[1]} [{row[4]}]" for row in _export_rows(profile)))
    _section("stated", (_line(row) for row in _list_rows(profile) if not row[0].startswith("scores")))
    _section("notes", _note_lines(profile))
    _section("missing", (f"{key}: {reason}" for key, reason in profile.missing.items()))
    _section(
        "sources", (f"{s.id}: {s.title}. {s.publisher}. {s.url or 'no address'}" for s in profile.sources.values())
    )


def _section(title: str, lines: Iterable[str]) -> None:
    lines = list(lines)
    if lines:
        click.echo(f"\n{title}:")
        for line in lines:
            click.echo(f"  {line}")


def _value_row(key: str, cited: Cited) -> tuple:
    low, high = cited.range
    spread = f"{cited.shown(low)} .. {cited.shown(high)}" if high > low else None
    value = cited.shown(cited.point) + (" (median of the range)" if cited.is_median else "")
    return key, value, spread, cited.kind, cited.source, cited.date or None, cited.note or None


def _dated(row: tuple) -> str:
    return f"{row[0]} ({row[5]})" if row[5] else row[0]


def _reading_rows(profile: Profile) -> list[tuple]:
    """The conflicting values that were published, each as a row of its own."""
    return [
        (f"{key}.readings[{i}]", cited.shown(r.value), None, r.kind, r.source, None, r.note or None)
        for key, listed in profile.values.items()
        for cited in listed
        for i, r in enumerate(cited.readings)
    ]  # fmt: skip


def _list_rows(profile: Profile) -> list[tuple]:
    """Entries of structured lists: what is stated to run, statements, export facts, scores, a proxy."""
    rows = []
    for key in ("engines", "statements", "proxy", "scores", "export"):
        for i, entry in enumerate(profile.tables.get(key, [])):
            about = {k: v for k, v in entry.items() if k not in ("source", "date", "note") and v not in ("", [])}
            text = entry.get("text") or "; ".join(f"{k} {_joined(v)}" for k, v in about.items())
            kind = entry.get("evidence")
            rows.append((f"{key}[{i}]", text, None, kind, entry["source"], entry.get("date"), entry.get("note")))
    return rows


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _line(row: tuple) -> str:
    date = f"{row[5]}: " if row[5] else ""
    return f"{row[0]}: {date}{row[1]} [{row[4]}]" + (f" ({row[6]})" if row[6] else "")


def _export_rows(profile: Profile) -> list[tuple]:
    if not isinstance(profile, Chip):
        return []
    from harness.export import statuses

    return [(f"export.{s.rule}", str(s), None, "derived", s.source, s.effective, None) for s in statuses(profile)]


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
