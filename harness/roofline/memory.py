"""Does it fit: weights, KV cache and state against device memory, on the fullest chip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.architecture import Architecture
from harness.errors import NotPredictable
from harness.footprint import kv_bytes_per_token, state_bytes_per_sequence, weight_bytes
from harness.operators import Dtypes, Load, plan
from harness.profiles import Chip
from harness.roofline import laws


@dataclass(frozen=True)
class Fit:
    """Bytes on one chip, and how many sequences of a length it holds."""

    weight_bytes: float
    sequence_bytes: float
    usable_bytes: float

    @property
    def sequences(self) -> int:
        """Sequences whose whole context is held at once; 0 where the weights alone do not fit."""
        return max(0, int((self.usable_bytes - self.weight_bytes) // self.sequence_bytes))


def fit(
    arch: Architecture,
    dtypes: Dtypes,
    chip: Chip,
    tokens: int,
    tp: int,
    ep: int = 1,
    gpu_mem: float | None = None,
) -> Fit:
    """Memory of one chip for sequences of `tokens`. Raises NotPredictable where not even one fits."""
    reserve = laws.assumed("memory_reserve").point if gpu_mem is None else 1 - gpu_mem
    if not chip.has("memory.capacity"):
        raise NotPredictable(f"{chip.name} has no memory.capacity: {chip.missing.get('memory.capacity', 'not given')}")
    capacity = chip.get("memory.capacity").point
    out = Fit(
        weight_bytes(arch, dtypes, tp, ep),
        tokens * kv_bytes_per_token(arch, dtypes.kv, tp) + state_bytes_per_sequence(arch, dtypes.kv, tp),
        (1 - reserve) * capacity,
    )
    if out.sequences < 1:
        what = "weights" if out.weight_bytes > out.usable_bytes else "weights and one sequence's cache"
        need = out.weight_bytes + (0 if what == "weights" else out.sequence_bytes)
        raise NotPredictable(
            f"{what} need {need / 1e9:.1f} GB a chip over {max(tp, ep)} chip(s), {chip.name} offers "
            f"{out.usable_bytes / 1e9:.1f} of {capacity / 1e9:.1f} GB"
        )
    return out


def smallest_tp(arch: Architecture, dtypes: Dtypes, chip: Chip, tokens: int, sequences: int, most: int) -> int:
    """The fewest chips (a power of two up to `most`) that hold the weights and `sequences` contexts.

    Group sizes that heads or widths do not divide by are passed over.
    Raises NotPredictable with the reason of the largest group tried.
    """
    last: NotPredictable | None = None
    for tp in 2 ** np.arange(int(np.log2(most)) + 1):
        try:
            if fit(arch, dtypes, chip, tokens, int(tp)).sequences >= sequences:
                plan(arch, Load.of([1]), dtypes, phase="decode", tp=int(tp))  # heads and widths divide
                return int(tp)
            last = None  # one fits, not all: the reason of a smaller group stands no longer
        except NotPredictable as error:
            last = error
    if last is None:
        last = NotPredictable(f"{sequences} sequences of {tokens} tokens do not fit in {most} chips of {chip.name}")
    raise last
