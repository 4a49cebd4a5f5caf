"""Labels of plots that overlap neither each other nor what they name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from matplotlib.text import Text

from harness.report.style import SOFT, Axes, for_text

Box = tuple[float, float, float, float]  # left, low, right, high, in pixels


@dataclass(frozen=True)
class Point:
    """A point to be named, with its interval where it has one."""

    x: float
    y: float
    words: str
    colour: str
    low: float | None = None
    high: float | None = None


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Move values apart to at least `gap`, keeping their order and their centre as far as it goes."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    groups: list[list[int]] = []
    centres: list[float] = []
    for i in order:
        groups.append([i])
        centres.append(values[i])
        # Neighbours that would collide become one block around their common mean.
        while len(groups) > 1 and centres[-1] - centres[-2] < gap * (len(groups[-1]) + len(groups[-2])) / 2:
            members = groups[-2] + groups[-1]
            groups[-2:] = [members]
            centres[-2:] = [sum(values[m] for m in members) / len(members)]
    out = [0.0] * len(values)
    for members, centre in zip(groups, centres, strict=True):
        for place, member in enumerate(members):
            out[member] = centre + gap * (place - (len(members) - 1) / 2)
    return out


def label_points(ax: Axes, points: Sequence[Point], line: Iterable[tuple[float, float]] = ()) -> None:
    """Name each point beside it, clear of points, intervals, the line and other names.

    A name without room is left out. To be called last: it needs the final layout.
    """
    ax.figure.draw_without_rendering()
    taken = [*_obstacles(ax, points, line)]
    for point in sorted(_merged(ax, points), key=lambda p: -p.y):
        note = ax.annotate(
            point.words,
            (point.x, point.y),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=10,
            color=for_text(point.colour),
            verticalalignment="center",
            arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 5},
        )
        place = _free_place(ax, note, point, taken)
        if place is None:
            note.remove()
            continue
        (dx, dy), box = place
        note.set_position((dx, dy))
        note.set_horizontalalignment(_alignment(dx))
        note.arrow_patch.set_visible(math.hypot(dx, dy) > 15)  # beside its point a name needs no leader
        taken.append(box)


def _merged(ax: Axes, points: Sequence[Point]) -> list[Point]:
    """Points of one colour that lie on each other share a name: `a, b +3`."""
    groups: list[list[Point]] = []
    for point in points:
        here = ax.transData.transform((point.x, point.y))
        for group in groups:
            there = ax.transData.transform((group[0].x, group[0].y))
            if group[0].colour == point.colour and math.dist(here, there) < 7 * ax.figure.dpi / 72:
                group.append(point)
                break
        else:
            groups.append([point])
    return [replace(group[0], words=_joined([p.words for p in group])) for group in groups]


def _joined(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return ", ".join(words[:2]) + (f" +{len(words) - 2}" if len(words) > 2 else "")


def _obstacles(ax: Axes, points: Sequence[Point], line: Iterable[tuple[float, float]]) -> Iterator[Box]:
    scale = ax.figure.dpi / 72
    for p in points:
        for low, high, half in ((p.y, p.y, 6), (p.low or p.y, p.high or p.y, 2)):
            (x, bottom), (_, top) = (ax.transData.transform((p.x, end)) for end in (low, high))
            yield x - half * scale, bottom - half * scale, x + half * scale, top + half * scale
    for x, y in (ax.transData.transform(spot) for spot in line):
        yield x - 2 * scale, y - 2 * scale, x + 2 * scale, y + 2 * scale
    if legend := ax.get_legend():
        yield legend.get_window_extent(ax.figure.canvas.get_renderer()).extents


def _free_place(ax: Axes, note: Text, point: Point, taken: Sequence[Box]) -> tuple[tuple[float, float], Box] | None:
    """The nearest offset, in points, where the name fits, and the box that it fills."""
    renderer, scale = ax.figure.canvas.get_renderer(), ax.figure.dpi / 72
    frame, size = ax.get_window_extent(renderer), Text.get_window_extent(note, renderer)
    x, y = ax.transData.transform((point.x, point.y))
    for dx, dy in _offsets():
        left = x + dx * scale - {"right": size.width, "center": size.width / 2, "left": 0}[_alignment(dx)]
        low = y + dy * scale - size.height / 2
        box = (left, low, left + size.width, low + size.height)
        inside = box[0] > frame.x0 and box[2] < frame.x1 and box[1] > frame.y0 and box[3] < frame.y1
        if inside and not any(_overlap(box, other) for other in taken):
            return (dx, dy), box
    return None


def _alignment(dx: float) -> str:
    return "center" if abs(dx) < 1 else "right" if dx < 0 else "left"


def _offsets() -> Iterator[tuple[float, float]]:
    """Places to try, in points, near ones first."""
    for radius in (11, 18, 28, 40, 55):
        for turn in (0, 180, 35, -35, 145, -145, 90, -90, 62, -62, 118, -118):
            yield radius * math.cos(math.radians(turn)), radius * math.sin(math.radians(turn))


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
