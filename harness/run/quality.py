"""Measured rows of a suite, with intervals where there are enough items for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from harness import stats
from harness.options import rank_of_right
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
    answered = by_item(graded)
    once = [answers[0] for answers in answered]
    yield row("items", float(len(once)), "count", n=len(once))
    yield row("errors", float(failed), "count", n=len(run.graded), note="prompts that the runner could not answer")
    yield row("wall_s", run.wall_s, "s", n=n)
    note = f"{failed} of {len(run.graded)} prompts failed and are left out" if failed else ""
    scores = [fmean(g.grade.solved for g in answers) for answers in answered]
    yield from with_intervals(row, "accuracy", "", once, stats.share, scores, note=note)
    yield from _credit(row, run, answered, note)
    for part, key in (("level", lambda g: str(g.item.level)), ("lang", lambda g: g.item.lang)):
        names = {key(g) for g in once if part != "level" or g.item.level}
        for name in sorted(names):
            some, values = zip(*((g, v) for g, v in zip(once, scores, strict=True) if key(g) == name), strict=True)
            yield from with_intervals(row, "accuracy", f"[{part}={name}]", some, stats.share, values)
    yield from _spread(row, once, scores)
    yield from _calibration(row, run.suite, graded)
    for name, read in run.suite.readings.items():
        read_as = [(g, read(g.item, g.answer.text, g.nats)) for g in once]
        known = [(g, value) for g, value in read_as if value is not None]
        if not known:
            yield row(f"accuracy[reading={name}]", None, note="the runner gives no log-likelihoods")
            continue
        some, values = zip(*known, strict=True)
        yield from with_intervals(row, "accuracy", f"[reading={name}]", some, stats.share, values)
    yield row("chance", run.chance.value, note=f"best trivial strategy: {run.chance.strategy}")
    if len(once) < n:
        yield from repeat_rows(row, answered)
    scored = [g for g in once if g.bits_per_byte is not None]
    if scored:
        bits = [g.bits_per_byte for g in scored]
        yield from with_intervals(row, "bits_per_byte", "", scored, stats.mean, bits, "bit/byte")
    else:
        yield row("bits_per_byte", None, "bit/byte", note="the runner gives no log-likelihoods")
    ranked = [(g, rank) for g in scored if (rank := rank_of_right(g.item, g.nats, run.suite.normalise)) is not None]
    if ranked:
        some, ranks = zip(*ranked, strict=True)
        note = f"1 is best; {fmean((len(g.item.choices) + 1) / 2 for g in some):.3g} by guessing"
        yield from with_intervals(row, "rank_of_right", "", some, stats.mean, ranks, "count", note=note)
    if run.suite.method == "choose" and scored:
        yield row("truncated", None, n=n, note="options were scored, nothing was generated")
    else:
        yield row("truncated", sum(g.answer.finish == "length" for g in graded) / n, n=n)
    yield row("unparsed", sum(g.grade.outcome == "unparsed" for g in graded) / n, n=n)
    yield from _episodes(row, [g for g in graded if g.episode is not None])
    for metric in ("prompt_tokens", "output_tokens"):
        known = [v for g in graded if (v := getattr(g.answer, metric)) is not None]
        note = "" if known else "the runner gives no token counts"
        yield row(f"{metric}_mean", sum(known) / len(known) if known else None, "token", n=len(known), note=note)


def _credit(row: Callable[..., Row], run: SuiteRun, answered: Sequence[Sequence[Graded]], note: str) -> Iterator[Row]:
    """The mean of the grades, over all items and by level, where a grade may lie between 0 and 1."""
    if not (run.suite.partial or any(0 < g.grade.value < 1 for answers in answered for g in answers)):
        return
    once = [answers[0] for answers in answered]
    credits = [fmean(g.grade.value for g in answers) for answers in answered]
    yield from with_intervals(row, "credit", "", once, _mean_share, credits, note=note)
    for level in sorted({g.item.level for g in once if g.item.level}):
        some, values = zip(*((g, c) for g, c in zip(once, credits, strict=True) if g.item.level == level), strict=True)
        yield from with_intervals(row, "credit", f"[level={level}]", some, _mean_share, values)


def _mean_share(values: Sequence[float], level: float, clusters: Sequence[str]) -> stats.Estimate:
    """A mean of shares: Student's interval, kept within 0 and 1.

    Where all are equal it would have no width, which few items do not show: then Wilson's, as of a share.
    """
    if len(set(values)) == 1:
        return stats.share(values, level, clusters)
    found = stats.mean(values, level, clusters)
    return found if found.high is None else replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _spread(row: Callable[..., Row], once: Sequence[Graded], scores: Sequence[float]) -> Iterator[Row]:
    """The highest minus the lowest accuracy by language, where there is more than one."""
    by_lang: dict[str, list[float]] = {}
    for g, score in zip(once, scores, strict=True):
        by_lang.setdefault(g.item.lang, []).append(score)
    if len(by_lang) > 1:
        means = {lang: fmean(values) for lang, values in sorted(by_lang.items())}
        best, worst = max(means, key=means.get), min(means, key=means.get)
        fewest = min(map(len, by_lang.values()))
        note = f"highest ({best}) minus lowest ({worst}); {fewest} items or more a language, luck spreads them too"
        yield row("accuracy_spread[lang]", means[best] - means[worst], n=len(once), note=note)


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


def _episodes(row: Callable[..., Row], played: Sequence[Graded]) -> Iterator[Row]:
    """Turns, calls of tools, and how many a limit ended, by its name; nothing where the suite does not act."""
    if not played:
        return
    turns = [float(len(g.episode.turns)) for g in played]
    calls = [float(sum(t.tool_calls for t in g.episode.turns)) for g in played]
    yield from with_intervals(row, "turns_mean", "", played, stats.mean, turns, "count")
    yield from with_intervals(row, "tool_calls_mean", "", played, stats.mean, calls, "count")
    limits = Counter(g.episode.finish for g in played if g.episode.finish != "stop")
    note = ", ".join(f"{k} by '{name}'" for name, k in sorted(limits.items()))
    over = [float(g.episode.finish != "stop") for g in played]
    yield from with_intervals(row, "ended_by_limit", "", played, stats.share, over, note=note)


def by_item(graded: Sequence[Graded]) -> list[list[Graded]]:
    """The answers of each item, in the items' order."""
    found: dict[str, list[Graded]] = {}
    for one in graded:
        found.setdefault(one.item.id, []).append(one)
    return list(found.values())


def repeat_rows(row: Callable[..., Row], answered: Sequence[Sequence[Graded]]) -> Iterator[Row]:
    """What asking several times shows: majority vote, one right of k (pass@k), all k right (pass^k)."""
    fewest = min(len(answers) for answers in answered)
    firsts = [answers[0] for answers in answered]
    right = [int(sum(g.grade.solved for g in answers)) for answers in answered]
    votes = [majority(answers) for answers in answered]
    yield from with_intervals(row, "accuracy", f"[vote={max(map(len, answered))}]", firsts, stats.share, votes)
    for k in (k for k in (1, 2, 4, 8, 16, 32, 64) if k <= fewest):
        for metric, estimate in (("pass_at", stats.pass_at_k), ("pass_all", stats.pass_hat_k)):
            values = [estimate(len(a), c, k) for a, c in zip(answered, right, strict=True)]
            yield from with_intervals(row, metric, f"[k={k}]", firsts, stats.share, values)


def majority(answers: Sequence[Graded]) -> float:
    """The score of the answer given most often, the first of equals; 0 where none could be read."""
    votes = Counter(g.grade.extracted for g in answers if g.grade.outcome != "unparsed")
    if not votes:
        return 0.0
    most = votes.most_common(1)[0][0]
    return next(g.grade.solved for g in answers if g.grade.extracted == most and g.grade.outcome != "unparsed")


def with_intervals(
    row: Callable[..., Row],
    metric: str,
    part: str,
    graded: Sequence[Graded],
    estimate,
    values,
    unit: str = "1",
    note: str = "",
    signed: bool = False,
) -> Iterator[Row]:
    """`metric` with p10..p90, and its 95 % ends; items of one template count as a cluster. signed: may be negative."""
    if not graded:
        yield row(f"{metric}{part}", None, unit, note=note or "no item has it")
        return
    clusters = [g.item.group or g.item.id for g in graded]
    inner, outer = (estimate(values, level, clusters) for level in (0.8, 0.95))
    if not signed:
        inner, outer = _positive(inner), _positive(outer)
    note = note or ("" if inner.low is not None else "too few items for an interval")
    yield row(f"{metric}{part}", inner.value, unit, p10=inner.low, p90=inner.high, n=len(values), note=note)
    yield row(f"{metric}.low95{part}", outer.low, unit, n=len(values), note=note)
    yield row(f"{metric}.high95{part}", outer.high, unit, n=len(values), note=note)


def _positive(e: stats.Estimate) -> stats.Estimate:
    """Shares and bits are not below zero, which a symmetric interval of few items may be."""
    return e if e.low is None else replace(e, low=max(0.0, e.low))
