"""The report says what the rows say: absent stays absent, and every source and kind reaches the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.report import build
from harness.report.figures import figures_of, read_note, split_metric
from harness.report.numbers import and_list, interval, shown, three_digits
from harness.report.summary import limits, sentences
from harness.report.tables import sections
from harness.results import Results, Row, RunFolder, load_results

MODEL, LARGE, WORKLOAD, SUITE = "smollm2-135m-instruct", "llama-3.1-70b", "isl8192-osl1024-c16", "toy-suite"
SERVING = {
    "ttft_ms": "ms", "tpot_ms": "ms", "tok_s_per_user": "token/s/user",
    "output_tok_s_per_chip": "token/s/chip", "energy_j_per_output_tok": "J/token",
    "usd_per_m_output_tok": "USD/Mtoken",
}  # fmt: skip
CHIPS = {
    "sure": ("published", 4.0, 400.0),
    "vague": ("assumed", 2.0, 150.0),
    "small": ("published", 1.0, 90.0),
}


def measured(metric: str, value: float | None, unit: str = "1", **more: object) -> Row:
    where = {"model": MODEL, "weight_dtype": "fp32", "suite": SUITE, "n": 40}
    return Row(f"{MODEL}/fp32", metric, value, unit, "measured", "run", **{**where, **more})


def quality_rows() -> list[Row]:
    parts = {"": 0.5, "[level=1]": 0.7, "[level=2]": 0.0, "[lang=de]": 0.4, "[lang=en]": 0.6}
    rows = []
    for part, value in parts.items():
        rows.append(measured(f"accuracy{part}", value))
        rows.append(measured(f"accuracy.low95{part}", max(0.0, value - 0.15)))
        rows.append(measured(f"accuracy.high95{part}", value + 0.15))
    rows += [measured("chance", 0.25, note="the longest option"), measured("truncated", 0.0)]
    rows += [measured("prompt_tokens_mean", 120.0, "token"), measured("wall_s", 12.0, "s")]
    return [*rows, measured("unparsed", 0.1)]


def stack_rows(model: str, suite: str, workload: str) -> list[Row]:
    return [row for chip in CHIPS for row in one_stack(model, chip, suite, workload)]


def one_stack(model: str, chip: str, suite: str, workload: str) -> list[Row]:
    kind, bandwidth, _ = CHIPS[chip]
    word, weakest = ("modelled", "datasheet") if kind == "published" else ("assumed", "assumed")
    where = {
        "model": model,
        "weight_dtype": "bf16",
        "chip": chip,
        "chips": 8,
        "suite": suite,
        "workload": workload,
    }
    figure = {"value": 100 / bandwidth, "p10": 50 / bandwidth, "p90": 200 / bandwidth}
    note = f"weakest={weakest}; bound_by=memory; price_class=neocloud"
    if model == LARGE and chip == "small":
        figure, note = {"value": None}, "error=weights need 480 GB; 8 chips hold 90 GB"
    common = {"kind": word, "source": f"time-model sheet-{chip}", "note": note, **figure, **where}
    return [Row(f"{model}/bf16@{chip}:8", metric, unit=unit, **common) for metric, unit in SERVING.items()]


def chip_rows() -> list[Row]:
    rows = []
    for chip, (kind, bandwidth, peak) in CHIPS.items():
        ceilings = (("chip.bandwidth_tb_s", bandwidth, "TB/s"), ("chip.peak_bf16_tflop_s", peak, "TFLOP/s"))
        for metric, value, unit in ceilings:
            wide = {"p10": value / 2, "p90": value * 2} if kind == "assumed" else {}
            rows.append(Row(chip, metric, value, unit, kind, f"sheet-{chip}", chip=chip, **wide))
    for part, x in {"prefill.qkv": 300.0, "decode.qkv": 2.0, "decode.attention": 1.5}.items():
        at = {"model": LARGE, "chip": "sure", "chips": 8, "workload": WORKLOAD, "source": "time-model"}
        stack, y = f"{LARGE}/bf16@sure:8", min(300.0, 3 * x)
        rows.append(Row(stack, f"op.flop_per_byte[{part}]", x, "FLOP/byte", "modelled", **at))
        rows.append(Row(stack, f"op.tflop_s[{part}]", y, "TFLOP/s", "modelled", p10=y / 2, p90=y, **at))
    return rows


def explained_rows() -> list[Row]:
    """The first large stack by operator, and the next over it."""
    at = {"model": LARGE, "weight_dtype": "bf16", "chips": 8, "workload": WORKLOAD, "source": "time-model"}
    stack, notes = f"{LARGE}/bf16@sure:8", "share=0.75; bound=memory; constants=prior"
    terms = {"decode.experts": (6.0, f"{notes}; of_peak=0.625"), "decode.engine": (2.0, "share=0.25; bound=overhead")}
    rows = [
        Row(stack, f"op.ms[{part}]", ms, "ms", "modelled", p10=ms / 2, p90=ms * 2, note=note, chip="sure", **at)
        for part, (ms, note) in terms.items()
    ]
    rows += [Row(stack, "unknown_share[profile: memory.bandwidth]", 0.4, "1", "modelled", chip="sure", **at)]
    ratio = {"p10": 0.2, "p90": 0.9, "note": f"to={stack}", "chip": "vague"}
    return [*rows, Row(f"{LARGE}/bf16@vague:8", "ratio[output_tok_s_per_chip]", 0.45, "1", "assumed", **ratio, **at)]


def agent_rows() -> list[Row]:
    """A server that holds agents, one that holds none, and one that cannot serve."""
    units = {"usd_per_session": "USD", "energy_kwh_per_session": "kWh", "prefix_hit_rate": "1"}
    swept = {"ttft_p95_s": "s", "tpot_p95_s": "s", "prefix_hit_rate": "1", "kv_kept_share": "1"}
    level = "weakest=datasheet; slo_ttft_s=5; slo_tpot_s=0.03; attain=0.95"
    level += "; workload_assumed=21 of 21; calls=1158; agents=16"
    rows = []
    for chip, held in {"sure": 2.0, "vague": 0.0, "small": None}.items():
        at = {"model": LARGE, "weight_dtype": "bf16", "chip": chip, "chips": 8, "source": f"time-model sheet-{chip}"}

        def add(
            workload: str, metric: str, value: float | None, unit: str, kind: str = "modelled", at=at, held=held
        ) -> None:
            ends = {} if value is None else {"p10": value / 2, "p90": value * 2 + 1}
            note = (
                level if value is not None else "error=KV memory is short" if held is None else "error=holds no agent"
            )
            stack = f"{LARGE}/bf16@{at['chip']}:8"
            rows.append(Row(stack, metric, value, unit, kind, workload=workload, note=note, **ends, **at))

        for metric in ("agents_per_chip", "agents_per_server", "agents_per_mw"):
            add("coding-agent", metric, held, "count")
        for metric, unit in units.items():
            add("coding-agent", metric, 0.5 if held else None, unit)
        for way in ("alone", "shared"):
            value = None if held is None or (way == "shared" and not held) else 28.0
            for metric in ("session_h", "chip_wait_h", "tool_wait_h", "usd_per_session", "energy_kwh_per_session"):
                add(f"agent-35h-{way}", metric, value and value - 5 * (metric == "tool_wait_h"), "h", "assumed")
        for part in ("agents=1", "agents=4", "keep_s=0", "keep_s=inf") if held else ():
            for metric, unit in swept.items():
                add("coding-agent", f"{metric}[{part}]", 0.25, unit)
    return rows


def toy_rows() -> list[Row]:
    stacks = [*stack_rows(MODEL, SUITE, SUITE), *stack_rows(LARGE, "", WORKLOAD)]
    return [*quality_rows(), *stacks, *chip_rows(), *explained_rows(), *agent_rows()]


def toy_manifest() -> dict:
    ids = ("run", "time-model", *(f"sheet-{chip}" for chip in CHIPS))
    about = {
        "title": "A sheet & <its> title",
        "publisher": "Someone",
        "published": "2026",
        "locator": "table 1",
    }
    return {
        "created": "2026-11-23T16:00:00Z", "command": "stackline run", "seed": 0, "stackline": "0.1.0",
        "commit": "0123456789abcdef", "dirty": True, "limit": 40, "full": False,
        "left_out": ["suite agents: no sandbox"],
        "suites": {SUITE: {"title": "Toy", "imitates": "GPQA", "differs": "made of toys"}},
        "runner": {"id": "reference", "model": MODEL, "weight_dtype": "fp32"},
        "profiles": {f"chip/{c}": {"sha256": "ab" * 32, "weakest_kind": k} for c, (k, *_) in CHIPS.items()},
        "sources": {i: {**about, "url": f"https://example.org/{i}"} for i in ids},
        "names": {"sure": "Sure One"},
    }  # fmt: skip


def toy_run(folder: Path, rows: list[Row] | None = None, manifest: dict | None = None) -> Path:
    """A small run folder, written as a real run writes it."""
    run = RunFolder(folder, "20261123T160000Z-00000000")
    run.write_rows(toy_rows() if rows is None else rows)
    run.write_manifest(toy_manifest() if manifest is None else manifest)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = toy_run(tmp_path_factory.mktemp("toy") / "run")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return load_results(folder)


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report" / "index.html").read_text("utf-8")


@pytest.fixture(scope="module")
def markdown(folder: Path) -> str:
    return (folder / "report" / "report.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345, "12,300"), (0.012345, "0.0123"), (4.0, "4.00"), (0, "0"), (999.6, "1,000"),
        (-3.14159, "-3.14"), (1.5e-6, "1.50e-6"), (3e9, "3.00e9"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


def test_shares_print_as_per_cent_and_absent_as_a_dash() -> None:
    assert shown(0.5, "1") == "50.0\u00a0%"
    assert shown(None) == "—"
    assert interval(7e-18, 0.0713, "1") == "0–7.13\u00a0%"  # a rounding error is no lower end
    assert interval(None, 2.0) == ""
    assert and_list(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_metrics_and_notes_are_taken_apart() -> None:
    assert split_metric("accuracy.low95[lang=de]") == ("accuracy.low95", "lang=de")
    assert split_metric("ttft_ms") == ("ttft_ms", "")
    assert read_note("error=weights need 480 GB; 8 chips hold 90 GB; weakest=assumed") == {
        "error": "weights need 480 GB; 8 chips hold 90 GB",
        "weakest": "assumed",
    }
    assert read_note("weakest=estimated; median of the range") == {"weakest": "estimated"}


def test_the_middle_of_a_bare_range_is_labelled(tmp_path: Path) -> None:
    vague = {"chip": "vague", "p10": 2.0, "p90": 5.0, "note": "weakest=estimated; median of the range"}
    rows = [Row("vague", "chip.bandwidth_tb_s", 3.2, "TB/s", "assumed", "sheet-vague", **vague)]
    page = build(toy_run(tmp_path / "run", rows)).read_text("utf-8")
    assert '3.20<span class="unit">median of the range</span>' in page


def test_a_stack_that_cannot_run_keeps_its_row_and_says_why(page: str, markdown: str) -> None:
    for text in (page, markdown):
        assert "— cannot run: weights need 480 GB; 8 chips hold 90 GB" in text


def test_an_absent_figure_prints_a_dash_with_its_reason_and_no_zero(results: Results, page: str) -> None:
    quality = sections(results, figures_of(results))[0].tables[0]
    cell = quality.lines[0].cells[6]  # bits per byte: the toy has no such row
    assert (cell.main, cell.value, cell.note) == ("—", None, "the run holds no such row")
    assert "— Bits per byte: the run holds no such row" in page


def test_one_stack_is_told_by_operator_and_what_would_narrow_it(markdown: str) -> None:
    start = markdown.index("Where the time goes")
    told = markdown[start:]
    assert markdown[start:].index("experts") < told.index("engine") and "62.5\N{NO-BREAK SPACE}%" in told
    assert "profile: memory.bandwidth | 40.0\N{NO-BREAK SPACE}%" in told


def test_a_stack_is_set_against_the_first_with_an_interval_and_the_suites_are_not(markdown: str) -> None:
    line = next(line for line in markdown.splitlines() if "To the first |" in line)
    assert (
        markdown.count("To the first |") == 1 and "45.0\N{NO-BREAK SPACE}% (20.0–90.0\N{NO-BREAK SPACE}%)" in markdown
    )
    assert line.count("|") > 10


def test_a_zero_that_was_measured_is_printed(results: Results) -> None:
    levels = sections(results, figures_of(results))[0].tables[1]
    assert levels.lines[0].cells[2].main == "0\u00a0%"


def test_every_source_of_the_rows_reaches_the_page(results: Results, page: str, markdown: str) -> None:
    for source in {s for cell in results.rows["source"] for s in cell.split()}:
        assert f">{source}</td>" in page
        assert f"| {source} |" in markdown
        assert f'<a href="https://example.org/{source}"' in page


def test_every_footnote_leads_to_a_source(page: str) -> None:
    wanted, there = set(re.findall(r'href="#([^"]+)"', page)), set(re.findall(r' id="([^"]+)"', page))
    assert wanted <= there


def test_every_kind_is_printed_beside_its_figures(page: str, markdown: str) -> None:
    for kind in ("measured", "published", "modelled", "assumed"):
        assert f'<span class="kind {kind}">{kind}</span>' in page
        assert f" {kind} |" in markdown


def test_page_and_markdown_hold_the_same_tables(results: Results, page: str, markdown: str) -> None:
    for section in sections(results, figures_of(results)):
        for table in section.tables:
            assert table.title in page
            assert f"### {table.title}" in markdown
            assert page.count(f'id="table-{table.key}"') == 1


def test_the_same_folder_gives_the_same_bytes(folder: Path) -> None:
    def read() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in (folder / "report").rglob("*") if p.is_file()}

    before = read()
    build(folder)
    assert read() == before
    assert (folder / "report" / "rows.csv").read_bytes() == (folder / "rows.csv").read_bytes()


class _Loads(HTMLParser):
    """Collects what a page would load by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.captions = self.tables = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tables += tag == "table"
        self.captions += tag == "caption"
        for name, value in attributes:
            if name in ("src", "srcset", "data", "poster") or (name.endswith("href") and tag != "a"):
                self.loads.append(value or "")


def test_the_page_loads_nothing_from_a_network(page: str) -> None:
    parser = _Loads()
    parser.feed(page)
    assert all(address.startswith(("data:", "#")) for address in parser.loads)
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest", page)
    assert len(page.encode()) < 5_000_000
    assert parser.tables == parser.captions > 0


def test_words_from_files_cannot_become_markup(page: str, markdown: str) -> None:
    assert "A sheet &amp; &lt;its&gt; title" in page
    assert "<its>" not in page + markdown


def test_the_summary_sets_answers_against_chance_and_names_the_weakest_input(results: Results) -> None:
    answers, chips, weakest = sentences(results, figures_of(results))
    assert "50.0\u00a0%" in answers
    assert "chance 25.0\u00a0%, above chance" in answers
    assert LARGE in chips
    assert "1 stack cannot run it" in chips
    assert "overlaps" in chips  # no bare winner
    assert "vague" in weakest


def test_the_limits_name_what_was_left_out(results: Results) -> None:
    text = " ".join(limits(results, figures_of(results)))
    for words in ("suite agents: no sandbox", "40 items", "uncommitted", "none was touched"):
        assert words in text


def test_above_chance_needs_the_lower_end_to_be_above(tmp_path: Path) -> None:
    rows = [measured("accuracy", 0.3), measured("accuracy.low95", 0.2), measured("accuracy.high95", 0.4)]
    results = load_results(toy_run(tmp_path / "run", [*rows, measured("chance", 0.25)]))
    figures = figures_of(results)
    assert sections(results, figures)[0].tables[0].lines[0].cells[5].main == "not shown"
    assert "not shown to be above chance" in sentences(results, figures)[0]


def test_a_run_without_rows_or_manifest_keys_still_makes_a_report(tmp_path: Path) -> None:
    said: list[str] = []
    page = build(toy_run(tmp_path / "run", [], {}), said.append).read_text("utf-8")
    assert "No answers were measured" in page
    assert "The run holds no rows for this table." in page
    assert any("“chips” is left out: the run has no value of" in line for line in said)
    # The terminal is told what page and Markdown open with.
    opening = said[said.index("No answers were measured in this run.") :]
    assert opening[3] == "What this cannot tell you:" and all(line[2:] in page for line in opening[4:])


def test_a_source_without_description_is_listed_and_a_script_address_is_never_a_link(tmp_path: Path) -> None:
    """Rows of one chip's ceilings alone, so that nothing heavy is drawn."""
    manifest = toy_manifest()
    del manifest["sources"]["sheet-sure"]
    manifest["sources"]["sheet-vague"]["url"] = "javascript:alert(1)"
    said: list[str] = []
    page = build(toy_run(tmp_path / "run", chip_rows(), manifest), said.append).read_text("utf-8")
    assert ">sheet-sure</td>" in page and "A sheet &amp;" in page
    assert any("sheet-sure" in line for line in said)
    assert 'href="javascript' not in page


def test_agents_have_a_section_that_says_what_is_held_refused_and_assumed(folder: Path) -> None:
    page = (folder / "report" / "index.html").read_text("utf-8")
    section = re.search(r'<section id="agents".*?</section>', page, re.S)[0]
    for words in ("Agents at the service level: llama-3.1-70b", "TTFT within 5 s and TPOT within 30 ms",
                  "21 of 21 figures of the workload", "One session of 1,158 calls",
                  "cannot serve: KV memory is short", "holds no agent",
                  "Latency against load", "How long caches are kept"):  # fmt: skip
        assert words in section, words
    assert section.count("<svg ") == 4


def test_a_run_without_agents_has_no_such_section(tmp_path: Path) -> None:
    rows = [row for row in toy_rows() if row not in agent_rows()]
    page = build(toy_run(tmp_path / "run", rows)).read_text("utf-8")
    assert 'id="agents"' not in page
