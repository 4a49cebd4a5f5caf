"""The plots' SVG files as parts of the page: ids of their own, a text alternative, series that can be picked."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from harness.report.picker import Picker
from harness.report.plotting import Drawn
from harness.report.style import owner_in

_HEAD = re.compile(r"\A.*?(?=<svg)", re.S)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.S)
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"')
_SERIES = re.compile(r'(<(?:g|path|use)[^>]*?) id="(of\|[^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_DIGITS = re.compile(r"(?<![\w.])(-?[1-9]\d*\.\d\d)\d+")  # of a coordinate: a hundredth of a point is not seen
_USED = re.compile(r'(?:href="#|url\(#)([^")]+)')


def inline(plot: Drawn, picker: Picker) -> str:
    """The drawn plot as an `<svg>` to stand in the page. Its file is left as it is."""
    svg = plot.vector.read_text("utf-8")
    svg = _SIZE.sub(r"\1", _METADATA.sub("", _HEAD.sub("", svg)), count=1)
    svg = _DIGITS.sub(r"\1", svg)
    svg = _SERIES.sub(lambda m: m[1] + _picked(picker, m[2]), svg)
    # Several charts share a page: an id stays only where something refers to it, and carries the plot's name.
    used, prefix = set(_USED.findall(svg)), f"{plot.name}-"
    svg = _ID.sub(lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", svg)
    return _with_words(re.sub(r"\n\s*", "\n", svg), plot)


def _picked(picker: Picker, gid: str) -> str:
    tokens = picker.tokens([owner_in(gid)])
    return f' data-of="{tokens}"' if tokens else ""


def _with_words(svg: str, plot: Drawn) -> str:
    """What the chart shows, for those who do not see it."""
    title, more = f"chart-{plot.name}-title", f"chart-{plot.name}-words"
    words = f"{plot.words} The figures stand in the tables of this section.".strip()
    start = f'<svg role="img" aria-labelledby="{title}" aria-describedby="{more}" class="chart"'
    inner = f'<title id="{title}">{escape(plot.title)}</title><desc id="{more}">{escape(words)}</desc>'
    return re.sub(r"<svg([^>]*)>", lambda m: f"{start}{m[1]}>{inner}", svg, count=1)
