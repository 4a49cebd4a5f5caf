"""Measured rows: accuracy with its intervals, chance, spread, calibration, bits a byte,
truncations, lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness import stats
from harness.results import Row
from harness.run.evaluate import Graded, SuiteRun
from harness.suites import Suite

SOURCE = "run"


def quality_rows(run: SuiteRun, stack: str, model: str, weight_dtype: str) -> Iterator[Row]:
    """Every measured figure of one suite. A share is 0..1; a missing figure says why in its note."""

    def row(metric: str, value: float | None, unit: str = "1", **more) -> Row:
        return Row(stack, metric, value, unit, "measured", SOURCE, model=model, weight_dtype=weight_dtype,
                   suite=run.suite.id, **more)  # fmt: skip

    graded = [g for g in run.graded if g.answer.finish != "error"]  # what was not answered is not wrong
    n, failed = len(graded), len(run.graded) - len(graded)
    yield row("items", float(n), "count", n=n)
    yield row("errors", float(failed), "count", n=len(run.graded), note="prompts that the runner could not answer")
    yield row("wall_s", run.wall_s, "s", n=n)
    note = f"{failed} of {len(run.graded)} prompts failed and are left out" if failed else ""
    yield from _with_intervals(row, "accuracy", "", graded, stats.share, [g.grade.value for g in graded], note=note)
    for part, key in (("level", lambda g: str(g.item.level)), ("lang", lambda g: g.item.lang)):
        names = {key(g) for g in graded if part != "level" or g.item.level}
        for name in sorted(names):
            some = [g for g in graded if key(g) == name]
            yield from _with_intervals(
                row, "accuracy", f"[{part}={name}]", some, stats.share, [g.grade.value for g in some]
            )
    yield from _spread(row, graded)
    yield from _calibration(row, run.suite, graded)
    for name, read in run.suite.readings.items():
        read_as = [(g, read(g.item, g.answer.text, g.nats)) for g in graded]
        known = [(g, value) for g, value in read_as if value is not None]
        if not known:
            yield row(f"accuracy[reading={name}]", None, note="the runner gives no log-likelihoods")
            continue
        some, values = zip(*known, strict=True)
        yield from _with_intervals(row, "accuracy", f"[reading={name}]", some, stats.share, values)
    yield row("chance", run.chance.value, note=f"best trivial strategy: {run.chance.strategy}")
    scored = [g for g in graded if g.bits_per_byte is not None]
    if scored:
        bits = [g.bits_per_byte for g in scored]
        yield from _with_intervals(row, "bits_per_byte", "", scored, stats.mean, bits, "bit/byte")
    else:
        yield row("bits_per_byte", None, "bit/byte", note="the runner gives no log-likelihoods")
    if run.suite.method == "choose" and scored:
        yield row("truncated", None, n=n, note="options were scored, nothing was generated")
    else:
        yield row("truncated", sum(g.answer.finish == "length" for g in graded) / n, n=n)
    yield row("unparsed", sum(g.grade.outcome == "unparsed" for g in graded) / n, n=n)
    for metric in ("prompt_tokens", "output_tokens"):
        known = [v for g in graded if (v := getattr(g.answer, metric)) is not None]
        note = "" if known else "the runner gives no token counts"
        yield row(f"{metric}_mean", sum(known) / len(known) if known else None, "token", n=len(known), note=note)


def _spread(row: Callable[..., Row], graded: Sequence[Graded]) -> Iterator[Row]:
    """The highest minus the lowest accuracy by language, where there is more than one."""
    scores: dict[str, list[float]] = {}
    for g in graded:
        scores.setdefault(g.item.lang, []).append(g.grade.value)
    if len(scores) > 1:
        means = {lang: sum(values) / len(values) for lang, values in sorted(scores.items())}
        best, worst = max(means, key=means.get), min(means, key=means.get)
        fewest = min(map(len, scores.values()))
        note = f"highest ({best}) minus lowest ({worst}); {fewest} items or more a language, luck spreads them too"
        yield row("accuracy_spread[lang]", means[best] - means[worst], n=len(graded), note=note)


def _calibration(row: Callable[..., Row], suite: Suite, graded: Sequence[Graded]) -> Iterator[Row]:
    """RMS calibration error of the answers that state a confidence, where the suite asks for one."""
    if suite.confidence is None:
        return
    read = [(suite.confidence(g.item, g.answer.text), g.grade.value) for g in graded]
    stated = [(sure, value) for sure, value in read if sure is not None]
    yield row("confidence_stated", len(stated) / len(graded) if graded else None, n=len(graded))
    if not stated:
        yield row("calibration_error_rms", None, n=0, note="no answer states a confidence")
        return
    inner, outer = (stats.calibration_error(*zip(*stated, strict=True), level=level) for level in (0.8, 0.95))
    # Humanity's Last Exam takes a missing confidence for 100 %; here it is left out, and counted.
    left_out = f"; {len(graded) - len(stated)} answers state no confidence and are left out"
    note = f"bins of {stats.bin_size(len(stated))}" + (left_out if len(stated) < len(graded) else "")
    yield row("calibration_error_rms", inner.value, p10=inner.low, p90=inner.high, n=inner.n, note=note)
    yield row("calibration_error_rms.low95", outer.low, n=outer.n, note=note)
    yield row("calibration_error_rms.high95", outer.high, n=outer.n, note=note)


def _with_intervals(
    row: Callable[..., Row],
    metric: str,
    part: str,
    graded: Sequence[Graded],
    estimate,
    values,
    unit: str = "1",
    note: str = "",
) -> Iterator[Row]:
    """`metric` with p10..p90, and its 95 % ends; items of one template count as a cluster."""
    clusters = [g.item.group or g.item.id for g in graded]
    inner, outer = (_positive(estimate(values, level, clusters)) for level in (0.8, 0.95))
    note = note or ("" if inner.low is not None else "too few items for an interval")
    yield row(f"{metric}{part}", inner.value, unit, p10=inner.low, p90=inner.high, n=len(values), note=note)
    yield row(f"{metric}.low95{part}", outer.low, unit, n=len(values), note=note)
    yield row(f"{metric}.high95{part}", outer.high, unit, n=len(values), note=note)


def _positive(e: stats.Estimate) -> stats.Estimate:
    """Shares and bits are not below zero, which a symmetric interval of few items may be."""
    return e if e.low is None else replace(e, low=max(0.0, e.low))
