"""repo-repair: what an issue says is what happens, every hidden test is run, and no repair can cheat."""

from __future__ import annotations

import ast
import difflib
import os
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import sandbox
from harness.agents import Limits, ReactActor, play
from harness.answers import Answer
from harness.calls import Call, written
from harness.errors import SandboxUnavailable
from harness.reference.tokenizer import Tokenizer
from harness.runners.null import NullRunner
from harness.suites import suite
from harness.worlds import replay
from tests.conftest import ROOT

ONE = suite("repo-repair")
MODULE = __import__("sys").modules["stackline_suite_repo_repair"]
KINDS = MODULE._kinds.kinds()
FRESH = (61, 62)  # not used while writing
ITEMS = ONE.items()
PYTHON = [i for i in ITEMS if KINDS[i.data["kind"]].language == "python"]
SHELL = [i for i in ITEMS if KINDS[i.data["kind"]].language == "sh"]


@pytest.fixture(scope="module")
def confined():
    try:
        return sandbox.level()
    except SandboxUnavailable as why:
        if os.environ.get("STACKLINE_REQUIRE_SANDBOX") == "1":
            pytest.fail(str(why))
        pytest.skip(str(why))


def patches(item) -> dict[str, str]:
    """The right patch in each form that an answer may have; trailing spaces, which many leave out, are left out."""
    repo = MODULE.repository(item)
    diffs = ["".join(difflib.unified_diff(repo.faulty[p].splitlines(True), repo.right[p].splitlines(True),
                                          f"a/{p}", f"b/{p}"))
             for p in repo.faulty if repo.faulty[p] != repo.right[p]]  # fmt: skip
    bare = "\n".join(line.rstrip() for line in "\n".join(diffs).splitlines())
    wholes = [Call("write_file", {"path": p, "text": repo.right[p]}) for p in repo.faulty
              if repo.faulty[p] != repo.right[p]]  # fmt: skip
    return {
        "bare": bare, "fenced": f"Here it is:\n\n```diff\n{bare}\n```",
        "call": f"Action: {written([Call('apply_patch', {'patch': bare})])}",
    } | {f"file {k}": f"Action: {written([call])}" for k, call in enumerate(wholes)}  # fmt: skip


def test_a_right_patch_of_any_form_is_not_cut_off(weights_folder):
    """256 tokens cut every second patch of level 5, and a blank line ended the others."""
    count = Tokenizer(weights_folder).encode
    for item in [*ITEMS, *ONE.items(FRESH[0])]:
        for form, text in patches(item).items():
            assert 1.2 * len(count(text)) <= ONE.max_tokens, (item.id, form)
            assert not any(stop in text for stop in ONE.stop), (item.id, form)


def test_a_patch_with_words_before_it_or_blank_lines_is_read():
    for item in ITEMS[::5]:
        for form, text in patches(item).items():
            if "file" not in form:
                files, trouble = MODULE._edited(item, text)
                assert trouble is None and files == MODULE.repository(item).right, (item.id, form)


def some(seed: int) -> list:
    """An item of each kind, the levels in turn."""
    items = {(i.data["kind"], i.level): i for i in ONE.items(seed)}
    return [items[kind, 1 + (k + seed) % 5] for k, kind in enumerate(KINDS)]


def cases() -> list:
    """One item of each kind among the fast tests, all of seed 0 and a sample of other seeds among the slow ones."""
    slow = [*ITEMS, *(i for seed in FRESH for i in some(seed))]
    return [pytest.param(i, id=i.id) for i in some(0)[::3]] + [
        pytest.param(i, id=f"slow-{i.id}", marks=pytest.mark.slow) for i in slow
    ]


def results(item, files):
    """What the hidden tests give."""
    found, how = MODULE._runs.results([(files, MODULE._probes(item, MODULE.repository(item)))])
    assert how == "passed"
    return found[0]


@pytest.mark.parametrize("item", cases())
def test_the_truth_of_an_item_by_execution(item, confined):
    """The right repository passes, the faulty one fails the fail-to-pass tests alone, each fault is needed."""
    repo = MODULE.repository(item)
    wanted, fails = MODULE.truth(item)
    assert any(fails) and not all(fails)
    assert not any({"ended", "stopped", "skipped"} & one.keys() for one in wanted), wanted
    assert ONE.grade(item, item.answer).outcome == "correct"
    again = results(item, repo.faulty)
    assert [not sandbox.same(a, b) for a, b in zip(again, wanted, strict=True)] == fails
    for fault in repo.faults if len(repo.faults) > 1 else ():  # one left: still wrong
        left = repo.right | {fault.file: repo.right[fault.file].replace(fault.right, fault.wrong)}
        assert not all(map(sandbox.same, results(item, left), wanted)), fault.operator
    if repo.example:
        assert fails[0]
        assert shown(item, wanted[0], repo.example["want"]) and shown(item, again[0], repo.example["got"])


def shown(item, result, text: str) -> bool:
    """Whether a result is what the issue shows."""
    if KINDS[item.data["kind"]].language == "sh":
        return result["out"].strip("\n") == text.strip("\n")
    if text.startswith("raises "):
        return result == {"raises": text.removeprefix("raises ")}
    return sandbox.same(result, {"value": sandbox.plain(eval(text, {}))})


@pytest.mark.parametrize("item", [pytest.param(i, id=i.data["kind"]) for i in ONE.items(level=4) if i.id[-1] == "0"])
def test_the_visible_tests_pass_before_the_repair(item, confined):
    """What an agent can run says OK; the fault is not handed to it."""
    repo, language = MODULE.repository(item), KINDS[item.data["kind"]].language
    assert MODULE._runs.visible(repo.faulty, language).rstrip().endswith("OK")
    assert MODULE._runs.visible(repo.right, language).rstrip().endswith("OK")


def test_an_issue_shows_a_difference_whatever_is_drawn():
    """30 lines of 21 cents have a VAT of 120 cents rounded line by line, and of the sum: nothing to complain of."""
    for kind in KINDS.values():
        for number, issue in enumerate(kind.issues):
            for seed in range(60 if "got" in issue else 0):
                words = MODULE._kinds.draw(kind, issue, np.random.default_rng(seed))
                example = MODULE._kinds.repository(kind, number, words).example
                assert example["got"] != example["want"], (kind.id, number, words)


def test_kinds_languages_and_slips_are_many():
    assert len(KINDS) >= 12 and {k.language for k in KINDS.values()} == {"python", "sh"}
    operators = {fault["operator"] for kind in KINDS.values() for fault in kind.faults.values()}
    assert len(operators) >= 30
    for item in ITEMS:
        files = MODULE.repository(item).right
        assert len(files) >= 5 and 60 <= sum(text.count("\n") for text in files.values()) <= 320, item.id


def test_higher_levels_do_not_name_the_file_and_level_5_joins_faults():
    for item in ITEMS:
        repo = MODULE.repository(item)
        if item.level == 4 or (item.level == 3 and item in PYTHON):  # a user of scripts names the one that was run
            assert not any(fault.file in repo.issue for fault in repo.faults), item.id
        assert (len(repo.faults) > 1) == (item.level == 5), item.id


@pytest.mark.parametrize("seed", FRESH)
def test_any_seed_makes_sound_items(seed):
    """Every text compiles, and each fault's place is found (a ValueError otherwise)."""
    for item in ONE.make(seed):
        repo = MODULE.repository(item)
        assert not MODULE._kinds._WORD.search(repo.issue), item.id
        for files in (repo.right, repo.faulty):
            for path, text in files.items():
                if path.endswith(".py"):
                    ast.parse(text, path)


class Spoken:
    """A runner that says the lines of one transcript, one a turn."""

    def __init__(self, lines) -> None:
        self.lines = list(lines)

    def generate(self, prompts, max_tokens, stop=(), temperature=0.0, **_):
        return [Answer(self.lines.pop(0), (), 10, 5)]


def test_a_scripted_expert_solves_every_item_turn_by_turn():
    """The files that an expert leaves are the right ones (that they pass is executed above)."""
    for item in ITEMS:
        [e] = play([ONE.world(item)], ReactActor(Spoken(item.answer.splitlines()), 64), Limits(turns=ONE.max_turns))
        assert e.finish == "stop" and e.transcript == item.answer
        assert e.world.state["files"] == MODULE.repository(item).right, item.id


def test_an_agent_that_says_nothing_solves_none():
    for item, e in zip(
        ITEMS, play([ONE.world(i) for i in ITEMS], ReactActor(NullRunner(), 9), Limits()), strict=True
    ):
        assert ONE.grade(item, e.transcript).outcome == "unparsed"


def diff(item, **options) -> str:
    """A unified diff of the whole repair."""
    repo = MODULE.repository(item)
    parts = []
    for path in sorted({fault.file for fault in repo.faults}):
        old, new = (files[path].splitlines() for files in (repo.faulty, repo.right))
        parts += difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="", **options)
    return "\n".join(parts) + "\n"


def forms(item) -> dict[str, str]:
    """The same repair in every form that is read."""
    repo, patch = MODULE.repository(item), diff(item)
    shifted = patch.replace("@@ -", "@@ -9")  # models miscount
    begin = "\n".join(
        f"*** Update File: {line[6:]}" if line.startswith("+++ ") else "@@" if line.startswith("@@") else line
        for line in patch.splitlines()
        if not line.startswith("--- ")
    )
    blocks = "\n".join(f"{f.file}\n<<<<<<< SEARCH\n{f.wrong}\n=======\n{f.right}\n>>>>>>> REPLACE" for f in repo.faults)
    whole = "\n".join(f"{path}\n```\n{text.rstrip()}\n```" for path, text in repo.right.items()
                      if text != repo.faulty[path])  # fmt: skip
    return {
        "a diff": patch, "a diff in an answer": f"Answer:\n{patch}",
        "fenced": f"Here it is:\n```diff\n{patch}```\nDone.",
        "wrong line numbers": shifted, "begin patch": f"*** Begin Patch\n{begin}\n*** End Patch",
        "blocks": blocks, "whole files": whole,
        "a call": f"Action: {written([Call('apply_patch', {'patch': patch})])}\nAnswer: Done.",
    }  # fmt: skip


@pytest.mark.parametrize("form", forms(ITEMS[0]))
def test_a_patch_is_read_in_every_form(form):
    for item in ITEMS[::3]:
        repo = MODULE.repository(item)
        lines = {line for text in repo.faulty.values() for line in text.splitlines()}
        if form == "blocks" and not all(set(f.wrong.splitlines()) <= lines for f in repo.faults):
            continue  # a block holds whole lines
        files, trouble = MODULE._edited(item, forms(item)[form])
        assert trouble is None, (item.id, trouble)
        assert {p: t.rstrip() for p, t in files.items()} == {p: t.rstrip() for p, t in repo.right.items()}, item.id


def test_a_patch_as_an_answer_is_applied_in_an_episode():
    """In text, and where an endpoint's own function calling gives words."""
    item = next(i for i in ITEMS if i.level == 5)
    [e] = play([ONE.world(item)], ReactActor(Spoken([f"Answer:\n{diff(item)}", "Answer: Done."]), 99), Limits())
    assert e.world.state["files"] == MODULE.repository(item).right
    assert MODULE._edited(item, e.transcript) == (MODULE.repository(item).right, None)


def test_what_cannot_be_read_is_told_apart_from_what_is_wrong():
    item = ITEMS[40]
    path = MODULE.repository(item).faults[0].file
    bad = f"--- a/{path}\n+++ b/{path}\n@@ -1,2 +1,2 @@\n-no such line\n+another\n"
    assert ONE.grade(item, bad).outcome == "unparsed" and "no such lines" in ONE.grade(item, bad).extracted
    assert ONE.grade(item, "I would look at the sorting.").outcome == "unparsed"
    assert ONE.grade(item, "Answer: I would look at the sorting.").outcome == "wrong"
    call = Call("replace", {"path": "nowhere.py", "old": "a", "new": "b"})
    assert "there is no file" in ONE.grade(item, f"Action: {written([call])}").extracted


def test_a_trivial_edit_is_judged_as_its_execution_would(confined):
    checked = 0
    for item in ITEMS[26:52:2]:
        for text in ONE.trivial_answers(item).values():
            files, trouble = MODULE._edited(item, text)
            if trouble is None and files != MODULE.repository(item).faulty:
                tested = MODULE._tested(item, MODULE.repository(item), files)
                assert tested.value == ONE.score(item, text), (item.id, text)
                checked += 1
    assert checked >= 3


PATHS = ["../x.py", "/etc/x", "a/../b", "", ".", "tests", "x\0y", "a//b", "~/x", "x" * 200]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_written_outside_the_repository(path):
    world = ONE.world(ITEMS[0])
    before = dict(world.state["files"])
    for name, arguments in (("write_file", {"text": "x"}), ("read_file", {})):
        assert world.call(Call(name, {"path": path, **arguments}))[1], path
    world.call(Call("apply_patch", {"patch": f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"}))
    assert all(p in before or "/" not in p for p in world.state["files"])


@given(st.sampled_from(ITEMS[::9]), st.text(max_size=60))
def test_no_text_raises(item, text):
    path = MODULE.repository(item).faults[0].file
    for before in ("", "Answer: ", f"--- a/{path}\n+++ b/{path}\n", f"{path}\n```\n", f"*** Update File: {path}\n"):
        MODULE._edited(item, before + text)
    MODULE._edited(item, f"Action: [replace(path={text!r}, old={text!r}, new='')]")


# What a hostile repair would try, put at the top of every file of a faulty repository. None makes one hidden test more
# pass than the honest faulty repository does.
HOSTILE = {
    "exits 0 at once": "import os\nos._exit(0)",
    "leaves before the tests": "import sys\nsys.exit(0)",
    "equals everything": (
        "import builtins\nclass Any:\n    __eq__ = lambda a, b: True\n    __hash__ = lambda a: 0\n"
        "builtins.sum = builtins.sorted = lambda *a, **k: Any()"
    ),
    "patches what runs the tests": (
        "import sys, json, builtins\nm = sys.modules['__main__']\nm.plain = lambda *a: True\n"
        "json.dumps = lambda *a, **k: '{\"value\": true}'\nbuiltins.eval = lambda *a: True"
    ),
    "writes a verdict everywhere": (
        "import os\nfor fd in range(3, 40):\n    try:\n        os.write(fd, b'{\"value\": true}')\n"
        "    except OSError:\n        pass\nos._exit(0)"
    ),
    "speaks to its parent's output": (
        "import os\ntry:\n    with open(f'/proc/{os.getppid()}/fd/1', 'w') as f:\n        f.write('[[]]')\n"
        "except OSError:\n    pass"
    ),
    "kills what watches it": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
    "spoils the next tests' folders": (
        "import os\nfor k in range(40):\n    os.makedirs(f'/tmp/repo-0-{k}', exist_ok=True)"
    ),
    "hides modules of the library": "import sys\nsys.modules['json'] = sys.modules['datetime'] = None",
    "looks for the answers": (
        "import glob, os\nfound = [p for p in glob.glob('/**/*expected*', recursive=True) if 'tmp' in p]\n"
        "assert not found, found"
    ),
}
SHELL_HOSTILE = {
    "exits 0 at once": "exit 0",
    "rewrites the tests": "echo 'echo OK' > tests/run.sh",
    "kills what watches it": "kill -9 $PPID",
    "puts another awk first": 'mkdir -p /tmp/x; printf "#!/bin/sh\\necho OK\\n" > /tmp/x/awk; PATH=/tmp/x:$PATH',
}


def sabotaged(item, text: str) -> str:
    """The transcript of an agent that mends nothing and puts a text at the top of every file, tests included."""
    repo = MODULE.repository(item)
    calls = [Call("write_file", {"path": path, "text": f"{text}\n{old}"}) for path, old in repo.faulty.items()
             if path.endswith((".py", ".sh"))]  # fmt: skip
    return "\n".join([*(f"Action: {written([call])}" for call in calls), "Answer: Done."])


def hostile_cases() -> list:
    pairs = [*product(HOSTILE, [PYTHON[27], PYTHON[61]]), *product(SHELL_HOSTILE, [SHELL[8], SHELL[20]])]
    return [pytest.param(name, item, id=f"{name}-{item.id}", marks=[] if k < 2 else [pytest.mark.slow])
            for k, (name, item) in enumerate(pairs)]  # fmt: skip


@pytest.mark.parametrize(("name", "item"), hostile_cases())
def test_a_hostile_repair_is_not_taken_for_right(name, item, confined):
    text = (HOSTILE if item in PYTHON else SHELL_HOSTILE)[name]
    grade = ONE.grade(item, sabotaged(item, text))
    assert grade.value == 0.0 and grade.outcome in ("wrong", "error", "timeout", "output", "memory"), grade
    assert ONE.grade(item, item.answer).value == 1.0  # and the next is judged as ever


def test_editing_the_tests_or_the_runner_changes_nothing(confined):
    """Files that a test runner of Python would read on its way, and the visible tests themselves."""
    item = PYTHON[27]
    repo = MODULE.repository(item)
    skipped = "import unittest\nunittest.main = lambda *a, **k: None\n"
    own = next(path for path in repo.faulty if "test" in path)
    files = ("sitecustomize.py", "conftest.py", "unittest.py", "usercustomize.py", own)
    calls = [Call("write_file", {"path": path, "text": skipped}) for path in files]
    text = "\n".join([*(f"Action: {written([call])}" for call in calls), "Answer: Done."])
    assert ONE.grade(item, text).outcome == "wrong"
    assert ONE.grade(item, f"{text.rpartition(chr(10))[0]}\n{item.answer}").outcome == "correct"


def test_an_endless_repair_ends_in_time(confined):
    import time

    item = PYTHON[27]
    begun = time.monotonic()
    assert ONE.grade(item, sabotaged(item, "while True: pass")).value == 0.0
    assert time.monotonic() - begun < 20


def test_no_expected_value_enters_the_sandbox_with_a_repair(confined, monkeypatch):
    """What is sent holds the repair's files and the probes, and neither the right nor the faulty repository."""
    item, sent, run = PYTHON[30], [], sandbox.run
    MODULE.truth(item)
    monkeypatch.setattr(sandbox, "run", lambda program, stdin, most: sent.append(stdin) or run(program, stdin, most))
    path = next(iter(MODULE.repository(item).faulty))
    ONE.grade(item, f"Action: {written([Call('write_file', {'path': path, 'text': '# nothing'})])}")
    [request] = sent
    assert request.count('"files"') == 1 and not any(f.right in request for f in MODULE.repository(item).faults)


def test_without_a_sandbox_the_tests_are_refused_and_grading_says_so(monkeypatch):
    def none():
        raise SandboxUnavailable("none here")

    monkeypatch.setattr(sandbox, "level", none)
    item = ITEMS[-1]
    assert "cannot be run" in ONE.world(item).call(Call("run_tests"))[1]
    MODULE._truth.cache_clear()
    with pytest.raises(SandboxUnavailable):
        ONE.grade(item, item.answer)


def test_a_replay_runs_no_tests(monkeypatch):
    monkeypatch.setattr(sandbox, "run", lambda *a, **k: pytest.fail("a program was run"))
    steps = replay(MODULE.world(ITEMS[0], dry=True), "Action: [run_tests()]\nAnswer: Done.")
    assert len(steps) == 2


def test_adding_a_kind_is_one_file():
    assert {p.stem for p in (ROOT / "tasks/_repair").glob("*.toml")} == set(KINDS)
