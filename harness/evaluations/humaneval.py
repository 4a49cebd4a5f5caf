"""HumanEval (Chen and others 2021, arXiv 2107.03374): 164 Python functions to finish, each with its tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness import sandbox
from harness.evaluations import Evaluation, Row
from harness.suites import Grade, Item


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    return [
        Item(row["task_id"].replace("/", "-"), row["prompt"], row["canonical_solution"], 0, lang,
             data={"test": row["test"], "entry_point": row["entry_point"]})
        for row in rows
    ]  # fmt: skip


def grade(item: Item, text: str) -> Grade:
    """1.0 where the published tests pass in the sandbox. Raises SandboxUnavailable without one.

    The tests' last line is called as an expression whose value must come back: a program that ends before it, with
    whatever exit code, has not passed.
    """
    if not text.strip():
        return Grade(0.0, "unparsed")
    program = f"{item.prompt}{text}\n{item.data['test']}\n"
    outcome = sandbox.check(program, [(f"check({item.data['entry_point']})", None)])
    passed = outcome.status == "passed"
    return Grade(float(passed), "correct" if passed else outcome.status, text)


def trivial_answers(item: Item) -> Mapping[str, str]:
    return {"an empty body": "    pass\n"}


EVALUATION = Evaluation(
    title="HumanEval",
    family="coding",
    hub="openai/openai_humaneval, , test",
    licence="MIT",
    follows="lm-evaluation-harness humaneval",
    method="generate",
    max_tokens=1024,
    stop=lambda lang: ("\nclass", "\ndef", "\n#", "\nif", "\nprint"),
    fields=("task_id", "prompt", "canonical_solution", "test", "entry_point"),
    items=items,
    grade=grade,
    trivial_answers=trivial_answers,
    needs_sandbox=True,
    tried=True,
)
