"""A whole validation: a measurements file against the predictor, and every table of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.errors import UserMistake
from harness.validation import errors, goals, outside
from harness.validation.compare import compare
from harness.validation.scored import read, scored

# Table -> the columns it groups by, within each target.
GROUPINGS = {
    "by chip": ("chip",), "by model": ("model",), "by engine": ("engine",), "by concurrency": ("band",),
    "by statistic": ("statistic",), "by family": ("family",), "energy by scope": ("scope", "statistic"),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a validation gave; `lines` are `compare`'s, by what was left out, and `by` is the one asked for."""

    frame: pd.DataFrame
    counts: pd.DataFrame
    by: str
    lines: dict[str, pd.DataFrame]
    relatives: frozenset[str]

    @property
    def main(self) -> pd.DataFrame:
        return self.lines[self.by]

    def goals(self) -> list[goals.Goal]:
        return goals.goals(self.main, self.lines.get("family"), self.relatives)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of error measures by its name: of the asked grouping, then what is left out in turn."""
        found = {"overall": errors.table(self.main), "unweighted over chips": errors.unweighted(self.main)}
        for name, columns in GROUPINGS.items():
            lines = self.main[self.main["target"] == "energy"] if name.startswith("energy") else self.main
            found[name] = errors.table(lines, columns)
        found["out of sample"] = self._left_out()
        for by in outside.LEFT_OUT:
            if by in self.lines and by != self.by:
                found[f"one {by} left out, by {by}"] = errors.table(self.lines[by], [by])
        return found

    def excluded(self) -> pd.DataFrame:
        """How many rows do not count, by reason."""
        why = self.counts["reason"][self.counts["reason"] != ""].value_counts()
        return why.rename_axis("reason").reset_index(name="rows")

    def _left_out(self) -> pd.DataFrame:
        """One line a target and what is left out; `unweighted` is the mean of the chips' MAPEs."""
        parts = []
        for by, lines in self.lines.items():
            means = errors.unweighted(lines).set_index("target")["mape"]
            table = errors.table(lines)
            table["unweighted"] = table["target"].map(means).astype(float)
            table.insert(1, "left_out", by)
            parts.append(table)
        return pd.concat(parts).sort_values("target", kind="stable").reset_index(drop=True)


def validate(path: Path, by: str = "chip", refit: bool = False, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Compare a measurements file with predictions that leave out what `by` names (chip, family, model, none).

    The other ways to leave out are compared too, but with `refit`, which fits anew for each group of `by`.
    Raises MissingFile or UserMistake for the file, or where no row of it counts.
    """
    frame = read(path)
    counts = scored(frame)
    rows = frame[counts["reason"] == ""]
    if rows.empty:
        raise UserMistake(f"{path}: none of {len(frame)} rows counts; the most frequent reason: {_most(counts)}")
    if refit and by == "none":
        raise UserMistake("--refit leaves something out: give --by chip, family or model")
    if refit:
        predicted = {by: outside.refitted(rows, by, say)}
    else:
        predicted = {way: outside.predictions(rows, way) for way in dict.fromkeys((by, *outside.LEFT_OUT))}
    lines = {way: compare(frame, counts, p) for way, p in predicted.items()}
    return Outcome(frame, counts, by, lines, outside.fitted_relatives(rows))


def _most(counts: pd.DataFrame) -> str:
    return str(counts["reason"].mode().iloc[0]) if len(counts) else "the file has no rows"
