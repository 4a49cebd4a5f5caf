"""IFEval (Zhou and others 2023, arXiv 2311.07911): instructions whose obedience a program can check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from harness.errors import UserMistake
from harness.evaluations import Evaluation, Row
from harness.evaluations._instructions import CHECKS, language
from harness.suites import Grade, Item


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    """One item a prompt, without a gold answer. Raises UserMistake for an instruction that nobody published."""
    made = []
    for row in rows:
        given = [{k: v for k, v in (one or {}).items() if v} for one in row["kwargs"]]
        unknown = [name for name in row["instruction_id_list"] if name not in CHECKS]
        if unknown:
            raise UserMistake(f"ifeval: unknown instruction '{unknown[0]}'; known: {', '.join(sorted(CHECKS))}")
        checks = list(zip(row["instruction_id_list"], given, strict=True))
        made.append(Item(str(row["key"]), row["prompt"], "", 0, lang, data={"checks": checks}))
    if any(name.startswith(("language:", "change_case:english")) for i in made for name, _ in i.data["checks"]):
        language("a sentence in English")  # what is missing is said before anything is asked
    return made


def followed(item: Item, text: str) -> list[bool]:
    """Whether each instruction is followed by the text as it stands."""
    return [bool(text.strip()) and CHECKS[name](text, given) for name, given in item.data["checks"]]


def loosely_followed(item: Item, text: str) -> list[bool]:
    """Whether some version of the text follows each: without its first line, its last line, its asterisks."""
    lines = text.split("\n")
    cut = ["\n".join(lines[a : len(lines) - b]).strip() for a, b in ((1, 0), (0, 1), (1, 1))]
    versions = [v for one in (text, *cut) for v in (one, one.replace("*", ""))]
    return [any(found) for found in zip(*(followed(item, v) for v in versions), strict=True)]


def grade(item: Item, text: str) -> Grade:
    """1.0 where every instruction is followed (prompt-level strict)."""
    if not text.strip():
        return Grade(0.0, "unparsed")
    results = followed(item, text)
    kept = [name for (name, _), ok in zip(item.data["checks"], results, strict=True) if ok]
    return Grade(float(all(results)), "correct" if all(results) else "wrong", ", ".join(kept))


def loose(item: Item, text: str, nats: Mapping[str, float]) -> float:
    return float(all(loosely_followed(item, text)))


def instructions(item: Item, text: str, nats: Mapping[str, float]) -> float:
    """Share of the prompt's instructions that are followed."""
    return fmean(followed(item, text))


def instructions_loose(item: Item, text: str, nats: Mapping[str, float]) -> float:
    return fmean(loosely_followed(item, text))


EVALUATION = Evaluation(
    title="IFEval",
    family="reasoning",
    hub="google/IFEval, , train",
    licence="Apache-2.0",
    follows="lm-evaluation-harness ifeval",
    method="generate",
    max_tokens=1280,
    stop=lambda lang: (),
    fields=("key", "prompt", "instruction_id_list", "kwargs"),
    items=items,
    grade=grade,
    trivial_answers=lambda item: {"one word": "Yes.", "the prompt again": item.prompt},
    readings={"loose": loose, "instructions": instructions, "instructions-loose": instructions_loose},
)
