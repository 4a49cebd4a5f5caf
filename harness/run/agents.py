"""Agents on whole servers: how many hold their service level, latency under load, kept caches, a run of 35 hours.

Simulated in full swing (harness/serving), with windows shorter and a search coarser than the commands `capacity` and
`sweep` use, since a run asks it of every chip: CALLS and CLOSE say how much. The interval is that of the steps' time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness import profiles
from harness.errors import NotPredictable
from harness.profile_types import Workload
from harness.profiles import Chip, Model
from harness.results import Row
from harness.roofline.point import Point, point
from harness.run import traffic
from harness.run.rows_of_agents import ALONE, SHARED, Seen, level_rows, long_rows, refused_rows, swept_rows
from harness.serving.capacity import USERS, Capacity, Effort, Load, capacity, measure
from harness.serving.deploy import Deployment, deploy
from harness.serving.simulate import Policy
from harness.serving.slo import own_limits
from harness.serving.steady import Pool, pool
from harness.serving.summary import simulated, step_scales
from harness.stack import Stack

AGENTS, LONG_RUN = "coding-agent", "agent-35h"
# Drawn, of which a simulation meets some; the long run is one session, met at many points of its life.
SESSIONS = {AGENTS: 400, LONG_RUN: 1}
ATTAIN = 0.95  # share of the calls that must keep every limit
CALLS, CLOSE = 800, 0.1
CURVE_STEP = 4  # latency is shown at 1, 4, 16, ... agents
KEEP_S = (0.0, 10.0, 60.0, 300.0, 1800.0, math.inf)
RETAINED = 2  # servers whose retention is swept: the one that holds most agents a chip, and the one that holds fewest
STEPS_A_CHIP = 2  # of progress


@dataclass(frozen=True)
class Server:
    """All chips of one server with a model on them."""

    deployment: Deployment
    point: Point  # names the profile values that its times rest on


def server(model: Model, chip: Chip) -> Server:
    """The whole server, in the widest format that fits it. Raises NotPredictable with the reason.

    Not the fewest chips that hold the weights, as for one operating point: agents' contexts need the memory.
    """
    fewest = traffic.large_stack(model, chip)
    stack = replace(fewest, chips=max(fewest.chips, traffic.server_chips(chip)))
    deployment = deploy(stack)
    at = point(stack, model, chip, traffic.ISL, traffic.OSL, traffic.CONCURRENCY)
    return Server(deployment, at)


class Simulations:
    """The simulations of a run's agents; sessions are drawn once, when first needed."""

    def __init__(self, seed: int = 0, calls: int = CALLS) -> None:
        self._calls, self._seed = calls, seed
        self._pools: dict[str, Pool] = {}

    def _effort(self, workload: str) -> Effort:
        """The long run's calls need fewer: its time is the mean call's, not a tail's."""
        return Effort(self._calls // (2 if workload == LONG_RUN else 1), CLOSE)

    def pool(self, workload: str) -> Pool:
        if workload not in self._pools:
            self._pools[workload] = pool(workload, self._seed, SESSIONS.get(workload, SESSIONS[AGENTS]))
        return self._pools[workload]

    def level(
        self, on: Server, workload: str = AGENTS, under_load: bool = True
    ) -> tuple[Capacity, list[tuple[float, Seen]]]:
        """The most sessions at the workload's service level, and latencies at 1, 4, 16, ... up to past it."""
        sessions, limits = self.pool(workload), own_limits(profiles.workload(workload))
        tried: dict[float, dict[float, Load]] = {}

        def note(seen: Load, scale: float) -> None:
            tried.setdefault(scale, {})[seen.load] = seen

        found = capacity(on.deployment, sessions, USERS, limits, ATTAIN, tick=note, effort=self._effort(workload))
        scales = step_scales((found.middle or tried[1.0][1.0]).done)
        curve = []
        load, most = 1.0, found.middle.load if found.middle else 0.0
        while under_load and (not curve or curve[-1][0] <= most):
            three = [tried.get(s, {}).get(load) or self._measure(on, workload, load, s) for s in (1.0, *scales)]
            curve.append((load, Seen(*three)))
            load *= CURVE_STEP
        return found, curve

    def retention(self, on: Server, agents: float) -> Iterator[tuple[float, Seen]]:
        """What the same agents see where an unused cache is dropped after so many seconds."""
        scales = None
        for keep_s in KEEP_S:
            policy = Policy(keep_s=math.nan if math.isinf(keep_s) else keep_s)
            middle = self._measure(on, AGENTS, agents, 1.0, policy)
            scales = scales or step_scales(middle.done)
            yield keep_s, Seen(middle, *(self._measure(on, AGENTS, agents, s, policy) for s in scales))

    def alone(self, on: Server) -> dict[str, tuple[float, float, float]]:
        """The long run with the server to itself: {figure: (value, p10, p90)} of a simulation from end to end.

        Raises NotPredictable where its calls do not fit.
        """
        frame = self.pool(LONG_RUN).rows
        past = float((frame["isl"] + frame["osl"] > on.deployment.most_context).mean())
        if past:
            raise NotPredictable(
                f"{past:.0%} of the calls of {LONG_RUN} are past the model's context of {on.deployment.most_context:,} "
                "tokens"
            )
        figures = simulated(on.deployment, frame, own_limits(profiles.workload(LONG_RUN)), 1).figures
        if not figures.get("sessions"):
            raise NotPredictable(f"a call of {LONG_RUN} does not fit the server's KV memory")
        return figures

    def shared(self, on: Server) -> Seen | None:
        """The long run beside as many others as the server holds at the level; None where it does not hold one."""
        sessions, limits = self.pool(LONG_RUN), own_limits(profiles.workload(LONG_RUN))
        found = capacity(on.deployment, sessions, USERS, limits, ATTAIN, effort=self._effort(LONG_RUN), ends=False)
        if found.middle is None:
            return None
        scales = step_scales(found.middle.done)
        return Seen(found.middle, *(self._measure(on, LONG_RUN, found.middle.load, s) for s in scales))

    def _measure(self, on: Server, workload: str, load: float, scale: float, policy: Policy | None = None) -> Load:
        limits = own_limits(profiles.workload(workload))
        return measure(on.deployment, self.pool(workload), USERS, load, limits, policy, scale, self._effort(workload))


def workloads() -> list[Workload]:
    return [profiles.workload(w) for w in (AGENTS, LONG_RUN)]


def steps(models: Sequence[Model], chips: Sequence[Chip]) -> int:
    """How often `agent_rows` tells its progress."""
    return len(models) * (STEPS_A_CHIP * len(chips) + RETAINED)


def agent_rows(
    models: Sequence[Model], chips: Sequence[Chip], progress: Callable[[int], None], simulations: Simulations
) -> Iterator[Row]:
    """The rows of every model on a server of every chip; a server that cannot serve says why."""
    for model in models:
        held: list[tuple[Server, Load]] = []
        for chip in chips:
            try:
                on = server(model, chip)
            except NotPredictable as error:
                asked = Stack(model.id, profiles.stand_in(model).native_dtype, chip.id, traffic.server_chips(chip))
                for workload in (AGENTS, f"{LONG_RUN}-{ALONE}", f"{LONG_RUN}-{SHARED}"):
                    yield from refused_rows(asked, asked.weight_dtype, workload, str(error))
                progress(STEPS_A_CHIP)
                continue
            found = yield from session_rows(on, simulations)
            held += [(on, found)] if found else []
            progress(1)
            yield from _long_run(on, simulations)
            progress(1)
        yield from _retention(held, simulations)
        progress(RETAINED)


def session_rows(on: Server, simulations: Simulations, workload: str = AGENTS, curve: bool = True):
    """Rows of a workload's sessions on a server, with latencies under load where a curve is wanted.

    Returns the load that is held, or None.
    """
    try:
        found, seen_at = simulations.level(on, workload, curve)
    except NotPredictable as error:
        yield from refused_rows(on.deployment.stack, on.point.dtypes.weight, workload, str(error))
        return None
    yield from level_rows(on.point, found, simulations.pool(workload), ATTAIN, CLOSE)
    for load, seen in seen_at:
        yield from swept_rows(on.point, f"agents={load:g}", seen, profiles.workload(workload), ATTAIN)
    return found.middle


def _retention(held: list[tuple[Server, Load]], simulations: Simulations) -> Iterator[Row]:
    """Of the servers that hold most and fewest agents a chip."""
    held = sorted(held, key=lambda pair: pair[1].load / pair[0].deployment.stack.chips)
    for on, load in held if len(held) <= RETAINED else (held[0], held[-1]):
        for keep_s, seen in simulations.retention(on, load.load):
            yield from swept_rows(on.point, f"keep_s={keep_s:g}", seen, profiles.workload(AGENTS), ATTAIN)


def _long_run(on: Server, simulations: Simulations) -> Iterator[Row]:
    at = (on.deployment.stack, on.point.dtypes.weight)
    try:
        alone = simulations.alone(on)
        shared = simulations.shared(on)
    except NotPredictable as error:
        for which in (ALONE, SHARED):
            yield from refused_rows(*at, f"{LONG_RUN}-{which}", str(error))
        return
    yield from long_rows(on.point, alone, shared, simulations.pool(LONG_RUN), ATTAIN)
