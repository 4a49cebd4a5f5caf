"""Charts with more series than colours: a few have a colour, the others are grey until few of them are picked.

Each series has a marker of its own, whoever is picked. In the page a picked one of the crowd shows it, in a colour that
few of the others have and with its name below the legend; in a file, where nothing can be picked, the crowd stays grey.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.legend import Legend

from harness.report import style
from harness.report.comparison import wrapped
from harness.report.figures import Owner

MARKERS = ("o", "s", "D", "^", "v", "P", "X")
CROWD, FEW, KEY = "crowd", "few", "few key"  # classes of the page, which page.js tells apart


@dataclass(frozen=True)
class Look:
    """A colour and a marker; `own`: from the start, not only once picked."""

    colour: str
    marker: str
    own: bool = True

    @property
    def when(self) -> str:
        return "" if self.own else FEW


def looks(first: list[str], rest: list[str]) -> dict[str, Look]:
    """A look for each, those of `first` their own from the start; the first 42 differ in colour or marker.

    >>> [look.colour == "#0072B2" for look in looks(["a"], list("bcdefg")).values()]
    [True, False, False, False, False, False, True]
    """
    hues = len(style.PALETTE)
    return {
        name: Look(style.PALETTE[k % hues], MARKERS[(k % hues + k // hues) % len(MARKERS)], k < len(first))
        for k, name in enumerate([*first, *rest])
    }


def crowd_handle(others: int, what: str) -> style.Line2D:
    """The legend's entry for the grey lines."""
    return style.Line2D([], [], color=style.CROWD, linewidth=1.2, label=f"{others} other {what}\n(in the table)")


def finish(figure: style.Figure, legend: Legend, names: dict[str, str], shown: dict[str, Look]) -> None:
    """Mark the legend's entries ({stack: name}), and put the names of the crowd below it, where page.js stacks them.

    To be called last: it needs the final layout.
    """
    style.mark_legend(legend, {names[stack]: Owner(stack) for stack, look in shown.items() if look.own})
    for handle, words in zip(legend.legend_handles, legend.get_texts(), strict=True):
        if "other" in words.get_text() and handle.get_color() == style.CROWD:
            style.mark(handle, Owner(), CROWD)
            style.mark(words, Owner(), CROWD)
    figure.draw_without_rendering()
    box = legend.get_window_extent().transformed(figure.transFigure.inverted())
    left, y = box.x0 + 0.006, box.y0 - 0.02
    width = max((len(names[stack]) for stack, look in shown.items() if look.own), default=30)  # the legend's room
    for stack, look in shown.items():
        if not look.own:
            line = style.Line2D([left, left + 0.012, left + 0.024], [y] * 3, color=look.colour, marker=look.marker,
                                markevery=[1], linewidth=2.2, markersize=7, transform=figure.transFigure)  # fmt: skip
            figure.add_artist(line)
            words = figure.text(left + 0.03, y, wrapped(names[stack], width), fontsize=10, va="center")
            for artist in (line, words):
                style.mark(artist, Owner(stack), KEY)
