"""The evaluations without data here: asked as the harnesses they follow ask, on rows of the published shape."""

from __future__ import annotations

import pytest

from harness import evaluations
from harness.errors import BadFile, SandboxUnavailable, UserMistake
from harness.evaluations import load
from harness.options import with_options
from tests.test_evaluations import DATA, ROWS, lines, outside, written


def first(folder, name):
    return load(name, written(folder, name)).items()[0]


def test_mmlu_shows_five_examples_of_the_same_subject(tmp_path):
    path = written(tmp_path, "mmlu")
    row = ROWS["mmlu"][0]
    more = [row | {"question": f"{n} + 1?", "answer": n % 4} for n in range(7)]
    lines(tmp_path / "dev.jsonl", [row | {"subject": "law"}, *more])
    prompt = load("mmlu", path).items()[0].prompt
    asked = "\nA. 3\nB. 4\nC. 5\nD. 6\nAnswer:"
    assert prompt.startswith("The following are multiple choice questions (with answers) about high school sums."
                             f"\n\n0 + 1?{asked} A\n\n1 + 1?{asked} B\n\n")  # fmt: skip
    assert prompt.endswith(f"\n\n2 + 2?{asked}") and prompt.count("Answer:") == 6
    assert load("mmlu", path, shots=0).items()[0].prompt.count("Answer:") == 1


def test_options_that_stand_in_the_prompt_are_not_shown_again(tmp_path):
    for name in ("mmlu", "mmmlu", "belebele", "gpqa-diamond"):
        item = first(tmp_path, name)
        assert with_options(item) == item.prompt


def test_mmmlu_asks_in_its_language(tmp_path):
    item = first(tmp_path, "mmmlu")
    assert item.prompt.endswith("2 + 2?\nA. 3\nB. 4\nC. 5\nD. 6\nAntwort:") and item.lang == "de"
    path = tmp_path / "mmlu_AR-XY.jsonl"  # as the publisher names its files
    lines(path, ROWS["mmmlu"])
    assert load("mmmlu", path).id == "mmmlu-ar"


def test_belebele_is_asked_with_its_passage(tmp_path):
    assert first(tmp_path, "belebele").prompt == "P: Tom has a dog.\nQ: Who?\nA: Ann\nB: Tom\nC: Bo\nD: Cy\nAnswer："
    two = [ROWS["belebele"][0], ROWS["belebele"][0] | {"dialect": "ita_Latn"}]
    assert {i.lang for i in load("belebele", written(tmp_path, "belebele", two)).items()} == {"eng_Latn", "ita_Latn"}


def test_gpqa_places_the_right_option_everywhere_and_always_the_same(tmp_path):
    path = written(tmp_path, "gpqa-diamond")
    items, again = load("gpqa-diamond", path).items(), load("gpqa-diamond", path).items()
    assert [i.answer for i in items] == [i.answer for i in again] and len({i.answer for i in items}) > 1
    for n, item in enumerate(items):
        assert f"{item.answer} {n}\n" in item.prompt and "y. z" in item.prompt


def test_mmlu_pro_reasons_before_the_letter(tmp_path):
    path = written(tmp_path, "mmlu-pro")
    lines(tmp_path / "validation.jsonl", ROWS["mmlu-pro"])
    one = load("mmlu-pro", path)
    question = "Question:\n2 + 2?\nOptions:\nA. 3\nB. 4\nC. 5\nD. 6\nE. 7\n"
    assert one.items()[0].prompt.endswith(
        f'letter choice.{question}Answer: Let\'s think step by step. Two and two. The answer is (B).\n\n'
        f"{question}Answer: Let's think step by step."
    )  # fmt: skip
    scores = {"so the answer is (B).": 1, "the answer is B": 1, "the answer is (A), no, the answer is (B)": 0, "B": 0}
    assert {text: one.score(one.items()[0], text) for text in scores} == scores
    assert one.grade(one.items()[0], "B").outcome == "unparsed"


@pytest.mark.parametrize(("text", "score"), [
    ("\\boxed{70}", 1), ("$x=70$", 1), ("so $n = 70$.", 1), ("70", 1), ("$7$ or \\boxed{ 70 }", 1),
    ("\\boxed{70^\\circ}", 1), ("\\boxed{71}", 0), ("it is 70", 0), ("\\boxed{70} then \\boxed{71}", 0), ("none", 0),
])  # fmt: skip
def test_aime_reads_the_box(text, score, tmp_path):
    one = load("aime", written(tmp_path, "aime"))
    assert one.score(one.items()[0], text) == score


def test_aime_shows_the_last_number_beside(tmp_path):
    one = load("aime", written(tmp_path, "aime"))
    assert one.readings["last-number"](one.items()[0], "it is 70.", {}) == 1
    lower = [{"id": 3, "problem": "60 + 10?", "answer": "70"}]
    assert load("aime", written(tmp_path, "aime", lower)).items()[0].prompt == "Question: 60 + 10?\nAnswer:"


def test_hle_asks_for_a_confidence_and_leaves_pictures_out(tmp_path):
    one = load("hle", written(tmp_path, "hle"))
    (item,) = one.items()
    text = "Explanation: it is known.\n**Exact Answer:** paris.\nConfidence: 80%"
    assert one.score(item, text) == 1 and one.confidence(item, text) == 0.8
    assert one.score(item, "Exact Answer: Lyon") == 0 and one.confidence(item, "Exact Answer: Lyon") is None
    assert one.grade(item, "Paris").outcome == "unparsed"
    with pytest.raises(UserMistake, match="picture"):
        load("hle", written(tmp_path, "hle", ROWS["hle"][1:]))


def test_mbpp_shows_three_programs_and_runs_the_tests(tmp_path):
    path = written(tmp_path, "mbpp")
    lines(tmp_path / "prompt.jsonl", [ROWS["mbpp"][0] | {"task_id": n, "text": f"Task {n}."} for n in (1, 2, 3, 4, 5)])
    one = load("mbpp", path)
    item = one.items()[0]
    assert [f"Task {n}." in item.prompt for n in (1, 2, 3, 4, 5)] == [False, True, True, True, False]
    assert item.prompt.endswith("one. Your code should pass these tests:\n\nassert add(1) == 2\nassert add(2) == 3\n"
                                "assert add(-1) == 0\n[BEGIN]\n")  # fmt: skip
    right = "def add(n):\n    return n + 1\n"
    try:
        for text, score in ((right, 1), (f"{right}```", 1), (f"```python\n{right}```\nDone.", 1),
                            ("def add(n):\n    return 2\n", 0), ("raise SystemExit(0)\n", 0)):  # fmt: skip
            assert one.score(item, text) == score
    except SandboxUnavailable as why:
        pytest.skip(str(why))


def test_swe_bench_pro_says_what_it_needs(tmp_path):
    with pytest.raises(UserMistake, match="container"):
        load("swe-bench-pro", tmp_path / "test.jsonl")


@pytest.mark.parametrize(("move", "score"), [
    ("Action: [sea_tide(port='Dover')]", 1), ("Action: [sea_tide(port='dover uk', day=1)]", 1),
    ("Action: [sea_tide(port='Dover', day=2)]", 0), ("Action: [sea_tide(port='Calais')]", 0),
    ("Action: [sea_tide(day=1)]", 0), ("Action: [sea_tide(port='Dover', hour=1)]", 0),
    ("Action: [sea_tide(port='Dover'), sea_tide(port='Dover')]", 0), ("Action: [sea_tide(port='Dover', day=True)]", 0),
    ("Answer: No.", 0), ("Action: [other(port='Dover')]", 0),
])  # fmt: skip
def test_bfcl_matches_calls(move, score, tmp_path):
    one = load("bfcl", written(tmp_path, "bfcl"))
    assert one.score(one.items()[0], move) == score


def test_bfcl_refuses_talks_other_languages_and_missing_answers(tmp_path):
    row = ROWS["bfcl"][0]
    with pytest.raises(BadFile, match="several turns"):
        load("bfcl", written(tmp_path, "bfcl", [row | {"initial_config": {}}]))
    java = [row["function"][0] | {"parameters": {"type": "HashMap", "properties": {}}}]
    with pytest.raises(BadFile, match="other languages"):
        load("bfcl", written(tmp_path, "bfcl", [row | {"function": java}]))
    with pytest.raises(BadFile, match="possible_answer"):
        load("bfcl", written(tmp_path, "bfcl", [row | {"id": "simple_python_9"}]))


@outside
@pytest.mark.golden
@pytest.mark.parametrize(("kind", "size"), [("simple_python", 400), ("multiple", 200), ("parallel", 200),
                                            ("irrelevance", 240)])  # fmt: skip
def test_the_published_calls_are_right_and_no_call_is_not(kind, size):
    one = load("bfcl", DATA / f"bfcl/BFCL_v4_{kind}.json")
    items = one.items()
    assert len(items) == size and [i.id for i in items if one.score(i, i.answer) != 1] == []
    assert {one.score(i, "Answer: No.") for i in items} == {float(kind == "irrelevance")}


FOLLOWS = [  # instruction, arguments, a text that follows it, one that does not
    ("keywords:existence", {"keywords": ["sun", "moon"]}, "Sun and moons.", "Sun."),
    ("keywords:frequency", {"keyword": "tea", "frequency": 2, "relation": "at least"}, "Tea, tea.", "Tea."),
    ("keywords:frequency", {"keyword": "tea", "frequency": 2, "relation": "less than"}, "Tea.", "Tea, tea."),
    ("keywords:forbidden_words", {"forbidden_words": ["tea"]}, "A team.", "My tea."),
    ("keywords:letter_frequency", {"letter": "z", "let_frequency": 2, "let_relation": "at least"}, "Zz", "z"),
    ("language:response_language", {"language": "de"}, "Das ist ein schöner Tag im Garten.", "This is a lovely day."),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"}, "One. Two.", "Dr. One."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", "a\n***\n\n***\nb"),
    ("length_constraints:number_words", {"num_words": 3, "relation": "less than"}, "one two", "one two three"),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "But"},
     "One.\n\n\"But, no.", "But.\n\nOne."),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] at [place]", "[name]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hi.\nP. S. More.", "Hi."),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Hi.\np.p.s more", "P.S. More."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n* b\n* c"),
    ("detectable_format:constrained_response", {}, "My answer is maybe.", "Maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and ** **"),
    ("detectable_format:multiple_sections", {"section_spliter": "Section", "num_sections": 2},
     "Section 1\na\nSection 2\nb", "Section 1\na"),
    ("detectable_format:json_format", {}, "```json\n{\"a\": 1}\n```", "a: 1"),
    ("detectable_format:title", {}, "<<Tea>>\nText.", "<< >> Text"),
    ("combination:two_responses", {}, "a\n******\nb", "a\n******\na"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say hi."}, "say hi. Hi.", "Hi."),
    ("startend:end_checker", {"end_phrase": "The end."}, "So. the end.\"", "The end. Bye."),
    ("startend:quotation", {}, "\"Hi.\"", "Hi."),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "less than"},
     "One BIG word.", "(TWO) BIG, words."),
    ("change_case:english_capital", {}, "THIS IS A LOVELY DAY IN THE GARDEN.", "This is a lovely day."),
    ("change_case:english_lowercase", {}, "this is a lovely day in the garden.", "das ist ein schöner tag im garten."),
    ("punctuation:no_comma", {}, "No.", "No, no."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "follows", "fails"), FOLLOWS)
def test_ifeval_tells_who_follows(name, given, follows, fails, tmp_path):
    row = {"key": 1, "prompt": "P", "instruction_id_list": [name], "kwargs": [given | {"unused": None}]}
    one = load("ifeval", written(tmp_path, "ifeval", [row]))
    assert [one.score(one.items()[0], text) for text in (follows, fails)] == [1.0, 0.0]


def test_every_instruction_of_ifeval_is_tried():
    from harness.evaluations._instructions import CHECKS

    assert {name for name, *_ in FOLLOWS} == set(CHECKS) and len(CHECKS) == 25


def test_ifeval_reads_loosely_and_by_instruction(tmp_path):
    row = {"key": 1, "prompt": "P", "instruction_id_list": ["startend:quotation", "punctuation:no_comma"],
           "kwargs": [{}, {}]}  # fmt: skip
    one = load("ifeval", written(tmp_path, "ifeval", [row]))
    item, text = one.items()[0], 'Sure, here:\n"Hello there"'
    assert one.score(item, text) == 0.0 and one.readings["loose"](item, text, {}) == 1.0
    assert one.readings["instructions"](item, text, {}) == 0.0
    assert one.readings["instructions"](item, '"Hello, there"', {}) == 0.5
    with pytest.raises(UserMistake, match="unknown instruction"):
        load("ifeval", written(tmp_path, "ifeval", [row | {"instruction_id_list": ["a:b", "c:d"]}]))


def test_what_nobody_tried_says_so():
    states = {name: evaluations.evaluation(name).tried for name in evaluations.names()}
    assert sorted(name for name, tried in states.items() if tried) == [
        "arc-challenge", "bfcl", "gsm8k", "humaneval", "mgsm", "xcopa"]  # fmt: skip
