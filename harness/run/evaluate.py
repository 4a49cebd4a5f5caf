"""A suite on a runner: prompts asked, answers graded and kept as they finish."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from harness.agents import Episode, Limits, NativeActor, ReactActor, playing
from harness.answers import Answer
from harness.chance import Chance, chance_level
from harness.options import continuation, likeliest, with_options
from harness.runners.base import Runner
from harness.runners.replay import ReplayRunner
from harness.suites import Grade, Item, Suite

Keep = Callable[[list["Graded"]], None]  # told of answers as they are finished


@dataclass(frozen=True)
class Asking:
    """How items are asked: how often, and how answers are sampled. Options that are scored are asked once."""

    epochs: int = 1
    temperature: float = 0.0
    seed: int = 0
    limits: Limits | None = None  # of an episode; 0 turns, or none: as many as the suite says
    native_tools: bool = False  # an endpoint's own function calling instead of tools in text


ONCE = Asking()


@dataclass(frozen=True)
class Graded:
    """One item, its answer, what the scorer said, and the log-likelihoods (nats) the runner gave."""

    suite: str
    item: Item
    answer: Answer
    grade: Grade
    nats: dict[str, float]  # continuation -> log-likelihood
    gold: str  # the continuation that is the right answer
    epoch: int = 0
    episode: Episode | None = None  # of a suite that acts

    @property
    def bits_per_byte(self) -> float | None:
        """Bits a byte of the gold answer costs the model; None where the runner gives no log-likelihood."""
        if self.gold not in self.nats:
            return None
        return -self.nats[self.gold] / math.log(2) / len(self.gold.encode())

    def line(self, model: str) -> dict[str, Any]:
        """The answer as it stands in `answers.jsonl`."""
        return {
            "suite": self.suite, "id": self.item.id, "epoch": self.epoch, "model": model,
            "level": self.item.level, "lang": self.item.lang,
            "group": self.item.group, "prompt": self.item.prompt, "text": self.answer.text,
            "finish": self.answer.finish, "prompt_tokens": self.answer.prompt_tokens,
            "output_tokens": self.answer.output_tokens, "ttft_s": self.answer.ttft_s, "e2e_s": self.answer.e2e_s,
            "value": self.grade.value, "outcome": self.grade.outcome, "extracted": self.grade.extracted,
            "gold": self.gold, "nats": self.nats, "error": self.answer.error,
        }  # fmt: skip


@dataclass(frozen=True)
class SuiteRun:
    """All graded answers of a suite, in the items' order, and how long it took."""

    suite: Suite
    graded: list[Graded]
    wall_s: float

    @cached_property
    def chance(self) -> Chance:
        """Of the whole suite: the best of many strategies flatters itself on a sample."""
        return chance_level(self.suite)


def evaluate(
    suite: Suite,
    items: Sequence[Item],
    runner: Runner,
    keep: Keep,
    progress: Callable[[int], None],
    asking: Asking = ONCE,
) -> SuiteRun:
    """Ask, grade, keep. `progress` is told of prompts finished; log-likelihoods count as one more an item.

    Asked several times, the answers come epoch by epoch, each in the items' order.
    """
    begun = time.perf_counter()
    gold = [_gold(suite, item) for item in items]
    done: dict[int, Graded] = {}
    parts = _generated
    if suite.method == "choose" and _scores(runner):
        parts = _chosen
    elif suite.world and not isinstance(runner, ReplayRunner):  # a recorded answer is a whole transcript
        parts = _acted
    for indices, graded in parts(suite, items, gold, runner, progress, asking):
        done |= dict(zip(indices, graded, strict=True))
        keep(graded)
    return SuiteRun(suite, [done[i] for i in range(len(done))], time.perf_counter() - begun)


def steps(suite: Suite, items: Sequence[Item], runner: Runner, asking: Asking = ONCE) -> int:
    """How many times `evaluate` will call progress(1): for the bar."""
    if suite.method == "choose" and _scores(runner):
        return sum(len(i.choices) for i in items)
    return len(items) * (asking.epochs + _scores(runner))


def _gold(suite: Suite, item: Item) -> str:
    """The right answer as it follows the prompt; empty where an item has no one answer, only checks."""
    answer = _first_move(item.answer) if suite.world else item.answer
    return continuation(item.prompt, answer) if answer else ""


def _first_move(transcript: str) -> str:
    """What the expert does first: of a whole transcript no prompt would be the beginning."""
    return transcript.partition("\n")[0]


def _scores(runner: Runner) -> bool:
    try:
        runner.loglikelihood([])
    except NotImplementedError:
        return False
    return True


def _parts(runner: Runner, method: str, inputs: list, **options) -> Iterator[tuple[list[int], list]]:
    """(indices, results) as they finish where the runner can say so, else all at once."""
    if hasattr(runner, f"{method}_parts"):
        yield from getattr(runner, f"{method}_parts")(inputs, **options)
    else:
        yield list(range(len(inputs))), getattr(runner, method)(inputs, **options)


def _chosen(suite, items, gold, runner, progress, asking) -> Iterator[tuple[list[int], list[Graded]]]:
    """The option with the highest log-likelihood, by its length as the suite says, is the answer."""
    pairs = [(k, option) for k, item in enumerate(items) for option in item.choices]
    texts = [(items[k].prompt, continuation(items[k].prompt, option)) for k, option in pairs]
    found: dict[int, dict[str, float]] = {}
    for indices, nats in _parts(runner, "loglikelihood", texts, progress=progress):
        for i, value in zip(indices, nats, strict=True):
            found.setdefault(pairs[i][0], {})[texts[i][1]] = value
        ready = [k for k in {pairs[i][0] for i in indices} if len(found[k]) == len(set(items[k].choices))]
        yield ready, [_chosen_one(suite, items[k], gold[k], found[k], runner) for k in ready]


def _chosen_one(suite: Suite, item: Item, gold: str, nats: dict[str, float], runner: Runner) -> Graded:
    best = likeliest(item, nats, suite.normalise)
    prompt_tokens = len(runner.tokenizer.encode(item.prompt)) if runner.tokenizer else None
    answer = Answer(best, (), prompt_tokens, 0, "stop")
    return Graded(suite.id, item, answer, suite.grade(item, best), nats, gold)


def _generated(suite, items, gold, runner, progress, asking) -> Iterator[tuple[list[int], list[Graded]]]:
    """Generated text is graded (programs in parallel: each waits on its own sandbox)."""
    nats = _gold_nats(items, gold, runner, progress)
    prompts = [with_options(item) if suite.method == "choose" else item.prompt for item in items]
    prompts *= asking.epochs
    options = {"max_tokens": suite.max_tokens, "stop": suite.stop, "progress": progress,
               "temperature": asking.temperature, "seed": asking.seed}  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        for indices, answers in _parts(runner, "generate", prompts, **options):
            of = [k % len(items) for k in indices]
            grades = pool.map(suite.grade, [items[k] for k in of], [a.text for a in answers])
            yield (
                indices,
                [
                    Graded(suite.id, items[k], a, g, nats[k], gold[k], i // len(items))
                    for i, k, a, g in zip(indices, of, answers, grades, strict=True)
                ],
            )


def _gold_nats(items, gold, runner, progress) -> list[dict[str, float]]:
    """The log-likelihood of each right answer, where the runner gives one."""
    nats: list[dict[str, float]] = [{} for _ in items]
    if _scores(runner):
        answered = [k for k, text in enumerate(gold) if text]
        progress(len(items) - len(answered))
        pairs = [(items[k].prompt, gold[k]) for k in answered]
        for indices, values in _parts(runner, "loglikelihood", pairs, progress=progress):
            for i, value in zip(indices, values, strict=True):
                nats[answered[i]] = {gold[answered[i]]: value}
    return nats


def _acted(suite, items, gold, runner, progress, asking) -> Iterator[tuple[list[int], list[Graded]]]:
    """Episodes are played together, a turn at a time, and graded by their transcripts as they end."""
    nats = _gold_nats(items, gold, runner, progress)
    sampling = {"temperature": asking.temperature, "seed": asking.seed}
    actor = ReactActor(runner, suite.max_tokens, suite.stop, **sampling)
    if asking.native_tools:
        actor = NativeActor(runner, suite.max_tokens, **sampling)
    limits = asking.limits or Limits(turns=0)
    limits = limits if limits.turns else replace(limits, turns=suite.max_turns)
    worlds = [suite.world(item) for _ in range(asking.epochs) for item in items]
    for i, episode in playing(worlds, actor, limits):
        k, answer = i % len(items), _whole(episode)
        grade = suite.grade(items[k], answer.text)
        progress(1)
        yield [i], [Graded(suite.id, items[k], answer, grade, nats[k], gold[k], i // len(items), episode)]


def _whole(episode: Episode) -> Answer:
    """An episode as one answer: its transcript, the tokens of all its turns, and how it ended."""
    read, wrote = ([getattr(t, name) for t in episode.turns] for name in ("prompt_tokens", "output_tokens"))
    finish = episode.finish if episode.finish in ("stop", "error") else "length"
    return Answer(
        episode.transcript, (), None if None in read else sum(read), None if None in wrote else sum(wrote), finish,
        error=episode.error,
    )  # fmt: skip
