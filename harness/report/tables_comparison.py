"""The comparison: stacks side by side, each against the baseline, solved tasks, what would change the verdict."""

from __future__ import annotations

from harness.report.beside import name_cell, others, ratio_cell, row_of
from harness.report.comparison import about, stack_name
from harness.report.figures import Figure, Figures, Owner, chip_name, unique
from harness.report.numbers import and_list, shown
from harness.report.table import Cell, Column, Line, Table, cell_of, nothing, text
from harness.report.tables_claims import claim_table
from harness.report.tables_compared_costs import cost_table, least_table, solved_table
from harness.report.tables_compared_sessions import mean_tables, session_tables
from harness.report.tables_curves import curves_table
from harness.report.tables_memory import memory_table
from harness.report.tables_stacks import price_class, weakest_of
from harness.results import Results

_SIDE = (
    ("ttft_ms", "TTFT", "ms"), ("tpot_ms", "TPOT", "ms"), ("tok_s_per_user", "Per user", "tok/s"),
    ("output_tok_s_per_chip", "Output per chip", "tok/s"), ("total_tok_s_per_chip", "In and out per chip", "tok/s"),
    ("energy_j_per_output_tok", "Energy", "J/token"),
    ("usd_per_m_output_tok", "All on output", "USD/M tokens"), ("usd_per_m_tok[input]", "Input", "USD/M tokens"),
    ("usd_per_m_tok[cached]", "Cached input", "USD/M tokens"), ("usd_per_m_tok[output]", "Output", "USD/M tokens"),
    ("usd_per_m_utf8_byte", "All on output, by text", "USD/M UTF-8 bytes"),
    ("memory_used_share", "Memory used", "%"),
)  # fmt: skip
AGAINST = (
    ("ttft_ms", "TTFT"), ("tpot_ms", "TPOT"), ("output_tok_s_per_chip", "Output per chip"),
    ("energy_j_per_output_tok", "Energy a token"), ("usd_per_m_output_tok", "USD a token"),
)  # fmt: skip
_NAMED = 4  # of a group of stacks that is larger
_MOVERS = 3  # of each figure and stack
_MOVED = ("output_tok_s_per_chip", "usd_per_m_output_tok")  # what a verdict is given on
INTRO = (
    "Everything but the scores is modelled from profiles: no chip was touched. What two stacks rest on alike cancels "
    "in a ratio; a stack is called better where that is so with a probability of at least 0.9."
)


def comparison_tables(results: Results, figures: Figures) -> tuple[Table, ...]:
    """All tables of a comparison; none for another run."""
    if not about(results):
        return ()
    tables = (
        _side(results, figures), _against(results, figures), *mean_tables(results, figures),
        *session_tables(results, figures),
        _scores(results, figures), solved_table(results, figures), least_table(results, figures),
        cost_table(results, figures), claim_table(results, figures),
        _movers(results, figures), _prices(results, figures), curves_table(results, figures),
        memory_table(results, figures), _layers(results), _tests(results),
    )  # fmt: skip
    return tuple(table for table in tables if table.lines)


def _side(results: Results, figures: Figures) -> Table:
    at = {"workload": about(results)["workload"]}
    lines = []
    for stack in about(results)["stacks"]:
        rows = [row_of(figures, metric, stack=stack, **at) for metric, *_ in _SIDE]
        known = [row for row in rows if row is not None]
        name = name_cell(results, stack)
        if not any(row.value is not None for row in known):
            lines.append(Line((name,), cannot=f"cannot be modelled: {and_list(unique(r.error for r in known))}"))
            continue
        notes = [row.notes for row in known]
        sources = Cell(sources=tuple(unique(s for row in known for s in row.sources)), text=" ")
        lines.append(Line((name, *(cell_of(row) for row in rows), price_class(notes), weakest_of(notes), sources)))
    columns = (Column("Stack", words=True), *(Column(name, unit) for _, name, unit in _SIDE),
               Column("Price class", words=True), Column("Weakest input", words=True),
               Column("Sources", words=True))  # fmt: skip
    caption = (
        f"At {at['workload']} (isl: input tokens, osl: output tokens, c: requests at once); under each value its "
        "p10–p90. The requests are the same for every stack, whatever its size. Rent alone. Input, cached input and "
        "output: what a further million of each would add."
    )
    return Table("compare-side", "Side by side", caption, columns, tuple(lines))


def _against(results: Results, figures: Figures) -> Table:
    baseline = about(results)["baseline"]
    lines = []
    for stack in others(results):
        rows = [figures.one("ratio", name, stack=stack) for name, _ in AGAINST]
        if any(rows):
            lines.append(Line((name_cell(results, stack), *(ratio_cell(row) for row in rows))))
    columns = (Column("Stack", words=True), *(Column(title) for _, title in AGAINST))
    caption = (
        f"Over {stack_name(results, baseline)}, with p10–p90; below, the probability that the stack is the better one "
        "(less is better of times, energy and money). Between 0.1 and 0.9 nothing is settled."
    )
    return Table("compare-against", f"Against {stack_name(results, baseline)}", caption, columns, tuple(lines))


def _scores(results: Results, figures: Figures) -> Table:
    """Benchmarks that two or more of the stacks' models have a published score on."""
    stacks = list(about(results)["stacks"])
    models = {stack: next((f.model for f in figures.where("score", stack=stack)), "") for stack in stacks}
    firsts = {model: stack for stack, model in reversed(models.items()) if model}
    rows = {f.part for f in figures.where("score")}
    lines = []
    for name in sorted(rows, key=str.lower):
        cells = [_best(figures.where("score", part=name, stack=stack)) for stack in firsts.values()]
        if sum(not cell.absent for cell in cells) > 1 or len(firsts) == 1:
            lines.append(Line((text(name), *cells)))
    columns = (Column("Benchmark", words=True), *(Column(model, words=True) for model in firsts))
    caption = (
        "Published by others, and who says so. Two scores stand side by side only where harness and setting are the "
        "same, which is said below each; no model answered here."
    )
    return Table("compare-scores", "Published quality", caption, columns, tuple(lines), folded=True, opened=True)


def _best(found: list[Figure]) -> Cell:
    """A model's score on a benchmark with how it was made: its publisher's own where there is one, then the newest."""
    if not found:
        return nothing("no published score was read")
    newest = max(found, key=lambda f: (f.notes.get("by") == "vendor", f.notes.get("date", "")))
    made = [f"harness {newest.notes['harness']}" if "harness" in newest.notes else "harness not said",
            *(newest.notes[k] for k in ("setting", "effort", "reporter", "date") if k in newest.notes)]  # fmt: skip
    figure = f"{newest.value:g}" + (f" {newest.unit}" if newest.unit != "1" else "")
    return Cell(text=figure, below=", ".join(made), kind="published", sources=newest.sources)


def _movers(results: Results, figures: Figures) -> Table:
    lines = []
    for stack in others(results):
        for metric in _MOVED:
            title = dict(AGAINST)[metric]
            for row in figures.where("mover", part=metric, stack=stack)[:_MOVERS]:
                notes = row.notes
                ends = f"{shown(float(notes['low']))} … {shown(float(notes['high']))}"
                words = text(cause(results, notes["cause"], stack))
                even = text(notes["even"]) if "even" in notes else nothing("not within the input's range")
                lines.append(Line((name_cell(results, stack), text(title), words, cell_of(row), text(ends), even)))
    columns = (Column("Stack", words=True), Column("Ratio", words=True), Column("Input", words=True),
               Column("Share of the doubt", "%"), Column("Ratio at its p10 … p90"),
               Column("Even where it is"))  # fmt: skip
    caption = (
        "The inputs by how much of a ratio's variance each holds, moved alone; even: the input's own value at "
        "which the two stacks would be alike, where its range holds it. What the model of time leaves "
        "unexplained is narrowed by a measurement: the commands below, then `stackline calibrate`."
    )
    return Table("compare-movers", "What would change the verdict", caption, columns, tuple(lines), folded=True,
                 opened=True)  # fmt: skip


def cause(results: Results, name: str, stack: str) -> str:
    """A cause in words."""
    both, of = stack_name(results, about(results)["baseline"]), stack_name(results, stack)
    words = {"unexplained": "what the model of time leaves unexplained of both",
             "unexplained.a": f"what the model of time leaves unexplained of {of}",
             "unexplained.b": f"what the model of time leaves unexplained of {both}",
             "power.share": "the share of the power limit that is drawn"}  # fmt: skip
    owner, slash, key = name.partition("/")
    return words.get(name) or (f"{_key_in_words(key)} of {chip_name(results, owner)}" if slash else name)


def _key_in_words(key: str) -> str:
    """A profile's key as a reader says it.

    >>> _key_in_words("price.neocloud[0]"), _key_in_words("memory.bandwidth"), _key_in_words("compute.fp8")
    ('the rent (neocloud)', 'the memory bandwidth', 'the fp8 peak')
    """
    group, _, name = key.partition("[")[0].partition(".")
    if group == "price":
        return f"the rent ({name})"
    return f"the {name} peak" if group == "compute" and name else f"the {group} {name}".replace("_", " ").strip()


def _prices(results: Results, figures: Figures) -> Table:
    lines = []
    for row in figures.where("even_usd_per_chip_h"):
        notes = row.notes
        lines.append(Line((name_cell(results, row.stack), cell_of(row), text(notes["own"]), text(notes["theirs"]),
                           price_class([notes]))))  # fmt: skip
    columns = (Column("Stack", words=True), Column("Even at", "USD/h a chip"), Column("Its own rent", "USD/h a chip"),
               Column("The baseline's", "USD/h a chip"), Column("Price class", words=True))  # fmt: skip
    baseline = stack_name(results, about(results)["baseline"])
    caption = f"The rent of a chip at which a token costs what it costs on {baseline}, at its rent; below it, less."
    return Table("compare-prices", "Where the verdict on money turns", caption, columns, tuple(lines))


def _layers(results: Results) -> Table:
    """Who makes and holds each layer, a layer once."""
    seen: dict[tuple[str, str], tuple[dict[str, str], list[str]]] = {}
    for stack, entry in about(results)["stacks"].items():
        for layer in entry.get("layers", ()):
            seen.setdefault((layer["role"], layer["name"]), (layer, []))[1].append(stack_name(results, stack))
    lines = tuple(
        Line((text(layer["role"]), Cell(text=layer["name"], below=layer["since"]), text(layer["maker"]),
              text(layer["jurisdiction"]), text(layer["terms"]), text(layer["open"]),
              Cell(text=layer["limits"], note="nothing is stated"), text(str(len(stacks)), and_list(stacks, _NAMED)),
              Cell(text=layer["source"], link=layer["url"])))
        for layer, stacks in seen.values()
    )  # fmt: skip
    columns = tuple(Column(title, words=True) for title in (
        "Layer", "Name, since", "Maker", "Jurisdiction", "Licence or terms", "Open", "Limits and export, as stated",
        "Stacks", "Source"))  # fmt: skip
    caption = (
        "Facts and dates from the pages named, not legal advice; by the numbers where a dated rule is computed from a "
        "chip's profile. A stack that is no file of `stackline stacks list` has a chip and a model alone."
    )
    return Table("compare-layers", "Who holds each layer", caption, columns, lines, folded=True)


def _tests(results: Results) -> Table:
    entries = about(results)["stacks"].items()
    lines = tuple(
        Line((Cell(text=stack_name(results, stack), owner=Owner(stack)), text(command)))
        for stack, entry in entries
        for command in entry.get("test", ())
    )
    columns = (Column("Stack", words=True), Column("Command", words=True))
    caption = (
        "What an owner of the chips types to test these figures, the first beside the second. The weights' place is "
        "yours; other engines have commands of their own. Then `stackline calibrate MY.csv --chip ID` narrows the "
        "prediction."
    )
    return Table("compare-tests", "Test it yourself", caption, columns, lines, folded=True)
