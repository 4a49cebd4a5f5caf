"""Writes a workload's file: one line a figure, with unit, kind, source and the number of observations."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

_DIGITS = 4


@dataclass(frozen=True)
class Figure:
    """One measured number and how many observations of what it rests on."""

    value: float
    unit: str
    n: int
    of: str
    note: str = ""


@dataclass
class Figures:
    """Measured figures by dotted key, texts with their remark, and reasons for what is missing."""

    values: dict[str, Figure]
    missing: dict[str, str]
    facts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, key: str, value: float, unit: str, n: int, of: str, note: str = "") -> None:
        self.values[key] = Figure(value, unit, n, of, note)


def written(id: str, imitates: str, figures: Figures, about: dict[str, str]) -> str:
    """The whole file as TOML text. about: title, publisher and url of the trace."""
    lines = [f"name = {_text(id)}", f"imitates = {_text(imitates)}"]
    table = ""
    for key, figure in figures.values.items():
        parent, _, name = key.rpartition(".")
        if parent != table:
            lines += ["", f"[{parent}]"]
            table = parent
        note = f"n = {figure.n} {figure.of}" + (f"; {figure.note}" if figure.note else "")
        lines.append(
            f'{name} = {{value = {_number(figure.value)}, unit = "{figure.unit}", kind = "measured", '
            f'source = "trace", note = {_text(note)}}}'
        )
        lines += _fact_lines(key, figures)
    lines += ["", "[missing]", *(f'"{key}" = {_text(why)}' for key, why in figures.missing.items())]
    lines += ["", "[sources.trace]", *(f"{key} = {_text(value)}" for key, value in about.items())]
    return "\n".join(lines) + "\n"


def _fact_lines(key: str, figures: Figures) -> list[str]:
    """Texts that stand in the same table as the figure just written."""
    table = key.rpartition(".")[0]
    last = [other for other in figures.values if other.rpartition(".")[0] == table][-1]
    return [
        f'{name.rpartition(".")[2]} = {{value = {_text(value)}, kind = "measured", source = "trace", '
        f"note = {_text(note)}}}"
        for name, (value, note) in figures.facts.items()
        if name.rpartition(".")[0] == table and key == last
    ]


def _number(value: float) -> str:
    """Four digits, whole where it is larger."""
    return str(round(value)) if value >= 10**_DIGITS or value == round(value) else f"{value:.{_DIGITS}g}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
