"""Rows sorted into plans: one model, its formats, its layout. What is
asked of rows of one plan differs in numbers only.

Ids, formats and layouts are resolved once a distinct combination; a combination that cannot be is a reason for all of
its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from harness.architecture import Architecture, of_model
from harness.errors import NotPredictable, StacklineError
from harness.operators import Dtypes
from harness.prediction.rows import Rows, Text
from harness.profiles import Chip, Model, chip, model, stand_in
from harness.roofline.compiled import Layout
from harness.roofline.hardware import Hardware, View
from harness.roofline.layouts import Placement, place
from harness.roofline.operate import Asked
from harness.stack import Stack, resolve_dtypes

_COUNTS = ("chips", "tp", "pp", "ep", "dp")
_FORMATS = ("weight_dtype", "act_dtype", "kv_dtype")


class Reasons:
    """The first reason why each row has no answer, as codes into distinct sentences."""

    def __init__(self, error: Text) -> None:
        self.codes = error.codes.copy()
        self.known = {sentence: i for i, sentence in enumerate(error.values)}

    def add(self, rows: np.ndarray, sentence: str) -> None:
        """`rows`: numbers of rows."""
        code = self.known.setdefault(sentence, len(self.known))
        self.codes[rows] = np.where(self.codes[rows] < 0, code, self.codes[rows])

    @property
    def text(self) -> Text:
        return Text(self.codes, tuple(self.known))


@dataclass(frozen=True)
class Plan:
    """Rows (numbers) that share a model, its formats and a layout."""

    model: Model
    arch: Architecture
    dtypes: Dtypes
    layout: Layout
    split: bool  # prefill was inferred to run on other chips
    rows: np.ndarray


@dataclass
class Plans:
    """All rows of a batch, sorted into plans; `reasons` grows where a row drops out."""

    rows: Rows
    hardware: Hardware
    reasons: Reasons
    chip: np.ndarray  # [n] index into hardware
    replicas: np.ndarray  # [n]
    plans: list[Plan]

    def asked(self, rows: np.ndarray) -> tuple[View, Asked]:
        """The chips of some rows, and what is asked of each."""
        number = {k: self.rows.number[k][rows] for k in ("isl", "osl", "concurrency", "requests", "prefix_hit", "date")}
        static = self._static[rows]
        engine, replicas = self._engine[rows], self.replicas[rows]
        return View(self.hardware, self.chip[rows]), Asked(**number, replicas=replicas, engine=engine, static=static)

    @cached_property
    def _engine(self) -> np.ndarray:
        text = self.rows.text["engine_family"]
        return np.array([*text.values, ""])[text.codes]

    @cached_property
    def _static(self) -> np.ndarray:
        text = self.rows.text["scenario"]
        return np.array([*(word == "static-batch" for word in text.values), False])[text.codes]


def sort(rows: Rows, left_out: Sequence[str] = (), own_laws: Mapping | None = None) -> Plans:
    """Sort rows into plans. left_out: chips whose own measured kernels do not count; own_laws: see `Hardware`."""
    reasons = Reasons(rows.error)
    chips = _resolve(rows.text["chip"], chip, reasons)
    models = _resolve(rows.text["model"], _body, reasons)
    hardware = Hardware.of([c for c in chips if c is not None] or [chip("h100-sxm")], left_out, own_laws)
    position = np.cumsum([c is not None for c in chips]) - 1
    which = rows.text["chip"].codes
    index = position[which] if len(chips) else which
    out = Plans(rows, hardware, reasons, index, np.ones(rows.n), [])
    alive = np.flatnonzero(reasons.codes < 0)
    formats = _distinct([rows.text[c].codes[alive] for c in ("chip", "model", *_FORMATS)])
    counts = (np.nan_to_num(rows.number[c][alive]).astype(np.int64) for c in _COUNTS)
    few = rows.number["concurrency"][alive] < np.nan_to_num(rows.number["tp"][alive])
    layouts = _distinct([rows.text["model"].codes[alive], *counts, few.astype(np.int64)])
    dtypes = _each(formats, alive, reasons, lambda key: _dtypes(rows, key, chips, models))
    placed = _each(layouts, alive, reasons, lambda key: (key[0], _place(models[key[0]][1], key[1:])))
    # A plan is what is compiled together: how many replicas there are is a number of each row.
    kinds, kind = _numbered(dtypes, formats[1])
    spots, spot = _numbered([p and (p[0], p[1].layout, p[1].split) for p in placed], layouts[1])
    out.replicas[alive] = np.array([1 if p is None else p[1].replicas for p in placed] or [1])[layouts[1]]
    good = (kind >= 0) & (spot >= 0)
    kind, spot, alive = kind[good], spot[good], alive[good]
    which, _ = pd.factorize(kind * max(len(spots), 1) + spot)
    # Few plans sort as 16-bit numbers, which is a radix sort.
    order = np.argsort(which.astype(np.uint16) if len(which) and which.max() < 2**16 else which, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(which[order])) + 1) if len(order) else []:
        model_code, layout, split = spots[int(spot[part[0]])]
        out.plans.append(Plan(*models[model_code], kinds[int(kind[part[0]])], layout, split, alive[part]))
    return out


def _numbered(found: list[Any], which: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """(distinct of `found`, their number for each row); -1 where there is none."""
    known = {x: i for i, x in enumerate(dict.fromkeys(x for x in found if x is not None))}
    return list(known), np.array([-1 if x is None else known[x] for x in found] or [-1])[which]


def slices(plan: Plan, most: int) -> Iterator[np.ndarray]:
    """A plan's rows, no more than `most` at a time, so that the arrays of a step stay in the cache."""
    for begin in range(0, len(plan.rows), most):
        yield plan.rows[begin : begin + most]


def _body(model_id: str) -> tuple[Model, Architecture]:
    asked = model(model_id)
    return asked, of_model(asked)


def _resolve(text: Text, load: Callable[[str], Any], reasons: Reasons) -> list[Any]:
    out = []
    for code, name in enumerate(text.values):
        try:
            out.append(load(name))
        except StacklineError as error:
            out.append(None)
            reasons.add(np.flatnonzero(text.codes == code), str(error))
    return out


def _distinct(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(distinct combinations [m, columns], which each row has [n])."""
    key = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        codes, values = pd.factorize(column)
        key, _ = pd.factorize(key * max(len(values), 1) + codes)
    first = np.zeros(int(key.max(initial=-1)) + 1, np.int64)
    first[key[::-1]] = np.arange(len(key))[::-1]
    return np.stack([c[first] for c in columns], axis=1), key


def _each(
    combinations: tuple[np.ndarray, np.ndarray], alive: np.ndarray, reasons: Reasons, make: Callable
) -> list[Any]:
    distinct, which = combinations
    out = []
    for i, key in enumerate(distinct):
        try:
            out.append(make(tuple(int(k) for k in key)))
        except NotPredictable as error:
            out.append(None)
            reasons.add(alive[which == i], str(error))
    return out


def _dtypes(rows: Rows, key: tuple[int, ...], chips: list[Chip], models: list) -> Dtypes:
    chip_code, model_code, *formats = key
    weight, act, kv = ("" if c < 0 else rows.text[n].values[c] for n, c in zip(_FORMATS, formats, strict=True))
    options = {k: v for k, v in (("act", act), ("kv", kv)) if v}
    body, on = models[model_code][0], chips[chip_code]
    return resolve_dtypes(Stack(body.id, weight, on.id, 1, options), stand_in(body), on)


def _place(arch: Architecture, counts: tuple[int, ...]) -> Placement:
    chips, tp, pp, ep, dp, few = counts
    group = max(tp, 1) * max(pp, 1)
    chips = chips or group * (dp if dp > 1 and (ep > 1) else 1)
    return place(arch, chips, tp or None, pp or None, ep or None, dp or None, bool(few))
