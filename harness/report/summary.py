"""Three sentences by rule, and what the run cannot tell. No winner is named without its doubt."""

from __future__ import annotations

from harness.report.comparison import about as about_comparison
from harness.report.figures import Figure, Figures, chip_name, unique
from harness.report.numbers import and_list, count_of, interval, shown
from harness.report.sentences_of_comparison import comparison_limits, comparison_sentences
from harness.report.tables_quality import (
    about_suite,
    against_chance,
    partial_credit,
    suites_measured,
    with_95,
)
from harness.report.tables_stacks import SERVING, headline_model, serving_stacks
from harness.results import Results

_IN_FULL = 2  # suites told one by one; more are counted


def title(results: Results, folder: str) -> str:
    """What the report is of, and which run."""
    compared = len(about_comparison(results).get("stacks", {}))
    what = f"{compared} stacks compared" if compared else "Task suites and modelled chips"
    return f"{what}: Stackline run {results.manifest.get('run') or folder}"


def sentences(results: Results, figures: Figures) -> list[str]:
    """What was run and how well; what the chips range over; the weakest input. Of a comparison: its verdict."""
    if said := comparison_sentences(results, figures):
        return said
    return [_answers(figures), _chips(results, figures), _weakest(results, figures)]


def _answers(figures: Figures) -> str:
    measured, words, items = suites_measured(figures), [], 0
    for suite, stack in measured:
        accuracy = with_95(figures, "accuracy", suite=suite, stack=stack)
        chance = figures.one("chance", suite=suite, stack=stack)
        items += accuracy.n or 0
        if accuracy.absent:
            words.append(f"{suite}: no accuracy ({accuracy.note})")
            continue
        doubt = f"95 % interval {accuracy.interval}" if accuracy.low is not None else "no interval from so few items"
        against = f"chance {shown(chance.value, '1')}" if chance and chance.value is not None else "chance unknown"
        credit, found = (f(figures, suite=suite, stack=stack) for f in (partial_credit, against_chance))
        part = "" if credit.absent else f"; credit for parts {credit.main}"
        words.append(f"{suite} {accuracy.main} ({doubt}{part}; {against}{_verdict(found.low, chance)})")
    if not words:
        return "No answers were measured in this run."
    who = and_list(unique(stack for _, stack in measured))
    if len(words) > _IN_FULL:
        return f"Measured here: {who} answered {count_of(items, 'item')} of {len(words)} suites: {_counted(figures)}."
    return f"Measured here: {who} answered {count_of(items, 'item')}: {'; '.join(words)}."


def _counted(figures: Figures) -> str:
    """In how many suites chance was beaten, and by most in which: of many suites that is what a reader asks first."""
    beaten, found = [], suites_measured(figures)
    for suite, stack in found:
        cell, chance = (
            against_chance(figures, suite=suite, stack=stack),
            figures.one("chance", suite=suite, stack=stack),
        )
        if chance is not None and chance.value is not None and cell.low is not None and cell.low > chance.value:
            beaten.append((cell.value - chance.value, suite, cell, chance))
    if not beaten:
        return "in none is it shown to be above chance"
    _, suite, cell, chance = max(beaten, key=lambda entry: entry[0])
    most = f"most in {suite} ({cell.main}, 95 % interval {cell.interval}; chance {shown(chance.value, '1')})"
    rest = len(found) - len(beaten)
    return f"above chance in {len(beaten)}, {most}" + (f"; not shown to be in the other {rest}" if rest else "")


def _verdict(low: float | None, chance: Figure | None) -> str:
    if low is None or chance is None or chance.value is None:
        return ""
    return ", above chance" if low > chance.value else ", not shown to be above chance"


def _chips(results: Results, figures: Figures) -> str:
    headline = headline_model(figures)
    if headline is None:
        return "No large model was modelled in this run."
    model, workload = headline
    at = {"model": model, "workload": workload, "suite": ""}
    runs = sorted(figures.with_value("output_tok_s_per_chip", **at), key=lambda f: f.value)
    if not runs:
        return f"For {model} at {workload} no output rate was modelled."
    failed = [f for f in serving_stacks(figures) if f.error and (f.model, f.workload, f.suite) == (model, workload, "")]
    ends = " to ".join(_one_chip(results, f) for f in unique([runs[0], runs[-1]]))
    refused = f"; {count_of(len(failed), 'stack')} cannot run it" if failed else ""
    return (
        f"Modelled, not measured: {model} at {workload} gives {ends} output tok/s per chip "
        f"over {count_of(len(runs), 'stack')}{refused}{_top_doubt(results, runs)}."
    )


def _one_chip(results: Results, f: Figure) -> str:
    doubt = f"p10–p90 {interval(f.low, f.high)}; " if f.has_interval else "no interval; "
    return f"{shown(f.value)} ({doubt}{chip_name(results, f.chip)}{f' ×{f.chips}' if f.chips else ''}, {f.kind})"


def _top_doubt(results: Results, runs: list[Figure]) -> str:
    """Which stacks the highest one is not clearly ahead of."""
    top = runs[-1]
    if top.low is None:
        return "; without intervals the order is not settled"
    near = [chip_name(results, f.chip) for f in reversed(runs[:-1]) if (f.high or f.value) >= top.low]
    return f"; the highest one's interval overlaps that of {and_list(near, 3)}" if near else ""


def _weakest(results: Results, figures: Figures) -> str:
    assumed = [
        p for p, about in (results.manifest.get("profiles") or {}).items() if about.get("weakest_kind") == "assumed"
    ]
    chips = [chip_name(results, p.removeprefix("chip/")) for p in assumed if p.startswith("chip/")]
    modelled = [f for metric, *_ in SERVING for f in figures.with_value(metric) if f.chip]
    weak = [f for f in modelled if f.kind == "assumed"]
    wide = max(modelled, key=lambda f: f.width, default=None)
    if not modelled:
        return "Nothing was modelled, so no profile value limits this run."
    if chips:
        start = f"The weakest input: the profiles of {and_list(chips, 3)} hold assumed values"
    elif weak:
        names = unique(chip_name(results, f.chip) for f in weak)
        start = f"The weakest input: assumed profile values of {and_list(names, 3)}"
    else:
        start = "The weakest input: no profile here rests on an assumed value, but no chip was measured here"
    share = f"{len(weak):,} of {len(modelled):,} modelled figures rest on an assumed value"
    widest = ""
    if wide:
        spans = f"spans a factor of {shown(wide.width)}"
        widest = f", and the widest interval ({_metric_name(wide)} of {wide.stack}) {spans}"
    return f"{start}; {share}{widest}."


def _metric_name(figure: Figure) -> str:
    """The word of the tables' heads, where they have one."""
    return {metric: name for metric, name, _ in SERVING}.get(figure.metric, figure.metric)


def limits(results: Results, figures: Figures) -> list[str]:
    """What this run cannot tell, by rule."""
    m = results.manifest
    runner = (m.get("runner") or {}).get("model") or "the model that ran here"
    out = (
        comparison_limits(results)
        if about_comparison(results)
        else [
            f"How well the large models answer: only {runner} answered here, and its accuracy says nothing "
            "about another model.",
            "How fast any chip is in your rack: chips are modelled from profiles; none was touched. The "
            "intervals are meant to hold 80 % of measurements, so one in five should fall outside.",
            "Which chip is best: overlapping intervals are not ranked, and chips differ in count, precision and "
            "price class.",
            "What you would pay: prices are dated figures of the class named beside each; they are not quotes.",
        ]
    )
    about = {suite: about_suite(results, suite).get("imitates") for suite, _ in suites_measured(figures)}
    if imitated := [f"{suite} ({names})" for suite, names in about.items() if names]:
        out.append(f"A score on what the suites imitate: {and_list(imitated)}; the items are other ones.")
    if m.get("limit") is not None:
        out.append(f"More than {count_of(int(m['limit']), 'item')} a suite can show: this run was limited to that.")
    if m.get("full") is False:
        out.append("What a full run would: this one left items out, so its intervals are wider.")
    if m.get("dirty"):
        out.append("Whether it repeats exactly from the commit named: the checkout had uncommitted changes.")
    out += [f"Left out of this run: {reason}." for reason in m.get("left_out") or []]
    return out
