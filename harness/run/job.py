"""`stackline run`: the main job, in order; what is finished is on disk before the next thing begins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from harness import evaluations, profiles
from harness.agents import Limits, request_frame
from harness.discovery import CHIP, MODEL, SUITE, find
from harness.errors import NotPredictable, SandboxUnavailable, StacklineError, UserMistake
from harness.profiles import Chip, Model
from harness.reference.precision import precision as precision_of
from harness.results import Row, RunFolder, new_run_id, write_whole
from harness.run import agents, manifest, precision, traffic
from harness.run.agents import CALLS
from harness.run.choice import chosen, served
from harness.run.evaluate import Asking, SuiteRun, evaluate, steps
from harness.run.progress import Bars
from harness.run.quality import quality_rows
from harness.run.rows_of_point import Workload
from harness.runners import Runner, runner
from harness.runners.reference import MODEL_ID, blas_kernel, limit_blas_threads
from harness.suites import Suite, suite

OF_SMALL_WEIGHTS = ", whose weights were already 4-bit (Q4_1), not evidence for large models"
REPEATED = 0.7  # temperature where questions are asked several times and none is given
PERSON_GAP_S = 30.0  # assumed: what a person takes to read and answer; a scripted one answers at once


@dataclass(frozen=True)
class Options:
    """What the user asked for; empty tuples mean all suites, and the chips and models of `choice.COMPARED`."""

    suites: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    chips: tuple[str, ...] = ()
    limit: int | None = None
    full: bool = False
    seed: int = 0
    out: Path | None = None
    runner: str = "reference"
    weights: Path | None = None
    workers: int | None = None
    command: str = ""
    agents: bool = True
    agent_calls: int = CALLS  # that a simulation of agents watches
    epochs: int = 1  # times that each question is asked
    temperature: float | None = None  # None: 0 asked once, else REPEATED
    limits: Limits | None = None  # of an episode; 0 turns, or none: as many as its suite says
    native_tools: bool = False
    precisions: tuple[str, ...] = ()  # number formats to emulate; "all" is every named one
    data: tuple[str, ...] = ()  # real evaluations, ID=FILE or ID=hub; with them alone no other suite runs


def run(options: Options, say: Callable[[str], None]) -> Path:
    """Do the main job and return the run folder. Everything the user can get wrong is checked before it starts."""
    limit_blas_threads()
    if options.full and options.limit is not None:
        raise UserMistake("--full and --limit contradict each other: give one of them")
    precisions, asking = _precisions(options), _asking(options)
    chips = [profiles.chip(c) for c in chosen(CHIP, options.chips)]
    models = [profiles.model(m) for m in chosen(MODEL, options.models)]
    suites = [suite(s) for s in dict.fromkeys(options.suites) or ([] if options.data else find(SUITE))]
    suites += evaluations.parse(options.data, say)
    if not _asks_suites(options, models):
        if options.suites or options.data:
            say(f"no suite is run: --model names none that runs here; add --model {MODEL_ID} or a --runner")
        suites = []
    large = _modelled(models, say)
    _refuse_what_cannot_fit(options, large, chips)
    level, suites, left_out = _sandbox(suites, say)
    answering = opened(options, say) if suites else None
    run_id = new_run_id()
    folder = RunFolder(options.out or Path("results") / run_id, run_id)
    facts: dict[str, Any] = {
        "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "command": options.command, "seed": options.seed,
        "limit": options.limit, "full": options.full, "epochs": asking.epochs,
        "temperature": asking.temperature, "stackline": manifest.harness.__version__, **manifest.commit(),
        "python": sys.version.split()[0], "packages": manifest.versions(), "machine": manifest.machine(),
        "sandbox": level, "left_out": left_out,
    }  # fmt: skip
    return _work(options, folder, facts, suites, large, chips, answering, _serving(options), precisions)


def _asking(options: Options) -> Asking:
    """Raises UserMistake where every answer of a question would be the same."""
    temperature = options.temperature if options.temperature is not None else REPEATED * (options.epochs > 1)
    if options.epochs > 1 and temperature == 0:
        raise UserMistake("--epochs with --temperature 0 would ask for the same answer again")
    if options.precisions and temperature > 0:
        raise UserMistake("--precision compares the likeliest answers: leave out --epochs and --temperature")
    if options.native_tools and not options.runner.startswith("api:"):
        raise UserMistake("--native-tools asks an endpoint for function calls, so it needs --runner api:MODEL@URL")
    return Asking(options.epochs, temperature, options.seed, options.limits, options.native_tools)


def _precisions(options: Options) -> list[str]:
    """The precisions to emulate. Raises UserMistake for an unknown one, or where no model runs here."""
    names = precision.wanted(options.precisions)
    for name in names:
        precision_of(name)
    if names and options.runner != "reference":
        raise UserMistake("--precision emulates numbers in the model that runs here, so it needs --runner reference")
    return names


def _serving(options: Options) -> tuple[list[Model], list[Chip]]:
    """Models and chips whose serving of agents is simulated; not the model that runs here."""
    if not options.agents:
        return [], []
    found = [profiles.model(m) for m in served(MODEL, options.models) if m != MODEL_ID]
    return [m for m in found if "architecture" in m.tables or m.proxy], [
        profiles.chip(c) for c in served(CHIP, options.chips)
    ]


def _asks_suites(options: Options, models: list[Model]) -> bool:
    """Suites run unless `--model` names only models that do not run here."""
    return not options.models or any(m.id == MODEL_ID for m in models) or options.runner != "reference"


def _modelled(models: list[Model], say: Callable[[str], None]) -> list[Model]:
    """The models whose speed is modelled beside the reference model's: those with an architecture or a proxy."""
    large = []
    for m in models:
        try:
            body = profiles.stand_in(m)
        except NotPredictable as error:
            say(f"left out: {error}")
            continue
        if body is not m:
            say(f"{m.id} is modelled by proxy, {body.id}: {m.proxy['why']}")
        if m.id != MODEL_ID:
            large.append(m)
    return large


def _refuse_what_cannot_fit(options: Options, large: list[Model], chips: list[Chip]) -> None:
    """Where model and chip were both named and none of the pairs can run: one line, before anything starts."""
    if not (options.models and options.chips and large):
        return
    reason = None
    for m in large:
        for c in chips:
            try:
                traffic.large_stack(m, c)
                return
            except NotPredictable as error:
                reason = NotPredictable(f"{m.id} on {c.id}: {error}")
    raise reason


def _sandbox(suites: list[Suite], say) -> tuple[dict[str, str], list[Suite], list[str]]:
    """(level in force, suites that can run, what is left out and why)."""
    if not any(s.needs_sandbox for s in suites):
        return {"level": "not needed", "note": ""}, suites, []
    from harness import sandbox

    try:
        level = sandbox.level()
    except SandboxUnavailable as error:
        left = [f"{s.id}: {error}" for s in suites if s.needs_sandbox]
        for line in left:
            say(f"left out {line}")
        return {"level": "none", "note": str(error)}, [s for s in suites if not s.needs_sandbox], left
    if level.name == "unconfined":
        say(f"model-written programs run with {level.note}")
    return {"level": level.name, "note": level.note}, suites, []


def _work(options, folder: RunFolder, facts, suites, large, chips, answering: Runner | None, serving, formats) -> Path:
    runs: list[SuiteRun] = []
    rows = []
    with Bars() as bars:
        try:
            trace_lines: list[dict[str, Any]] = []
            if answering is not None:
                stack = f"{answering.model}/{answering.weight_dtype}".rstrip("/")
                for one in suites:
                    runs.append(ask(options, folder, one, answering, bars))
                    rows += quality_rows(runs[-1], stack, answering.model, answering.weight_dtype)
                    trace_lines += _trace_lines(one, answering)
            folder.write_trace(trace_lines)
            rows += _precision_rows(options, folder, runs, formats, chips, bars, answering)
            reference = MODEL_ID if runs and options.runner == "reference" and options.weights is None else None
            step = bars.bar("modelling chips", (len(runs) if reference else 0) * len(chips) + len(large) * len(chips))
            rows += traffic.modelled_rows(runs, large, chips, reference, step)
            if all(serving):
                step = bars.bar("agents on servers", agents.steps(*serving))
                simulations = agents.Simulations(options.seed, options.agent_calls)
                rows += agents.agent_rows(*serving, step, simulations)
        except KeyboardInterrupt:
            folder.write_manifest({**facts, "status": "interrupted"})
            raise
        except StacklineError as error:
            folder.write_manifest({**facts, "status": "failed", "reason": str(error)})
            raise
        finally:
            if answering is not None:
                answering.close()
        used = [*chips, *large] + ([profiles.model(reference)] if reference else [])
        used = list({p.id: p for p in [*used, *(serving[0] + agents.workloads() if all(serving) else [])]}.values())
        folder.write_rows(rows)
        folder.write_manifest({
            **facts, "status": "finished", "rows": len(rows), "blas": blas_kernel(), "runner": _runner_entry(answering),
            "suites": {r.suite.id: suite_entry(r) for r in runs},
            "precisions": {name: str(precision_of(name)) for name in formats},
            "profiles": manifest.profile_entries(used), "support": manifest.support_entries(rows, chips),
            "names": {p.id: p.name for p in used}, "sources": manifest.sources(used, rows),
        })  # fmt: skip
        return folder.folder


def opened(options: Options, say, **more) -> Runner:
    from harness.runners.reference import cores

    if options.runner != "reference":
        return runner(options.runner)
    return runner("reference", weights_path=options.weights, workers=options.workers or cores(), say=say, **more)


def _precision_rows(options, folder: RunFolder, runs, names, chips, bars: Bars, answering) -> list[Row]:
    """What each precision changes, measured; and beside it the chips' speed in those that a stack can have."""
    if not (runs and names):
        return []
    caveat = f"an effect on {answering.model}" + ("" if options.weights else OF_SMALL_WEIGHTS)
    rows: list[Row] = []
    for name in names:
        emulating = opened(options, bars.say, precision=name)
        try:
            keep = partial(folder.append, "precision.jsonl")
            rows += precision.precision_rows(runs, name, emulating, _asking(options), caveat, keep, bars.bar)
        finally:
            emulating.close()
    load = Workload(traffic.WORKLOAD, traffic.ISL, traffic.OSL, traffic.CONCURRENCY)
    return rows + list(precision.speed_rows(["bf16", *(n for n in names if n != "bf16")], chips, load))


def ask(options: Options, folder: RunFolder, one: Suite, answering: Runner, bars: Bars) -> SuiteRun:
    n = None if options.full and options.limit is None else options.limit or one.sample
    items = one.items(options.seed, n)
    asking = _asking(options)
    step = bars.bar(f"{one.id} ({len(items)} items)", steps(one, items, answering, asking))
    run = evaluate(
        one, items, answering, lambda done: folder.append_answers(g.line(answering.model) for g in done), step, asking
    )
    _keep_episodes(folder, run)
    failed = [g.answer.error for g in run.graded if g.answer.finish == "error"]
    if len(failed) == len(run.graded):
        raise StacklineError(f"{one.id}: every prompt failed: {failed[0]}")
    return run


def _keep_episodes(folder: RunFolder, run: SuiteRun) -> None:
    """Every turn of a suite that acts, and its sessions as a trace that `stackline simulate --trace` takes."""
    played = [g for g in run.graded if g.episode is not None]
    if played:
        folder.append("turns.jsonl", (
            {"suite": g.suite, "id": g.item.id, "epoch": g.epoch, "finish": g.episode.finish, **turn.line()}
            for g in played for turn in g.episode.turns
        ))  # fmt: skip
    turns = [t for g in played for t in g.episode.turns]
    if turns and all(t.prompt_tokens is not None and t.output_tokens is not None for t in turns):
        frame = request_frame([g.episode.turns for g in played], PERSON_GAP_S)
        write_whole(folder.folder / f"requests-{run.suite.id}.csv", frame.to_csv(index=False))


def _trace_lines(one: Suite, answering: Runner) -> list[dict[str, Any]]:
    """The operators counted for a suite, one line a name. A runner that counts none gives none."""
    if not hasattr(answering, "take_trace"):
        return []
    lines = []
    for name, total in answering.take_trace().by_name().items():
        phase, _, op = name.partition(".")
        lines.append({
            "suite": one.id, "phase": phase, "op": op, "kind": total["kind"], "count": total["count"],
            "flops": total["flops"], "read_bytes": total["read"], "write_bytes": total["write"],
        })  # fmt: skip
    return lines


def _runner_entry(answering: Runner | None) -> dict[str, Any] | None:
    if answering is None:
        return None
    entry = {"id": answering.id, "model": answering.model, "weight_dtype": answering.weight_dtype}
    return entry | ({"weights": answering.weights_facts} if hasattr(answering, "weights_facts") else {})


def suite_entry(run: SuiteRun) -> dict[str, Any]:
    s = run.suite
    return {
        "title": s.title, "family": s.family, "imitates": s.imitates, "differs": s.differs, "licence": s.licence,
        "version": s.version, "method": s.method, "max_tokens": s.max_tokens, "n": len({g.item.id for g in run.graded}),
        "chance": run.chance.value, "wall_s": round(run.wall_s, 2),
    }  # fmt: skip
