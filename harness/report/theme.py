"""The charts' colours by night: each fixed colour of a plot becomes a pair that follows the page's light or dark."""

from __future__ import annotations

import re

from matplotlib.colors import to_hex, to_rgb

from harness.report import style

PAPER, NIGHT = "#ffffff", "#14171b"  # --paper of page.css, by day and by night
# What frames the figures is turned round; what carries them keeps its hue, so that a stack looks alike on both papers.
_TURNED = {PAPER: NIGHT, style.INK: "#e8ebee", style.SOFT: "#a9b2bc", style.GRID: "#3a424b", style.CROWD: "#5d6670"}
_SEEN, _READ = 3.0, 4.5  # least contrast of a mark and of words (WCAG 2.2, 1.4.11 and 1.4.3)
_HEX = re.compile(r"#[0-9a-f]{6}")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2: relative luminances, each plus 0.05).

    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2, "relative luminance")."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def by_night(colour: str, words: bool) -> str:
    """The colour on dark paper: turned round, or lightened until it is seen (words: read).

    Words on a bar keep their colour, as the bar does.
    """
    if words and colour in style.ON_BARS:
        return colour
    if colour in _TURNED:
        return _TURNED[colour]
    return lightened(colour, NIGHT, _READ if words else _SEEN)


def lightened(colour: str, paper: str, least: float) -> str:
    """The colour with as little white as gives that contrast."""
    shade = to_rgb(colour)
    for tenth in range(11):
        mixed = to_hex([c + (1 - c) * tenth / 10 for c in shade])
        if contrast(mixed, paper) >= least:
            return mixed
    return "#ffffff"


def paired(declarations: str, words: bool) -> str:
    """CSS with each colour as `light-dark(day, night)`, where the two differ."""

    def pair(match: re.Match) -> str:
        night = by_night(match[0], words)
        return match[0] if night == match[0] else f"light-dark({match[0]},{night})"

    return _HEX.sub(pair, declarations)
