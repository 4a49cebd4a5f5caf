"""Which rows and which series of a chart belong to what a reader can pick: stacks, or a run's chips and models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.report.comparison import about, stack_name
from harness.report.figures import Figures, Owner, chip_name, unique
from harness.results import Results


@dataclass(frozen=True)
class Facet:
    """One list of things to tick: (id, name) each; its letter and a number make a token, `s3`."""

    letter: str
    title: str
    entries: tuple[tuple[str, str], ...]

    def token(self, name: str) -> str:
        """The token of an id, or "" for one that is not to be picked."""
        return next((f"{self.letter}{k}" for k, (id, _) in enumerate(self.entries, 1) if id == name), "")


@dataclass(frozen=True)
class Picker:
    """The facets of a page, and the chip of each stack."""

    facets: tuple[Facet, ...]
    chips: dict[str, str]

    def tokens(self, owners: Iterable[Owner]) -> str:
        """What a row or a series belongs to: `s1 s4`. It shows while one token of each letter is ticked."""
        found: list[str] = []
        for owner in owners:
            for facet in self.facets:
                found += self._of(facet, owner)
        return " ".join(unique(token for token in found if token))

    def _of(self, facet: Facet, owner: Owner) -> list[str]:
        if facet.letter == "c":
            return [facet.token(owner.chip)]
        if facet.letter == "m":
            return [facet.token(owner.model)]
        if own := facet.token(owner.stack):
            return [own]
        # What is said of a chip belongs to every compared stack on it.
        return [facet.token(stack) for stack, chip in self.chips.items() if owner.chip and chip == owner.chip]


def picker_of(results: Results, figures: Figures) -> Picker:
    """A comparison is picked by stack, another run by chip and large model; a list of one is no choice."""
    chips = {f.stack: f.chip for f in figures if f.chip}
    if stacks := about(results).get("stacks"):
        facets = [Facet("s", "Stacks", tuple((stack, stack_name(results, stack)) for stack in stacks))]
    else:
        ids = unique(f.chip for f in figures if f.chip)
        models = unique(f.model for f in figures if f.chip and f.model and not f.suite)
        facets = [Facet("c", "Chips", tuple((chip, chip_name(results, chip)) for chip in ids)),
                  Facet("m", "Large models", tuple((model, model) for model in models))]  # fmt: skip
    return Picker(tuple(f for f in facets if len(f.entries) > 1), chips)
