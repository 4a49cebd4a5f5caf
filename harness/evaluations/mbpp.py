"""MBPP (Austin and others 2021, arXiv 2108.07732): short Python programs from a sentence and three tests."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

from harness import sandbox
from harness.evaluations import Evaluation, Row
from harness.suites import Grade, Item

EXAMPLES = (2, 3, 4)  # the task numbers that stand before every item
_FENCED = re.compile(r"```(?:\w*\n)?(.*?)\n?```", re.DOTALL)


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    head = "".join(f"{_asked(row)}{row['code']}\n[DONE]\n\n" for row in examples if row["task_id"] in EXAMPLES)
    return [
        Item(str(row["task_id"]), head + _asked(row), f"{row['code']}\n", 0, lang,
             data={"tests": list(row["test_list"]), "setup": row.get("test_setup_code") or ""})
        for row in rows
    ]  # fmt: skip


def _asked(row: Row) -> str:
    tests = "\n".join(row["test_list"][:3])
    return (f"You are an expert Python programmer, and here is your task: {row['text']} "
            f"Your code should pass these tests:\n\n{tests}\n[BEGIN]\n")  # fmt: skip


def code_of(text: str) -> str:
    """The first fenced block of an answer that may begin inside a fence; all of it where none is closed.

    >>> code_of("x = 1\\n```"), code_of("Here:\\n```python\\nx = 1\\n```"), code_of("x = 1")
    ('x = 1', 'x = 1', 'x = 1')
    """
    if text.count("```") == 1:  # the prompt had opened it
        text = f"```\n{text}"
    found = _FENCED.search(text)
    return found[1] if found else text


def grade(item: Item, text: str) -> Grade:
    """1.0 where the published tests pass in the sandbox. Raises SandboxUnavailable without one.

    The tests are the body of a function whose value must come back: a program that ends before it has not passed.
    """
    if not text.strip():
        return Grade(0.0, "unparsed")
    tests = textwrap.indent("\n".join(item.data["tests"]), "    ")
    program = f"{item.data['setup']}\n{code_of(text)}\n\ndef published_tests():\n{tests}\n"
    outcome = sandbox.check(program, [("published_tests()", None)])
    passed = outcome.status == "passed"
    return Grade(float(passed), "correct" if passed else outcome.status, text)


def trivial_answers(item: Item) -> Mapping[str, str]:
    name = re.search(r"assert \(?(\w+)\(", item.data["tests"][0])
    return {"returns nothing": f"def {name[1] if name else 'f'}(*given):\n    return None\n"}


EVALUATION = Evaluation(
    title="MBPP",
    family="coding",
    hub="google-research-datasets/mbpp, full, test",
    licence="CC-BY-4.0",
    follows="lm-evaluation-harness mbpp",
    method="generate",
    max_tokens=256,
    stop=lambda lang: ("[DONE]",),
    fields=("task_id", "text", "code", "test_list"),
    items=items,
    grade=grade,
    trivial_answers=trivial_answers,
    shots=10,  # the whole split `prompt`; three of it are shown
    examples="prompt",
    needs_sandbox=True,
)
