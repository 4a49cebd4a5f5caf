"""What the compared stacks cost: a solved task, a chip that is rented or owned, the publisher's price list."""

from __future__ import annotations

from harness.report.beside import name_cell, row_of
from harness.report.comparison import about
from harness.report.figures import Figures, unique
from harness.report.table import Cell, Column, Line, Table, cell_of
from harness.results import Results

_SOLVED = (("usd_per_solved_task", "Rent", "USD"), ("energy_j_per_solved_task", "Board energy", "J"),
           ("s_per_solved_task", "Time", "s"),
           ("list_usd_per_solved_task", "By the API's list price", "USD"))  # fmt: skip
_COSTS = (
    ("usd_per_chip_h[rent]", "Rent", "USD/h a chip"), ("usd_per_chip_h[capital]", "Bought: capital", "USD/h a chip"),
    ("usd_per_chip_h[electricity]", "Its electricity", "USD/h a chip"),
    ("usd_per_chip_h[owned]", "Bought, in all", "USD/h a chip"),
    ("usd_per_m_output_tok", "Rented", "USD/M output tokens"),
    ("usd_per_m_output_tok_owned", "Bought", "USD/M output tokens"),
    ("list_usd_per_m_tok[input]", "List, input", "USD/M tokens"),
    ("list_usd_per_m_tok[cached]", "List, cached", "USD/M tokens"),
    ("list_usd_per_m_tok[output]", "List, output", "USD/M tokens"),
)  # fmt: skip


def solved_table(results: Results, figures: Figures) -> Table:
    """A line for each published score of an evaluation by agents."""
    lines = []
    for stack in about(results)["stacks"]:
        for part in unique(f.part for metric, *_ in _SOLVED for f in figures.where(metric, stack=stack)):
            rows = [figures.one(metric, part, stack=stack) for metric, *_ in _SOLVED]
            notes = next(row.notes for row in rows if row is not None)
            how = ", ".join(notes[k] for k in ("harness", "setting", "reporter") if k in notes)
            lines.append(Line((name_cell(results, stack), Cell(text=f"{part}: {notes['score']} %", below=how),
                               *(cell_of(row, "the stack has no such figure") for row in rows))))  # fmt: skip
    columns = (Column("Stack", words=True), Column("Share solved, published", words=True),
               *(Column(name, unit) for _, name, unit in _SOLVED))  # fmt: skip
    caption = (
        "Cost of an attempt over the share solved. An attempt is taken to be a session of the workload, the same for "
        "every model: nobody published the tokens of these runs, so every figure here is assumed, and compares stacks "
        "only as far as models need alike many tokens. By the API's list price: the same session's tokens at the "
        "publisher's prices, whatever it runs on."
    )
    return Table("compare-solved", "For each task solved", caption, columns, tuple(lines))


_LEAST = (("least_chips", "Fewest chips", "count"), ("least_chips.tpot_ms", "TPOT there", "ms"),
          ("least_chips.ttft_ms", "TTFT there", "ms"), ("least_chips.usd_per_h", "Rent", "USD/h"))  # fmt: skip


def least_table(results: Results, figures: Figures) -> Table:
    """The fewest chips for so many users, where a comparison was asked for them."""
    lines, asked = [], {}
    for stack in about(results)["stacks"]:
        rows = [figures.one(metric, stack=stack) for metric, *_ in _LEAST]
        if rows[0] is None:
            continue
        if rows[0].value is None:
            lines.append(Line((name_cell(results, stack),), cannot=rows[0].error))
            continue
        asked = asked or rows[0].notes
        lines.append(Line((name_cell(results, stack), *(cell_of(row, "no rental price") for row in rows))))
    columns = (Column("Stack", words=True), *(Column(name, unit) for _, name, unit in _LEAST))
    said = f"{asked['users']} users at once and {asked['tpot_limit_ms']} ms a token, {asked['isl']} tokens in and " \
           f"{asked['osl']} out" if asked else "the users asked for"  # fmt: skip
    caption = (
        f"The fewest of 1, 2, 4, ... 64 chips of the stack's kind that hold {said}, all asking again at once; p10–p90: "
        "the fewest at the p10 and the p90 of the time per token (without a p90, 64 are not enough then). In sizes "
        "past 8, replicas of 8 chips. The number in the stack's name does not matter here."
    )
    return Table("compare-least", "The least server", caption, columns, tuple(lines))


def cost_table(results: Results, figures: Figures) -> Table:
    """Rent, ownership and list price side by side."""
    lines = []
    for stack in about(results)["stacks"]:
        rows = [row_of(figures, metric, stack=stack) for metric, *_ in _COSTS]
        if any(row is not None and row.value is not None for row in rows):
            lines.append(Line((name_cell(results, stack), *(cell_of(row, "no such price") for row in rows))))
    columns = (Column("Stack", words=True), *(Column(name, unit) for _, name, unit in _COSTS))
    caption = (
        "A chip that is bought: its price over the hours that it serves (years of life and share of hours are shared "
        "ranges), and the electricity of its board and its share of the server, times PUE. Servers, network, "
        "buildings, staff and interest are left out of what is bought and are in a rent. List: the publisher's own "
        "price of the model, dated."
    )
    return Table("compare-costs", "Rented, bought, by price list", caption, columns, tuple(lines))
