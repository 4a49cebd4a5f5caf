"""Tables of what was measured here: accuracy beside chance, by level, by language, and the traffic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.report.figures import Figure, Figures, unique
from harness.report.table import CI95, Cell, Column, Line, Table, cell_of, nothing, text
from harness.results import Results

# Names of the languages that suites use; an unknown code prints as itself.
LANGUAGES = {
    "ar": "Arabic", "bn": "Bengali", "de": "German", "en": "English", "es": "Spanish", "fr": "French",
    "hi": "Hindi", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "sw": "Swahili", "te": "Telugu",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def suites_measured(figures: Figures) -> list[tuple[str, str]]:
    """Every (suite, stack) with an accuracy row or another measured one; emulated formats have their own table."""
    rows = [f for f in figures if f.suite and f.kind == "measured" and not f.part.startswith("precision=")]
    return unique(sorted((f.suite, f.stack) for f in rows))


def about_suite(results: Results, suite: str) -> dict[str, Any]:
    return (results.manifest.get("suites") or {}).get(suite) or {}


def with_95(figures: Figures, metric: str, part: str = "", **equal: Any) -> Cell:
    """A measured figure with its 95 % interval (rows `metric.low95` and `metric.high95`)."""
    cell = cell_of(figures.one(metric, part, **equal))
    low, high = (figures.one(f"{metric}.{end}95", part, **equal) for end in ("low", "high"))
    if cell.absent:
        return cell
    return replace(cell, span=CI95, low=low.value if low else None, high=high.value if high else None)


def partial_credit(figures: Figures, **at: Any) -> Cell:
    """The mean credit; absent where a suite gives none for parts."""
    return with_95(figures, "credit", **at)


def against_chance(figures: Figures, **at: Any) -> Cell:
    """What is set against the chance level: the credit where a suite gives parts of it, else the accuracy."""
    credit = partial_credit(figures, **at)
    return with_95(figures, "accuracy", **at) if credit.absent else credit


def above_chance(found: Cell, chance: Figure | None) -> Cell:
    """Yes only where the lower end of the 95 % interval lies above the chance level."""
    if found.absent or chance is None or chance.value is None:
        return nothing("needs an accuracy and a chance level")
    if found.low is None:
        return nothing("too few items for an interval")
    return text("yes" if found.low > chance.value else "not shown", "yes: the lower 95 % end is above chance")


def quality_table(results: Results, figures: Figures) -> Table:
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        accuracy, chance = with_95(figures, "accuracy", **at), figures.one("chance", **at)
        lines.append(
            Line(
                (
                    text(suite, about_suite(results, suite).get("title", "")),
                    text(about_suite(results, suite).get("imitates", ""), why="the manifest names none"),
                    _items(accuracy, figures.one("items", **at)),
                    accuracy,
                    cell_of(chance),
                    above_chance(against_chance(figures, **at), chance),
                    with_95(figures, "bits_per_byte", **at),
                    with_95(figures, "rank_of_right", **at),
                    cell_of(figures.one("truncated", **at)),
                    cell_of(figures.one("unparsed", **at)),
                    text(stack),
                )
            )
        )
    columns = (
        Column("Suite", words=True),
        Column("Imitates", words=True),
        Column("Items"),
        Column("Accuracy", "95 % interval"),
        Column("Chance", "best trivial strategy"),
        Column("Above chance?", words=True),
        Column("Bits per byte", "lower is better"),
        Column("Right option’s rank", "1 is best"),
        Column("Truncated"),
        Column("Unparsed"),
        Column("Answered by", words=True),
    )
    caption = (
        "Measured in this run. “Above chance” is yes only where the lower end of the 95 % interval lies "
        "above the best strategy that does not understand the question; otherwise it is not shown, which "
        "is no proof that the model guesses."
    )
    return Table("quality", "Answers, by suite", caption, columns, tuple(lines))


def _items(accuracy: Cell, items: Figure | None) -> Cell:
    """How many items were answered, in full digits."""
    count = accuracy.n or (items.value if items else None)
    return text(f"{count:,.0f}") if count else nothing("the rows give no number of items")


def episodes_table(figures: Figures) -> Table:
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        over = figures.one("ended_by_limit", **at)
        if over is not None:
            cells = (with_95(figures, metric, **at) for metric in ("turns_mean", "tool_calls_mean"))
            tokens = (cell_of(figures.one(f"{part}_tokens_mean", **at)) for part in ("prompt", "output"))
            lines.append(Line((text(suite, stack), *cells, with_95(figures, "ended_by_limit", **at), *tokens)))
    columns = (
        Column("Suite", words=True),
        Column("Turns", "mean, 95 %"),
        Column("Tool calls", "mean, 95 %"),
        Column("Ended by a limit", "95 % interval"),
        Column("Read", "tokens, mean"),
        Column("Written", "tokens, mean"),
    )
    caption = (
        "Suites in which the model acts turn by turn. Tokens are those of all turns; each turn reads the whole "
        "conversation again."
    )
    return Table("episodes", "Episodes", caption, columns, tuple(lines))


def credit_table(figures: Figures) -> Table:
    parts = unique(f.part for f in figures.where("credit") if f.part)
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        if figures.one("credit", **at) is not None:
            levels = (with_95(figures, "credit", part, **at) for part in parts)
            solved, credit = with_95(figures, "accuracy", **at), with_95(figures, "credit", **at)
            lines.append(Line((text(suite, stack), solved, credit, cell_of(figures.one("chance", **at)), *levels)))
    columns = (
        Column("Suite", words=True),
        Column("Solved in full", "95 % interval"),
        Column("Credit", "mean, 95 %"),
        Column("Chance", "credit of the best trivial strategy"),
        *(Column(f"Level {part.removeprefix('level=')}", "credit, 95 %") for part in parts),
    )
    caption = (
        "Suites whose items give credit for parts: the goals that were met, less the damage done, as a share of all "
        "goals. Accuracy, here as elsewhere, counts only what was solved in full."
    )
    return Table("credit", "Credit for parts", caption, columns, tuple(lines))


def repeats_table(results: Results, figures: Figures) -> Table:
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        for part in unique(f.part for f in figures.where("accuracy", **at) if f.part.startswith("vote=")):
            most = max((f.part for f in figures.where("pass_at", **at)), key=lambda p: int(p[2:]), default="k=1")
            cells = (with_95(figures, metric, most, **at) for metric in ("pass_at", "pass_all"))
            asked = text(part.removeprefix("vote="), f"temperature {results.manifest.get('temperature')}")
            accuracy, vote = with_95(figures, "accuracy", **at), with_95(figures, "accuracy", part, **at)
            lines.append(Line((text(suite, stack), asked, accuracy, vote, text(most[2:]), *cells)))
    columns = (
        Column("Suite", words=True),
        Column("Asked", "times an item"),
        Column("One answer", "95 % interval"),
        Column("Majority vote", "95 % interval"),
        Column("k"),
        Column("pass@k", "one of k right"),
        Column("pass^k", "all k right"),
    )
    caption = "Each item was asked several times. pass@k and pass^k are unbiased for k of the answers given."
    return Table("repeats", "Asked again", caption, columns, tuple(lines))


def readings_table(figures: Figures) -> Table:
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        for part in unique(f.part for f in figures.where("accuracy", **at) if f.part.startswith("reading=")):
            cell = with_95(figures, "accuracy", part, **at)
            name = text(part.removeprefix("reading="))
            lines.append(Line((text(suite, stack), name, cell, with_95(figures, "accuracy", **at))))
    columns = (
        Column("Suite", words=True),
        Column("Reading", words=True),
        Column("Accuracy so read", "95 % interval"),
        Column("Accuracy as shown above", "95 % interval"),
    )
    caption = "The same answers read in another way that is in use for this evaluation, with 95 % intervals."
    return Table("readings", "Answers, read otherwise", caption, columns, tuple(lines))


def calibration_tables(figures: Figures) -> tuple[Table, ...]:
    """One table of stated confidences; none where no suite asked for one."""
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        error = figures.one("calibration_error_rms", **at)
        if error is not None:
            stated = cell_of(figures.one("confidence_stated", **at))
            shown = with_95(figures, "calibration_error_rms", **at)
            lines.append(Line((text(suite, stack), stated, shown, with_95(figures, "accuracy", **at))))
    columns = (
        Column("Suite", words=True),
        Column("Confidence stated", "share of the answers"),
        Column("Calibration error", "RMS, 95 % interval"),
        Column("Accuracy", "95 % interval"),
    )
    caption = (
        "How far stated confidences lie from the share right, as Humanity's Last Exam reports it; 0 is best. Answers "
        "without a stated confidence are left out."
    )
    return (Table("calibration", "Stated confidence", caption, columns, tuple(lines)),) if lines else ()


def levels_table(figures: Figures) -> Table:
    parts = unique(f.part for f in figures.where("accuracy") if f.part.startswith("level="))
    levels = sorted((p.removeprefix("level=") for p in parts), key=lambda level: (len(level), level))
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        cells = [with_95(figures, "accuracy", f"level={level}", **at) for level in levels]
        if any(not cell.absent for cell in cells):
            lines.append(Line((text(suite, stack), *cells, cell_of(figures.one("chance", **at)))))
    columns = (Column("Suite", words=True), *(Column(f"Level {x}", "95 %") for x in levels), Column("Chance"))
    caption = "Measured accuracy with its 95 % interval; level 1 is the easiest. Chance is that of the whole suite."
    return Table("levels", "Accuracy by level", caption, columns, tuple(lines))


def languages_table(figures: Figures) -> Table:
    lines = []
    for suite, stack in suites_measured(figures):
        at = {"suite": suite, "stack": stack}
        parts = unique(f.part for f in figures.where("accuracy", **at) if f.part.startswith("lang="))
        for part in sorted(parts):
            cell = with_95(figures, "accuracy", part, **at)
            code = part.removeprefix("lang=")
            name = text(LANGUAGES.get(code, code), code)
            lines.append(Line((name, text(code), text(suite, stack), _items(cell, None), cell)))
        if spread := figures.one("accuracy_spread", "lang", **at):
            cell, name = cell_of(spread), text("highest less lowest", spread.note)
            lines.append(Line((name, text(""), text(suite, stack), _items(cell, None), cell)))
    columns = (
        Column("Language", words=True),
        Column("Code", words=True),
        Column("Suite", words=True),
        Column("Items"),
        Column("Accuracy", "95 % interval"),
    )
    caption = (
        "Measured accuracy with its 95 % interval. Overlapping intervals do not rank languages; the difference of the "
        "highest and the lowest is above zero by luck alone."
    )
    return Table("languages", "Accuracy by language", caption, columns, tuple(lines), folded=len(lines) > 16)


def traffic_table(figures: Figures) -> Table:
    metrics = ("prompt_tokens_mean", "output_tokens_mean", "wall_s")
    lines = []
    for suite, stack in suites_measured(figures):
        cells = [cell_of(figures.one(metric, suite=suite, stack=stack)) for metric in metrics]
        if any(not cell.absent for cell in cells):
            lines.append(Line((text(suite, stack), *cells)))
    columns = (
        Column("Suite", words=True),
        Column("Prompt", "tokens, mean"),
        Column("Answer", "tokens, mean"),
        Column("Wall time here", "s"),
    )
    caption = "Measured on this machine: the traffic that the suites made. Chips are modelled for it below."
    return Table("traffic", "Traffic of the suites", caption, columns, tuple(lines))
