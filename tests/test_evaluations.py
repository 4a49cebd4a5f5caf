"""The real evaluations: asked word for word as lm-evaluation-harness asks them, scored as it scores them."""

from __future__ import annotations

import json

import pytest

from harness import evaluations
from harness.chance import chance_level
from harness.errors import BadFile, MissingFile, SandboxUnavailable, UnknownId, UserMistake
from harness.evaluations import load
from harness.options import likeliest, with_options
from tests.conftest import OUTSIDE

DATA, RECORDED = OUTSIDE / "evals/data", OUTSIDE / "evals/reference"
outside = pytest.mark.skipif(not DATA.exists(), reason="no evals/data in STACKLINE_REFERENCE_DATA")

ROWS = {
    "arc-challenge": [
        {"id": "a", "question": "What melts?", "choices": {"text": ["ice", "sand", "air"], "label": ["A", "B", "C"]},
         "answerKey": "A"},
        {"id": "b", "question": "What burns?", "choices": {"text": ["water", "wood"], "label": ["1", "2"]},
         "answerKey": "2"},
    ],
    "gsm8k": [{"question": "Two bags of 600 each?", "answer": "2 x 600 = <<2*600=1200>>1200\n#### 1,200"}],
    "humaneval": [{"task_id": "T/1", "prompt": "def one():\n", "canonical_solution": "    return 1\n",
                   "test": "def check(f):\n    assert f() == 1\n", "entry_point": "one"}],
    "mgsm": [{"question": "1 + 1?", "answer_number": 2}],
    "xcopa": [{"premise": "Piove.", "choice1": "Mi bagno.", "choice2": "Rido.", "question": "effect", "label": 0}],
    "mmlu": [{"question": "2 + 2? ", "subject": "high_school_sums", "choices": ["3", "4", "5", "6"], "answer": 1}],
    "mmmlu": [{"Question": "2 + 2?", "A": "3", "B": 4, "C": "5", "D": "6", "Answer": "B", "Subject": "sums"}],
    "mmlu-pro": [{"question_id": 7, "question": "2 + 2?", "options": ["3", "4", "5", "6", "7"], "answer": "B",
                  "answer_index": 1, "cot_content": "A: Let's think step by step. Two and two. The answer is (B).",
                  "category": "math"}],
    "belebele": [{"link": "https://example.org/1", "flores_passage": "Tom has a dog.", "question": "Who? ",
                  "mc_answer1": "Ann", "mc_answer2": "Tom", "mc_answer3": "Bo", "mc_answer4": "Cy",
                  "correct_answer_num": "2", "dialect": "eng_Latn"}],
    "gpqa-diamond": [{"Question": f"Which is {n}?", "Correct Answer": f"{n} ", "Incorrect Answer 1": "x",
                      "Incorrect Answer 2": "y [title]z", "Incorrect Answer 3": "w"} for n in range(8)],
    "hle": [{"id": "h1", "question": "Capital of France?", "image": "", "answer": "Paris", "answer_type": "exactMatch",
             "category": "Other"},
            {"id": "h2", "question": "What is seen?", "image": "data:image/png;base64,AA", "answer": "A",
             "answer_type": "multipleChoice", "category": "Other"}],
    "aime": [{"ID": "2024-I-1", "Problem": "60 + 10?", "Answer": 70}],
    "ifeval": [{"key": 1, "prompt": "Say hello without commas.", "instruction_id_list": ["punctuation:no_comma"],
                "kwargs": [{"num_words": None}]}],
    "mbpp": [{"task_id": 11, "text": "Write a function to add one.", "code": "def add(n):\r\n  return n + 1",
              "test_list": ["assert add(1) == 2", "assert add(2) == 3", "assert add(-1) == 0"], "test_setup_code": ""}],
    "bfcl": [{"id": "simple_python_0", "question": [[{"role": "user", "content": "Tide at Dover, please."}]],
              "function": [{"name": "sea.tide", "description": "Tide of a port",
                            "parameters": {"type": "dict", "required": ["port"], "properties": {
                                "port": {"type": "string", "description": "A port"},
                                "day": {"type": "integer", "description": "A day"}}}}]}],
}  # fmt: skip
ACCEPTED = [{"id": "simple_python_0", "ground_truth": [{"sea.tide": {"port": ["Dover", "Dover, UK"], "day": [1, ""]}}]}]
LANGUAGE = {"mgsm": ".de", "xcopa": ".it", "mmmlu": ".de"}
SUITE_ID = {"mgsm": "mgsm-de", "xcopa": "xcopa-it", "mmmlu": "mmmlu-de", "belebele": "belebele-eng-latn",
            "bfcl": "bfcl-simple-python"}  # fmt: skip
GOLD = {"ifeval": "Hello there."}  # where many answers are right


@pytest.fixture(params=sorted(ROWS))
def name(request):
    return request.param


def written(folder, name: str, rows=None):
    path = folder / (f"test{LANGUAGE.get(name, '')}.jsonl" if name != "bfcl" else "BFCL_v4_simple_python.json")
    lines(path, rows or ROWS[name])
    if name == "bfcl":
        (folder / "possible_answer").mkdir(exist_ok=True)
        lines(folder / "possible_answer" / path.name, ACCEPTED)
    return path


def lines(path, rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_every_evaluation_has_a_file_of_its_shape_here():
    assert [n for n in evaluations.names() if not evaluations.evaluation(n).refusal] == sorted(ROWS)


def test_the_gold_answer_scores_and_silence_does_not(name, tmp_path):
    one = load(name, written(tmp_path, name))
    try:
        for item in one.items():
            assert one.score(item, GOLD.get(name, item.answer)) == 1.0 and one.score(item, "") == 0.0
            assert item.level == 0
    except SandboxUnavailable as why:
        pytest.skip(str(why))


def test_the_version_is_the_file(name, tmp_path):
    before = load(name, written(tmp_path, name)).version
    assert load(name, written(tmp_path, name, ROWS[name] * 2)).version != before


def test_a_row_without_a_field_is_named(name, tmp_path):
    field = {"aime": "Answer"}.get(name) or evaluations.evaluation(name).fields[-1]
    rows = [{k: v for k, v in row.items() if k != field} for row in ROWS[name]]
    with pytest.raises(BadFile, match=f"'{field.lower() if name == 'aime' else field}'"):
        load(name, written(tmp_path, name, rows))


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(UnknownId):
        load("gsm9k", tmp_path / "x.jsonl")
    with pytest.raises(MissingFile, match="openai/gsm8k"):
        load("gsm8k", tmp_path / "x.jsonl")
    with pytest.raises(UserMistake, match="ID=FILE"):
        evaluations.parse(["gsm8k"])
    both = f"gsm8k={written(tmp_path, 'gsm8k')}"
    with pytest.raises(UserMistake, match="given twice"):
        evaluations.parse([both, both])
    with pytest.raises(BadFile, match="language"):
        load("xcopa", written(tmp_path, "gsm8k"))
    (tmp_path / "x.txt").write_text("1")
    with pytest.raises(BadFile, match="jsonl"):
        load("gsm8k", tmp_path / "x.txt")


def test_examples_stand_beside_the_items(tmp_path):
    path = written(tmp_path, "gsm8k")
    (tmp_path / "train.jsonl").write_text(json.dumps({"question": "Q?", "answer": "A\n#### 3"}) + "\n")
    assert load("gsm8k", path).items()[0].prompt.startswith("Question: Q?\nAnswer: A\n#### 3\n\nQuestion: Two bags")
    assert load("gsm8k", path, shots=0).items()[0].prompt.startswith("Question: Two bags")


# One of each way to ask is run with the fast tests, the others with the slow ones: a run writes its report too.
RUN_FAST = {"arc-challenge", "gsm8k", "bfcl", "humaneval"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in RUN_FAST else pytest.mark.slow) for n in sorted(ROWS)]
)
def test_a_run_asks_the_users_file_alone(name, tmp_path):
    """With the null runner: what is asked, graded and reported, without a model."""
    from click.testing import CliRunner

    from harness import load_results
    from harness.cli import stackline

    path, out = written(tmp_path, name), tmp_path / "run"
    options = ["--runner", "null", "--no-agents", "--chip", "h20-96gb", "--model", "smollm2-135m-instruct"]
    done = CliRunner().invoke(stackline, ["run", "--data", f"{name}={path}", *options, "--out", str(out)])
    assert done.exit_code == 0, done.output
    results = load_results(out)
    (only,) = results.manifest["suites"] or [None]
    assert only == SUITE_ID.get(name, name)
    rows = results.rows
    assert (rows[rows["metric"] == "accuracy"]["value"] == 0).all() and not rows["metric"].str.contains("level=").any()


def test_the_evaluations_are_listed():
    from click.testing import CliRunner

    from harness.cli import stackline

    done = CliRunner().invoke(stackline, ["suites", "evaluations", "--format", "json"])
    assert [row["id"] for row in json.loads(done.output)] == evaluations.names()


def test_an_endpoints_letter_counts_and_a_missing_likelihood_is_no_zero(tmp_path):
    """A runner that scores no options is shown them with letters."""
    one = load("arc-challenge", written(tmp_path, "arc-challenge"))
    item = one.items()[1]
    assert with_options(item).endswith("\nA. water\nB. wood\nAnswer:")
    assert [one.score(item, text) for text in ("B", " (B)", "B. wood", "wood.", "A", "oak")] == [1, 1, 1, 1, 0, 0]
    assert one.grade(item, "oak").outcome == "unparsed"
    assert one.readings["acc"](item, "B", {}) is None
    assert one.readings["acc"](item, "", {" water": -9.0, " wood": -8.0}) == 1.0
    xcopa = load("xcopa", written(tmp_path, "xcopa"))
    assert (
        with_options(xcopa.items()[0]).startswith("A. mi bagno.\n") and xcopa.score(xcopa.items()[0], "mi bagno") == 1
    )


def test_options_are_weighed_by_length_as_the_suite_says(tmp_path):
    item = load("arc-challenge", written(tmp_path, "arc-challenge")).items()[0]  # ice, sand, air
    nats = {" ice": -3.0, " sand": -3.9, " air": -3.1}
    assert likeliest(item, nats, "none") == "ice" and likeliest(item, nats, "characters") == "sand"
    assert likeliest(item, {" ice": -3.0}, "none") is None


@pytest.mark.parametrize(("name", "text", "score"), [
    ("gsm8k", "so $1,200.", 1.0), ("gsm8k", "1200.5", 0.0), ("gsm8k", "1200 of 7", 0.0), ("gsm8k", "-1200", 0.0),
    ("mgsm", "gibt 2.", 1.0), ("mgsm", "also 20", 0.0), ("mgsm", "-2", 1.0),  # mgsm drops all punctuation
])  # fmt: skip
def test_numbers_are_compared_as_the_task_compares_them(name, text, score, tmp_path):
    one = load(name, written(tmp_path, name))
    assert one.score(one.items()[0], text) == score


def test_an_answer_ends_where_the_next_question_would_begin(tmp_path):
    assert load("mgsm", written(tmp_path, "mgsm")).stop[0] == "Frage:"


def test_the_examples_are_part_of_the_version(tmp_path):
    path = written(tmp_path, "gsm8k")
    before = load("gsm8k", path).version
    (tmp_path / "train.jsonl").write_text(json.dumps({"question": "Q?", "answer": "A\n#### 3"}) + "\n")
    assert load("gsm8k", path).version != before


def test_a_program_that_ends_before_the_tests_has_not_passed(tmp_path):
    one = load("humaneval", written(tmp_path, "humaneval"))
    try:
        for text in ("    import os; os._exit(0)\n", "    raise SystemExit(0)\n", "    return 2\n"):
            assert one.score(one.items()[0], text) == 0.0
    except SandboxUnavailable as why:
        pytest.skip(str(why))


def recorded(task: str) -> list[dict]:
    return [json.loads(line) for line in (RECORDED / f"{task}.jsonl").read_text("utf-8").splitlines()]


@outside
@pytest.mark.golden
@pytest.mark.parametrize(
    ("name", "file", "task", "shots"),
    [
        ("arc-challenge", "arc_challenge/test.jsonl", "arc_challenge", 0),
        ("gsm8k", "gsm8k/test.jsonl.gz", "gsm8k", 2),
        ("mgsm", "mgsm/mgsm_en.tsv", "mgsm_en", 0),
        ("xcopa", "xcopa/it/test.it.jsonl", "xcopa_it", 0),
    ],
)
def test_prompts_options_and_scores_are_those_recorded(name, file, task, shots):
    one = load(name, DATA / file, shots=shots)
    items = one.items()
    for row in recorded(task):
        item, hf = items[row["doc_id"]], row["hf"]
        assert item.prompt == row["prompt"]
        if "continuations" in row:
            assert [f" {c}" for c in item.choices] == row["continuations"]
            assert item.choices.index(item.answer) == row["target"]
            nats = dict(zip(row["continuations"], hf["loglik"], strict=True))
            assert item.choices.index(likeliest(item, nats, "none")) == hf["choice_acc"]
            if one.normalise == "characters":
                assert float(likeliest(item, nats, "characters") == item.answer) == hf["acc_norm"]
                assert one.readings["acc"](item, "", nats) == hf["acc"]
        else:
            assert one.score(item, hf["output"]) == hf["score"]["flexible-extract"]["exact_match"]
            assert one.grade(item, hf["output"]).extracted == hf["filtered"]["flexible-extract"].replace(
                "[invalid]", ""
            )
            if "strict-match" in one.readings:
                assert (
                    one.readings["strict-match"](item, hf["output"], {}) == hf["score"]["strict-match"]["exact_match"]
                )


@outside
@pytest.mark.golden
def test_published_files_are_whole():
    sizes = {"arc_challenge/test.jsonl": ("arc-challenge", 1172), "gsm8k/test.jsonl.gz": ("gsm8k", 1319),
             "mgsm/mgsm_zh.tsv": ("mgsm", 250), "xcopa/zh/test.zh.jsonl": ("xcopa", 500),
             "humaneval/HumanEval.jsonl.gz": ("humaneval", 164)}  # fmt: skip
    for file, (name, size) in sizes.items():
        one = load(name, DATA / file)
        assert len(one.items()) == size
        if not one.needs_sandbox:
            assert chance_level(one).value < (0.6 if name == "xcopa" else 0.4 if one.method == "choose" else 0.1)


@outside
@pytest.mark.golden
@pytest.mark.slow
def test_every_published_solution_passes():
    one = load("humaneval", DATA / "humaneval/HumanEval.jsonl.gz")
    assert [item.id for item in one.items() if one.score(item, item.answer) != 1.0] == []
