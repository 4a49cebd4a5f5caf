'''function-synthesis: write the body of a Python function from its signature and docstring.

Imitates HumanEval: hidden tests, one greedy attempt, pass@1, the body continues the prompt.
Differs: the functions come from families with drawn names, arguments and constants; level 1 is one
expression, level 5 joins several rules that no library has; two short examples stand before every item, so
that models without instruction tuning know the format. Hidden tests are the reference solution's own values,
compared outside the sandbox, so a body cannot forge a pass.
Licence: Apache-2.0; every family was written for this project.

    >>> items = SUITE.make(0)
    >>> len(items), sorted({item.level for item in items})
    (125, [1, 2, 3, 4, 5])
    >>> print(items[0].data["head"] + items[0].answer)  # doctest: +ELLIPSIS
    def ...
        """Return ..."""
        return ...
    <BLANKLINE>
    >>> SUITE.grade(items[0], "").outcome
    'unparsed'
'''

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from harness import sandbox
from harness.quantity import stream
from harness.suites import LEVELS, Grade, Item, Suite

PER_LEVEL = 25
TESTS = 8
DRAWS = 12
LOOKS = 2000  # arguments that are looked at for one that shows a slip

SHOTS = '''def half(x):
    """Return x divided by 2."""
    return x / 2


def ends_with_dot(text):
    """Return True if text ends with a full stop."""
    return text.endswith('.')


'''

# Bodies that need no understanding; see `trivial_answers`.
CONSTANTS = ("None", "True", "False", "0", "1", "-1", "''", "[]", "{}")

_ARGUMENTS = {
    "int": ("a", "b", "x", "y", "m", "n", "p", "q"),
    "list": ("numbers", "values", "items", "nums", "data"),
    "text": ("text", "s", "string", "phrase", "word"),
    "grid": ("matrix", "grid", "table", "rows"),
}
_NOUNS = ("int", "pos", "big", "digit")
_LISTS = ("ints", "small_ints", "positive_ints", "few_positive", "ranges", "jobs")
_GRIDS = ("grid", "bits")
_WORDS = (
    "river apple stone cloud tree eagle house lamp green mouse orange night seven paper ice zebra lazy yellow"
).split()


def make(seed: int) -> list[Item]:
    """125 items, 25 a level: every family of the level first, then families with other constants again."""
    items = []
    for level in LEVELS:
        rng = stream(seed, f"function-synthesis/{level}")
        families = [family for family in _families() if family["level"] == level]
        seen: set[tuple] = set()
        order: list[int] = []
        while len(seen) < PER_LEVEL:
            order = order or [int(i) for i in rng.permutation(len(families))]
            family = families[order.pop()]
            constant = str(family["k"][int(rng.integers(len(family["k"])))]) if "k" in family else ""
            if (family["name"], constant) not in seen:  # other argument names alone make no new item
                items.append(_item(rng, seed, level, len(seen), family, constant))
                seen.add((family["name"], constant))
    return items


@cache
def _families() -> list[dict]:
    return _file("_function_families.toml")["family"]


@cache
def _file(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))


def _item(rng: np.random.Generator, seed: int, level: int, k: int, family: dict, constant: str) -> Item:
    names = _argument_names(rng, family)
    values = names | {"k": constant}
    name, doc, body = (Template(family[key]).substitute(values) for key in ("name", "doc", "body"))
    lines = textwrap.wrap(doc, 84)
    head = f"def {name}({', '.join(names.values())}):\n" + textwrap.indent('"""' + "\n".join(lines) + '"""', "    ")
    answer = "\n" + textwrap.indent(body, "    ") + "\n"
    slips = [f"{head}\n{textwrap.indent(s, '    ')}\n" for s in slips_of(family["name"], values)]
    return Item(
        id=f"function-synthesis-{seed}-{level}-{k}",
        prompt=SHOTS + head,
        answer=answer,
        level=level,
        group=family["name"].replace("_$k", ""),
        data={
            "head": head, "name": name, "constant": constant,
            "tests": _tests(rng, name, family["args"], head + answer, slips),
        },
    )  # fmt: skip


def _argument_names(rng: np.random.Generator, family: dict) -> dict[str, str]:
    """A name for each argument from the pool of its sort: none twice, none that the solution itself uses."""
    chosen: dict[str, str] = {}
    own = set(re.findall(r"(?<!\$)\b[a-z_]+\b", family["body"]))
    for letter, kind in zip("ab", family["args"], strict=False):
        sort = "int" if kind in _NOUNS else "list" if kind in _LISTS else "grid" if kind in _GRIDS else "text"
        pool = [name for name in _ARGUMENTS[sort] if name not in own and name not in chosen.values()]
        chosen[letter] = pool[int(rng.integers(len(pool)))]
    return chosen


def slips_of(family: str, values: Mapping[str, str]) -> list[str]:
    """Bodies that people write by mistake for a function, with its names and constant filled in."""
    return [Template(body).substitute(values) for body in _file("_function_slips.toml").get(family, ())]


def _value_of(program: str, name: str) -> Callable[[list], Any]:
    """What the function of a program of this project's own files gives for arguments; an exception is a value too."""
    namespace: dict[str, Any] = {}
    exec(program, namespace)

    def value(arguments: list) -> Any:
        try:
            return namespace[name](*json.loads(json.dumps(arguments)))
        except Exception as why:
            return f"{type(why).__name__} is raised"

    return value


def _tests(rng: np.random.Generator, name: str, kinds: list[str], solution: str, slips: list[str]) -> list[list]:
    """[arguments, expected] pairs that no slip and no trivial body passes: of DRAWS of them the most varied.

    Of eight numbers to be kept between 0 and 12 often none lies there already: a body that forgets those would pass.
    """
    right = _value_of(solution, name)
    shown = _that_show(rng, kinds, right, [_value_of(slip, name) for slip in slips])
    drawn: list[list[list]] = []
    for _ in range(1000):
        tests = [[arguments, right(arguments)] for arguments in shown]
        while len(tests) < TESTS:
            arguments = [_value(rng, kind) for kind in kinds]
            tests.append([arguments, right(arguments)])
        if not any(_trivially_right(tests, body) for body in _bodies(len(kinds))):
            drawn.append(tests)
        if len(drawn) == DRAWS:
            return max(drawn, key=_variety)
    raise RuntimeError(f"a trivial body passes every draw of the tests of {solution}")


def _that_show(rng: np.random.Generator, kinds: list[str], right: Callable, slips: list[Callable]) -> list[list]:
    """Arguments for which every slip gives another value than is right, where there are such."""
    shown: list[list] = []
    for slip in slips:
        if any(_differ(slip(arguments), right(arguments)) for arguments in shown):
            continue
        looked_at = ([_value(rng, kind) for kind in kinds] for _ in range(LOOKS))
        shown += islice((arguments for arguments in looked_at if _differ(slip(arguments), right(arguments))), 1)
    return shown


def _differ(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or one != other


def _variety(tests: list[list]) -> tuple[int, int]:
    """How many values are expected, and how seldom the most frequent of them."""
    counts = Counter(json.dumps(expected) for _, expected in tests)
    return len(counts), -max(counts.values())


def _value(rng: np.random.Generator, kind: str) -> Any:
    """One drawn argument of a kind."""

    def many(low: int, high: int, least: int = 1, most: int = 8) -> list[int]:
        return [int(x) for x in rng.integers(low, high + 1, size=int(rng.integers(least, most + 1)))]

    match kind:
        case "int":
            return int(rng.integers(-40, 60))
        case "pos":
            return int(rng.integers(1, 60))
        case "big":
            return int(rng.integers(100, 99999))
        case "digit":
            return int(rng.integers(0, 6))
        case "ints":
            return many(-30, 40)
        case "small_ints":
            return many(0, 5, most=12)
        case "positive_ints":
            return many(1, 15, most=9)
        case "few_positive":
            return many(1, 9, most=6)
        case "word":
            return _word(rng)
        case "text":
            return " ".join(_word(rng) for _ in range(int(rng.integers(1, 6))))
        case "letters":
            return "".join("abc"[i] for i in rng.integers(3, size=int(rng.integers(1, 9))))
        case "pattern":
            return "".join("abc?**"[i] for i in rng.integers(6, size=int(rng.integers(1, 6))))
        case "grid" | "bits":
            width, high = int(rng.integers(2, 6)), 1 if kind == "bits" else 20
            return [many(0, high, width, width) for _ in range(int(rng.integers(2, 5)))]
        case "ranges":
            starts = many(0, 30, 1, 6)
            return [[s, s + int(rng.integers(1, 9))] for s in starts]
        case "jobs":
            starts = many(0, 20, 1, 6)
            return [[s, s + int(rng.integers(1, 8)), int(rng.integers(1, 20))] for s in starts]
        case "expression":
            terms = [str(x) for x in many(1, 30, 3, 6)]
            return "".join(t + " " + "+-*"[int(rng.integers(3))] + " " for t in terms[:-1]) + terms[-1]
    raise ValueError(kind)


def _word(rng: np.random.Generator) -> str:
    return _WORDS[int(rng.integers(len(_WORDS)))]


def grade(item: Item, text: str) -> Grade:
    """1.0 if the body passes every hidden test in the sandbox. Raises SandboxUnavailable without one."""
    if not text.strip():
        return Grade(0.0, "unparsed")
    body = text.strip("\n")
    if body in _bodies(2):  # trivial bodies, known word for word, need no sandbox: the chance level is cheap
        right = _trivially_right(item.data["tests"], body)
        return Grade(float(right), "correct" if right else "wrong", body)
    name = item.data["name"]
    calls = [(f"{name}({', '.join(map(repr, arguments))})", expected) for arguments, expected in item.data["tests"]]
    program = program_of(item, text)
    outcome = sandbox.check(program, calls)
    return Grade(
        float(outcome.status == "passed"),
        "correct" if outcome.status == "passed" else outcome.status,
        program,
    )


def program_of(item: Item, text: str) -> str:
    """The program that an answer means: a body that goes on from the prompt, or a whole function."""
    fenced = re.search(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", text, re.DOTALL)
    code = fenced.group(1) if fenced else text
    if re.search(rf"^def {re.escape(item.data['name'])}\(", code, re.MULTILINE):
        return code
    if code.strip("\n")[:1] not in (" ", "\t"):  # a body on the prompt's own indentation
        code = textwrap.indent(code.lstrip(), "    ")
    return item.data["head"] + "\n" + code.strip("\n") + "\n"


def trivial_answers(item: Item) -> Mapping[str, str]:
    """Bodies that ignore the task: a constant, or an argument handed back."""
    return {body.strip(): body for body in _bodies(len(item.data["tests"][0][0]))}


@cache
def _bodies(arguments: int) -> tuple[str, ...]:
    # `ARGUMENT_0` is no name a model's answer could hold by chance.
    return tuple(f"    return {c}" for c in (*CONSTANTS, *(f"ARGUMENT_{i}" for i in range(arguments))))


def _trivially_right(tests: list, body: str) -> bool:
    given = body.removeprefix("    return ")
    if given.startswith("ARGUMENT_"):
        place = int(given.removeprefix("ARGUMENT_"))
        return all(place < len(arguments) and arguments[place] == expected for arguments, expected in tests)
    constant = {"None": None, "True": True, "False": False, "''": "", "[]": [], "{}": {}}.get(given, given)
    constant = int(constant) if isinstance(constant, str) and constant else constant
    return all(type(expected) is type(constant) and expected == constant for _, expected in tests)


SUITE = Suite(
    id="function-synthesis",
    title="Python functions from signature and docstring",
    family="coding",
    imitates="HumanEval",
    differs="generated families of five levels; two examples before each item; judged outside the sandbox",
    licence="Apache-2.0",
    version="3",
    method="generate",
    max_tokens=512,
    stop=("\ndef ", "\nclass ", "\n#", "\nprint", "\nassert", "\nif ", "\n\n\n"),
    make=make,
    grade=grade,
    trivial_answers=trivial_answers,
    needs_sandbox=True,
)
