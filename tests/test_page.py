"""The page in a browser: sorting, filtering, picking, boxes beside figures, colours, paper, and no fault of access.

Chromium is the system's; nothing is downloaded, and the pages are read from files.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import stackline
from harness.report import build
from tests.test_report import toy_run

pytestmark = pytest.mark.slow
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
MODEL = "deepseek-v4-flash"
# More than there are colours.
CHIPS = ("h20-141gb", "h200-sxm", "b200-sxm", "zhenwu-m890", "ascend-910c", "mi355x", "h100-sxm")
CLOSED = "nvidia-gb300-claude"  # a stack without speed
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 800}
SIDE = "#table-compare-side"


@pytest.fixture(scope="module")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        if os.environ.get("STACKLINE_REQUIRE_BROWSER") == "1":
            pytest.fail(f"STACKLINE_REQUIRE_BROWSER=1, but there is no {CHROMIUM}")
        pytest.skip(f"no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the page of a comparison and of a run, each alone in its folder."""
    folder = tmp_path_factory.mktemp("pages")
    stacks = [*(f"{MODEL}@{chip}:8" for chip in CHIPS), CLOSED]
    done = CliRunner().invoke(stackline, ["compare", *stacks, "--no-sessions", "--out", str(folder / "compared")],
                              catch_exceptions=False)  # fmt: skip
    assert done.exit_code == 0, done.output
    build(toy_run(folder / "run"))
    out = {}
    for name in ("compared", "run"):
        (folder / f"{name}-alone").mkdir()
        out[name] = Path(shutil.copy(folder / name / "report/index.html", folder / f"{name}-alone")).as_uri()
    return out


@pytest.fixture
def opened(browser, pages):
    """Opens a page; afterwards nothing may have been said on the console, nor asked of a network."""
    contexts, faults = [], []

    def note(request) -> None:
        if not request.url.startswith(("file:", "data:")):
            faults.append(request.url)

    def open_page(name: str = "compared", hash: str = "", **options):
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", note)
        page.goto(pages[name] + hash)
        assert page.locator("html").get_attribute("data-ready") == "yes"
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def shown(page, table: str = SIDE) -> list[str]:
    """The names of a table's rows that are shown, in order."""
    rows = page.locator(f"{table} tbody tr:not([hidden]) th").all()
    return [main(row) for row in rows]


def main(cell) -> str:
    """What a cell says before its interval and kind."""
    return cell.evaluate("cell => (cell.querySelector('button') || cell).firstChild.textContent.trim()")


def tools(page, table: str = SIDE):
    return page.locator(f'[data-for="{table.removeprefix("#")}"]')


def test_a_column_sorts_both_ways_with_absent_figures_last(opened) -> None:
    page = opened()
    head = page.locator(f"{SIDE} thead th").nth(4)
    assert "Output per chip" in head.inner_text().replace("\n", " ")
    for direction in ("ascending", "descending"):
        head.locator("button").focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == direction
        cells = page.locator(f"{SIDE} tbody tr td:nth-child(5)").all()
        values = [float(main(cell).replace(",", "")) for cell in cells if main(cell) != "—"]
        assert len(values) == len(CHIPS) and values == sorted(values, reverse=direction == "descending")
        assert shown(page)[-1] == "NVIDIA GB300 on Azure with Claude"


def test_words_and_kinds_filter_together_with_sorting_and_a_reset_undoes_them(opened) -> None:
    page = opened()
    before, bar = shown(page), tools(page)
    bar.get_by_label("Find in this table").fill("ZHENWU flash")
    assert shown(page) == [name for name in before if "Zhenwu" in name] != []
    assert bar.get_by_role("status").inner_text() == f"1 of {len(before)} rows"
    bar.get_by_label("Find in this table").fill("")
    bar.get_by_label("Kind").select_option("assumed")
    kept = shown(page)
    assert 0 < len(kept) < len(before)
    page.locator(f"{SIDE} thead button").nth(0).click()
    assert shown(page) == sorted(kept)
    bar.get_by_role("button", name="Reset").click()
    assert shown(page) == before and bar.get_by_role("status").inner_text() == f"{len(before)} rows"


def test_picked_stacks_hold_in_every_table_and_chart_and_in_the_address(opened) -> None:
    page = opened()
    page.locator("#picker summary").click()
    page.get_by_role("button", name="None").click()
    assert shown(page) == [] and f"0 of {len(CHIPS) + 1}" in page.locator("#picked").inner_text()
    for number in (1, 4):
        page.locator("#picker input").nth(number - 1).check()
    names = shown(page)
    assert len(names) == 2
    for table in ("#table-compare-against", "#table-compare-curves", "#table-ceilings", "#table-compare-tests"):
        assert 0 < page.locator(f"{table} tbody tr:not([hidden])").count() < page.locator(f"{table} tbody tr").count()
    for token, away in {"s1": 0, "s4": 0, "s2": 1}.items():
        series = page.locator(f'svg [data-of="{token}"]')
        faded = page.locator(f'svg [data-of="{token}"].away')
        assert series.count() > 10 and faded.count() == away * series.count()
    # The address alone brings the choice back, also after a link within the page was followed.
    page.locator("nav a").first.click()
    page.wait_for_function("location.hash.includes('hide')")
    choice = re.search(r"#.*", page.url)[0]
    again = opened(hash=choice)
    assert shown(again) == names
    again.locator("#picker summary").click()
    again.get_by_role("button", name="Reset the page").click()
    assert len(shown(again)) == len(CHIPS) + 1 and "hide" not in again.url


def look(series) -> tuple[str, str]:
    """The colour and the marker of the first of a chart's series that has both."""
    return series.locator("use").first.evaluate("one => [getComputedStyle(one).stroke, one.getAttribute('href')]")


def test_a_grey_stack_takes_a_colour_and_a_name_where_few_are_picked(opened) -> None:
    page = opened()
    chart = page.locator("svg[aria-labelledby=chart-pareto-title]")
    grey = chart.locator(".few:not(.key)").first.get_attribute("data-of")
    crowd, own = (chart.locator(f'.{kind}[data-of="{grey}"]') for kind in ("crowd", "few"))
    opacity = "one => getComputedStyle(one).opacity"
    assert (crowd.first.evaluate(opacity), own.first.evaluate(opacity)) == ("1", "0")
    page.locator("#picker summary").click()
    page.get_by_role("button", name="None").click()
    for token in ("s1", grey):
        page.locator(f'#picker input[value="{token}"]').check()
    page.wait_for_timeout(400)  # it fades
    assert (crowd.first.evaluate(opacity), own.first.evaluate(opacity)) == ("0", "1")
    name = page.locator(f'#picker label:has(input[value="{grey}"])').inner_text().strip()
    assert name.endswith(chart.locator(f'.key[data-of="{grey}"] text, text.key[data-of="{grey}"]').text_content())
    series = chart.locator(f'.few:not(.key)[data-of="{grey}"]:has(use)')
    baseline = chart.locator('[data-of="s1"]:has(use)')
    assert not set(look(series.first)) & set(look(baseline.first))  # neither its colour nor its marker


def test_charts_follow_the_colours_of_the_page(opened) -> None:
    """No words of a chart, and no line of an axis, are lost on dark paper; paper for printing is white."""
    page = opened(color_scheme="dark")
    inks = "() => [...document.querySelectorAll('svg.chart text')].map((one) => getComputedStyle(one).fill)"
    seen = "() => getComputedStyle(document.querySelector('svg.chart path')).fill"
    dark = set(page.evaluate(inks))
    assert "rgb(27, 31, 36)" not in dark and "rgb(232, 235, 238)" in dark
    assert page.evaluate(seen) == page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.emulate_media(media="print")
    assert "rgb(27, 31, 36)" in set(page.evaluate(inks)) and page.evaluate(seen) == "rgb(255, 255, 255)"


def test_chips_of_a_run_are_picked_likewise(opened) -> None:
    page = opened("run", hash="#?hide=c1.c9")
    assert page.locator("#table-ceilings tbody tr").count() == 3
    assert page.locator("#table-ceilings tbody tr:not([hidden])").count() == 2
    assert page.locator("svg .away").count() > 10
    assert page.locator("#table-quality tbody tr:not([hidden])").count() == 1  # no chip's


def test_a_figure_is_explained_to_who_uses_the_keyboard_alone(opened) -> None:
    page = opened()
    tip = page.locator("#tip")
    page.locator(f"{SIDE} thead button").last.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    words = tip.inner_text()
    for part in ("TTFT · DeepSeek", "ms (modelled)", "p10–p90: ", "weakest profile value: ", "Source "):
        assert part in words, part
    focused = page.locator("button:focus")
    assert focused.get_attribute("aria-describedby") == "tip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('#tip a[href^=http]')")
    page.keyboard.press("Escape")
    assert tip.is_hidden() and focused.count() == 1  # and the focus is back on the figure
    page.keyboard.press("ArrowRight")
    assert "TPOT" in tip.inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert page.locator("button.figure:focus").count() == 1


def test_a_figure_is_explained_under_a_mouse_and_a_finger(opened) -> None:
    page = opened()
    figure = page.locator(f"{SIDE} tbody button.figure").nth(1)
    figure.hover()
    page.locator("#tip").hover()  # the box stays while it is read
    assert page.locator("#tip").is_visible()
    page.mouse.move(2, 2)
    assert page.locator("#tip").is_hidden()
    phone = opened(viewport=PHONE, has_touch=True, is_mobile=True)
    phone.locator(f"{SIDE} tbody button.figure").nth(1).tap()
    box = phone.locator("#tip").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 375
    phone.locator("caption").nth(1).tap()
    assert phone.locator("#tip").is_hidden()


def test_colours_follow_the_system_until_chosen_and_the_visit_remembers(opened) -> None:
    page = opened(color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_label("Colours").select_option("light")
    assert page.evaluate(paper) == "rgb(255, 255, 255)" != dark
    page.reload()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.get_by_label("Colours").select_option("")
    assert page.evaluate(paper) == dark


def test_paper_has_everything_open_and_no_controls(opened) -> None:
    page = opened(color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details:not([open]):not(.picker)").count() == 0
    for control in ("input", "select", "nav", "#tip", "#picker", "thead button"):
        assert all(not one.is_visible() for one in page.locator(control).all())
    address = page.locator("#table-sources tbody td").last
    assert address.is_visible() and page.locator("#table-sources").inner_text().count("https://") > 5
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0 and page.locator("thead button .name").count() > 20
    # What stands on an A4 sheet on its side, less its margins, is not cut.
    sheet = opened(viewport={"width": 1047, "height": 718})
    sheet.emulate_media(media="print")
    assert sheet.evaluate("document.documentElement.scrollWidth") <= 1047
    assert sheet.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_the_first_stop_skips_to_the_results(opened) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_a_link_to_a_folded_table_opens_it(opened) -> None:
    page = opened(hash="#table-compare-curves")
    assert page.locator("#table-compare-curves").is_visible()


@pytest.mark.parametrize("name", ["compared", "run"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_and_axe_finds_no_fault(opened, name: str, viewport: dict, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(name, viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    for folded in page.locator("details").all():
        folded.evaluate("folded => (folded.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.locator("button.figure:visible").first.focus()
    found = Axe().run(page).response["violations"]
    grave = {(fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] in ("serious", "critical")}
    assert grave == set()


@pytest.mark.parametrize("name", ["compared", "run"])
def test_charts_say_what_they_show_and_ids_are_their_own(opened, name: str) -> None:
    page = opened(name)
    charts = page.locator("svg.chart").all()
    assert len(charts) > 4
    for chart in charts:
        label = chart.get_attribute("aria-labelledby")
        assert chart.get_attribute("role") == "img" and page.locator(f"#{label}").text_content()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
