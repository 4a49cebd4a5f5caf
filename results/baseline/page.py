"""Puts the tables of report.md into docs/worked-example.md, between `<!-- table: TITLE -->` and `<!-- end -->`.

The part of a title that is unique is enough; after `keep:` stands an expression that a line must match to be shown.
The page's own words hold no figures, so that a rebuild can leave none of them behind.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs/worked-example.md"
_PLACE = re.compile(r"(<!-- table: (.+?)(?: keep: (.+?))? -->\n).*?(<!-- end -->)", re.S)


def tables(report: str) -> dict[str, list[str]]:
    """{title: lines of the table} of a report in Markdown."""
    parts = re.split(r"^### (.+)\n", report, flags=re.M)
    return {title: re.findall(r"^\|.*$", text, re.M) for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def filled(page: str, report: str) -> str:
    """The page with each of its tables as the report has it. Raises KeyError for a title that no table has."""
    found = tables(report)

    def table(match: re.Match) -> str:
        title = next((t for t in found if match[2] in t), None)
        if title is None:
            raise KeyError(match[2])
        head, lines = found[title][:2], found[title][2:]
        kept = [line for line in lines if re.search(match[3] or "", line)]
        return match[1] + "\n".join([*head, *kept]) + "\n" + match[4]

    return _PLACE.sub(table, page)


if __name__ == "__main__":
    text = filled(PAGE.read_text("utf-8"), (HERE / "report/report.md").read_text("utf-8"))
    PAGE.write_text(text, "utf-8")
