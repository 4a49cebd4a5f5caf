"""Charts in the page: colours on both papers, texts that keep their room, markup that says nothing left out."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from harness.report import crowd, style
from harness.report.charts import Styles, inline
from harness.report.figures import Owner, figures_of
from harness.report.picker import Picker, picker_of
from harness.report.plotting import Drawn, draw_all
from harness.report.theme import NIGHT, by_night, contrast, paired
from harness.results import load_results
from tests.test_report import toy_run


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = toy_run(tmp_path_factory.mktemp("toy") / "run")
    results = load_results(folder)
    plots = [plot for plot in draw_all(results, folder / "plots") if plot.path]
    styles, picker = Styles(), picker_of(results, figures_of(results))
    return {plot.name: (plot, inline(plot, picker, styles)) for plot in plots}, styles


def test_every_colour_of_a_chart_is_seen_and_its_words_are_read_by_night(drawn) -> None:
    for colour in (*style.PALETTE, style.INK, style.SOFT):
        for words, least in ((False, 3), (True, 4.5)):
            assert contrast(by_night(colour, words), NIGHT) >= least, (colour, words)
        assert contrast(by_night(style.for_text(colour), True), NIGHT) >= 4.5
    assert contrast(by_night(style.CROWD, False), NIGHT) >= 3
    assert "light-dark(#1b1f24,#e8ebee)" in drawn[1].css


def test_words_on_a_bar_stay_as_the_bar_stays() -> None:
    for colour in (*style.PALETTE, style.REST):
        assert by_night(colour.lower(), False) == colour.lower()
        ink = style.ink_on(colour)
        assert by_night(ink, True) == ink and contrast(ink, colour) > 3
    assert paired("fill:#ffffff", words=False) == f"fill:light-dark(#ffffff,{NIGHT})"


def test_a_chart_in_the_page_says_all_that_its_file_says_in_less_than_half_the_room(drawn) -> None:
    for plot, svg in drawn[0].values():
        file = ElementTree.parse(plot.vector).getroot()
        words = [e.text for e in file.iter("{http://www.w3.org/2000/svg}text")]
        root = ElementTree.fromstring(svg)
        assert words and [e.text for e in root.iter("text")] == words
        assert len(svg) < plot.vector.stat().st_size / 2
        assert not [e for e in root.iter("g") if not e.attrib]
        assert "style=" not in svg and "rotate(-0" not in svg
        ids = {e.get("id") for e in root.iter()} - {None}
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= ids
        assert all(id.startswith((f"{plot.name}-", f"chart-{plot.name}-")) for id in ids)


def test_only_what_is_picked_among_many_takes_another_colour(tmp_path) -> None:
    with style.figure() as figure:
        ax = figure.add_subplot()
        for when in (crowd.FEW, ""):
            with style.of(ax, Owner("a"), when):
                ax.plot([1, 2], [1, 2], color=style.PALETTE[0], linewidth=3 if when else 2)
        figure.savefig(tmp_path / "p.svg")
    styles = Styles()
    svg = inline(Drawn("p", "P", tmp_path / "p.png"), Picker((), {}), styles)
    few = re.search(r'<g class="few"><path[^>]*class="(c\d+)"', svg)[1]
    assert [rule.partition("{")[0] for rule in styles.css.splitlines() if "var(--own," in rule] == [f".{few}"]


def test_a_picture_within_a_chart_stays_as_it_is(tmp_path) -> None:
    """Thousands of marks are pixels also in the SVG."""
    with style.figure() as figure:
        figure.add_subplot().scatter([1, 2], [1, 2], rasterized=True)
        figure.savefig(tmp_path / "p.svg")
    plot = Drawn("p", "P", tmp_path / "p.png")
    svg = inline(plot, Picker((), {}), Styles())
    data = re.search(r'href="(data:image/png;base64,[^"]+)"', plot.vector.read_text("utf-8"))[1]
    assert "".join(data.split()) in "".join(svg.split()).replace("&#10;", "")


def test_texts_keep_the_room_that_they_were_laid_out_for(drawn) -> None:
    texts = re.findall(r"<text [^>]*>[^<]+<", drawn[0]["chips"][0].vector.read_text("utf-8"))
    assert texts and all('lengthAdjust="spacingAndGlyphs"' in text and "Verdana" in text for text in texts)
    width = {text.rpartition(">")[2][:-1]: float(re.search(r'textLength="([\d.]+)"', text)[1]) for text in texts}
    longest = max(width, key=len)
    assert 4 * len(longest) < width[longest] < 9 * len(longest)  # of letters of 10 to 12 points


def test_looks_differ_and_do_not_depend_on_who_is_first() -> None:
    names = [f"s{k}" for k in range(42)]
    found = crowd.looks(names[:6], names[6:])
    assert len({(look.colour, look.marker) for look in found.values()}) == 42
    assert [look.own for look in found.values()] == [True] * 6 + [False] * 36


def test_the_looks_of_a_crowd_are_hidden_in_files(tmp_path) -> None:
    with style.figure() as figure:
        ax = figure.add_subplot()
        with style.of(ax, Owner("a"), crowd.FEW):
            ax.plot([1, 2], [1, 2], color="#ff0000")
        style.show_few(figure, False)
        figure.savefig(tmp_path / "a.png")
        style.show_few(figure, True)
        figure.savefig(tmp_path / "a.svg")
    from PIL import Image

    reds = {pixel for _, pixel in Image.open(tmp_path / "a.png").convert("RGB").getcolors(1 << 20)}
    assert not [pixel for pixel in reds if pixel[0] > 200 and pixel[1] < 100]
    assert 'id="of|a|||few" display="none"' in style.hidden_few((tmp_path / "a.svg").read_text("utf-8"))
