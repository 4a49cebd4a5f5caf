"""The report's sections in reading order: what was measured, what is modelled, where it comes from."""

from __future__ import annotations

from harness.report.figures import Figures
from harness.report.table import Section
from harness.report.tables_agents import INTRO, agent_tables
from harness.report.tables_comparison import INTRO as COMPARED
from harness.report.tables_comparison import comparison_tables
from harness.report.tables_freedom import export_table, support_table
from harness.report.tables_operators import operator_tables
from harness.report.tables_origin import origin_table, profiles_table, sources_table, suites_table
from harness.report.tables_precision import precision_tables
from harness.report.tables_quality import (
    calibration_tables,
    credit_table,
    episodes_table,
    languages_table,
    levels_table,
    quality_table,
    readings_table,
    repeats_table,
    traffic_table,
)
from harness.report.tables_stacks import ceilings_table, large_tables, suite_tables
from harness.results import Results

COMPARED_PLOTS = ("pareto", "chips", "cost", "cost-of-tokens", "cost-breakdown", "tornado", "solved", "memory")
AGENT_PLOTS = ("agents", "agents-load", "agents-caches", "long-run")
_LARGE = (
    "Modelled from the chips' profiles at the stated workload (isl: input tokens, osl: output tokens, c: "
    "concurrent requests). No chip was touched."
)
_SUITES = (
    "Modelled for the requests that the suites really made on the reference model. So small a model leaves "
    "every chip mostly idle: read these as a check of the method, not as a ranking."
)
_PRECISION = (
    "The answers are measured here with the model's numbers emulated in each format; the speed beside them is "
    "modelled, for another and larger model."
)


def sections(results: Results, figures: Figures) -> list[Section]:
    """All sections, each with its tables and the names of the plots that belong to it."""
    more = (
        credit_table(figures),
        readings_table(figures),
        repeats_table(results, figures),
        episodes_table(figures),
    )
    answers = (
        quality_table(results, figures),
        *(t for t in more if t.lines),
        *calibration_tables(figures),
        levels_table(figures),
        languages_table(figures),
        traffic_table(figures),
    )
    origin = (
        suites_table(results),
        profiles_table(results),
        origin_table(results),
        sources_table(results, figures),
    )
    large = (*large_tables(results, figures), *operator_tables(results, figures))
    small = suite_tables(results, figures)
    formats = precision_tables(results, figures)
    ceilings = (ceilings_table(results, figures),)
    freedom = tuple(t for t in (support_table(results), export_table(results)) if t.lines)
    agents = agent_tables(results, figures)
    limits = "Published or assumed ceilings, not performance."
    if compared := comparison_tables(results, figures):
        return [
            Section("compare", "The stacks compared", COMPARED, compared, COMPARED_PLOTS),
            Section("operators", "Where the time goes", "", operator_tables(results, figures), ("time-spent",)),
            *([Section("agents", "Agents on a server", INTRO, agents, AGENT_PLOTS[:2])] if agents else []),
            Section("chips", "What the chips could do at most", limits, ceilings, ("roofline",)),
            Section("freedom", "What is stated to run, and who may have it", "", freedom),
            Section("origin", "Where this comes from", "", origin[1:]),
        ]
    return [
        Section("quality", "How well it answers", "Measured here.", answers, ("quality", "languages")),
        *([Section("precision", "What a number format costs", _PRECISION, formats)] if formats else []),
        Section("large", "Large models on the chips", _LARGE, large, ("chips", "cost")),
        *([Section("agents", "Agents on a server", INTRO, agents, AGENT_PLOTS)] if agents else []),
        Section("traffic", "Chips for the suites' own traffic", _SUITES, small),
        Section("chips", "What the chips could do at most", limits, ceilings, ("roofline",)),
        Section("freedom", "What is stated to run, and who may have it", "", freedom),
        Section("origin", "Where this comes from", "", origin),
    ]
