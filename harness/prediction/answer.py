"""Rows -> figures: plan by plan through the model of time, every row answered or refused with its reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.errors import NotPredictable
from harness.prediction.plans import Plan, Plans, slices, sort
from harness.prediction.rows import NUMBERS, REQUIRED, TEXTS, Answers, Rows, Text
from harness.prediction.table import FIGURE_COLUMNS
from harness.profiles import stand_in
from harness.roofline import constants as fitted
from harness.roofline import memory
from harness.roofline.evaluate import BOUNDS, bound, figures, timed
from harness.roofline.hardware import View
from harness.roofline.memory import Room
from harness.roofline.operate import NEWEST, Asked, Work, prepare, room

_SLICE = 8192  # rows of one step's arrays


def answer(rows: Rows, constants: fitted.Constants | None = None) -> Answers:
    """All rows' figures. constants: None takes the shipped ones."""
    constants = constants or fitted.load()
    plans = sort(rows, sorted(constants.left_out), constants.own_laws)
    out = _Columns(rows)
    for plan in plans.plans:
        for part in slices(plan, _SLICE):
            try:
                _answer(plans, plan, part, constants, out)
            except NotPredictable as error:
                plans.reasons.add(part, str(error))
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
        """A value for those of `rows` that left a column blank."""
        if name in self.number:
            blank = np.isnan(self.rows.number[name][rows])
            self.number[name][rows[blank]] = np.broadcast_to(value, blank.shape)[blank]
        else:
            code = self.words[name].setdefault(value, len(self.words[name]))
            self.text[name][rows[self.rows.text[name].codes[rows] < 0]] = code

    def proxy(self, rows: np.ndarray, model_id: str) -> None:
        """The model that was modelled in the place of the one asked for."""
        self.text["model"][rows] = self.words["model"].setdefault(model_id, len(self.words["model"]))

    def answers(self, plans: Plans) -> Answers:
        used: dict[str, Text | np.ndarray] = dict(self.number)
        used |= {k: Text(v, tuple(self.words[k])) for k, v in self.text.items()}
        return Answers(self.figures, Text(self.bound, BOUNDS), self.fits, plans.reasons.text, used)


def _answer(plans: Plans, plan: Plan, rows: np.ndarray, constants: fitted.Constants, out: _Columns) -> None:
    view, asked = plans.asked(rows)
    held = room(plan.arch, plan.dtypes, plan.layout, view, asked)
    out.fits[rows] = _fits(held, view)
    good = _refuse(plans, plan, rows, view, asked, held)
    if not good.all():
        rows = rows[good]
        if not len(rows):
            return
        view, asked = plans.asked(rows)
    work = prepare(plan.arch, plan.dtypes, plan.layout, plan.split, view, asked)
    t = timed(work, asked, constants)
    for name, (value, p10, p90) in figures(t, work, constants, plan.dtypes.act).items():
        for part, column in (("", value), ("_p10", p10), ("_p90", p90)):
            out.figures[name + part][rows] = column
    out.bound[rows] = bound(t, work)
    _stand_ins(plan, rows, asked, work, out)


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


def _stand_ins(plan: Plan, rows: np.ndarray, asked: Asked, work: Work, out: _Columns) -> None:
    """What stood in for blanks."""
    layout, dtypes, replicas = plan.layout, plan.dtypes, asked.replicas
    values = {
        "tp": layout.tp, "pp": layout.pp, "ep": layout.ep, "dp": layout.dp, "chips": layout.chips * replicas,
        "prefix_hit": 0.0, "date": NEWEST, "concurrency": work.demand.asked * replicas, "requests": work.requests,
        "weight_dtype": dtypes.weight, "act_dtype": dtypes.act, "kv_dtype": dtypes.kv, "engine_family": "unknown",
        "scenario": "closed-loop",
    }  # fmt: skip
    for name, value in values.items():
        out.stand_in(name, rows, value)
    if (body := stand_in(plan.model)) is not plan.model:
        out.proxy(rows, body.id)
