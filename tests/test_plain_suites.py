"""A user's own suite in YAML or JSONL: found, asked, scored, and every mistake said in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from harness.cli import stackline as main
from harness.errors import BadFile, UserMistake
from harness.plain_suites import load
from harness.results import load_results
from harness.run.job import Options, run
from harness.suites import suite


def written(tmp_path, text: str, name: str = "mine.yaml"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def one(question: str = "q", answer: str = "a", **more) -> dict:
    return {"question": question, "answer": answer, **more}


def of(tmp_path, *questions: dict, **about):
    return load(written(tmp_path, json.dumps({"questions": list(questions), **about})))  # JSON is YAML


def test_defaults_are_said_and_levels_may_be_absent(tmp_path):
    mine = of(tmp_path, one("How many?", "three"), one("Where?", "Bern", level=4, lang="de"))
    first, second = mine.items()
    assert (mine.id, mine.method, mine.licence) == ("mine", "generate", "not stated")
    assert first.prompt == "Question: How many?\nAnswer:" and (first.level, second.level, second.lang) == (0, 4, "de")
    assert mine.items(seed=9) == mine.items() and mine.items(level=4) == [second]


@pytest.mark.parametrize("scorer, answer, right, wrong, unparsed", [
    ("exact", "Bern", [" Bern", "bern.\nQuestion", "  BERN "], ["Berne", "It is Bern"], ["", " \n"]),
    ("number", "1,200", ["1200", "so it is 1200.0", "7 then 1,200"], ["1200 then 7"], ["none", ""]),
    ("contains", "F-17", ["use form f-17, please"], ["F-18", "F-170"], [""]),
])  # fmt: skip
def test_scorers(tmp_path, scorer, answer, right, wrong, unparsed):
    mine = of(tmp_path, one(answer=answer), scorer=scorer)
    [item] = mine.items()
    for texts, outcome in ((right, "correct"), (wrong, "wrong"), (unparsed, "unparsed")):
        assert [mine.grade(item, t).outcome for t in texts] == [outcome] * len(texts)


def test_questions_with_choices_are_chosen(tmp_path):
    mine = of(tmp_path, one(answer="b2", choices=["a1", "b2", "c3"]), one("r", "x", choices=["x", "y"]))
    item = mine.items()[0]
    assert mine.method == "choose" and [mine.score(item, t) for t in ("b2", "B", "(b)", "a1")] == [1, 1, 1, 0]
    assert mine.grade(item, "no idea").outcome == "unparsed" and mine.chance == pytest.approx(0.5)


def test_a_jsonl_file_is_its_questions(tmp_path):
    mine = load(written(tmp_path, json.dumps(one()) + "\n\n" + json.dumps(one("r", 7)) + "\n", "our_own.jsonl"))
    assert mine.id == "our-own" and [i.answer for i in mine.items()] == ["a", "7"]


@pytest.mark.parametrize("text, where", [
    ("questions: [", "file"), ("- 1", "file"), ("title: x", "questions"), ("questions: []", "questions"),
    ("questions: [1]", "question 1"), ("asks: 1\nquestions: [{question: q, answer: a}]", "asks"),
    ("questions: [{question: q}]", "question 1, answer"), ("questions: [{question: ' ', answer: a}]", "question"),
    ("questions: [{question: q, answer: a, hint: b}]", "question 1, hint"),
    ("questions: [{question: q, answer: a, level: 6}]", "question 1, level"),
    ("questions: [{question: q, answer: a, choices: [b, c]}]", "question 1, choices"),
    ("questions: [{question: q, answer: a, choices: [a, a]}]", "question 1, choices"),
    ("questions: [{question: q, answer: a}, {question: q, answer: b}]", "question 2"),
    ("scorer: guess\nquestions: [{question: q, answer: a}]", "scorer"),
    ("scorer: number\nquestions: [{question: q, answer: a}]", "question 1, answer"),
    ("max_tokens: none\nquestions: [{question: q, answer: a}]", "max_tokens"),
])  # fmt: skip
def test_a_mistake_names_its_place(tmp_path, text, where):
    with pytest.raises(BadFile) as found:
        load(written(tmp_path, text))
    assert where in str(found.value) and "mine.yaml" in str(found.value) and "\n" not in str(found.value)


def test_a_line_that_is_no_json_is_named(tmp_path):
    with pytest.raises(BadFile, match="line 2"):
        load(written(tmp_path, '{"question": "q", "answer": "a"}\n{"question"\n', "mine.jsonl"))


def test_an_answer_that_its_own_scorer_refuses_is_found(tmp_path):
    path = written(tmp_path, 'questions: [{question: q, answer: "."}]')
    found = CliRunner().invoke(main, ["suites", "check", str(path)], standalone_mode=False)
    assert "accepts" in found.output and isinstance(found.exception, UserMistake)


def test_new_check_show_and_run_without_code(tmp_path, monkeypatch, weights_folder):
    monkeypatch.chdir(tmp_path)
    cli = CliRunner()
    made = cli.invoke(main, ["suites", "new", "our-questions"])
    assert made.exit_code == 0 and made.output.strip() == "tasks/our-questions.yaml"
    assert "2 items" in cli.invoke(main, ["suites", "check", "our-questions"]).output
    assert "no level" not in (shown := cli.invoke(main, ["suites", "show", "our-questions"]).output)
    assert "nearest to the Sun" in shown and "our-questions" in cli.invoke(main, ["suites", "list"]).output
    again = cli.invoke(main, ["suites", "new", "our-questions"])
    assert again.exit_code != 0
    options = Options(suites=("our-questions",), models=("smollm2-135m-instruct",), chips=("h100-sxm",), workers=1,
                      out=tmp_path / "run", agents=False)  # fmt: skip
    rows = load_results(run(options, lambda _: None)).rows
    assert rows[(rows.metric == "accuracy") & (rows.suite == "our-questions")].n.item() == 2


def test_a_shipped_id_may_be_taken_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    written(tmp_path / "tasks", "questions: [{question: q, answer: a}]", "contest-math.yaml")
    assert len(suite("contest-math").items()) == 1


def test_python_in_the_working_folder_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    written(tmp_path / "tasks", "raise SystemExit('it ran')", "sly.py")
    assert "sly" not in CliRunner().invoke(main, ["suites", "list"]).output
