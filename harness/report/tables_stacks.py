"""Tables of modelled stacks: chips for the suites' traffic and for large models; the chips' ceilings."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from harness.quantity import KINDS, weakest
from harness.report.figures import Figure, Figures, chip_name, unique
from harness.report.numbers import and_list, count_of
from harness.report.table import Cell, Column, Line, Table, cell_of, nothing, text
from harness.report.tables_freedom import proxies
from harness.results import Results

SERVING = (
    ("ttft_ms", "TTFT", "ms"), ("tpot_ms", "TPOT", "ms"), ("tok_s_per_user", "Per user", "tok/s"),
    ("output_tok_s_per_chip", "Output per chip", "tok/s"), ("energy_j_per_output_tok", "Energy", "J/token"),
    ("usd_per_m_output_tok", "Price", "USD/M tokens"),
)  # fmt: skip
CEILINGS = (
    ("chip.bandwidth_tb_s", "Memory bandwidth", "TB/s"),
    ("chip.peak_bf16_tflop_s", "BF16 peak, dense", "TFLOP/s"),
    ("chip.peak_fp8_tflop_s", "FP8 peak, dense", "TFLOP/s"), ("chip.memory_gb", "Memory", "GB"),
    ("chip.tdp_w", "Board power limit", "W"), ("chip.usd_per_h", "Rent", "USD/h"),
)  # fmt: skip


def serving_stacks(figures: Figures) -> list[Figure]:
    """One figure for each modelled stack and workload, with a value or with the reason why it cannot run."""
    seen: dict[tuple[str, str, str], Figure] = {}
    for metric, *_ in SERVING:
        for f in figures.where(metric):
            if f.chip:
                seen.setdefault((f.stack, f.workload, f.suite), f)
    return list(seen.values())


def headline_model(figures: Figures) -> tuple[str, str] | None:
    """The large model to speak of, with its workload: (model, workload).

    Of the models that (nearly) the most chips run, three quarters of that number at least, the heaviest: the
    one with the lowest median output rate per chip.
    """
    heads = [f for f in serving_stacks(figures) if not f.suite]
    ranked = []
    for model, workload in unique((f.model, f.workload) for f in heads):
        runs = figures.with_value("output_tok_s_per_chip", model=model, workload=workload, suite="")
        if runs:
            ranked.append((len(unique(f.chip for f in runs)), median(f.value for f in runs), model, workload))
    most = max((count for count, *_ in ranked), default=0)
    return min(entry[1:] for entry in ranked if entry[0] >= 0.75 * most)[1:] if ranked else None


def suite_tables(results: Results, figures: Figures) -> tuple[Table, ...]:
    """Chips for the suites' own traffic, one table a suite."""
    heads = [f for f in serving_stacks(figures) if f.suite]
    tables = []
    for model, suite in unique((f.model, f.suite) for f in heads):
        group = [f for f in heads if (f.model, f.suite) == (model, suite)]
        table = _serving_table(results, figures, group)
        tables.append(replace(table, key=f"suite-{suite}", title=f"{model} on {suite}", opened=not tables))
    return tuple(tables)


def large_tables(results: Results, figures: Figures) -> tuple[Table, ...]:
    """Chips for large models at stated workloads, one table a model and workload."""
    heads = [f for f in serving_stacks(figures) if not f.suite]
    tables, by_proxy = [], proxies(results)
    for model, workload in unique((f.model, f.workload) for f in heads):
        group = [f for f in heads if (f.model, f.workload) == (model, workload)]
        table = _serving_table(results, figures, group)
        opened = headline_model(figures) == (model, workload)
        title = f"{model} at {workload}" + (f", {by_proxy[model]}" if model in by_proxy else "")
        tables.append(replace(table, key=f"{model}-{workload}", title=title, opened=opened))
    return tuple(tables)


def _serving_table(results: Results, figures: Figures, heads: list[Figure]) -> Table:
    """The table of some stacks, without its key and title."""
    first = next((f.notes.get("to") for f in _ratios(figures, heads)), None)
    lines = tuple(_serving_line(results, figures, head, first) for head in heads)
    failed = sum(1 for line in lines if line.cannot)
    columns = (
        Column("Chip", words=True),
        *(Column(name, unit) for _, name, unit in SERVING),
        *((Column("To the first"),) if first else ()),
        Column("Price class", words=True),
        Column("Stated to run", words=True),
        Column("Bound by", words=True),
        Column("Weakest input", words=True),
        Column("Sources", words=True),
    )
    caption = f"Modelled, never measured here; under each value its p10–p90. {count_of(len(lines), 'stack')}"
    caption += f", {failed} of which cannot run." if failed else "."
    if first:
        caption += f" To the first: output per chip over that of {first}, in which what both rest on cancels."
    return Table("", "", caption, columns, lines, folded=True)


def _ratios(figures: Figures, heads: list[Figure]) -> list[Figure]:
    """Output per chip of these stacks over that of the first that runs."""
    stacks = {(f.stack, f.workload, f.suite) for f in heads}
    found = figures.with_value("ratio", part="output_tok_s_per_chip")
    return [f for f in found if (f.stack, f.workload, f.suite) in stacks]


def _ratio_cell(figures: Figures, at: dict, first: str) -> Cell:
    found = figures.one("ratio", "output_tok_s_per_chip", **at)
    return text("1", "the first itself") if found is None and at["stack"] == first else cell_of(found)


def _serving_line(results: Results, figures: Figures, head: Figure, first: str | None) -> Line:
    at = {"stack": head.stack, "workload": head.workload, "suite": head.suite}
    rows = [figures.one(metric, **at) for metric, *_ in SERVING]
    notes = [row.notes for row in rows if row is not None]
    name = _stack_cell(results, head, notes)
    errors = unique(row.error for row in rows if row is not None and row.error)
    if errors and not any(row is not None and row.value is not None for row in rows):
        return Line((name,), cannot=f"cannot run: {and_list(errors)}")
    sources = unique(s for row in rows if row is not None for s in row.sources)
    words = (_stated(notes), _from_notes(notes, "bound_by"), weakest_of(notes))
    return Line(
        (
            name,
            *(cell_of(row) for row in rows),
            *((_ratio_cell(figures, at, first),) if first else ()),
            price_class(notes),
            *words,
            Cell(sources=tuple(sources), text=" "),
        )
    )


def _stack_cell(results: Results, head: Figure, notes: list[dict[str, str]]) -> Cell:
    count = f"×{head.chips}" if head.chips else ""
    proxy = next((f"proxy {note['proxy']}" for note in notes if note.get("proxy")), "")
    instead = next((f"computes in {note['computes_in']}" for note in notes if note.get("computes_in")), "")
    below = ", ".join(words for words in (count, head.weight_dtype, instead, proxy) if words)
    return Cell(text=chip_name(results, head.chip), below=below, note=head.stack, owner=head.owner)


def _stated(notes: list[dict[str, str]]) -> Cell:
    """Whether a page states that the model runs there in that format; the table of support has the page."""
    return _from_notes(notes, "stated")


def _from_notes(notes: list[dict[str, str]], key: str) -> Cell:
    words = unique(note[key] for note in notes if note.get(key))
    return text(and_list(words)) if words else nothing(f"the rows name no {key}")


def weakest_of(notes: list[dict[str, str]]) -> Cell:
    """The weakest kind of profile value behind any of the figures."""
    kinds = unique(note["weakest"] for note in notes if note.get("weakest"))
    return text(weakest(kinds)) if kinds and set(kinds) <= set(KINDS) else _from_notes(notes, "weakest")


def price_class(notes: list[dict[str, str]]) -> Cell:
    """Class and date of the rent, with a warning where it was old when the run was made."""
    cell = _from_notes(notes, "price_class")
    dates = unique(note["price_date"] for note in notes if note.get("price_date"))
    if not dates or not cell.text:
        return cell
    warning = next((note["price_warning"] for note in notes if note.get("price_warning")), "")
    return Cell(text=f"{cell.text}, {and_list(dates)}", below=warning)


def ceilings_table(results: Results, figures: Figures) -> Table:
    """What the chips' profiles say, with the kind of each value."""
    chips = unique(f.chip for metric, *_ in CEILINGS for f in figures.where(metric))
    used = [entry for entry in CEILINGS if figures.with_value(entry[0])]
    lines = []
    for chip in chips:
        rows = [figures.one(metric, chip=chip) for metric, *_ in used]
        sources = unique(s for row in rows if row is not None for s in row.sources)
        price = [row.notes for row in rows if row is not None and row.metric == "chip.usd_per_h"]
        cells = [cell_of(row, "the profile states none") for row in rows]
        lines.append(
            Line(
                (
                    text(chip_name(results, chip), chip),
                    *cells,
                    price_class(price),
                    Cell(sources=tuple(sources), text=" "),
                )
            )
        )
    columns = (
        Column("Chip", words=True),
        *(Column(name, unit) for _, name, unit in used),
        Column("Price class", words=True),
        Column("Sources", words=True),
    )
    caption = "From the chips' profiles. A value nobody published is assumed: a range, shown with its median."
    return Table("ceilings", "Ceilings of the chips", caption, columns, tuple(lines))
