"""Rows of what a stack costs to own, beside its rent, and of what its model costs by the publisher's price list."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from harness.profile_types import weakest
from harness.profiles import Chip, Model, shared_value
from harness.quantity import Cited, stream
from harness.results import Row
from harness.roofline.point import Figure, Point
from harness.run.rows_of_comparison import AGENT_TASKS
from harness.run.rows_of_point import Workload, joined, price_notes, source_id
from harness.scores import scores
from harness.serving.steady import Pool

_DRAWS, _HOUR_S = 4096, 3600.0
_SHARED = ("ownership.years", "ownership.utilisation", "server.overhead_power", "datacentre.pue", "electricity.price")
_PRICES = {"input": "price.input", "cached": "price.cached_input", "output": "price.output"}


def own_rows(p: Point, load: Workload) -> Iterator[Row]:
    """USD an hour in service of a chip that is bought: capital, electricity, both; and what an output token then costs.

        capital = purchase / (years x utilisation);  electricity = (board + server's share) x PUE x price of energy

    utilisation: the share of its life's hours that a chip serves; electricity is counted for those alone. Left out:
    servers, network, buildings, staff, interest and what the chip sells for in the end. Rent, as it stands in the
    other figures, is a row beside them.
    """
    base = {"stack": str(p.stack), "model": p.stack.model, "weight_dtype": p.dtypes.weight, "chip": p.stack.chip,
            "chips": p.stack.chips, "workload": load.id, "unit": "USD/h"}  # fmt: skip
    if p.price is not None:
        rent = p.price.cited
        ends = (rent.quantile(q) * _HOUR_S for q in (0.1, 0.9))
        yield Row(metric="usd_per_chip_h[rent]", value=rent.point * _HOUR_S, kind=_kind([rent]),
                  source=_sources([rent]), note=joined(price_notes(p.price)), **_ends(*ends), **base)  # fmt: skip
    parts = _owned(p)
    for part in ("capital", "electricity", "owned"):
        if part not in parts:
            yield Row(metric=f"usd_per_chip_h[{part}]", value=None, kind="modelled", source="model-of-time",
                      note=f"error={_why_not(p, part)}", **base)  # fmt: skip
            continue
        draws, used = parts[part]
        yield Row(metric=f"usd_per_chip_h[{part}]", kind=_kind(used), source=_sources(used), **_of(draws), **base)
    if "owned" in parts:
        draws, used = parts["owned"]
        each = draws / (_drawn(p.figures["output_tok_s_per_chip"], "output") * _HOUR_S) * 1e6
        used = [*used, *p.used["output_tok_s_per_chip"].values()]
        yield Row(metric="usd_per_m_output_tok_owned", kind=_kind(used), source=f"model-of-time {_sources(used)}",
                  **_of(each), **base | {"unit": "USD/Mtoken"})  # fmt: skip


def list_price_rows(stack: str, model: Model, weight_dtype: str, sessions: Pool | None) -> Iterator[Row]:
    """The publisher's prices, and what a session and a solved task cost by them. Nothing where there are none.

    A session's tokens are the workload's, the same for every model (assumed, as in `solved_rows`); what its own turns
    left is read at the cached price, and the rest at the input price: writing a cache and long contexts, which some
    publishers charge apart, are left out. p10 and p90 are those of the price.
    """
    prices = {part: model.get(key) for part, key in _PRICES.items() if model.has(key)}
    base = {"stack": stack, "model": model.id, "weight_dtype": weight_dtype}
    for part, cited in prices.items():
        yield Row(metric=f"list_usd_per_m_tok[{part}]", value=cited.point * 1e6, unit="USD/Mtoken", kind="published",
                  source=_sources([cited]), note=joined({"price_date": cited.date or "undated"}),
                  **_ends(cited.quantile(0.1) * 1e6, cited.quantile(0.9) * 1e6), **base)  # fmt: skip
    if sessions is None or not {"input", "output"} <= set(prices):
        return
    tokens = session_tokens(sessions)
    read = prices.get("cached", prices["input"])
    used = [prices["input"], read, prices["output"]]
    amounts = [tokens[part] for part in _PRICES]
    value = sum(n * c.point for n, c in zip(amounts, used, strict=True))
    low, high = (sum(n * c.quantile(q) for n, c in zip(amounts, used, strict=True)) for q in (0.1, 0.9))
    notes = {f"{part}_tokens": f"{n:.0f}" for part, n in tokens.items()}
    common = {"kind": "assumed", "unit": "USD", "workload": sessions.workload.id}
    yield Row(metric="list_usd_per_session", value=value, source=_sources(used), note=joined(notes),
              **_ends(low, high), **common, **base)  # fmt: skip
    for score in scores(model):
        if score.benchmark in AGENT_TASKS and score.unit == "%" and score.score:
            times = 100 / score.score
            made = {"harness": score.harness, "setting": score.setting, "reporter": score.reporter}
            notes = {"score": f"{score.score:g}", **{k: v.replace("; ", ", ") for k, v in made.items() if v}}
            yield Row(metric=f"list_usd_per_solved_task[{score.name}]", value=value * times,
                      source=" ".join(sorted({*_sources(used).split(), source_id(score.source)})), note=joined(notes),
                      **_ends(low * times, high * times), **common, **base)  # fmt: skip


def session_tokens(sessions: Pool) -> dict[str, float]:
    """Tokens of a workload's mean session: read anew, read from what its own turns left, and written."""
    count = len(sessions.life_s)
    whole, cached = float(sessions.rows["isl"].sum()) / count, float(np.sum(sessions.cached)) / count
    return {"input": whole - cached, "cached": cached, "output": float(sessions.rows["osl"].sum()) / count}


def _why_not(p: Point, part: str) -> str:
    if part != "electricity" and not p.chip.has("price.purchase"):
        return f"no purchase price: {p.chip.missing.get('price.purchase', 'not in the profile')}"
    return "no board power in the profile"


def _owned(p: Point) -> dict[str, tuple[np.ndarray, list[Cited]]]:
    """part -> (USD an hour, drawn; the values it rests on), as far as the profile has what it takes."""
    years, share, server, pue, energy = (shared_value(key) for key in _SHARED)
    found: dict[str, tuple[np.ndarray, list[Cited]]] = {}
    if p.chip.has("price.purchase"):
        price = p.chip.get("price.purchase")
        capital = price.sample(_DRAWS) / (years.sample(_DRAWS) / _HOUR_S * share.sample(_DRAWS))
        found["capital"] = capital, [price, years, share]
    if "power_w_per_chip" in p.figures:
        watts = _drawn(p.figures["power_w_per_chip"], "power") + _server(p.chip, server).sample(_DRAWS)
        electricity = watts * pue.sample(_DRAWS) * energy.sample(_DRAWS) * _HOUR_S
        found["electricity"] = electricity, [*p.used["power_w_per_chip"].values(), server, pue, energy]
    if len(found) == 2:
        (capital, bought), (electricity, runs) = found.values()
        found["owned"] = capital + electricity, [*bought, *runs]
    return found


def _server(chip: Chip, shared: Cited) -> Cited:
    return chip.get("server.overhead_power") if chip.has("server.overhead_power") else shared


def _drawn(figure: Figure, name: str) -> np.ndarray:
    """Draws of a figure, log-normal on either side of its value, so that p10 and p90 are its own."""
    z = stream(0, f"costs.{name}").standard_normal(_DRAWS) / 1.2815515655446004
    down, up = math.log(figure.value / figure.p10), math.log(figure.p90 / figure.value)
    return figure.value * np.exp(np.where(z < 0, z * down, z * up))


def _of(draws: np.ndarray) -> dict[str, float]:
    low, middle, high = (float(x) for x in np.quantile(draws, (0.1, 0.5, 0.9)))
    return {"value": middle, "p10": low, "p90": high}


def _ends(low: float, high: float) -> dict[str, float | None]:
    """No interval where a figure has no range."""
    return {"p10": low, "p90": high} if high > low else {"p10": None, "p90": None}


def _kind(used: list[Cited]) -> str:
    return "assumed" if weakest([c.kind for c in used]) == "assumed" else "modelled"


def _sources(used: list[Cited]) -> str:
    return " ".join(sorted({source_id(s) for c in used for s in c.sources}))
