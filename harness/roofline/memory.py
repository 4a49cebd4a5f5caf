"""Does it fit: weights, KV cache and state against device memory, on the fullest chip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.architecture import Architecture
from harness.errors import NotPredictable
from harness.footprint import kv_bytes_per_token, state_bytes_per_sequence, weight_bytes
from harness.operators import Dtypes, Load, plan
from harness.profiles import Chip
from harness.roofline import laws
from harness.roofline.compiled import Layout

# TensorRT-LLM admits a request when its whole output will fit (GUARANTEED_NO_EVICT, its default); the others when its
# prompt does.
RESERVING = "trtllm"


@dataclass(frozen=True)
class Room:
    """Bytes on one chip, and how many sequences a replica holds [rows]; 0 where not even one fits."""

    weight_bytes: float
    sequence_bytes: np.ndarray
    usable: float  # share of memory that the engine uses
    sequences: np.ndarray

    def part(self, rows: np.ndarray) -> Room:
        """Some of the rows."""
        return replace(self, sequence_bytes=self.sequence_bytes[rows], sequences=self.sequences[rows])


def reserve() -> float:
    """Share of memory that engines keep for activations and graphs where nothing is said."""
    return laws.assumed("memory_reserve").point


def room(
    arch: Architecture, dtypes: Dtypes, layout: Layout, isl, osl, capacity_bytes, reserving, kept_back: float
) -> Room:
    """What a replica of a layout holds. isl, osl (tokens), capacity_bytes and reserving (bool) are arrays [rows]."""
    weights = weight_bytes(arch, dtypes, layout.tp, layout.ep, layout.dp) / layout.pp
    token = kv_bytes_per_token(arch, dtypes.kv, layout.tp) / layout.pp
    state = state_bytes_per_sequence(arch, dtypes.kv, layout.tp) / layout.pp
    sequence = (isl + np.where(reserving, 1.0, laws.assumed("held_output").point) * osl) * token + state
    free = (1 - kept_back) * capacity_bytes - weights
    return Room(weights, sequence, 1 - kept_back, np.where(free > 0, np.floor(free / sequence), 0) * layout.dp)


def too_small(chip: Chip, room: Room, chips: int) -> str:
    """The reason of rows that do not fit on `chips` chips: the weights alone, or what they leave for a sequence."""
    capacity = chip.get("memory.capacity").point
    offered, weights = room.usable * capacity, room.weight_bytes / 1e9
    over = f"a chip over {chips} chip(s), {chip.name} offers {offered / 1e9:.1f} of {capacity / 1e9:.1f} GB"
    if room.weight_bytes > offered:
        return f"weights need {weights:.1f} GB {over}"
    return f"weights and one sequence's cache do not fit: weights take {weights:.1f} GB {over}"


def smallest_tp(arch: Architecture, dtypes: Dtypes, chip: Chip, isl: int, osl: int, sequences: int, most: int) -> int:
    """The fewest chips (a power of two up to `most`) that hold the weights and `sequences` contexts.

    Group sizes that heads or widths do not divide by are passed over.
    Raises NotPredictable with the reason of the largest group tried.
    """
    if not chip.has("memory.capacity"):
        raise NotPredictable(f"{chip.name} has no memory.capacity: {chip.missing.get('memory.capacity', 'not given')}")
    capacity, last = chip.get("memory.capacity").point, None
    for tp in (int(2**i) for i in range(int(np.log2(most)) + 1)):
        held = room(arch, dtypes, Layout(tp), isl, osl, capacity, True, reserve())
        if held.sequences < 1:
            last = NotPredictable(too_small(chip, held, tp))
            continue
        last = None  # one fits, not all: the reason of a smaller group stands no longer
        if held.sequences >= sequences:
            try:
                plan(arch, Load.of([1]), dtypes, phase="decode", tp=tp)  # heads and widths divide
                return tp
            except NotPredictable as error:
                last = error
    raise last or NotPredictable(
        f"{sequences} sequences of {isl + osl} tokens do not fit in {most} chips of {chip.name}"
    )
