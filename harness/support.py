"""Can it run? What is stated of a model on a chip with an engine and a format, by whom and on what evidence.

    stated                     somebody ran it, or the engine's or the vendor's matrix lists it
    stated without evidence    a claim alone: a README, a roadmap, a release note
    not stated                 no statement read names it; which does not mean that it does not run
    stated not to run          an engine's or the vendor's matrix says that it is not supported

A documented refusal outranks a bare claim, and a run outranks both; where statements of several engines disagree, all
of them are named. A chip's `[[engines]]` are the statements. One that names no formats for a model speaks of none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.profiles import Chip

EVIDENCE = {"run": "stated", "documented": "stated", "claimed": "stated without evidence"}
NOT_STATED, REFUSED = "not stated", "stated not to run"
_ORDER = ("stated", REFUSED, "stated without evidence", NOT_STATED)
# A 4-bit float is stated under any of its names.
_SAME = {"fp4": ("nvfp4", "mxfp4"), "nvfp4": ("fp4",), "mxfp4": ("fp4",), "fp16": ("bf16",), "bf16": ("fp16",)}


@dataclass(frozen=True)
class Support:
    """The best that is stated, and the statement it rests on (None for "not stated")."""

    level: str
    engine: str = ""
    version: str = ""
    date: str = ""
    source: str = ""
    limits: str = ""
    also: str = ""  # what statements of other engines say differently

    def __str__(self) -> str:
        about = " ".join(x for x in (self.engine, self.version) if x)
        where = f" ({about}{', ' if about and self.date else ''}{self.date})" if about or self.date else ""
        return f"{self.level}{where}" + (f"; {self.also}" if self.also else "")


def statements(chip: Chip, engine: str = "") -> list[dict[str, Any]]:
    """The statements of a chip, of one engine family where one is named."""
    return [s for s in chip.tables.get("engines", []) if engine in ("", s["engine"])]


def support(chip: Chip, model_id: str, dtype: str, engine: str = "") -> Support:
    """What is stated of `model_id` in `dtype` on a chip; with any engine where none is named."""
    found = [_of(statement, model_id, dtype) for statement in statements(chip, engine)]
    best = min(found, key=lambda s: _ORDER.index(s.level), default=Support(NOT_STATED))
    others = {f"{s.level} ({s.engine})" for s in found if s.level not in (NOT_STATED, best.level)}
    return replace(best, also="; ".join(sorted(others)))


def fallback(chip: Chip, dtype: str) -> str:
    """The format a tool computes in where the chip lacks `dtype`; "" where it runs as asked or not at all."""
    key = chip.peak_key(dtype)
    used = key.removeprefix("compute.") if key else ""
    alike = used == dtype or used in _SAME.get(dtype, ())
    return "" if alike else used


def _of(statement: dict[str, Any], model_id: str, dtype: str) -> Support:
    about = {k: statement.get(k, "") for k in ("engine", "version", "date", "source", "limits")}
    if model_id in statement.get("unsupported", ()):
        return Support(REFUSED, **about)
    formats = {dtype, *_SAME.get(dtype, ())}
    if model_id not in statement["models"] or not formats & set(statement["dtypes"]):
        return Support(NOT_STATED)
    return Support(EVIDENCE[statement["evidence"]], **about)
