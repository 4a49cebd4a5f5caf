"""Rows of a comparison: each stack against the baseline, what would change the verdict, quality, solved tasks.

Probability of being better: of the ratio's logarithm as a normal with its own spread on either side of the value, so
that p10 and p90 are the interval's. What two stacks rest on alike has cancelled in it (harness/roofline/compare.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from harness.activations import peak_bytes
from harness.architecture import of_model
from harness.profiles import Model, model
from harness.results import Row
from harness.roofline import laws
from harness.roofline.compare import movers, ratio
from harness.roofline.point import Figure, Point
from harness.run.rows_of_point import Workload, joined, kind_of, price_notes, source_id, sources_of
from harness.scores import Score, scores

if TYPE_CHECKING:
    import pandas as pd

# Figures that are set against the baseline's, and whether more of one is better.
MORE_IS_BETTER = {"ttft_ms": False, "tpot_ms": False, "tok_s_per_user": True, "output_tok_s_per_chip": True,
                  "total_tok_s_per_chip": True, "energy_j_per_output_tok": False, "usd_per_m_output_tok": False,
                  "memory_used_share": False}  # fmt: skip
_Z90 = 1.2815515655446004  # of the standard normal
_CURVE = 9  # points of a curve over requests at once: 1 to 256
_FEWEST = 0.005  # the share of a ratio's variance that a cause needs to be listed
# Evaluations whose items are tasks that an agent solves, so that a cost for each solved one has a meaning.
AGENT_TASKS = ("SWE-bench Pro", "SWE-bench Verified", "Terminal-Bench")


def better_with(found: Figure, more_is_better: bool) -> float:
    """Probability that the first of a ratio's two is the better one.

    >>> round(better_with(Figure(2.0, 1.0, 4.0, "1"), True), 3)
    0.9
    """
    log = math.log(found.value)
    if log > 0:
        reach = math.log(found.value / found.p10) if found.p10 else math.inf
    else:
        reach = math.log(found.p90 / found.value)
    if reach == 0:
        above = 0.5 if log == 0 else float(log > 0)
    else:
        above = 0.5 * (1 + math.erf(log / (reach / _Z90) / math.sqrt(2)))
    return above if more_is_better else 1 - above


def against(p: Point, first: Point, load: Workload) -> Iterator[Row]:
    """Ratios to the baseline with the probability of being better, the causes of their spread, the even price."""
    base = _base(p, load)
    for name, more in MORE_IS_BETTER.items():
        if name not in p.figures or name not in first.figures:
            continue
        found = ratio(p, first, name)
        common = {"kind": _kind(p, first, name), "source": _sources(p, first, name)}
        note = joined({"to": str(first.stack), "better": f"{better_with(found, more):.3f}"})
        yield Row(metric=f"ratio[{name}]", value=found.value, p10=found.p10, p90=found.p90, unit="1", note=note,
                  **common, **base)  # fmt: skip
        for cause, share, low, high in movers(p, first, name):
            note = joined({"to": str(first.stack), "cause": cause, "low": f"{low:.4g}", "high": f"{high:.4g}",
                           **_turns(p, first, cause, found.value, low, high)})  # fmt: skip
            if share >= _FEWEST:
                yield Row(metric=f"mover[{name}]", value=share, unit="1", note=note, **common, **base)
    yield from _even_price(p, first, base)


def _turns(p: Point, first: Point, cause: str, value: float, low: float, high: float) -> dict[str, str]:
    """Where a profile's value makes a ratio 1, alone and in its own unit; nothing where that lies outside its range.

    The ratio's logarithm is taken as straight in the value's, through its own 10 % and 90 % points.
    """
    cited = next((c for chip in (p.chip, first.chip) for listed in chip.values.values() for c in listed
                  if c.id == cause), None)  # fmt: skip
    if cited is None or low == high:
        return {}
    ends = math.log(cited.quantile(0.1)), math.log(cited.quantile(0.9))
    slope = (math.log(high) - math.log(low)) / (ends[1] - ends[0])
    even = ends[0] - math.log(low) / slope  # as a logarithm: past any number where the value hardly matters
    least, most = (math.log(end) for end in cited.range)
    return {"even": cited.shown(math.exp(even), 3)} if least <= even <= most else {}


def _even_price(p: Point, first: Point, base: dict) -> Iterator[Row]:
    """The rent at which a token costs as much as the baseline's: its own rent times the ratio of output per chip."""
    if p.price is None or first.price is None:
        return
    speed = ratio(p, first, "output_tok_s_per_chip")
    theirs = first.price.cited.point * 3600
    notes = {"to": str(first.stack), "own": f"{p.price.cited.point * 3600:.4g}", "theirs": f"{theirs:.4g}",
             **price_notes(p.price)}  # fmt: skip
    yield Row(metric="even_usd_per_chip_h", value=theirs * speed.value, p10=theirs * speed.p10, p90=theirs * speed.p90,
              unit="USD/h", kind=_kind(p, first, "usd_per_m_output_tok"),
              source=_sources(p, first, "usd_per_m_output_tok"), note=joined(notes), **base)  # fmt: skip


def score_rows(stack: str, model: Model, weight_dtype: str) -> Iterator[Row]:
    """Every published score of a model, with who made it and how."""
    for score in scores(model):
        yield Row(stack, f"score[{score.name}]", score.score, score.unit, "published", source_id(score.source),
                  model=model.id, weight_dtype=weight_dtype, note=joined(_made(score)))  # fmt: skip


def solved_rows(
    p: Point, model: Model, workload: str, usd: Row | None, kwh: Row | None, hours: Row | None
) -> Iterator[Row]:
    """Money, joules and time for each task solved, at each published score of an evaluation by agents.

    Cost per attempted task over the share solved, as the design defines it. What an attempt takes is assumed: a session
    of the workload (`usd`, `kwh` and `hours` are its rows), the same for every model, since nobody published the tokens
    of these runs. p10 and p90 are those of the session; the score's own error is not published.
    """
    units = {"usd_per_solved_task": ("USD", usd, 1.0), "energy_j_per_solved_task": ("J", kwh, 3.6e6),
             "s_per_solved_task": ("s", hours, 3600.0)}  # fmt: skip
    for score in scores(model):
        if score.benchmark not in AGENT_TASKS or score.unit != "%" or not score.score:
            continue
        note, times = joined(_made(score) | {"score": f"{score.score:g}"}), 100 / score.score
        for metric, (unit, session, by) in units.items():
            if session is not None:
                value, *ends = (x and x * by * times for x in (session.value, session.p10, session.p90))
                sources = " ".join(sorted({*session.source.split(), source_id(score.source)}))
                yield Row(str(p.stack), f"{metric}[{score.name}]", value, unit, "assumed", sources, model.id,
                          p.dtypes.weight, p.stack.chip, p.stack.chips, "", workload, *ends, note=note)  # fmt: skip


def _made(score: Score) -> dict[str, str]:
    named = {"harness": score.harness, "setting": score.setting, "effort": score.effort, "reporter": score.reporter,
             "by": score.reporter_kind, "date": score.date}  # fmt: skip
    return {key: value.replace("; ", ", ") for key, value in named.items() if value}


def _base(p: Point, load: Workload) -> dict:
    return {"stack": str(p.stack), "model": p.stack.model, "weight_dtype": p.dtypes.weight, "chip": p.stack.chip,
            "chips": p.stack.chips, "suite": "", "workload": load.id}  # fmt: skip


def _kind(p: Point, first: Point, name: str) -> str:
    return "assumed" if "assumed" in (kind_of(p, name), kind_of(first, name)) else "modelled"


def _sources(p: Point, first: Point, name: str) -> str:
    return " ".join(sorted({*sources_of(p, name).split(), *sources_of(first, name).split()}))


def split_price_rows(p: Point, load: Workload) -> Iterator[Row]:
    """What a further million tokens costs: of input, of input found in the cache, of output. At the rent of the stack.

    Marginal: the chip-seconds of a request (output tokens over output per chip) differ between requests that differ in
    one kind of token alone. Input: half of it taken away. Cached: nine tenths of the input found in the cache, against
    a request without them; what they cost is attention and memory. Output: as many again. p10 and p90 are as far from
    the value as those of the price of an output token. Left out: what a cached token holds between requests.
    """
    whole = p.figures.get("usd_per_m_output_tok")
    if whole is None or p.price is None:
        return
    chip_s = _chip_seconds(p, load)
    rent = p.price.cited.point * 1e6
    found = {
        "input": (chip_s["base"] - chip_s["half"]) / (load.isl / 2),
        "cached": (chip_s["hit"] - chip_s["tenth"]) / (0.9 * load.isl),
        "output": (chip_s["twice"] - chip_s["base"]) / load.osl,
    }
    for part, each in found.items():
        value = max(each, 0.0) * rent
        yield Row(metric=f"usd_per_m_tok[{part}]", value=value, p10=value * whole.p10 / whole.value,
                  p90=value * whole.p90 / whole.value, unit="USD/Mtoken", kind=kind_of(p, "usd_per_m_output_tok"),
                  source=sources_of(p, "usd_per_m_output_tok"), note=joined(price_notes(p.price)),
                  **_base(p, load))  # fmt: skip


def curve_rows(p: Point, load: Workload) -> Iterator[Row]:
    """Tokens/s for each user and output per chip at 1, 2, 4, ... requests at once, as far as memory holds them."""
    at = [2**k for k in range(_CURVE)]
    found = predicted(p, [{"isl": load.isl, "osl": load.osl, "concurrency": c} for c in at])
    for c, row in zip(at, found.to_dict("records"), strict=True):
        if isinstance(row["error"], str):
            continue
        for name, unit in (("tok_s_per_user", "token/s"), ("output_tok_s_per_chip", "token/s")):
            yield Row(metric=f"curve.{name}[c={c}]", value=row[name], p10=row[f"{name}_p10"], p90=row[f"{name}_p90"],
                      unit=unit, kind=kind_of(p, name), source=sources_of(p, name), **_base(p, load))  # fmt: skip


def memory_rows(p: Point, load: Workload) -> Iterator[Row]:
    """GB of a chip: weights, the cache of the requests that run together, a prefill step's activations, what engines
    keep back beside them, and what is left. What is kept back decides how many requests fit; activations decide
    nothing, and say how much of it a step takes."""
    room, capacity = p.work.room, p.chip.get("memory.capacity").point
    weights = float(np.ravel(room.weight_bytes)[0])
    cache = p.batch / p.placement.layout.dp * float(room.sequence_bytes[0])
    live, low, high = _activations(p)
    kept = max((1 - float(np.ravel(room.usable)[0])) * capacity - live, 0.0)
    parts = {"weights": weights, "kv": cache, "activations": live, "kept": kept,
             "free": capacity - weights - cache - live - kept}  # fmt: skip
    for part, size in parts.items():
        more = {"p10": low / 1e9, "p90": high / 1e9} if part == "activations" else {}
        kind = kind_of(p, "memory_used_share") if part in ("weights", "kv") else "assumed"
        yield Row(metric=f"memory_gb[{part}]", value=size / 1e9, unit="GB", kind=kind,
                  source=sources_of(p, "memory_used_share"), **more, **_base(p, load))  # fmt: skip


def _activations(p: Point) -> tuple[float, float, float]:
    """Bytes of a prefill step's activations, with p10 and p90: of the assumed range of tokens in a step."""
    tokens, layout = laws.assumed("prefill_tokens"), p.placement.layout
    arch, sampled = of_model(model(p.stack.model)), max(1, round(p.batch / layout.dp))
    at = (tokens.point, tokens.quantile(0.1), tokens.quantile(0.9))
    return tuple(peak_bytes(arch, p.dtypes, round(n), sampled, layout.tp, layout.ep, layout.dp) for n in at)


def predicted(p: Point, rows: list[dict[str, float]]) -> pd.DataFrame:
    """Operating points of the same stack, as `predict` gives them."""
    import pandas as pd

    from harness.prediction import predict

    stack, layout = p.stack, p.placement.layout
    common = {"chip": stack.chip, "chips": stack.chips, "model": stack.model, "weight_dtype": p.dtypes.weight,
              "act_dtype": p.dtypes.act, "kv_dtype": p.dtypes.kv, "tp": layout.tp, "pp": layout.pp, "ep": layout.ep,
              "dp": layout.dp, "engine_family": stack.options.get("engine", "")}  # fmt: skip
    return predict(pd.DataFrame([common | row for row in rows]))


def _chip_seconds(p: Point, load: Workload) -> dict[str, float]:
    """Chip-seconds of a request at the point, and with fewer or more tokens of one kind."""
    shapes = {"base": (load.isl, load.osl, 0.0), "half": (load.isl / 2, load.osl, 0.0),
              "hit": (load.isl, load.osl, 0.9), "tenth": (load.isl / 10, load.osl, 0.0),
              "twice": (load.isl, 2 * load.osl, 0.0)}  # fmt: skip
    found = predicted(p, [{"isl": isl, "osl": osl, "prefix_hit": hit, "concurrency": load.concurrency}
                          for isl, osl, hit in shapes.values()])  # fmt: skip
    rates = found["output_tok_s_per_chip"]
    return {name: osl / rate for (name, (_, osl, _)), rate in zip(shapes.items(), rates, strict=True)}
