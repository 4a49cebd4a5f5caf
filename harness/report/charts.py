"""The plots' SVG files as parts of the page: small, ids of their own, in its colours, series that can be picked.

A chart's styles become classes that all charts share (`Styles`), groups that say nothing are left out, and coordinates
end at a tenth of a point, which is a tenth of a pixel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from harness.report.crowd import FEW
from harness.report.picker import Picker
from harness.report.plotting import Drawn
from harness.report.style import PALETTE, marked
from harness.report.theme import paired

_USED = re.compile(r"(?:url\()?#([^)]+)")  # not a picture's own data
_NUMBER = re.compile(r"-?\d+\.\d+")
_STEP = re.compile(r"\s*([A-Za-z])\s*")
_UNTURNED = re.compile(r"^rotate\(-?0 [^)]*\)$")
_OWN = re.compile("|".join(colour.lower() for colour in PALETTE))
_DROPPED = ("metadata", "style")


@dataclass
class Styles:
    """The styles of a page's charts, each once, as classes."""

    names: dict[tuple[str, bool], str] = field(default_factory=dict)

    def name(self, declarations: str, words: bool) -> str:
        """The class of a style; `words`: of letters, which need more contrast."""
        return self.names.setdefault((declarations, words), f"c{len(self.names)}")

    @property
    def css(self) -> str:
        return "\n".join(f".{name}{{{paired(style, words)}}}" for (style, words), name in self.names.items())


def inline(plot: Drawn, picker: Picker, styles: Styles) -> str:
    """The drawn plot as an `<svg>` to stand in the page. Its file is left as it is."""
    root = ElementTree.fromstring(plot.vector.read_text("utf-8"))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    _name_ids(root, plot.name, picker)
    _dress(root, styles)
    _round(root, digits=1)
    root[:] = _kept(root)
    _add_words(root, plot)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _name_ids(root: ElementTree.Element, prefix: str, picker: Picker) -> None:
    """Several charts share a page: an id stays only where something refers to it, and carries the plot's name."""
    pointing = [(element, name, match[1]) for element in root.iter() for name in ("href", "clip-path")
                if (match := _USED.match(element.attrib.get(name, "")))]  # fmt: skip
    short = {id: f"{prefix}-{k}" for k, id in enumerate(sorted({id for *_, id in pointing}))}
    for element, name, id in pointing:
        element.attrib[name] = element.attrib[name].replace(id, short[id])
    for element in root.iter():
        id = element.attrib.pop("id", "")
        element.attrib.pop("display", "")  # hidden in the file; here page.css shows it once few are picked
        if id in short:
            element.attrib["id"] = short[id]
        elif mark := marked(id):
            owner, when = mark
            if tokens := picker.tokens([owner]):
                element.attrib["data-of"] = tokens
            if when:
                element.attrib["class"] = when


def _dress(element: ElementTree.Element, styles: Styles, few: bool = False) -> None:
    """Classes for styles. What shows only once few are picked takes the colour that page.js then finds for it."""
    few = few or FEW in element.attrib.get("class", "").split()
    if declarations := element.attrib.pop("style", ""):
        if few and element.tag != "text":
            declarations = _OWN.sub(r"var(--own,\g<0>)", declarations)
        name = styles.name(declarations.replace(": ", ":").replace("; ", ";"), element.tag == "text")
        element.attrib["class"] = f"{element.attrib['class']} {name}" if "class" in element.attrib else name
    if _UNTURNED.match(element.attrib.get("transform", "")):
        del element.attrib["transform"]
    for child in element:
        _dress(child, styles, few)


def _round(element: ElementTree.Element, digits: int) -> None:
    """Markers, which are drawn once and placed often, keep a digit more."""
    digits = 2 if element.tag == "defs" else digits
    for name in ("d", "x", "y", "width", "height", "transform", "textLength"):
        if name in element.attrib:
            number = _NUMBER.sub(lambda m: f"{float(m[0]):.{digits}f}".rstrip("0").rstrip("."), element.attrib[name])
            element.attrib[name] = _STEP.sub(r"\1", number).strip() if name == "d" else number
    for child in element:
        _round(child, digits)


def _kept(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The children without what is not drawn, those of a group that says nothing in its place."""
    for child in element:
        if child.tag in _DROPPED:
            continue
        child[:] = _kept(child)
        child.tail = None
        if child.tag != "text":
            child.text = None
        if child.tag == "g" and not child.attrib:
            yield from child
        elif len(child) or child.tag not in ("g", "defs"):
            yield child


def _add_words(root: ElementTree.Element, plot: Drawn) -> None:
    """What the chart shows, for those who do not see it."""
    title, more = f"chart-{plot.name}-title", f"chart-{plot.name}-words"
    root.attrib = {"role": "img", "aria-labelledby": title, "aria-describedby": more, "class": "chart",
                   "viewBox": root.attrib["viewBox"]}  # fmt: skip
    root.text = None
    words = f"{plot.words} The figures stand in the tables of this section.".strip()
    for place, (tag, id, text) in enumerate((("title", title, plot.title), ("desc", more, words))):
        said = ElementTree.Element(tag, id=id)
        said.text = text
        root.insert(place, said)
