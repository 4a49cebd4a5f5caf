"""Tables of where it all comes from: suites, profiles, the machine, and every source a row names."""

from __future__ import annotations

from typing import Any

from harness.report.figures import Figures, unique
from harness.report.table import Column, Line, Table, text
from harness.results import Results


def source_numbers(figures: Figures) -> dict[str, int]:
    """Every source id used in the rows, with its footnote number, in order of id."""
    ids = sorted({source for f in figures for source in f.sources})
    return {source: number for number, source in enumerate(ids, 1)}


def sources_table(results: Results, figures: Figures) -> Table:
    """Every source that a row names, numbered, then the other sources of the profiles used."""
    known = results.manifest.get("sources") or {}
    numbers = source_numbers(figures)
    lines = [_source_line(source, known.get(source) or {}, number) for source, number in numbers.items()]
    lines += [_source_line(source, known[source], None) for source in sorted(set(known) - set(numbers))]
    columns = tuple(
        Column(c, words=True) for c in ("No.", "Id", "Title", "Publisher", "Published", "Where in it", "Address")
    )
    caption = (
        "Every source that a row of this run names; the numbers stand in the tables' last columns. Without a number: "
        "sources of values and statements in the profiles that no row rests on."
    )
    return Table("sources", "Sources", caption, columns, tuple(lines), reasons_below=False)


def _source_line(source: str, about: dict[str, Any], number: int | None) -> Line:
    if not about:
        about = {"title": "measured in this run" if source == "run" else "the manifest does not describe this source"}
    url = str(about.get("url") or "")
    title = text(str(about.get("title") or source), link=url if url.startswith(("https://", "http://")) else "")
    rest = [text(str(about.get(key) or ""), why="not stated") for key in ("publisher", "published", "locator")]
    cells = (text(str(number) if number else "", why="no row rests on it"), text(source), title, *rest,
             text(url, why="no address"))  # fmt: skip
    return Line(cells, anchor=f"source-{number}" if number else "")


def suites_table(results: Results) -> Table:
    keys = ("title", "imitates", "differs", "licence", "version", "max_tokens")
    suites = results.manifest.get("suites") or {}
    lines = tuple(
        Line((text(suite), *(text(_plain(about.get(key)), why="not stated") for key in keys)))
        for suite, about in suites.items()
    )
    titles = ("Suite", "Title", "Imitates", "Differs from it", "Licence", "Version", "Answer limit, tokens")
    caption = "The suites are made for this project: each imitates known evaluations and is none of them."
    return Table(
        "suites",
        "The suites",
        caption,
        tuple(Column(t, words=True) for t in titles),
        lines,
        folded=True,
        reasons_below=False,
    )


def profiles_table(results: Results) -> Table:
    lines = []
    for profile, about in (results.manifest.get("profiles") or {}).items():
        cells = [text(_plain(about.get(key)), why="not stated") for key in ("name", "vendor", "weakest_kind", "grade")]
        cells.append(text(_plain(about.get("stale")), why="none older than 180 days"))
        digest = _plain(about.get("sha256"))
        lines.append(Line((text(profile), *cells, text(digest[:12], digest, why="not stated"))))
    titles = ("Profile", "Name", "Vendor", "Weakest value", "Grade", "Old prices", "SHA-256, first 12")
    caption = "The chip and model files this run used, and the weakest kind of value each holds."
    return Table(
        "profiles",
        "Profiles",
        caption,
        tuple(Column(t, words=True) for t in titles),
        tuple(lines),
        folded=True,
        reasons_below=False,
    )


def origin_table(results: Results) -> Table:
    """How the run was made: everything needed to repeat it."""
    m = results.manifest
    runner, machine, sandbox = (m.get(key) or {} for key in ("runner", "machine", "sandbox"))
    commit = _plain(m.get("commit")) + (" with uncommitted changes" if m.get("dirty") else "")
    facts = {
        "Run": m.get("run"),
        "Made": m.get("created"),
        "Command": m.get("command"),
        "Seed": m.get("seed"),
        "Stackline": m.get("stackline"),
        "Commit": commit,
        "Python": m.get("python"),
        "Packages": _pairs(m.get("packages")),
        "BLAS": m.get("blas"),
        "Machine": _pairs(machine),
        "Runner": _pairs(runner),
        "Sandbox for model-written code": _pairs(sandbox),
        "Items a suite, at most": m.get("limit") if m.get("limit") is not None else "no limit",
        "Full run": {True: "yes", False: "no"}.get(m.get("full")),
    }
    unsaid = "the manifest does not say"
    lines = tuple(Line((text(name), text(_plain(fact), why=unsaid))) for name, fact in facts.items())
    columns = (Column("What", words=True), Column("This run", words=True))
    return Table("origin", "How this run was made", "From the run's manifest.", columns, lines, folded=True)


def undescribed_sources(results: Results, figures: Figures) -> list[str]:
    """Source ids in the rows that the manifest does not describe."""
    known = results.manifest.get("sources") or {}
    return [s for s in source_numbers(figures) if s not in known and s != "run"]


def _plain(value: Any) -> str:
    return "" if value is None else and_join(value) if isinstance(value, (list, tuple)) else str(value)


def and_join(values: Any) -> str:
    return ", ".join(unique(str(v) for v in values))


def _pairs(about: Any) -> str:
    if not isinstance(about, dict):
        return _plain(about)
    return ", ".join(f"{key} {value}" for key, value in about.items() if value is not None)
