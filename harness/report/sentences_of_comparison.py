"""The sentences a comparison opens with, made from its figures by rule, and what it cannot tell."""

from __future__ import annotations

from math import log

from harness.report.beside import SURE, others, probability
from harness.report.comparison import about, concurrency_of_workload, shared_words, short_name, stack_name, words_of
from harness.report.figures import Figure, Figures
from harness.report.numbers import and_list, count_of, interval, shown
from harness.report.tables_comparison import cause
from harness.results import Results

_IN_FULL = 2  # verdicts told one by one; more are counted
_NAMED = 3  # stacks that the sentence on agents names


def comparison_sentences(results: Results, figures: Figures) -> list[str]:
    """The money, the speed and the doubt, each in a sentence; no winner where none is sure."""
    if not about(results):
        return []
    said = (_money(results, figures), _speed(results, figures), _doubt(results, figures))
    return [sentence for sentence in said if sentence]


def _money(results: Results, figures: Figures) -> str:
    rows = _against(results, figures, "usd_per_m_output_tok")
    if not rows:
        return ""
    shared = shared_words(results)
    model = f" (running {shared}, as every stack named by its chip alone)" if shared else ""
    load = f"{words_of(results)} and {count_of(concurrency_of_workload(results), 'request')} at once"
    verdict = _verdict(results, rows, "cheaper", "dearer", "costs {} as much")
    sure = f" (surely: with a probability of at least {SURE})" if len(rows) > _IN_FULL else ""
    return f"Money a token, {load}, against {short_name(results, about(results)['baseline'])}{model}: {verdict}{sure}."


def _speed(results: Results, figures: Figures) -> str:
    """Agents a chip where they were simulated, else output a chip."""
    if sentence := _agents(results, figures):
        return sentence
    rows = _against(results, figures, "output_tok_s_per_chip")
    verdict = _verdict(results, rows, "faster", "slower", "gives {} the output") if rows else ""
    return f"Output per chip, against the same: {verdict}." if rows else ""


def _against(results: Results, figures: Figures, metric: str, **at: str) -> list[tuple[str, Figure]]:
    rows = [(stack, figures.one("ratio", metric, stack=stack, **at)) for stack in others(results)]
    return [(stack, row) for stack, row in rows if row is not None and row.value is not None]


def _verdict(results: Results, rows: list[tuple[str, Figure]], better: str, worse: str, what: str) -> str:
    """Few stacks one by one; more of them counted by what is sure, with the one that differs most named."""
    if len(rows) <= _IN_FULL:
        return "; ".join(_in_full(results, stack, row, better, worse, what) for stack, row in rows)
    farthest_first = sorted(rows, key=lambda pair: -abs(log(pair[1].value)))
    sure = {
        better: [pair for pair in farthest_first if probability(pair[1]) >= SURE],
        worse: [pair for pair in farthest_first if probability(pair[1]) <= 1 - SURE],
    }
    words = [_counted(results, found, word) for word, found in sure.items()]
    unsettled = len(rows) - sum(len(found) for found in sure.values())
    words[0] = f"of {len(rows)} stacks {words[0]}"
    rest = [f"for {unsettled} nothing is settled"] if unsettled else []
    return "; ".join([*words, *rest])


def _counted(results: Results, found: list[tuple[str, Figure]], word: str) -> str:
    """`6 are surely dearer, X the most (2.49 times)`."""
    if not found:
        return f"none is surely {word}"
    stack, row = found[0]
    name, times = short_name(results, stack), f"{shown(row.value)} times"
    most = f"are surely {word}, {name} the most" if len(found) > 1 else f"is surely {word}, {name}"
    return f"{len(found)} {most} ({times})"


def _in_full(results: Results, stack: str, row: Figure, better: str, worse: str, what: str) -> str:
    value = what.format(f"{shown(row.value)} times (p10–p90 {interval(row.low, row.high)})")
    return f"{short_name(results, stack)} {value}: {sure_or_not(probability(row), better, worse)}"


def sure_or_not(p: float, better: str, worse: str) -> str:
    """The verdict of a probability: a word from 0.9 on, none between.

    >>> sure_or_not(0.95, "cheaper", "dearer"), sure_or_not(0.4, "cheaper", "dearer")
    ('cheaper with probability 0.95', 'not settled, cheaper with probability 0.40')
    """
    if p >= SURE:
        return f"{better} with probability {p:.2f}"
    if p <= 1 - SURE:
        return f"{worse} with probability {1 - p:.2f}"
    return f"not settled, {better} with probability {p:.2f}"


def _agents(results: Results, figures: Figures) -> str:
    """How many sessions the best and the worst stack hold a chip, and what one costs against the baseline; empty where
    none was simulated."""
    workload = next(iter(about(results)["sessions"]), "")
    rows = [f for f in figures.where("agents_per_chip", workload=workload) if f.value is not None]
    if not rows:
        return ""
    rows.sort(key=lambda f: -f.value)
    ends = rows[:_NAMED] if len(rows) <= _NAMED else [rows[0], rows[-1]]
    held = [f"{short_name(results, f.stack)} {shown(f.value)}"
            + (f" (p10–p90 {interval(f.low, f.high)})" if f.has_interval else "") for f in ends]  # fmt: skip
    near = [f for f in rows[1:] if f.high is not None and rows[0].low is not None and f.high >= rows[0].low]
    doubt = f"; the interval of the first overlaps that of {count_of(len(near), 'other stack')}" if near else ""
    between = f", the other {len(rows) - 2} between" if len(rows) > _NAMED else ""
    said = f"Agents: of {workload} sessions a chip holds, at the service level, {and_list(held)}{between}{doubt}"
    return f"{said}{_session_verdict(results, figures, workload)}."


def _session_verdict(results: Results, figures: Figures, workload: str) -> str:
    """`; a session's rent, against H20 ×8: ...`; empty where no two stacks hold one at a price."""
    rows = _against(results, figures, "usd_per_session", workload=workload)
    if not rows:
        return ""
    verdict = _verdict(results, rows, "cheaper", "dearer", "costs {} as much")
    return f"; a session's rent, against {short_name(results, about(results)['baseline'])}: {verdict}"


def _doubt(results: Results, figures: Figures) -> str:
    """The input that moves the first verdict on money most, and where it would turn: of an unsettled one if any is."""
    rows = _against(results, figures, "usd_per_m_output_tok")
    for stack, row in sorted(rows, key=lambda pair: not 1 - SURE < probability(pair[1]) < SURE):
        most = figures.one("mover", "usd_per_m_output_tok", stack=stack)
        even = figures.one("even_usd_per_chip_h", stack=stack)
        if most is None or even is None:
            continue
        what = cause(results, most.notes["cause"], stack).replace(f" of {stack_name(results, stack)}", "")
        return (
            f"Doubt: whether {short_name(results, stack)} is cheaper (probability {probability(row):.2f}) hangs "
            f"most on {what} ({shown(most.value, '1')} of the doubt); a token would cost the same at "
            f"{shown(even.value)} USD an hour a chip (p10–p90 {interval(even.low, even.high)}), against "
            f"{shown(float(even.notes['own']))} now."
        )
    return ""


def comparison_limits(results: Results) -> list[str]:
    """What a comparison cannot tell."""
    names = {stack: entry["model"] for stack, entry in about(results)["stacks"].items()}
    out = [
        "How well these models answer your questions: scores are published by others, on other questions, and none "
        "answered here.",
        "How fast any chip is in your rack: chips are modelled from profiles; none was touched. The intervals are "
        "meant to hold 80 % of measurements, so one in five should fall outside.",
        "What you would pay: prices are dated figures of the class named beside each; they are not quotes. Servers, "
        "power and people are in a rent, and in nothing else here.",
    ]
    if len(set(names.values())) > 1:
        out.append(
            "Whether a token is worth another: the stacks run different models, whose tokens and answers differ."
        )
    return out
