"""Who may have it and what is stated to run: support of each stack, export status and facts of each chip."""

from __future__ import annotations

from typing import Any

from harness.report.figures import Owner, chip_name
from harness.report.table import Cell, Column, Line, Table, nothing, text
from harness.results import Results


def support_table(results: Results) -> Table:
    """Each modelled stack: whether a page states that the model runs on the chip in that format."""
    lines = []
    for entry in results.manifest.get("support") or []:
        model, chip = str(entry.get("model", "")), str(entry.get("chip", ""))
        by = " ".join(x for x in (entry.get("engine"), entry.get("version")) if x)
        lines.append(
            Line(
                (
                    Cell(text=model, owner=Owner(chip=chip, model=model)),
                    text(chip_name(results, chip)),
                    text(str(entry.get("dtype", ""))),
                    text(str(entry.get("computes_in") or "as asked")),
                    text(str(entry.get("level", "")), str(entry.get("limits") or "")),
                    text(by, why="no statement read names it"),
                    text(str(entry.get("date") or ""), why="no date"),
                    _page(results, entry.get("source")),
                )
            )
        )
    titles = ("Model", "Chip", "Weights", "Computes in", "Stated to run", "Engine", "Date", "Page")
    caption = (
        "What engines and vendors state. “Stated” rests on a run or a support matrix, “stated without evidence” on a "
        "claim alone; “not stated” means that no page read names it, not that it fails."
    )
    return Table("support", "Is it stated to run?", caption, _words(titles), tuple(lines), folded=True)


def export_table(results: Results) -> Table:
    """Each chip: maker, jurisdiction, export status by the numbers and dated facts, one line a statement."""
    lines = []
    for profile, about in (results.manifest.get("profiles") or {}).items():
        if not profile.startswith("chip/"):
            continue
        said = about.get("export") or []
        owner = Owner(chip=profile.removeprefix("chip/"))
        head = (Cell(text=str(about.get("name", "")), owner=owner), text(str(about.get("vendor", ""))),
                text(str(about.get("jurisdiction", "")).upper(), why="not stated"))  # fmt: skip
        if not said:
            lines.append(
                Line((*head, nothing("no rule here concerns it, and no dated fact is in its profile"), nothing("")))
            )
        for entry in said:
            lines.append(Line((*head, text(str(entry.get("text", ""))), _page(results, entry.get("source")))))
    titles = ("Chip", "Maker", "Jurisdiction", "Export", "Page")
    caption = (
        "Computed from the profiles against dated rules, by the numbers and not legal advice; and dated facts from the "
        "pages named."
    )
    return Table("export", "Export", caption, _words(titles), tuple(lines), folded=True)


def proxies(results: Results) -> dict[str, str]:
    """{model: "by proxy OTHER: why"} of the models that were modelled by another one's architecture."""
    about = (results.manifest.get("profiles") or {}).items()
    found = {profile.partition("/")[2]: entry["proxy"] for profile, entry in about if entry.get("proxy")}
    return {model: f"by proxy {proxy['model']}: {proxy['why']}" for model, proxy in found.items()}


def _page(results: Results, source: Any) -> Cell:
    known = (results.manifest.get("sources") or {}).get(source) or {}
    url = str(known.get("url") or "")
    return text(
        str(known.get("title") or source or ""),
        link=url if url.startswith(("https://", "http://")) else "",
        why="no page",
    )


def _words(titles: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(title, words=True) for title in titles)
