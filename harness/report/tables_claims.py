"""Statements of the M890's announcement: what each implies by the rows, and what cannot be concluded from it."""

from __future__ import annotations

from harness.report.figures import Figure, Figures
from harness.report.table import Cell, Column, Line, Table, cell_of, text
from harness.results import Results

_ABOUT = {
    "3x": ("\u201cThree times the performance of the 810E\u201d",
           "Which figure, format and workload is meant: the statement names none. Neither chip's bandwidth, nor a peak "
           "of the M890, is published, so no ratio here is a test of it, only of what the ranges allow."),
    "800gb_s": ("\u201c800 GB/s\u201d between chips",
                "Whether it is one direction or both together: the source does not say. Nothing of other chips' links "
                "follows from it until that is known."),
    "144gb": ("\u201c144 GB\u201d of memory",
              "How fast it is read: the kind of memory and its bandwidth are not published, and a memory that holds "
              "more requests serves them no faster."),
    "560000": ("\u201cMore than 560,000\u201d chips of the series delivered",
               "How many are M890, how many are in service, for training or serving, and what they run. A range over "
               "two fleets of one chip each; older chips of the series would serve less than either."),
}  # fmt: skip
_SPEEDS = {
    "output_tok_s_per_chip": "output per chip", "total_tok_s_per_chip": "in and out per chip",
    "tok_s_per_user": "tokens/s for a user", "1/ttft_ms": "speed to the first token", "tpot_ms": "TPOT",
    "ttft_ms": "TTFT", "sessions_per_day": "sessions a day", "calls_per_day": "calls a day",
}  # fmt: skip
_READINGS = {"one": "read as one direction", "both": "read as the sum of both", "both/one": "the second over the first"}


def claim_table(results: Results, figures: Figures) -> Table:
    """A line a figure; no lines for a run without the two chips."""
    lines = []
    for claim, (title, _) in _ABOUT.items():
        for figure in figures.where(f"claim.{claim}"):
            lines.append(Line((text(title), text(_what(claim, figure)), _cell(figure))))
    columns = (Column("Statement", words=True), Column("What it is tried on", words=True), Column("Modelled here"))
    caption = "What cannot be concluded. " + " ".join(f"{title}: {limit}" for title, limit in _ABOUT.values())
    return Table("compare-claims", "The announcement's statements, tried", caption, columns, tuple(lines))


def _cell(figure: Figure) -> Cell:
    found = cell_of(figure)
    p = figure.notes.get("p_of_3")
    below = f"three times or more with p = {float(p):.2f}" if p else found.below
    return Cell(found.value, found.low, found.high, unit=found.unit if found.unit != "1" else "", kind=found.kind,
                sources=found.sources, below=below, note=figure.note)  # fmt: skip


def _what(claim: str, figure: Figure) -> str:
    part = figure.part
    if claim == "3x":
        agents, _, workload = part.partition(".")
        if agents == "agents_per_chip":
            return f"M890 over 810E, sessions of {workload} a chip"
        return f"M890 over 810E, {_SPEEDS.get(part, part)}"
    if claim == "800gb_s":
        reading, _, name = part.partition(".")
        return f"{_SPEEDS.get(name, name)}, {_READINGS[reading]}"
    if claim == "144gb":
        return f"requests of the compared length that 8 chips hold: {part}"
    what, workload, chip = part.split(".")
    return f"{_SPEEDS[what]} of {workload}, if all were {figure.notes['if_all_were'] or chip}"
