"""How a deployment's words become a layout of one replica, and how many replicas there are.

The design's reading (`stack.read_deployment`), and one inference: a group of more than eight chips that the heads do
not divide by, or of more than sixteen, cannot be tensor-parallel. It is taken to run data-parallel attention with its
experts spread and its prefill on other chips, or, with fewer requests than chips, tensor parallelism over servers of
eight. That reading was shaped by the GB200 rows that publish such groups; nothing else confirms it, and its rows have
intervals of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.architecture import Architecture, Moe
from harness.errors import NotPredictable
from harness.roofline.compiled import Layout
from harness.stack import read_deployment

_SERVER = 8  # chips that tensor parallelism is run over; wider groups are read as above
_WIDEST = 16  # two servers: no published run that says how it is split spreads one product over more


@dataclass(frozen=True)
class Placement:
    """A layout, its replicas, and whether prefill was inferred to run apart (`split`)."""

    layout: Layout
    replicas: int
    split: bool = False


def place(
    arch: Architecture, chips: int, tp: int | None, pp: int | None, ep: int | None, dp: int | None, few: bool = False
) -> Placement:
    """Raises NotPredictable where the words cannot be laid out, or experts and layers do not divide.

    few: fewer requests than the group has chips, so that data-parallel ranks would stand idle.
    """
    where = read_deployment(chips, tp, pp, ep, dp)
    experts = next((g.mlp.experts for g in arch.layers if isinstance(g.mlp, Moe)), 0)
    if where.pp > arch.layer_count:
        raise NotPredictable(f"pp={where.pp} stages, the model has {arch.layer_count} layers")
    if where.dp == 1 and (where.tp > _WIDEST or (where.tp > _SERVER and not _splits(arch, where.tp))):
        if few and _splits(arch, _SERVER):
            return Placement(Layout(_SERVER, where.pp), where.replicas * (where.tp // _SERVER), True)
        spread = max(d for d in range(1, where.tp + 1) if experts % d == 0) if experts else 1
        return Placement(Layout(1, where.pp, spread, where.tp), where.replicas, True)
    ep = where.ep if experts else 1
    if ep > 1 and (ep > where.tp * where.dp or (where.tp * where.dp) % ep):
        raise NotPredictable(f"ep={ep} cannot be laid out on a replica of tp={where.tp} x dp={where.dp} chips")
    return Placement(Layout(where.tp, where.pp, ep, where.dp), where.replicas)


def _splits(arch: Architecture, tp: int) -> bool:
    heads = math.gcd(*(getattr(g.attention, "heads", 0) or getattr(g.attention, "value_heads", 0) for g in arch.layers))
    return heads % tp == 0
