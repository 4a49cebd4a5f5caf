"""Rows of one model on one layout, made ready: what fits, the batch that runs, and the blocks of its three steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from harness.architecture import Architecture
from harness.operators import Dtypes, Group, Load
from harness.roofline import laws, memory
from harness.roofline.admission import steps_between_looks
from harness.roofline.blocks import Block, blocks
from harness.roofline.compiled import Layout, compiled
from harness.roofline.compiling import compiles
from harness.roofline.hardware import SOFTWARE, View, has_gddr, software_code
from harness.roofline.mixed import mixes
from harness.roofline.saturated import usual_requests
from harness.roofline.scales import of_engine
from harness.roofline.serve import Demand
from harness.roofline.step import REFERENCE_BANDWIDTH, Pace

# Software dates the fit has seen; a blank date is the newest, an earlier or later one counts as the nearest.
OLDEST, NEWEST, MIDDLE = 2024.0, 2026.45, 2026.1
ALIGNING = "trtllm"  # lets the prompts of data-parallel ranks wait for one another


@dataclass(frozen=True)
class Asked:
    """Rows of one plan, [rows] each; NaN where blank. `concurrency` is over the whole deployment."""

    isl: np.ndarray
    osl: np.ndarray
    concurrency: np.ndarray
    requests: np.ndarray
    prefix_hit: np.ndarray
    date: np.ndarray
    replicas: np.ndarray  # that share the concurrency
    engine: np.ndarray  # engine family names, "" where blank
    static: np.ndarray
    accepted: float = 1.0  # tokens that a decode step yields a sequence: speculation's acceptance length
    reserve: float | None = None  # share of memory that the engine leaves alone; None: the assumed one
    max_sequences: float | None = None  # that run together on a rank; None: the assumed most

    def part(self, rows: np.ndarray) -> Asked:
        """Some of the rows."""
        some = {f.name: getattr(self, f.name) for f in fields(self)}
        return Asked(**{k: v[rows] if isinstance(v, np.ndarray) else v for k, v in some.items()})


@dataclass(frozen=True)
class Work:
    """Ready to be timed: blocks of the decode step, and of both prefills ([own | batched], 2 x rows)."""

    demand: Demand
    decode: list[Block]
    prefill: list[Block]
    view: View
    isl: np.ndarray
    chips: int  # of one replica
    requests: np.ndarray  # of the run
    room: memory.Room


def prepare(
    arch: Architecture, dtypes: Dtypes, layout: Layout, split: bool, view: View, x: Asked,
    held: memory.Room | None = None,
) -> Work:  # fmt: skip
    """Rows of one model, formats and layout. held: their `room`, where it is known already.

    Raises NotPredictable where heads, experts or widths do not divide.
    """
    held = room(arch, dtypes, layout, view, x) if held is None else held
    sequences = held.sequences
    most = np.where(x.static, sequences, np.minimum(sequences, _most_sequences(x) * layout.dp))
    saturating = np.isnan(x.concurrency)
    # A saturated run has no more requests at once than it has at all.
    given = np.where(np.isnan(x.requests), usual_requests(x.isl + x.osl), x.requests / x.replicas)
    asked = np.where(saturating, np.minimum(most, given), np.maximum(x.concurrency / x.replicas, 1))
    batch = np.maximum(np.minimum(asked, most), 1)
    fresh = np.maximum(x.isl * (1 - np.nan_to_num(x.prefix_hit)), 1)
    per_rank = np.maximum(batch / (layout.dp * layout.pp), 1)
    looks = steps_between_looks(x.engine, view, asked, layout.dp > 1 and not split)
    together = _together(x, fresh, per_rank, looks)
    usual = np.where(saturating, given, 10 * asked) * x.replicas
    requests = np.where(np.isnan(x.requests), usual, x.requests)
    wave = np.minimum(asked * x.replicas / requests, 1.0)
    demand = Demand(
        asked, batch, fresh, x.osl, np.full(len(batch), float(layout.dp * layout.pp)),
        _side_by_side(x.engine, layout), together, wave, x.static,
        np.full(len(batch), split), mixes(x.engine) & ~(x.static | split), looks, x.engine,
        compiles(arch, dtypes, x.engine) & ~x.static, x.accepted,
    )  # fmt: skip
    # A step verifies at least as many tokens as it is said to yield; drafting them is left out.
    decode = Load((Group(per_rank, float(np.ceil(x.accepted)), x.isl + x.osl / 2),))
    both = np.concatenate([np.ones(len(batch)), together])
    past = np.tile(x.isl - fresh, 2)
    prefill = Load((Group(both, np.tile(fresh, 2), past),))
    twice = View(view.hardware, np.tile(view.index, 2))
    return Work(
        demand,
        blocks(compiled(arch, dtypes, layout, "decode"), decode, view, x.engine),
        blocks(compiled(arch, dtypes, layout, "prefill"), prefill, twice, np.tile(x.engine, 2)),
        view, x.isl, layout.chips, requests, held,
    )  # fmt: skip


def _most_sequences(x: Asked) -> np.ndarray | float:
    """Requests that an engine runs together on a rank [rows]."""
    if x.max_sequences is not None:
        return x.max_sequences
    usual, reserving = (laws.assumed(k).point for k in ("most_sequences", "most_sequences_trtllm"))
    return np.where(x.engine == memory.RESERVING, reserving, usual)


def _together(x: Asked, fresh: np.ndarray, per_rank: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """Requests of a rank in one prefill step [rows]: those that arrive between two looks at the queue, 1 and more.

    In a closed loop per_rank / osl requests end, and as many arrive, a decode step. A static batch fills its steps.
    """
    most = np.clip(np.floor(laws.assumed("prefill_tokens").point / fresh), 1, per_rank)
    return np.where(x.static, most, np.clip(per_rank / x.osl * looks, 1, most))


def _side_by_side(engine: np.ndarray, layout: Layout) -> np.ndarray:
    """Attention ranks (and stages) that prefill at the same time [rows].

    Ranks that share their experts step together, so that a prompt on one holds up all. TensorRT-LLM waits until every
    rank has one (`admission.toml`); the others do not.
    """
    return np.where(engine == ALIGNING, float(layout.dp * layout.pp), float(layout.pp))


def room(arch: Architecture, dtypes: Dtypes, layout: Layout, view: View, x: Asked) -> memory.Room:
    """What a replica holds, row by row."""
    reserving, kept_back = x.engine == memory.RESERVING, memory.reserve() if x.reserve is None else x.reserve
    return memory.room(arch, dtypes, layout, x.isl, x.osl, view.value("memory.capacity"), reserving, kept_back)


def pace(x: Asked, view: View, scales: Mapping[str, float]) -> Pace:
    """Vendor, software date, engine and generation of each row as factors on kernel and fixed times."""
    vendor = view.column("software", software_code)
    age = np.clip(np.where(np.isnan(x.date), NEWEST, x.date), OLDEST, NEWEST) - MIDDLE
    factor = np.array([1.0 if name == "cuda" else scales[f"vendor.{name}"] for name in SOFTWARE])
    yearly = np.array([scales["yearly.rocm" if name == "rocm" else "yearly.cuda"] for name in SOFTWARE])
    kernels = factor[vendor] * np.exp(-yearly[vendor] * age)
    engine = of_engine(scales, "engine", x.engine)
    told = np.where(view.column("gddr", has_gddr), REFERENCE_BANDWIDTH, view.value("memory.bandwidth"))
    generation = (REFERENCE_BANDWIDTH / told) ** scales["generation"]
    return Pace(kernels, kernels * engine * generation)
