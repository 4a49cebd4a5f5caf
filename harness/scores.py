"""Published scores of models, and which of them may stand side by side.

Two scores are comparable where benchmark, version, harness and setting are the same and the harness is named (effort
is shown beside each, and may differ). A score whose harness is not known is comparable with nothing, not even with
another of the same reporter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.profile_types import Model


@dataclass(frozen=True)
class Score:
    """One published figure. Texts are "" where the source does not say."""

    model: str
    benchmark: str
    score: float
    unit: str
    reporter: str
    reporter_kind: str
    source: str
    version: str = ""
    harness: str = ""
    effort: str = ""
    setting: str = ""
    date: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.benchmark} {self.version}".strip()

    @property
    def shown(self) -> str:
        """The figure with its unit and effort, such as "80.4 % (high)"."""
        figure = f"{self.score:g}" + (f" {self.unit}" if self.unit != "1" else "")
        return f"{figure} ({self.effort})" if self.effort else figure

    @property
    def made_how(self) -> str:
        """Harness, setting and reporter, as far as they are said."""
        known = [f"harness {self.harness}" if self.harness else "harness not said", self.setting, self.reporter]
        return ", ".join(x for x in [*known, self.date] if x)


def scores(model: Model) -> list[Score]:
    """A model's published scores, by benchmark."""
    listed = [Score(model.id, **entry) for entry in model.tables.get("scores", [])]
    return sorted(listed, key=lambda s: (s.name.lower(), s.reporter_kind != "vendor", s.date))


def comparable(a: Score, b: Score) -> bool:
    """Whether two scores were made alike, as far as their sources say."""
    alike = (a.benchmark, a.version, a.harness, a.setting, a.unit) == (
        b.benchmark, b.version, b.harness, b.setting, b.unit)  # fmt: skip
    return alike and bool(a.harness)


@dataclass(frozen=True)
class Beside:
    """One benchmark over several models: a score for each (None where none is published), and the verdict."""

    name: str
    cells: tuple[Score | None, ...]

    @property
    def verdict(self) -> str:
        """ "comparable" where every pair of the scores is; else why not."""
        given = [s for s in self.cells if s is not None]
        if len(given) < 2:
            return "one score alone"
        if all(comparable(a, b) for i, a in enumerate(given) for b in given[i + 1 :]):
            return "comparable"
        if not all(s.harness for s in given):
            return "not comparable: a harness is not said"
        return "not comparable: harness, setting or version differ"


def side_by_side(models: Iterable[Model]) -> list[Beside]:
    """Every benchmark that any of the models has a score on.

    Of several scores of one model, those that are comparable with another model's are chosen, then the vendor's.
    """
    models = list(models)
    by_model = [scores(m) for m in models]
    rows = []
    for name in sorted({s.name for listed in by_model for s in listed}, key=str.lower):
        choices = [[s for s in listed if s.name == name] for listed in by_model]
        rows.append(Beside(name, tuple(_best(own, choices) for own in choices)))
    return rows


def _best(own: list[Score], choices: list[list[Score]]) -> Score | None:
    """Of a model's scores on one benchmark, the one that most other models have a like of."""

    def likes(score: Score) -> int:
        return sum(any(comparable(score, other) for other in listed) for listed in choices if listed is not own)

    return max(own, key=likes, default=None)
