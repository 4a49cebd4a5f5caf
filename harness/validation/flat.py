"""Measured rows made ready for fitting: their blocks end to end, so that a set of scales is tried in milliseconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from harness.errors import UserMistake
from harness.prediction import plans
from harness.prediction.rows import read
from harness.roofline.blocks import GROUPS, Block
from harness.roofline.hardware import View
from harness.roofline.mixed import Sharing, products, saved_s
from harness.roofline.operate import Asked, pace, prepare, room
from harness.roofline.scales import prefill_scales
from harness.roofline.serve import Demand, Latency, latency, tokens_s
from harness.roofline.step import Pace, engine_seconds, fixed_scales, work_scales

_ALL = (*GROUPS, "link", "exchange")
_PRODUCT = np.array([products(g) for g in _ALL])


@dataclass(frozen=True)
class Flat:
    """Blocks of one kind of step of many rows, end to end: an element an operator and row."""

    rows: int
    row: np.ndarray
    group: np.ndarray  # index into GROUPS, then link and exchange
    work: np.ndarray  # count x (max + overlap min), s
    fixed: np.ndarray  # count x fixed, s
    count: np.ndarray
    reading: np.ndarray  # of `work`, count x memory, s
    computing: np.ndarray  # count x compute, s

    @classmethod
    def of(cls, parts: Sequence[tuple[np.ndarray, list[Block], slice]], rows: int) -> Flat:
        """parts: (row numbers [r], blocks, which of the blocks' columns are those rows)."""
        out: dict[str, list] = {k: [] for k in ("row", "group", "work", "fixed", "count", "reading", "computing")}
        for number, blocks, columns in parts:
            for b in blocks:
                shape = (len(b.count), np.shape(b.memory)[1])
                work = np.maximum(b.memory, b.compute) + b.overlap * np.minimum(b.memory, b.compute)
                for key, value in (("work", b.count * work), ("fixed", b.count * b.fixed), ("count", b.count),
                                   ("reading", b.count * b.memory), ("computing", b.count * b.compute)):  # fmt: skip
                    out[key].append(np.broadcast_to(value, shape)[:, columns].ravel())
                shape = (len(b.count), len(number))
                out["row"].append(np.broadcast_to(number, shape).ravel())
                out["group"].append(np.full(shape, _ALL.index(b.group)).ravel())
        return cls(rows, **{k: np.concatenate(v) for k, v in out.items()})

    def seconds(self, scales: Mapping[str, float], pace: Pace) -> tuple[np.ndarray, Sharing]:
        """A step's time [rows], what `step.step` sums, in one pass; and of it what `mixed.sharing` does."""
        work, fixed = work_scales(scales), fixed_scales(scales)
        factor = np.array([work[g] for g in _ALL])[self.group]
        start, layer = (np.array([fixed[g][i] for g in _ALL])[self.group] for i in (0, 1))
        begin = start * self.fixed + layer * self.count
        kernel, product = self.group < len(GROUPS), _PRODUCT[self.group]

        def total(which: np.ndarray, x: np.ndarray) -> np.ndarray:
            return np.bincount(self.row, np.where(which, x, 0.0), self.rows)

        starting = total(kernel, begin) * pace.fixed + total(~kernel, begin)
        seconds = total(kernel, factor * self.work) * pace.kernels + total(~kernel, factor * self.work) + starting
        reading, computing = (total(product, factor * x) * pace.kernels for x in (self.reading, self.computing))
        return seconds, Sharing(reading, computing, starting)


@dataclass(frozen=True)
class Ready:
    """Measured rows that can be predicted, ready for any scales; `index` are their labels in the frame."""

    index: np.ndarray
    demand: Demand
    asked: Asked
    view: View
    chips: np.ndarray  # of the whole deployment, over its replicas
    decode: Flat
    alone: Flat
    batched: Flat

    def latency(self, scales: Mapping[str, float]) -> Latency:
        x, own, prefill = self.demand, pace(self.asked, self.view, scales), prefill_scales(scales)
        engine = engine_seconds(scales, x.batch / x.ranks)
        (decode, ours), (alone, _) = self.decode.seconds(scales, own), self.alone.seconds(prefill, own)
        batched, theirs = self.batched.seconds(prefill, own)
        ours = replace(ours, starting=ours.starting + engine)
        return latency(x, decode + engine, alone, batched, saved_s(ours, theirs), scales)

    def per_chip(self, x: Latency) -> np.ndarray:
        """Output tokens a second and chip."""
        return tokens_s(self.demand, x.e2e) / self.chips


def ready(inputs: pd.DataFrame, left_out: Collection[str] = ()) -> Ready:
    """Rows of the contract's input columns; those that predict refuses are left out.

    left_out: chips whose own measured kernels do not count. Raises UserMistake where none is left.
    """
    sorted_ = plans.sort(read(inputs), sorted(left_out))
    parts, kept, position = [], [], 0
    for plan in sorted_.plans:
        view, asked = sorted_.asked(plan.rows)
        held = room(plan.arch, plan.dtypes, plan.layout, view, asked)
        fit = held.sequences >= 1
        rows = plan.rows[fit]
        if not len(rows):
            continue
        view, asked = view.part(fit), asked.part(fit)
        work = prepare(plan.arch, plan.dtypes, plan.layout, plan.split, view, asked, held.part(fit))
        parts.append((np.arange(position, position + len(rows)), work, asked))
        kept.append(rows)
        position += len(rows)
    if not kept:
        raise UserMistake(f"none of {len(inputs)} measured rows to fit on can be predicted")
    rows = np.concatenate(kept)
    view, asked = sorted_.asked(rows)
    names = [f.name for f in fields(Demand) if f.name != "accepted"]  # nothing is speculated in scored rows
    demand = Demand(**{name: np.concatenate([getattr(w.demand, name) for _, w, _ in parts]) for name in names})
    chips = np.concatenate([w.chips * np.ones(len(n)) for n, w, _ in parts])

    def flat(blocks, columns) -> Flat:
        return Flat.of([(n, blocks(w), columns(len(n))) for n, w, _ in parts], position)

    return Ready(
        inputs.index.to_numpy()[rows], demand, asked, view, chips,
        flat(lambda w: w.decode, lambda r: slice(0, r)),
        flat(lambda w: w.prefill, lambda r: slice(0, r)),
        flat(lambda w: w.prefill, lambda r: slice(r, 2 * r)),
    )  # fmt: skip
