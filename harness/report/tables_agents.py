"""Agents on servers: the service level, latency under load, kept caches, the run of 35 hours; a table a model each."""

from __future__ import annotations

from harness.report.agents import AGENTS, ALONE, SHARED, calls_of, level, models_of, server_name, servers, swept
from harness.report.figures import Figure, Figures, chip_name, unique
from harness.report.table import Cell, Column, Line, Table, cell_of, text
from harness.report.tables_stacks import price_class, weakest_of
from harness.results import Results

INTRO = (
    "Modelled by simulation, never measured here: a whole server of each chip serves sessions of coding agents, met "
    "at a random moment of their lives, with continuous batching and a prefix cache. p10–p90 is the uncertainty of a "
    "step's time alone: prices, lengths and the order of arrival are not in it. Windows are short and the search is "
    "coarse (10 %), so that a run stays quick; the commands capacity and sweep look closer."
)
_LEVEL = (
    ("agents_per_chip", "Agents per chip", ""), ("agents_per_server", "Agents per server", ""),
    ("agents_per_mw", "Agents per MW", ""), ("prefix_hit_rate", "Prefix hit rate", "1"),
    ("usd_per_session", "A session, rent", "USD"), ("energy_kwh_per_session", "A session, board energy", "kWh"),
)  # fmt: skip
_LONG = (
    (ALONE, "session_h", "Alone: session", "h"), (ALONE, "chip_wait_h", "Alone: waits for the chip", "h"),
    (ALONE, "tool_wait_h", "Waits for tools", "h"), (SHARED, "sessions_at_once", "Shared: sessions at once", ""),
    (SHARED, "session_h", "Shared: session", "h"), (SHARED, "chip_wait_h", "Shared: waits for the chip", "h"),
    (ALONE, "usd_per_session", "Alone: rent", "USD"), (SHARED, "usd_per_session", "Shared: rent", "USD"),
    (SHARED, "energy_kwh_per_session", "Shared: board energy", "kWh"),
)  # fmt: skip


def agent_tables(results: Results, figures: Figures) -> tuple[Table, ...]:
    """Nothing where the run simulated no agents."""
    out: list[Table] = []
    for model in models_of(figures):
        heads = servers(figures, model)
        out += [_level_table(results, figures, model, heads), _long_table(results, figures, model)]
        out += [t for t in (_load_table(results, figures, heads), _kept_table(results, figures, heads)) if t.lines]
    return tuple(out)


def _level_table(results: Results, figures: Figures, model: str, heads: list[Figure]) -> Table:
    wanted = [(AGENTS, *entry) for entry in _LEVEL]
    lines = tuple(_line(results, figures, head, wanted) for head in heads)
    said = next((level(f) for f in heads if f.value is not None), "")
    caption = "Coding agents' sessions at once, on one server, at the service level" + (f": {said}. " if said else ". ")
    caption += (
        "0: not even one. A megawatt is at the meter: board, server and PUE. A session pays its share of all chips' "
        "rent and energy, with the server as full as the level allows; without an interval where the server holds none "
        "at the slow end."
    )
    return Table(f"agents-{model}", f"Agents at the service level: {model}", caption, _columns(wanted), lines)


def _long_table(results: Results, figures: Figures, model: str) -> Table:
    heads = sorted(servers(figures, model, "session_h", ALONE), key=lambda f: (f.value is None, f.value or 0.0, f.chip))
    lines = tuple(_line(results, figures, head, _LONG) for head in heads)
    about = next((f for f in heads if f.value is not None), None)
    counted = about.notes.get("workload_assumed", "") if about else ""
    caption = (
        f"One session of {calls_of(about) if about else 'many calls'}, the same on every server. Of the published "
        "35-hour run only the duration, the calls and the evaluations are known; contexts, answers and the tools' "
        "times are assumed"
        + (f" ({counted} figures of the workload)" if counted else "")
        + ", so every figure here is. Alone: the server to itself, and all its rent. Shared: beside as many such "
        "sessions as keep the service level" + (f" ({level(about)})." if about else ".")
    )
    return Table(f"long-run-{model}", f"The 35-hour agent run: {model}", caption, _columns(_LONG), lines)


def _columns(wanted) -> tuple[Column, ...]:
    return (
        Column("Server", words=True), *(Column(name, "%" if unit == "1" else unit) for *_, name, unit in wanted),
        Column("Price class", words=True), Column("Weakest input", words=True), Column("Sources", words=True),
    )  # fmt: skip


def _line(results: Results, figures: Figures, head: Figure, wanted) -> Line:
    rows = [figures.one(metric, workload=workload, stack=head.stack) for workload, metric, *_ in wanted]
    known = [row for row in rows if row is not None]
    name = Cell(text=chip_name(results, head.chip), below=f"×{head.chips}, {head.weight_dtype}", note=head.stack,
                owner=head.owner)  # fmt: skip
    if not any(row.value is not None for row in known):
        return Line((name,), cannot=f"cannot serve: {'; '.join(unique(row.error for row in known if row.error))}")
    notes = [row.notes for row in known]
    sources = Cell(sources=tuple(unique(s for row in known for s in row.sources)), text=" ")
    return Line((name, *(cell_of(row) for row in rows), price_class(notes), weakest_of(notes), sources))


def _load_table(results: Results, figures: Figures, heads: list[Figure]) -> Table:
    columns = (Column("Server", words=True), Column("Agents on it"), Column("TTFT p95", "s"), Column("TPOT p95", "s"),
               Column("Prefix hit rate", "%"))  # fmt: skip
    lines = _swept_lines(results, figures, heads, "agents", ("ttft_p95_s", "tpot_p95_s", "prefix_hit_rate"))
    model = heads[0].model
    caption = "The last load of a server is the first of 1, 4, 16, ... past what it holds at the service level."
    return Table(f"load-{model}", f"Latency against load: {model}", caption, columns, lines, folded=True)


def _kept_table(results: Results, figures: Figures, heads: list[Figure]) -> Table:
    columns = (Column("Server", words=True), Column("Unused caches are kept, s"), Column("Prefix hit rate", "%"),
               Column("TTFT p95", "s"), Column("KV memory kept for later turns", "%"))  # fmt: skip
    lines = _swept_lines(results, figures, heads, "keep_s", ("prefix_hit_rate", "ttft_p95_s", "kv_kept_share"))
    model = heads[0].model
    caption = (
        "The servers that hold most and fewest agents a chip, each with the agents that it holds at the service level. "
        "∞: until the memory is needed."
    )
    return Table(f"kept-{model}", f"How long caches are kept: {model}", caption, columns, lines, folded=True)


def _swept_lines(results: Results, figures: Figures, heads: list[Figure], name: str,
                 metrics: tuple[str, ...]) -> tuple[Line, ...]:  # fmt: skip
    lines = []
    for head in heads:
        for value, first in swept(figures, metrics[0], head.stack, name):
            cells = (cell_of(figures.one(m, first.part, stack=head.stack, workload=AGENTS)) for m in metrics)
            at = text("∞") if value == float("inf") else Cell(value, kind="")
            lines.append(Line((text(server_name(results, head), head.stack), at, *cells)))
    return tuple(lines)
