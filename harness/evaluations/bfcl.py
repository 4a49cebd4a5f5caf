"""BFCL v4 (Patil and others 2025, gorilla.cs.berkeley.edu/leaderboard): which function to call, with what, or none.

Read from the files of its repository, one category a file: simple, multiple, parallel, irrelevance, live or not, with
Python functions; the accepted answers stand in `possible_answer/` beside. A talk over several turns needs that
evaluation's own programs, and Java and JavaScript their own types: they are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.calls import Call, written
from harness.errors import BadFile
from harness.evaluations import Evaluation, Row
from harness.suites import Grade, Item
from harness.worlds import Tool, World, asked, replay

_SAME = ("integer", "string", "boolean", "array", "object", "number")
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"} | {name: name for name in _SAME}
_PYTHON = {"object": dict, "number": (int, float), "array": (list, tuple), "integer": int, "string": str,
           "boolean": bool}  # fmt: skip
INSTRUCTIONS = (
    "You act for the user by calling functions. Call only the functions that are listed, each as often as needed. "
    "Where none of them fits, or a value that is needed was not given, call nothing and say so."
)
EXAMPLES = """Write one line: Action: with a list of calls, or Answer: with words for the user.

Functions:
get_tide(port=string, day=string (optional)) - Tide table of a port
User: I need the tide tables of Dover and Calais.
Action: [get_tide(port='Dover'), get_tide(port='Calais')]

Functions:
count_pages(title=string) - Pages of a magazine
User: Who won the match yesterday?
Answer: I have no function for that."""


def read(path: Path) -> list[Row]:
    """The questions of a file with the accepted answers beside them. Raises BadFile."""
    rows = _lines(path)
    answers = path.parent / "possible_answer" / path.name
    accepted = {row["id"]: row["ground_truth"] for row in _lines(answers)} if answers.is_file() else {}
    for number, row in enumerate(rows, 1):
        if "initial_config" in row or len(row.get("question", [[]])) > 1:
            raise BadFile(
                path, f"row {number}", "a talk of several turns", "single requests; talks need BFCL's programs"
            )
        if "irrelevance" not in path.name and row.get("id") not in accepted:
            raise BadFile(answers, f"row {number}", "no such answer", f"the accepted calls of '{row.get('id')}'")
        row["ground_truth"] = accepted.get(row.get("id"), [])
    return rows


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (ValueError, OSError) as error:
        raise BadFile(path, "file", str(error)[:80], "a JSON object a line") from error


def items(rows: Sequence[Row], examples: Sequence[Row], lang: str) -> list[Item]:
    made = []
    for row in rows:
        functions = [_function(row["id"], f) for f in row["function"]]
        opening = "\n".join(message["content"] for message in row["question"][0])
        data = {"functions": functions, "opening": opening, "accepted": row["ground_truth"]}
        answer = f"Action: {written(_gold(data))}" if data["accepted"] else "Answer: None of them can do that."
        made.append(Item(row["id"], asked(_world(data)), answer, 0, lang, data=data))
    return made


def _function(key: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """A function's schema with JSON's names of types. Its name has no dot, which an endpoint would not take."""
    return {"name": one["name"].replace(".", "_"), "description": one["description"],
            "parameters": _schema(key, one["parameters"])}  # fmt: skip


def _schema(key: str, about: Mapping[str, Any]) -> dict[str, Any]:
    if about.get("type") not in _TYPES:
        raise BadFile("bfcl", key, about.get("type"), "a type of Python's; other languages are not read")
    made = {**about, "type": _TYPES[about["type"]]}
    if "properties" in about:
        made["properties"] = {name: _schema(key, one) for name, one in about["properties"].items()}
        made.setdefault("required", [])
    if "items" in about:
        made["items"] = _schema(key, about["items"])
    return made


def _gold(data: Mapping[str, Any]) -> list[Call]:
    """The first of the accepted values of each argument; one that may be left out is."""
    needed = {f["name"]: f["parameters"]["required"] for f in data["functions"]}
    calls = []
    for call in data["accepted"]:
        for dotted, arguments in call.items():
            name = dotted.replace(".", "_")
            kept = {k: [v for v in values if v != ""] for k, values in arguments.items()
                    if "" not in values or k in needed.get(name, ())}  # fmt: skip
            calls.append(Call(name, {k: _plain(values[0] if values else "") for k, values in kept.items()}))
    return calls


def _plain(value: Any) -> Any:
    """A value without the choices inside: {"a": [1, 2]} accepts two tables, of which the first is meant."""
    if isinstance(value, dict):
        return {k: _plain(v[0]) for k, v in value.items() if "" not in v}
    return [_plain(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value


def _world(data: Mapping[str, Any]) -> World:
    tools = [Tool(f["name"], f["description"], f["parameters"], _done) for f in data["functions"]]
    return World({}, tools, data["opening"], INSTRUCTIONS, examples=EXAMPLES, one_move=True)


def _done(state: Mapping[str, Any], /, **given: Any) -> str:
    """What every call answers: the first one ends the episode."""
    return "ok"


def grade(item: Item, text: str) -> Grade:
    """1.0 where the first move's calls are those accepted, in any order; none where none is."""
    steps = replay(_world(item.data), text)
    if not steps:
        return Grade(0.0, "unparsed")
    calls = list(steps[0].calls)
    schemas = {f["name"]: f["parameters"] for f in item.data["functions"]}
    left = [(name.replace(".", "_"), arguments) for call in item.data["accepted"] for name, arguments in call.items()]
    right = len(calls) == len(left)
    for call in calls:
        match = next((one for one in left if _accepted(call, *one, schemas)), None)
        right = right and match is not None
        if match is not None:
            left.remove(match)
    return Grade(float(right), "correct" if right else "wrong", written(calls))


def _accepted(call: Call, name: str, accepted: Mapping[str, list], schemas: Mapping[str, Any]) -> bool:
    """Whether a call is one of those accepted: every needed argument, no other, each of its type and values."""
    if call.name != name or name not in schemas:
        return False
    known = schemas[name]["properties"]
    if any(k not in known or k not in accepted for k in call.arguments):
        return False
    if any(k not in call.arguments for k in schemas[name]["required"]):
        return False
    return all(
        _one_of(call.arguments[k], values, known[k]) if k in call.arguments else "" in values
        for k, values in accepted.items()
    )


def _one_of(value: Any, accepted: list, about: Mapping[str, Any]) -> bool:
    wanted = _PYTHON[about["type"]]
    if not isinstance(value, wanted) or (isinstance(value, bool) and about["type"] != "boolean"):
        return False
    return any(_same(value, one) for one in accepted)


def _same(value: Any, accepted: Any) -> bool:
    """Equal, but for case, spaces and punctuation of texts; a table's values are each one of those accepted."""
    if isinstance(value, str) and isinstance(accepted, str):
        return _bare(value) == _bare(accepted)
    if isinstance(value, dict) and isinstance(accepted, dict):
        return all(k in accepted for k in value) and all(
            any(_same(value[k], one) for one in _listed(values)) if k in value else "" in _listed(values)
            for k, values in accepted.items()
        )
    if isinstance(value, list | tuple) and isinstance(accepted, list | tuple):
        return len(value) == len(accepted) and all(map(_same, value, accepted))
    return isinstance(value, bool) == isinstance(accepted, bool) and value == accepted


def _listed(values: Any) -> list:
    return values if isinstance(values, list) else [values]


def _bare(text: str) -> str:
    """A text as BFCL compares it: no spaces, none of ,./-_*^ and one kind of quote."""
    return re.sub(r"[ ,./\-_*^]", "", text).casefold().replace("'", '"')


EVALUATION = Evaluation(
    title="BFCL v4, single requests",
    family="tools",
    hub="gorilla-llm/Berkeley-Function-Calling-Leaderboard, , train",
    licence="Apache-2.0",
    follows="its AST match; the prompt is this project's",
    method="act",
    max_tokens=256,
    stop=lambda lang: ("\nObservation:", "\nUser:", "\nFunctions:", "\n\n"),
    fields=("id", "question", "function"),
    items=items,
    grade=grade,
    trivial_answers=lambda item: {"no call": "Answer: No."},
    world=lambda item: _world(item.data),
    read=read,
    part=lambda path: re.sub(r"^BFCL_v\d+_", "", path.name.partition(".")[0]).replace("_", "-"),
    tried=True,
)
