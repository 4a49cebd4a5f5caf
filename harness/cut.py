"""The cut test: which whole stacks remain without a maker, a jurisdiction or a layer, or for a buyer somewhere.

A layer is lost where a term names it or its maker, or its jurisdiction, or where a stated rule closes it to the buyer.
Published software and weights are not lost by their origin: a licence given is not taken back (their updates may end,
which is not weighed). What replaces a lost layer is taken from the stacks that remain. Chip, server, runtime and engine
move together, and a closed model moves only with its maker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UnknownId, UserMistake
from harness.whole_stacks import BUYERS, ROLES, Layer, WholeStack

_HARDWARE = ("chip", "server", "runtime", "engine")
STAYS, LICENCE, LOST = "stays", "needs a licence", "lost"


@dataclass(frozen=True)
class Cut:
    """What is taken away: terms `maker`, `jurisdiction:us`, `chip:h20-96gb`; and who buys ("" for nobody named)."""

    without: tuple[str, ...] = ()
    buyer: str = ""

    def __bool__(self) -> bool:
        return bool(self.without or self.buyer)

    def __str__(self) -> str:
        words = [f"without {term}" for term in self.without]
        return ", ".join(words + ([f"for a buyer in {self.buyer}"] if self.buyer else []))


@dataclass(frozen=True)
class Loss:
    """A layer of a stack that is lost, or that needs a licence, and why."""

    role: str
    layer: Layer
    state: str
    why: str


@dataclass(frozen=True)
class Replacement:
    """What stands in for what a stack lost: the stack it came from, the roles that change, and what is then served."""

    taken_from: WholeStack
    roles: tuple[str, ...]
    whole: bool  # the model goes too
    agents: str


def checked(cut: Cut, stacks: Sequence[WholeStack]) -> Cut:
    """The cut, if each of its terms means something among these stacks. Raises UserMistake or UnknownId."""
    layers = [layer for one in stacks for layer in one.layers.values()]
    for term in cut.without:
        kind, colon, _ = term.partition(":")
        if colon and kind not in ("jurisdiction", *ROLES):
            raise UserMistake(f"--without {term}: before the colon stands jurisdiction or one of {', '.join(ROLES)}")
        if not any(_named(term, layer) for layer in layers):
            raise UnknownId("maker or layer", term, {layer.id for layer in layers} | _makers(layers))
    if cut.buyer and cut.buyer not in BUYERS:
        raise UnknownId("buyer", cut.buyer, BUYERS)
    return cut


def losses(one: WholeStack, cut: Cut) -> list[Loss]:
    """What a stack loses or needs a licence for, in the order of its roles."""
    found = []
    for role, layer in one.layers.items():
        term = next((t for t in cut.without if _named(t, layer)), "")
        access = layer.access(cut.buyer) if cut.buyer else None
        if term and not layer.kept:
            found.append(Loss(role, layer, LOST, _why(term, layer)))
        elif access and access.state != "open" and not layer.kept:
            state = LOST if access.state == "closed" else LICENCE
            found.append(Loss(role, layer, state, f"{access.why} ({access.date})"))
    return found


def state(found: Sequence[Loss]) -> str:
    """What becomes of a stack with these losses."""
    if any(loss.state == LOST for loss in found):
        return LOST
    return LICENCE if found else STAYS


def remaining(stacks: Sequence[WholeStack], cut: Cut) -> list[WholeStack]:
    """The stacks that lose nothing; one that needs a licence is among them."""
    return [one for one in stacks if state(losses(one, cut)) != LOST]


def replacements(one: WholeStack, cut: Cut, left: Sequence[WholeStack]) -> list[Replacement]:
    """What can stand in for the lost layers of a stack, one entry a stack that gives it; none where nothing can."""
    lost = {loss.role for loss in losses(one, cut) if loss.state == LOST}
    found = [_from(other, one, lost) for other in left if other.id != one.id]
    seen: dict[tuple, Replacement] = {}
    for option in found:
        if option is not None:
            seen.setdefault((option.whole or option.taken_from.layers["chip"].id, option.taken_from.serves.model
                             if option.whole or "model" in option.roles else "", option.agents), option)  # fmt: skip
    return list(seen.values())


def served(one: WholeStack, option: Replacement):
    """(model, chip) ids after the replacement."""
    other = option.taken_from.serves
    own = one.serves
    model = other.model if option.whole or "model" in option.roles else own.model
    return model, other.chip if "chip" in option.roles or option.whole else own.chip


def _from(other: WholeStack, one: WholeStack, lost: set[str]) -> Replacement | None:
    hardware = bool(lost & set(_HARDWARE)) or ("cloud" in lost and other.serves.chip != one.serves.chip)
    agents = other.layers["agents"].id if "agents" in lost else ""
    if "model" in lost or (hardware and not one.model_is_open):
        if hardware or not other.model_is_open:  # its weights cannot move, so the whole stack does
            return Replacement(other, tuple(r for r in ROLES if r in other.layers), True, agents)
        return Replacement(other, ("model", *(("agents",) if agents else ())), False, agents)
    roles = [r for r in ROLES if r in other.layers and ((hardware and r in (*_HARDWARE, "cloud")) or r in lost)]
    return Replacement(other, tuple(roles), False, agents) if roles else None


def _makers(layers: Sequence[Layer]) -> set[str]:
    """Each maker as one types it: its name in lower case, without what stands in brackets, and its first word."""
    names = {name.strip().lower() for layer in layers for name in re.split(r"\+|\(.*?\)", layer.maker)}
    return {form for name in names - {""} for form in (name, name.split()[0])}


def _named(term: str, layer: Layer) -> bool:
    """Whether a term means a layer: its jurisdiction, its id or name in a role, or its maker."""
    kind, colon, rest = term.lower().partition(":")
    if kind == "jurisdiction":
        return rest in layer.jurisdiction
    if colon:
        return layer.role == kind and rest in (layer.id, layer.name.lower())
    return kind == layer.id or re.search(rf"\b{re.escape(kind)}\b", layer.maker.lower()) is not None


def _why(term: str, layer: Layer) -> str:
    if term.startswith("jurisdiction:"):
        return f"{layer.name} is of {layer.maker} ({', '.join(layer.jurisdiction)})"
    return f"{layer.name} is of {layer.maker}"


__all__ = ["LICENCE", "LOST", "STAYS", "Cut", "Loss", "Replacement", "checked", "losses", "remaining",
           "replacements", "served", "state"]  # fmt: skip
