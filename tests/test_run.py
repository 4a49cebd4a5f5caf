"""The main job end to end on real parts, small."""

from __future__ import annotations

import json

import pytest

import harness
from harness.answers import Answer
from harness.discovery import add_paths
from harness.errors import UserMistake
from harness.options import continuation
from harness.report import build
from harness.results import COLUMNS, load_results
from harness.run.evaluate import Graded
from harness.run.job import Options, run
from harness.run.quality import majority
from harness.suites import suite
from tests.conftest import ROOT

LIMIT = 2  # items a suite
SILENT = lambda text: None  # noqa: E731


@pytest.fixture(scope="module")
def small_run(tmp_path_factory, weights_folder):
    """Two suites on the reference model, two chips, one large model, in one process."""
    options = Options(
        suites=("science-choice", "word-problems-multilingual"), chips=("h100-sxm", "zhenwu-m890"),
        models=("smollm2-135m-instruct", "qwen3-235b-a22b"), limit=LIMIT, workers=1,
        out=tmp_path_factory.mktemp("runs") / "small",
    )  # fmt: skip
    return load_results(run(options, SILENT))


def test_rows_have_the_contracts_columns_and_a_known_kind(small_run):
    assert tuple(small_run.rows.columns) == COLUMNS
    assert set(small_run.rows["kind"]) <= {"measured", "published", "modelled", "assumed"}
    assert len(small_run.rows["run"].unique()) == 1


def test_every_source_of_a_row_resolves_in_the_manifest(small_run):
    named = {s for cell in small_run.rows["source"] for s in cell.split()}
    assert named and named <= set(small_run.manifest["sources"])


def test_measured_and_modelled_stand_side_by_side(small_run):
    rows = small_run.rows
    accuracy = rows[(rows.metric == "accuracy")]
    assert set(accuracy.suite) == {"science-choice", "word-problems-multilingual"} and (accuracy.n == LIMIT).all()
    tpot = rows[(rows.metric == "tpot_ms") & (rows.model == "qwen3-235b-a22b")]
    assert len(tpot) == 2 and (tpot.p10 <= tpot.value).all() and (tpot.value <= tpot.p90).all()


def test_the_suites_own_traffic_is_what_the_answers_say(small_run):
    lines = [json.loads(x) for x in (small_run.folder / "answers.jsonl").read_text("utf-8").splitlines()]
    mine = [x["prompt_tokens"] for x in lines if x["suite"] == "word-problems-multilingual"]
    note = small_run.rows.query("metric == 'ttft_ms' and suite == 'word-problems-multilingual'").note.iloc[0]
    assert f"isl={round(sum(mine) / len(mine), 1):g}" in note


def test_options_that_were_scored_have_no_time_per_output_token(small_run):
    row = small_run.rows.query("metric == 'tpot_ms' and suite == 'science-choice'").iloc[0]
    assert row.value != row.value and "nothing was generated" in row.note


def test_the_trace_counts_at_least_the_weights_work_of_every_prompt(small_run):
    lines = [json.loads(x) for x in (small_run.folder / "answers.jsonl").read_text("utf-8").splitlines()]
    generated = sum(x["output_tokens"] - 1 for x in lines if x["suite"] == "word-problems-multilingual")
    decode = sum(
        t["flops"] for t in small_run.trace if t["suite"] == "word-problems-multilingual" and t["phase"] == "decode"
    )
    assert decode >= 2 * 134_000_000 * generated


def test_the_manifest_says_what_was_used(small_run):
    m = small_run.manifest
    assert (
        m["status"] == "finished" and m["seed"] == 0 and "blas" in m and m["runner"]["model"] == "smollm2-135m-instruct"
    )
    assert set(m["profiles"]) == {
        "chip/h100-sxm",
        "chip/zhenwu-m890",
        "model/qwen3-235b-a22b",
        "model/smollm2-135m-instruct",
        "workload/agent-35h",
        "workload/coding-agent",
    }
    for s in m["suites"].values():
        assert s["imitates"] and s["licence"] and s["max_tokens"] and 0 <= s["chance"] <= 1


def test_the_same_seed_gives_the_same_answers_and_figures(small_run, tmp_path):
    options = Options(suites=("science-choice",), chips=("h100-sxm",), models=("smollm2-135m-instruct",), limit=LIMIT,
                      workers=1, out=tmp_path / "again")  # fmt: skip
    again = load_results(run(options, SILENT)).rows
    mine = again[~again.metric.isin(["wall_s"])].drop(columns="run")
    first = small_run.rows.merge(mine, on=["stack", "metric", "suite", "workload", "chip"], suffixes=("_a", "_b"))
    assert len(first) == len(mine)
    assert ((first.value_a == first.value_b) | (first.value_a.isna() & first.value_b.isna())).all()


def test_a_report_is_built_from_the_folder_alone(small_run):
    text = build(small_run.folder, SILENT).read_text("utf-8")
    assert "Zhenwu M890" in text and "assumed" in text


def test_a_replay_of_the_answers_scores_the_same(small_run, tmp_path):
    options = Options(suites=("science-choice",), chips=("h100-sxm",), models=("smollm2-135m-instruct",), limit=LIMIT,
                      runner=f"replay:{small_run.folder / 'answers.jsonl'}", out=tmp_path / "replay")  # fmt: skip
    replayed = load_results(run(options, SILENT)).rows
    value = lambda rows: rows.query("metric == 'accuracy' and suite == 'science-choice'").value.iloc[0]  # noqa: E731
    assert value(replayed) == value(small_run.rows)


@pytest.mark.slow
def test_asked_again_an_item_has_votes_and_passes(tmp_path):
    options = Options(suites=("word-problems-multilingual",), chips=("h100-sxm",), models=("smollm2-135m-instruct",),
                      limit=3, workers=1, out=tmp_path / "e", agents=False, epochs=4)  # fmt: skip
    found = load_results(run(options, lambda _: None))
    rows = found.rows.set_index("metric")
    lines = [json.loads(line) for line in (tmp_path / "e" / "answers.jsonl").read_text("utf-8").splitlines()]
    assert sorted({line["epoch"] for line in lines}) == [0, 1, 2, 3] and len(lines) == 12
    assert rows.loc["items", "value"] == 3 and found.manifest["temperature"] == 0.7
    right = {i: sum(line["value"] for line in lines if line["id"] == i) for i in {line["id"] for line in lines}}
    assert rows.loc["accuracy", "value"] == pytest.approx(sum(right.values()) / 12)
    assert rows.loc["pass_at[k=1]", "value"] == pytest.approx(sum(right.values()) / 12)
    assert rows.loc["pass_at[k=4]", "value"] == pytest.approx(sum(r > 0 for r in right.values()) / 3)
    assert rows.loc["pass_all[k=4]", "value"] == pytest.approx(sum(r == 4 for r in right.values()) / 3)
    assert 0 <= rows.loc["accuracy[vote=4]", "value"] <= 1
    assert "Majority vote" in build(tmp_path / "e", lambda _: None).read_text("utf-8")


def test_the_majority_is_of_what_could_be_read():
    item = suite("contest-math").items(level=1)[0]
    given = lambda *texts: [Graded("s", item, Answer(t), suite("contest-math").grade(item, t), {}, "") for t in texts]  # noqa: E731
    right = f" {item.answer}"
    assert majority(given("none", "none", right)) == 1.0
    assert majority(given(" 998", " 997", right, right)) == 1.0
    assert majority(given(" 998", right)) == 0.0  # the first of equals
    assert majority(given("none")) == 0.0


@pytest.mark.parametrize("options", [
    {"epochs": 2, "temperature": 0.0}, {"epochs": 2, "precisions": ("fp8",)},
])  # fmt: skip
def test_asking_again_for_the_same_is_refused(options, tmp_path):
    with pytest.raises(UserMistake, match="--epochs"):
        run(Options(suites=("science-choice",), out=tmp_path / "p", **options), lambda _: None)


@pytest.mark.slow
def test_a_precision_is_run_beside_float32(tmp_path):
    options = Options(suites=("science-choice",), chips=("h100-sxm", "zhenwu-810e"), models=("smollm2-135m-instruct",),
                      limit=4, workers=1, out=tmp_path / "p", agents=False, precisions=("int4", "fp8"))  # fmt: skip
    found = load_results(run(options, lambda _: None))
    rows = found.rows.set_index(["stack", "metric"])
    small, short = "smollm2-135m-instruct/int4", "[precision=int4]"
    assert rows.loc[(small, f"kl_per_token{short}"), "value"] > 0.05
    change = rows.loc[(small, f"bits_per_byte_change{short}")]
    assert change.p10 < change.value < change.p90 and "4-bit" in change.note
    lines = [json.loads(line) for line in (tmp_path / "p" / "precision.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 8 and {line["precision"] for line in lines} == {"int4", "fp8"}
    mine = [line for line in lines if line["precision"] == "int4"]
    assert rows.loc[(small, f"answers_changed{short}"), "value"] == sum(line["changed"] for line in mine) / 4
    speed = found.rows[found.rows.metric.str.startswith("precision_tok_s_per_chip")]
    assert set(speed.chip) == {"h100-sxm", "zhenwu-810e"} and set(speed.weight_dtype) == {"bf16", "fp8", "int4"}
    assert found.manifest["precisions"]["fp8"] == "weights fp8, activations fp8, KV bf16"
    page = build(tmp_path / "p", lambda _: None).read_text("utf-8")
    assert "not evidence for large models" in page and "Speed in each format" in page


@pytest.mark.parametrize("options", [
    {"precisions": ("fp7",)}, {"precisions": ("fp8",), "runner": "null"},
])  # fmt: skip
def test_a_precision_that_cannot_be_is_refused_before_anything_starts(options, tmp_path):
    with pytest.raises(UserMistake, match="precision"):
        run(Options(suites=("science-choice",), out=tmp_path / "p", **options), lambda _: None)
    assert not (tmp_path / "p").exists()


def test_the_null_runner_scores_nothing_and_leaves_gaps_not_zeros(tmp_path):
    options = Options(
        suites=("word-problems-multilingual",), chips=("h20-96gb",), limit=5, runner="null", out=tmp_path / "n",
        agent_calls=40,
    )  # fmt: skip
    results = load_results(run(options, SILENT))
    rows = results.rows
    assert (rows.query("metric == 'agents_per_chip'").value > 0).all() and "agents_per_chip" in set(rows.metric)
    assert "model/deepseek-v4-flash" in results.manifest["profiles"]
    assert rows.query("metric == 'accuracy'").value.iloc[0] == 0.0
    for metric in ("bits_per_byte", "prompt_tokens_mean", "output_tokens_mean"):
        row = rows.query(f"metric == '{metric}'").iloc[0]
        assert row.value != row.value and row.note, metric


def test_a_continuation_follows_after_one_space():
    assert continuation("Answer:", "12") == " 12" and continuation("Answer: ", "12") == "12"
    assert continuation('"""', "\n    return 1") == "\n    return 1"


def test_public_names_load(weights_folder):
    assert harness.chip("h20-96gb").get("memory.bandwidth").point == pytest.approx(4e12)
    assert harness.model("qwen3-235b-a22b").native_dtype == "bf16"
    assert harness.suite("science-choice").chance > 0.2


NEW_PLOT = '''"""A plot of nothing much."""
TITLE, NEEDS = "Ceilings, plainly", ("chip.memory_gb",)

def draw(results, figure):
    rows = results.rows[results.rows.metric == "chip.memory_gb"]
    figure.subplots().bar(rows.chip, rows.value)
'''
NEW_SUITE = '''"""echo-digit: says a digit."""
from harness.suites import Grade, Item, Suite

def make(seed):
    return [Item(f"e{k}", f"Say {k}:", str(k), 1 + k % 5) for k in range(10)]

def grade(item, text):
    return Grade(float(text.strip() == item.answer), "correct" if text.strip() == item.answer else "wrong")

SUITE = Suite("echo-digit", "Echo", "reasoning", "nothing", "a toy", "Apache-2.0", "1", "generate", 3, ("\\n",),
              make, grade, lambda item: {"always 1": "1"})
'''


def test_adding_is_one_file_found_by_its_name(tmp_path, no_extra_paths, weights_folder):
    """A new chip, model, suite and plot in a --path folder each appear in the report; no list is extended."""
    (tmp_path / "hardware_profiles").mkdir()
    chip = (ROOT / "hardware_profiles/h20-96gb.toml").read_text("utf-8")
    (tmp_path / "hardware_profiles/new-chip.toml").write_text(chip.replace("H20 SXM 96GB", "New Chip"), "utf-8")
    (tmp_path / "models").mkdir()
    model = (ROOT / "harness/models/llama-3.1-8b.toml").read_text("utf-8")
    (tmp_path / "models/new-model.toml").write_text(model, "utf-8")
    (tmp_path / "echo_digit.py").write_text(NEW_SUITE, "utf-8")  # loose files are told apart by their contents
    (tmp_path / "plainly.py").write_text(NEW_PLOT, "utf-8")
    add_paths((tmp_path,))
    options = Options(suites=("echo-digit",), chips=("new-chip",), models=("smollm2-135m-instruct", "new-model"),
                      limit=3, workers=1, out=tmp_path / "run", agents=False)  # fmt: skip
    page = build(run(options, SILENT), SILENT).read_text("utf-8")
    for name in ("New Chip", "new-model", "echo-digit", "Ceilings, plainly"):
        assert name in page, name
    assert suite("echo-digit").items(3)
