"""`stackline compare`: named stacks side by side on the same requests, each against a baseline."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import profiles
from harness.discovery import MODEL, STACK, find
from harness.errors import MissingFile, NotPredictable, UnknownId, UserMistake
from harness.profiles import Chip, Model
from harness.results import FIGURE_DIGITS, Row, RunFolder, new_run_id
from harness.roofline.point import Point, point
from harness.run import agents, manifest, rows_of_claims, traffic
from harness.run.progress import Bars
from harness.run.rows_of_comparison import (
    against,
    curve_rows,
    memory_rows,
    score_rows,
    solved_rows,
    split_price_rows,
)
from harness.run.rows_of_costs import list_price_rows, own_rows
from harness.run.rows_of_least import least_rows
from harness.run.rows_of_means import mean_load, mean_point, mean_rows
from harness.run.rows_of_point import Workload, figure_rows, refused_rows, term_rows
from harness.run.rows_of_session_ratios import TWINS, session_ratio_rows
from harness.run.rows_of_text import text_rows
from harness.runners.reference import blas_kernel, limit_blas_threads
from harness.serving.deploy import deploy
from harness.stack import Stack, parse
from harness.whole_stacks import chip_layer, model_layer, whole_stack

SESSION_FIGURES = ("usd_per_session", "energy_kwh_per_session", "session_h")
Seen = dict[tuple[str, str], dict[str, Row]]  # (stack, workload) -> the rows of its sessions, by metric


@dataclass(frozen=True)
class Options:
    """What the user asked for. `workloads` are those whose sessions are simulated on each stack."""

    stacks: tuple[str, ...]
    baseline: str = ""
    workloads: tuple[str, ...] = (agents.AGENTS,)
    isl: int = traffic.ISL
    osl: int = traffic.OSL
    concurrency: int = traffic.CONCURRENCY
    means: tuple[str, ...] = ()  # workloads at whose mean lengths each stack is a point too
    least: Mapping[str, float] | None = None  # users and tpot_ms of the least server that is sought
    seed: int = 0
    calls: int = agents.CALLS  # that a simulation watches
    digits: int = FIGURE_DIGITS  # of rows.csv
    out: Path | None = None
    command: str = ""


@dataclass(frozen=True)
class Entrant:
    """One stack of the comparison: as it was asked for, what it is made of, and its operating point if it has one."""

    asked: str
    stack: Stack
    model: Model
    chip: Chip
    point: Point | None
    why: str

    @property
    def weight_dtype(self) -> str:
        return self.point.dtypes.weight if self.point else self.stack.weight_dtype


def run(options: Options, say: Callable[[str], None]) -> Path:
    """Compare and return the run folder. What the user can get wrong is checked before anything is written."""
    limit_blas_threads()
    load = Workload(
        f"isl{options.isl}-osl{options.osl}-c{options.concurrency}", options.isl, options.osl, options.concurrency
    )
    entrants = _entrants(options, load)
    first = _baseline(options, entrants)
    for workload in (*options.workloads, *options.means):
        profiles.workload(workload)
    for one in entrants:
        if one.why:
            say(f"{one.asked}: {one.why}")
        elif one.model.proxy:
            say(f"{one.model.id} is modelled by proxy, {one.model.proxy['model']}: {one.model.proxy['why']}")
    run_id = new_run_id()
    folder = RunFolder(options.out or Path("results") / run_id, run_id)
    with Bars() as bars:
        step = bars.bar("comparing stacks", len(entrants) * (1 + len(options.workloads)))
        rows = list(_rows(options, entrants, first, load, step))
    folder.write_trace([])
    folder.write_rows(rows, options.digits)
    folder.write_manifest(_manifest(options, entrants, first, load, rows))
    return folder.folder


def stacks_of(path: Path) -> tuple[str, ...]:
    """The stacks of a file, one a line; blank lines and what follows a # are passed over. Raises MissingFile."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise MissingFile(path, "file of stacks") from error
    return tuple(words for line in lines if (words := line.partition("#")[0].strip()))


def _entrants(options: Options, load: Workload) -> list[Entrant]:
    """The stacks in the order given, the baseline among them. Raises UserMistake for fewer than two."""
    texts = list(dict.fromkeys([*options.stacks, *([options.baseline] if options.baseline else [])]))
    parsed = [(text, parse(text)) for text in texts]
    if len({str(stack) for _, stack in parsed}) < 2:
        raise UserMistake("a comparison needs two different stacks: model/weight_dtype@chip:count, or a stack's name")
    return [_entrant(text, stack, load) for text, stack in parsed]


def _entrant(text: str, stack: Stack, load: Workload) -> Entrant:
    if not stack.chip and stack.model not in find(MODEL):
        raise UnknownId("stack", stack.model, [*find(STACK), *find(MODEL)])
    if not stack.chip:
        raise UserMistake(f"stack {text!r} names no chip: write model@chip:count")
    model, chip = profiles.model(stack.model), profiles.chip(stack.chip)
    try:
        return Entrant(text, stack, model, chip, point(stack, model, chip, load.isl, load.osl, load.concurrency), "")
    except NotPredictable as error:
        return Entrant(text, stack, model, chip, None, str(error))


def _baseline(options: Options, entrants: Sequence[Entrant]) -> Entrant:
    """The stack that others are set against: the one named, or the first that can be modelled."""
    if options.baseline:
        named = next(e for e in entrants if e.asked == options.baseline)
        if named.point is None:
            raise UserMistake(f"the baseline {options.baseline} cannot be modelled: {named.why}")
        return named
    first = next((e for e in entrants if e.point), None)
    if first is None:
        raise UserMistake(f"none of the stacks can be modelled: {entrants[0].asked}: {entrants[0].why}")
    return first


def _rows(options: Options, entrants, first: Entrant, load: Workload, step) -> Iterator[Row]:
    simulations = agents.Simulations(options.seed, options.calls)
    seen: Seen = {}
    for chip in {e.chip.id: e.chip for e in entrants}.values():
        yield from traffic.chip_rows(chip)
    for one in entrants:
        yield from score_rows(str(one.stack), one.model, one.weight_dtype)
        tasks = simulations.pool(agents.AGENTS) if agents.AGENTS in options.workloads else None
        yield from list_price_rows(str(one.stack), one.model, one.weight_dtype, tasks)
        if one.point is None:
            yield from refused_rows(one.stack, load, one.why, one.chip)
            step(1 + len(options.workloads))
            continue
        yield from figure_rows(one.point, load)
        yield from split_price_rows(one.point, load)
        yield from curve_rows(one.point, load)
        yield from memory_rows(one.point, load)
        yield from own_rows(one.point, load)
        yield from text_rows(one.point, load)
        if options.least:
            yield from least_rows(one.point, load, options.least)
        yield from term_rows(one.point, load) if one is first else against(one.point, first.point, load)
        step(1)
        for workload in options.workloads:
            yield from _sessions(one, workload, simulations, seen)
            step(1)
    for (stack, workload), ours in seen.items():
        one = next(e for e in entrants if str(e.stack) == stack)
        if one is not first:
            theirs = seen.get((str(first.stack), workload), {})
            yield from session_ratio_rows(one.point, first.point, ours, theirs, str(first.stack))
    for workload in options.means:
        yield from _at_means(entrants, first, mean_load(simulations.pool(workload), options.concurrency))
    yield from _claims(entrants, seen, simulations)


def _at_means(entrants: Sequence[Entrant], first: Entrant, load: Workload) -> Iterator[Row]:
    """Every stack that can be modelled, at a workload's mean lengths."""
    points = {str(e.stack): mean_point(e.stack, e.model, e.chip, load) for e in entrants if e.point}
    for one in entrants:
        if one.point:
            yield from mean_rows(one.stack, one.chip, points[str(one.stack)], points[str(first.stack)], load)


def _claims(entrants: Sequence[Entrant], seen: Seen, simulations: agents.Simulations) -> Iterator[Row]:
    """What the announcement's statements imply, where both of its chips run one model in one number of chips."""
    points = [e.point for e in entrants if e.point]
    pairs = [(new, old) for new in points for old in points
             if (new.chip.id, old.chip.id) == (rows_of_claims.NEW, rows_of_claims.OLD)
             and (new.stack.model, new.stack.chips) == (old.stack.model, old.stack.chips)]  # fmt: skip
    if pairs:
        sessions: dict[str, dict[str, dict[str, Row]]] = {}
        for (stack, workload), found in seen.items():
            sessions.setdefault(stack, {})[workload] = found
        calls = {workload: simulations.pool(workload).mean_calls for _, workload in seen}
        yield from rows_of_claims.claim_rows(*pairs[0], sessions, calls)


def _sessions(one: Entrant, workload: str, simulations: agents.Simulations, seen: Seen) -> Iterator[Row]:
    """A workload's sessions on the stack, and what each solved task then costs. `seen` is given what ratios need."""
    try:
        on = agents.Server(deploy(one.stack), one.point)
    except NotPredictable as error:
        yield from agents.refused_rows(one.stack, one.weight_dtype, workload, str(error))
        return
    found = seen[str(one.stack), workload] = {}
    for row in agents.session_rows(on, simulations, workload, curve=workload == agents.AGENTS):
        if row.metric in TWINS and row.value is not None:
            found[row.metric] = row
        yield row
    if workload == agents.AGENTS:  # coding agents, whose sessions stand for the tasks of AGENT_TASKS
        yield from solved_rows(one.point, one.model, workload, *(found.get(name) for name in SESSION_FIGURES))


def _manifest(options: Options, entrants, first: Entrant, load: Workload, rows: Sequence[Row]) -> dict[str, Any]:
    used: dict[str, Any] = {}
    for one in entrants:
        for profile in (one.chip, one.model):
            used[profile.id] = profile
    used |= {w: profiles.workload(w) for w in (*options.workloads, *options.means)}
    return {
        "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "command": options.command, "seed": options.seed,
        "stackline": manifest.harness.__version__, **manifest.commit(), "python": sys.version.split()[0],
        "packages": manifest.versions(), "machine": manifest.machine(), "status": "finished", "rows": len(rows),
        "blas": blas_kernel(), "suites": {}, "left_out": [f"{e.asked}: {e.why}" for e in entrants if e.why],
        "comparison": {
            "baseline": str(first.stack), "workload": load.id, "sessions": list(options.workloads),
            "means": list(options.means),
            "stacks": {str(e.stack): {"asked": e.asked, "name": in_words(e), "model": e.model.id,
                                      "test": owner_commands(e, load), "layers": _layers(e)} for e in entrants},
        },
        "profiles": manifest.profile_entries(used.values()),
        "support": manifest.support_entries(rows, [e.chip for e in entrants]),
        "names": {p.id: p.name for p in used.values()}, "sources": manifest.sources(used.values(), rows),
    }  # fmt: skip


def _layers(one: Entrant) -> list[dict[str, str]]:
    """Who makes and holds each layer: of a stack with a file all that it names, else its chip and its model."""
    named = whole_stack(one.asked).layers if one.asked in find(STACK) else {}
    layers = named.values() or (chip_layer(one.chip), model_layer(one.model))
    return [
        {"role": layer.role, "name": layer.name, "maker": layer.maker, "jurisdiction": ", ".join(layer.jurisdiction),
         "terms": layer.licence, "open": layer.open, "since": layer.since, "limits": layer.limits,
         "source": layer.source.get("title", ""), "url": layer.source.get("url", "")}
        for layer in layers
    ]  # fmt: skip


def in_words(one: Entrant) -> str:
    """A stack for a sentence: the name of its file, or model, format, chip and how many."""
    if one.asked in find(STACK):
        return whole_stack(one.asked).name + _by_proxy(one)
    dtype = f" {one.weight_dtype}" if one.weight_dtype else ""
    return f"{one.model.name}{dtype} on {one.chip.name} ×{one.stack.chips}{_by_proxy(one)}"


def _by_proxy(one: Entrant) -> str:
    return f" (by proxy {one.model.proxy['model']})" if one.model.proxy else ""


def owner_commands(one: Entrant, load: Workload) -> list[str]:
    """What an owner of the chips types to test the prediction: vLLM's own server and its own benchmark."""
    if one.point is None:
        return []
    where, dtypes = one.point.placement, one.point.dtypes
    serve = [f"vllm serve WEIGHTS_OF_{one.model.id.upper().replace('-', '_')}"]
    layout = where.layout
    for option, value in (("tensor-parallel-size", layout.tp), ("pipeline-parallel-size", layout.pp),
                          ("data-parallel-size", layout.dp)):  # fmt: skip
        if value > 1:
            serve.append(f"--{option} {value}")
    serve += ["--enable-expert-parallel"] if layout.ep > 1 else []
    serve += ["--kv-cache-dtype fp8"] if dtypes.kv == "fp8" else []
    serve += [f"--max-model-len {int(load.isl + load.osl)}", "--no-enable-prefix-caching"]
    bench = [
        f"vllm bench serve --model WEIGHTS_OF_{one.model.id.upper().replace('-', '_')}", "--dataset-name random",
        f"--random-input-len {int(load.isl)} --random-output-len {int(load.osl)} --ignore-eos",
        f"--max-concurrency {load.concurrency} --num-prompts {10 * load.concurrency}",
    ]  # fmt: skip
    return [" ".join(serve), " ".join(bench)]
