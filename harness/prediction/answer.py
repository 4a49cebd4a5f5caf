"""Rows -> figures: timed plan by plan, finished together, every row answered or refused with its reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from harness.errors import NotPredictable
from harness.prediction.plans import Plan, Plans, slices, sort
from harness.prediction.rows import NUMBERS, REQUIRED, TEXTS, Answers, Rows, Text
from harness.prediction.table import FIGURE_COLUMNS
from harness.prediction.together import Part, Together
from harness.profiles import stand_in
from harness.roofline import constants as fitted
from harness.roofline import memory
from harness.roofline.evaluate import BOUNDS, bound, figures, timed
from harness.roofline.hardware import View
from harness.roofline.memory import Room
from harness.roofline.operate import NEWEST, Asked, prepare, room

_SLICE = 8192  # rows of one step's arrays


def answer(rows: Rows, constants: fitted.Constants | None = None) -> Answers:
    """All rows' figures. constants: None takes the shipped ones."""
    constants = constants or fitted.load()
    plans = sort(rows, sorted(constants.left_out), constants.own_laws)
    out = _Columns(rows)
    waiting: dict[str, list[Part]] = defaultdict(list)
    held: Counter[str] = Counter()
    for plan in plans.plans:
        for some in slices(plan, _SLICE):
            try:
                part = _timed(plans, plan, some, constants, out)
            except NotPredictable as error:
                plans.reasons.add(some, str(error))
                continue
            if part is not None:
                act = plan.dtypes.act  # its peak's range is the figures' own
                waiting[act].append(part)
                held[act] += len(part.rows)
                if held[act] >= _SLICE:
                    _finish(Together.of(waiting.pop(act)), constants, out)
                    held[act] = 0
    for same in waiting.values():
        _finish(Together.of(same), constants, out)
    return out.answers(plans)


class _Columns:
    """Columns of the answer, blank until a row is answered."""

    def __init__(self, rows: Rows) -> None:
        n = rows.n
        self.rows = rows
        self.figures = {name: np.full(n, np.nan) for name in FIGURE_COLUMNS}
        self.bound = np.full(n, -1, np.int32)
        self.fits = np.full(n, -1, np.int8)
        self.number = {k: np.full(n, np.nan) for k in NUMBERS if k not in REQUIRED}
        self.words: dict[str, dict[str, int]] = {k: {} for k in TEXTS if k not in REQUIRED}
        self.words["model"] = {}  # never blank, but a proxy may stand in for it
        self.text = {k: np.full(n, -1, np.int32) for k in self.words}

    def stand_in(self, name: str, rows: np.ndarray, value) -> None:
        """Values (one, or one a row) for those of `rows` that left a column blank; of words their codes."""
        if name in self.number:
            blank = np.isnan(self.rows.number[name][rows])
            self.number[name][rows[blank]] = np.broadcast_to(value, blank.shape)[blank]
        else:
            blank = self.rows.text[name].codes[rows] < 0
            self.text[name][rows[blank]] = np.broadcast_to(value, blank.shape)[blank]

    def code(self, name: str, word: str) -> int:
        """The code of a word that may stand in a column."""
        return self.words[name].setdefault(word, len(self.words[name]))

    def proxy(self, rows: np.ndarray, model_id: str) -> None:
        """The model that was modelled in the place of the one asked for."""
        self.text["model"][rows] = self.code("model", model_id)

    def answers(self, plans: Plans) -> Answers:
        used: dict[str, Text | np.ndarray] = dict(self.number)
        used |= {k: Text(v, tuple(self.words[k])) for k, v in self.text.items()}
        return Answers(self.figures, Text(self.bound, BOUNDS), self.fits, plans.reasons.text, used)


def _timed(plans: Plans, plan: Plan, rows: np.ndarray, constants: fitted.Constants, out: _Columns) -> Part | None:
    """Those of a plan's rows that stay, timed; None where none does."""
    view, asked = plans.asked(rows)
    held = room(plan.arch, plan.dtypes, plan.layout, view, asked)
    out.fits[rows] = _fits(held, view)
    good = _refuse(plans, plan, rows, view, asked, held)
    if not good.all():
        if not good.any():
            return None
        rows, view, asked, held = rows[good], view.part(good), asked.part(good), held.part(good)
    work = prepare(plan.arch, plan.dtypes, plan.layout, plan.split, view, asked, held)
    return Part(plan, rows, asked, replace(work, decode=[], prefill=[]), timed(work, asked, constants))


def _finish(x: Together, constants: fitted.Constants, out: _Columns) -> None:
    """Figures, bounds and stand-ins of rows that are timed."""
    for name, (value, p10, p90) in figures(x.timed, x.work, constants, x.plans[0].dtypes.act).items():
        for part, column in (("", value), ("_p10", p10), ("_p90", p90)):
            out.figures[name + part][x.rows] = column
    out.bound[x.rows] = bound(x.timed, x.work)
    _stand_ins(x, out)


def _fits(held: Room, view: View) -> np.ndarray:
    """1, 0, or -1 where the range of the memory's size straddles what is needed."""

    def edge(p: float):
        return lambda c: c.get("memory.capacity").quantile(p) if c.has("memory.capacity") else np.nan

    low, high = (view.column(f"capacity.{p}", edge(p)) for p in (0.1, 0.9))
    need = (held.weight_bytes + held.sequence_bytes) / held.usable
    return np.where(low >= need, 1, np.where(high < need, 0, -1)).astype(np.int8)


def _refuse(plans: Plans, plan: Plan, rows: np.ndarray, view: View, x: Asked, held: Room) -> np.ndarray:
    """Which rows stay; the others get their reason."""
    good = np.ones(len(rows), bool)

    def drop(which: np.ndarray, sentence: Callable[[int], str]) -> None:
        for chip in np.unique(view.index[which]):
            plans.reasons.add(rows[which & (view.index == chip)], sentence(int(chip)))
        good[which] = False

    context = plan.model.get("context").point
    late = x.isl + x.osl > context
    if late.any():
        plans.reasons.add(rows[late], f"input and output are past the context of {context:.0f} tokens")
        good[late] = False
    chips = view.hardware.chips
    several = plan.layout.tp * plan.layout.ep > 1
    for key in ("memory.capacity", "memory.bandwidth", *(("scaleup.bandwidth",) if several else ())):
        absent = np.isnan(view.value(key)) & good
        if absent.any():
            drop(absent, lambda i, key=key: _absent(chips[i], key))
    tight = (held.sequences < 1) & good
    if tight.any():
        drop(tight, lambda i: memory.too_small(chips[i], held, plan.layout.chips))
    return good


def _absent(chip, key: str) -> str:
    return f"{chip.name} has no {key}: {chip.missing.get(key, 'not in the profile')}"


def _stand_ins(x: Together, out: _Columns) -> None:
    """What stood in for blanks."""
    replicas = x.asked.replicas
    for name in ("tp", "pp", "ep", "dp"):
        out.stand_in(name, x.rows, x.of_plan([getattr(p.layout, name) for p in x.plans]))
    values = {
        "chips": x.work.chips * replicas, "prefix_hit": 0.0, "date": NEWEST,
        "concurrency": x.work.demand.asked * replicas, "requests": x.work.requests,
    }  # fmt: skip
    for name, value in values.items():
        out.stand_in(name, x.rows, value)
    for name in ("weight", "act", "kv"):
        column = f"{name}_dtype"
        out.stand_in(column, x.rows, x.of_plan([out.code(column, getattr(p.dtypes, name)) for p in x.plans]))
    for name, word in (("engine_family", "unknown"), ("scenario", "closed-loop")):
        out.stand_in(name, x.rows, out.code(name, word))
    for plan, rows in zip(x.plans, np.split(x.rows, np.cumsum(x.sizes)[:-1]), strict=True):
        if (body := stand_in(plan.model)) is not plan.model:
            out.proxy(rows, body.id)
