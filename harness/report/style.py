"""What the plots share: palette, type, log axes, and dots with intervals."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import unescape

import matplotlib

matplotlib.use("Agg")

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.errors import CannotWrite
from harness.report.figures import Owner

__all__ = ["DPI", "Axes", "Figure", "Line2D", "Patch"]

DPI = 160
INK, SOFT, GRID = "#1b1f24", "#57606a", "#d9dde2"
CROWD = "#b4bac1"  # lines of those that have no colour of their own
SHADE = "#8d96a0"  # a named part of a bar that is not the point
REST = "#c9ced4"  # the part of a bar that is none of the named ones
ON_BARS = ("#ffffff", "#14171b")  # words on a light or a dark bar, whatever the paper
# Okabe and Ito's palette for colour-blind readers, without its black and its yellow (too pale for lines).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
CHANCE = "#D55E00"
_FAMILY = "DejaVu Sans"  # matplotlib brings it; Verdana, its relative, is on most machines
_FAMILY_CSS, _FALLBACK = f"'{_FAMILY}'", f"'{_FAMILY}', Verdana, sans-serif"
_RC = {
    "font.family": _FAMILY, "font.size": 12, "axes.titlesize": 13, "axes.labelsize": 12,
    "axes.edgecolor": SOFT, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "axes.axisbelow": True, "grid.color": GRID, "grid.linewidth": 0.8, "text.color": INK,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "figure.facecolor": "white",
    "axes.facecolor": "white", "legend.frameon": False, "legend.fontsize": 11,
    # The same rows give the same bytes. Letters stay letters, to be found and copied; `fixed_widths` keeps their room.
    "svg.hashsalt": "stackline", "svg.fonttype": "none",
}  # fmt: skip


@contextmanager
def figure() -> Iterator[Figure]:
    """An empty figure in the report's style, whatever the user's matplotlib settings are."""
    with rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        empty = Figure(figsize=(12, 6.75), layout="constrained")
        FigureCanvasAgg(empty)  # measures text, which placing labels needs
        yield empty


def save(figure: Figure, path: Path) -> None:
    """Write a figure by its suffix. Raises CannotWrite."""
    try:
        figure.savefig(path, dpi=DPI)
    except OSError as error:
        raise CannotWrite(path, error.strerror or str(error)) from error


def ink_on(colour: str) -> str:
    """White or dark words, whichever a bar of this colour carries better."""
    red, green, blue = to_rgb(colour)
    return ON_BARS[0.3 * red + 0.59 * green + 0.11 * blue > 0.45]


def for_text(colour: str) -> str:
    """A palette colour darkened until words in it are legible on white."""
    return to_hex([0.68 * channel for channel in to_rgb(colour)])


def heading(figure: Figure, title: str, below: str = "") -> None:
    """The title in words, flush left, and one line of how to read the plot."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=16, fontweight="bold")
    if below:
        below = textwrap.fill(below, int(11.8 * figure.get_figwidth()))  # at this size an inch holds some 12 letters
        figure.supxlabel(below, x=0.01, ha="left", fontsize=10.5, color=SOFT)


def words_in(figure: Figure) -> str:
    """The heading and the line below, as one paragraph."""
    found = (figure.get_suptitle(), figure.get_supxlabel())
    return " ".join(" ".join(words.split()).rstrip(".") + "." for words in found if words)


@contextmanager
def of(axes: Axes | Iterable[Axes], owner: Owner, when: str = "") -> Iterator[None]:
    """What is drawn within belongs to a stack or chip, and fades when that is not picked; `when` as in `mark`."""
    every = [axes] if isinstance(axes, Axes) else list(axes)
    before = {id(child) for ax in every for child in ax.get_children()}
    yield
    for ax in every:
        for child in ax.get_children():
            if id(child) not in before and child.get_gid() is None:
                mark(child, owner, when)


def mark(artist: Artist, owner: Owner, when: str = "") -> None:
    """One artist, a legend's or an axis's, belongs to a stack or chip; `when`: a class for the page."""
    artist.set_gid("|".join(("of", owner.stack, owner.chip, owner.model, when)))


def mark_legend(legend: Legend, owners: dict[str, Owner]) -> None:
    """The entries of a legend by their words."""
    for handle, words in zip(legend.legend_handles, legend.get_texts(), strict=True):
        if owner := owners.get(words.get_text()):
            mark(handle, owner)
            mark(words, owner)


def marked(gid: str) -> tuple[Owner, str] | None:
    """What `mark` wrote; None for another id."""
    start, *parts = gid.split("|")
    return (Owner(*parts[:3]), parts[3]) if start == "of" else None


def show_few(figure: Figure, shown: bool) -> None:
    """Show or hide what only a page shows, once few series are picked (`crowd`)."""
    for artist in figure.findobj(lambda one: "few" in (marked(one.get_gid() or "") or (None, ""))[1].split()):
        artist.set_visible(shown)


_FEW = re.compile(r'(<(?:g|path) id="of\|[^"]*\|few[^"|]*")')


def hidden_few(svg: str) -> str:
    """An SVG that hides what only a page shows; `charts.inline` takes the attribute away."""
    return _FEW.sub(r'\1 display="none"', svg)


_TEXT = re.compile(r"(<text )(style=\"([^\"]*)\"[^>]*)>([^<]+)<")


def fixed_widths(svg: str) -> str:
    """An SVG whose texts take the room that they were laid out for, whatever letters the reader has."""

    def fixed(match: re.Match) -> str:
        said = dict(part.split(": ") for part in match[3].split("; "))
        letters = FontProperties(family=_FAMILY, weight=said.get("font-weight", "normal"),
                                 size=float(said["font-size"].removesuffix("px")))  # fmt: skip
        width, *_ = text_to_path.get_text_width_height_descent(unescape(match[4]), letters, ismath=False)
        room = f'textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs"'
        return f"{match[1]}{match[2].replace(_FAMILY_CSS, _FALLBACK)} {room}>{match[4]}<"

    return _TEXT.sub(fixed, svg)


def plain_log(axis: object) -> None:
    """A log axis whose ticks read as numbers: 1, 2, 5, 10, ... over short ranges, 1, 3, 10, ... or powers of ten over
    longer ones, so that numbers of four digits do not touch."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    subs = (1.0,) if decades > 2.2 else (1.0, 3.0) if decades > 1.7 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda v, _: _tick(v)))
    axis.set_minor_formatter(NullFormatter())


def _tick(value: float) -> str:
    """
    >>> [_tick(v) for v in (0.02, 1.5, 2.5, 30, 5000)]
    ['0.02', '1.5', '2.5', '30', '5,000']
    """
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{float(f'{value:.3g}'):f}".rstrip("0")


def interval_dot(
    ax: Axes,
    x: float,
    y: float,
    low: float | None,
    high: float | None,
    colour: str,
    hollow: bool,
    marker: str = "o",
) -> None:
    """A dot with its interval lying on the row y; hollow and dashed where the value is assumed."""
    if low is not None and high is not None:
        ax.plot(
            [low, high],
            [y, y],
            color=colour,
            linewidth=2.4,
            alpha=0.75,
            solid_capstyle="butt",
            linestyle=(0, (2.2, 1)) if hollow else "-",
            zorder=2,
        )
        ends = [low, low, math.nan, high, high], [y - 0.16, y + 0.16, math.nan, y - 0.16, y + 0.16]
        ax.plot(*ends, color=colour, linewidth=1.4, zorder=2)
    ax.plot(
        [x],
        [y],
        marker=marker,
        markersize=8.5,
        color=colour,
        markerfacecolor="white" if hollow else colour,
        markeredgewidth=1.8,
        linestyle="none",
        zorder=3,
        clip_on=False,
    )


def span(ax: Axes, low: float, high: float, y: float) -> None:
    """An interval across a bar: dark with a light edge (turned round by night), to be seen on bar and paper alike."""
    for width, colour in ((4.0, "#ffffff"), (1.6, INK)):
        ax.plot([low, high], [y, y], color=colour, linewidth=width, solid_capstyle="butt", zorder=3)


def kind_handles(marker: str = "o", colour: str = SOFT) -> list[Line2D]:
    """Legend entries that tell modelled from assumed."""
    return [
        Line2D([], [], color=colour, marker=marker, markersize=8, linewidth=2.4, label="modelled, p10–p90"),
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            markersize=8,
            markerfacecolor="white",
            linewidth=2.4,
            linestyle=(0, (2.2, 1)),
            label="on an assumed profile value, p10–p90",
        ),
    ]
