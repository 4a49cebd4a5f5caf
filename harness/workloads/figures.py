"""What a workload's file says, as the generator takes it: distributions, shares, limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness import profiles
from harness.errors import BadFile, UserMistake
from harness.profile_types import Workload
from harness.workloads.curves import Curve, curve, share_of

_CURVES = (
    "calls", "first_prompt", "growth", "message", "answer", "tool_gap", "person_gap", "compaction.limit",
    "compaction.length",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A workload's figures; tokens, seconds, shares. None where the file says nothing."""

    calls: Curve
    first_prompt: Curve
    answer: Curve
    growth: Curve | None
    message: Curve | None
    tool_gap: Curve | None
    person_gap: Curve | None
    limit: Curve | None
    shortened: Curve | None  # prompt after a compaction
    first_rank: float  # rank correlation of a session's first prompt with its calls
    growth_rank: float  # and of its growth
    growth_session_share: float  # of the variance of growth (in normal scores): what differs between sessions
    person_share: float
    rewrite_share: float
    never_share: float  # of sessions that are not shortened before the cap
    prefix_tokens: int
    prefix_is_global: bool
    cap_tokens: float
    arrival_cv: float

    @property
    def needs_ids(self) -> bool:
        """Whether reuse is more than "the previous prompt and answer begin the next prompt"."""
        return bool(self.prefix_tokens or self.limit or self.shortened or self.rewrite_share or self.growth)


def shape(workload: Workload) -> Shape:
    """The figures of a workload, checked against each other. Raises BadFile."""
    curves = {name: curve(workload, name) for name in _CURVES}

    def figure(key: str, absent: float) -> float:
        return workload.get(key).point if workload.has(key) else absent

    def rank(name: str) -> float:
        return figure(f"{name}.rises_with_calls", 0.0) - figure(f"{name}.falls_with_calls", 0.0)

    if curves["growth"] and curves["message"]:
        raise BadFile(workload.path, "growth", "growth and message", "one of them")
    several = curves["calls"].most > 1 and curves["calls"].logs[-1] > 0
    if several and not (curves["growth"] or curves["message"]):
        raise BadFile(workload.path, "growth", "nothing", "growth or message, since sessions have several calls")
    if bool(curves["compaction.limit"]) and not curves["compaction.length"]:
        raise BadFile(workload.path, "compaction.length", "nothing", "what a compaction leaves, since a limit is given")
    scope = workload.fact("prefix.scope") or "global"
    if scope not in ("global", "session"):
        raise BadFile(workload.path, "prefix.scope", scope, "global or session")
    return Shape(
        calls=curves["calls"], first_prompt=curves["first_prompt"], answer=curves["answer"], growth=curves["growth"],
        message=curves["message"], tool_gap=curves["tool_gap"], person_gap=curves["person_gap"],
        limit=curves["compaction.limit"], shortened=curves["compaction.length"],
        first_rank=rank("first_prompt"), growth_rank=rank("growth"),
        growth_session_share=figure("growth.session_share", 0.0),
        person_share=figure("person.share", 0.0 if curves["tool_gap"] else 1.0),
        rewrite_share=figure("rewrite.share", 0.0), never_share=figure("compaction.never", 0.0),
        prefix_tokens=round(figure("prefix.tokens", 0.0)),
        prefix_is_global=scope == "global", cap_tokens=figure("context.cap", float("inf")),
        arrival_cv=figure("arrivals.cv", 1.0),
    )  # fmt: skip


def workload_of(asked: str | Workload) -> Workload:
    """A workload by its id, or itself. Raises UnknownId or BadFile."""
    return profiles.workload(asked) if isinstance(asked, str) else asked


def uncertain(workload: Workload) -> list[str]:
    """The keys whose figure is a range: what `vary` can move."""
    return [key for key in workload.values if workload.get(key).is_uncertain]


def vary(workload: str | Workload, name: str, side: str) -> Workload:
    """The same workload with one figure at the end of its range: `side` is low or high.

    The id stays, so all other figures are drawn with the same random numbers and a difference of two results is
    the figure's. Quantiles of the same distribution that the figure would pass are taken along to it.
    Raises UserMistake for a figure without a range.
    """
    workload = workload_of(workload)
    if side not in ("low", "high"):
        raise UserMistake(f"'{side}' is no end of a range: low or high")
    if name not in uncertain(workload):
        known = ", ".join(uncertain(workload)) or "none of its figures has a range"
        raise UserMistake(f"{workload.id}: '{name}' is no figure with a range; those are: {known}")
    end = workload.get(name).range[0 if side == "low" else 1]
    moved = {name: end, **_taken_along(workload, name, end)}
    values = {
        key: (replace(workload.get(key), value=value, low=None, high=None, readings=()),)
        for key, value in moved.items()
    }
    return replace(workload, values={**workload.values, **values})


def _taken_along(workload: Workload, name: str, end: float) -> dict[str, float]:
    """Quantiles (and the maximum) of the same distribution that lie on the wrong side of a moved one."""
    family, _, own = name.rpartition(".")
    rank = _rank(own)
    out: dict[str, float] = {}
    for key in workload.values:
        other = _rank(key.removeprefix(f"{family}.")) if key.startswith(f"{family}.") else None
        if rank is None or other is None or other == rank:
            continue
        value = workload.get(key).point
        if (value < end) if other > rank else (value > end):
            out[key] = end
    return out


def _rank(quantile: str) -> float | None:
    """Where a quantile stands among the others of its distribution; None for another figure."""
    return 1.0 if quantile == "max" else share_of(quantile)
