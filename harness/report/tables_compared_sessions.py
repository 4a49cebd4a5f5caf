"""Sessions of a workload on the compared stacks: how many each holds, what one costs, and both beside the baseline."""

from __future__ import annotations

from harness.report.beside import name_cell, others, ratio_cell
from harness.report.comparison import about, stack_name
from harness.report.figures import Figures, unique
from harness.report.numbers import and_list
from harness.report.table import Column, Line, Table, cell_of
from harness.results import Results

_SESSIONS = (
    ("agents_per_chip", "Sessions per chip", ""), ("agents_per_server", "On the stack", ""),
    ("agents_per_mw", "Per MW", ""), ("goodput_req_s_per_chip", "Goodput per chip", "request/s"),
    ("prefix_hit_rate", "Prefix hit rate", "%"), ("usd_per_session", "A session, rent", "USD"),
    ("energy_kwh_per_session", "Board energy", "kWh"), ("session_h", "It lasts", "h"),
)  # fmt: skip
_AGAINST = (
    ("agents_per_chip", "Sessions per chip"), ("agents_per_mw", "Sessions per MW"),
    ("goodput_req_s_per_chip", "Goodput per chip"), ("usd_per_session", "USD a session"),
    ("energy_kwh_per_session", "Energy a session"),
)  # fmt: skip


def session_tables(results: Results, figures: Figures) -> list[Table]:
    """Two tables a workload; the second is empty where no two stacks hold a session."""
    return [table for workload in about(results)["sessions"]
            for table in (_held(results, figures, workload), _against(results, figures, workload))]  # fmt: skip


_POINT = (
    ("ttft_ms", "TTFT", "ms"), ("tpot_ms", "TPOT", "ms"), ("output_tok_s_per_chip", "Output per chip", "tok/s"),
    ("usd_per_m_output_tok", "All on output", "USD/M tokens"),
)  # fmt: skip
_BESIDE = (("output_tok_s_per_chip", "Output, to the baseline's"), ("usd_per_m_output_tok", "USD, to the baseline's"))


def mean_tables(results: Results, figures: Figures) -> list[Table]:
    """A table a workload at whose mean lengths the stacks are points."""
    return [_mean(results, figures, workload) for workload in about(results).get("means", ())]


def _mean(results: Results, figures: Figures, workload: str) -> Table:
    found = next((f.workload for f in figures.where("tpot_ms") if f.workload.startswith(f"{workload}-isl")), "")
    lines = []
    for stack in about(results)["stacks"]:
        rows = [figures.one(metric, stack=stack, workload=found) for metric, *_ in _POINT]
        if not any(rows):
            continue
        if all(row is None or row.value is None for row in rows):
            why = and_list(unique(row.error for row in rows if row))
            lines.append(Line((name_cell(results, stack),), cannot=f"cannot be modelled: {why}"))
            continue
        ratios = [figures.one("ratio", name, stack=stack, workload=found) for name, _ in _BESIDE]
        lines.append(Line((name_cell(results, stack), *(cell_of(row) for row in rows),
                           *(ratio_cell(row) for row in ratios))))  # fmt: skip
    columns = (Column("Stack", words=True), *(Column(name, unit) for _, name, unit in _POINT),
               *(Column(title) for _, title in _BESIDE))  # fmt: skip
    caption = (
        f"At {found}: the mean prompt and answer of {workload}, so many requests at once. No session is simulated and "
        "nothing is found in a cache."
    )
    return Table(f"compare-mean-{workload}", f"At the mean lengths of {workload}", caption, columns, tuple(lines))


def _held(results: Results, figures: Figures, workload: str) -> Table:
    lines = []
    for stack in about(results)["stacks"]:
        rows = [figures.one(metric, stack=stack, workload=workload) for metric, *_ in _SESSIONS]
        known = [row for row in rows if row is not None]
        name = name_cell(results, stack)
        if any(row.value is not None for row in known):
            lines.append(Line((name, *(cell_of(row) for row in rows))))
        elif known:
            lines.append(Line((name,), cannot=f"cannot serve: {and_list(unique(r.error for r in known))}"))
    columns = (Column("Stack", words=True), *(Column(name, unit) for _, name, unit in _SESSIONS))
    caption = (
        "Sessions at once at the workload's own service level, simulated in full swing; 0: not even one. Goodput: "
        "requests that keep every limit. The interval of money holds the rent's range, that of energy the power's."
    )
    return Table(f"compare-{workload}", f"Sessions of {workload}", caption, columns, tuple(lines))


def _against(results: Results, figures: Figures, workload: str) -> Table:
    lines = []
    for stack in others(results):
        rows = [figures.one("ratio", name, stack=stack, workload=workload) for name, _ in _AGAINST]
        if any(rows):
            lines.append(Line((name_cell(results, stack), *(ratio_cell(row) for row in rows))))
    baseline = stack_name(results, about(results)["baseline"])
    columns = (Column("Stack", words=True), *(Column(title) for _, title in _AGAINST))
    caption = (
        f"Over {baseline}, with p10–p90; below, the probability that the stack is the better one (less is better of "
        "money and energy). Between 0.1 and 0.9 nothing is settled."
    )
    return Table(f"compare-{workload}-against", f"Sessions of {workload} against {baseline}", caption, columns,
                 tuple(lines))  # fmt: skip
