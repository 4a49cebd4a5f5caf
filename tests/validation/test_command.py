"""stackline validate, as a user calls it."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest
from click.testing import CliRunner

from harness.cli import stackline
from harness.errors import UserMistake
from harness.report.figures import figures_of
from harness.results import load_results
from harness.validation import errors
from harness.validation.extract import ROWS, SHIPPED
from harness.validation.outcome import validate
from tests.validation.support import table


def call(*args: str):
    return CliRunner().invoke(stackline, ["validate", *args], catch_exceptions=False)


def test_without_a_file_it_validates_on_the_shipped_rows():
    done = call()
    assert done.exit_code == 0 and f"{ROWS} of {ROWS} rows count" in done.stderr
    sections = ("chip", "model", "engine", "concurrency", "statistic", "family")
    left_out = ("Out of sample", "One family left out, by family", "One model left out, by model")
    for heading in ("Goals (one chip left out)", "Overall", *(f"By {s}" for s in sections), *left_out):
        assert f"\n{heading}" in f"\n{done.stdout}", heading
    goal = next(line for line in done.stdout.splitlines() if line.startswith("tpot mape "))
    assert "≤ 15 %" in goal and goal.split()[-2] in ("yes", "no")


@pytest.fixture(scope="module")
def some(tmp_path_factory) -> str:
    """A file of every sixteenth of the shipped rows."""
    path = tmp_path_factory.mktemp("rows") / "m.csv"
    pd.read_csv(SHIPPED, dtype=str, keep_default_na=False)[::16].to_csv(path, index=False)
    return str(path)


def test_csv_and_json_say_the_same(tmp_path):
    path = str(table(tmp_path / "m.csv", {}, {"concurrency": "64"}, {"chip": "h200-sxm", "ttft_ms": ""}))
    said = [call("--measurements", path, "--by", "none", "--format", form).stdout for form in ("json", "csv")]
    document, rows = json.loads(said[0]), list(csv.DictReader(io.StringIO(said[1])))
    assert document["by"] == "none"
    overall = {(r["target"], r["measure"]): r["value"] for r in rows if r["table"] == "overall"}
    assert overall
    for record in document["tables"]["overall"]:
        for measure in errors.MEASURES:
            said = overall[record["target"], measure]
            assert (None if said == "" else float(said)) == record[measure]


def test_out_holds_rows_tables_plot_and_the_worst_rows_term_by_term(some, tmp_path):
    done = call("--measurements", some, "--out", str(tmp_path / "v"))
    assert done.exit_code == 0
    rows = pd.read_csv(tmp_path / "v/rows.csv")
    overall = pd.read_csv(tmp_path / "v/tables/overall.csv").set_index("target")
    mape = rows.groupby("target")["error"].agg(lambda e: e.abs().mean())
    assert overall["mape"].to_dict() == pytest.approx(mape.to_dict(), rel=1e-4)
    assert {"by-chip.csv", "out-of-sample.csv", "excluded.csv"} <= {p.name for p in (tmp_path / "v/tables").iterdir()}
    worst, terms = (pd.read_csv(tmp_path / "v" / name) for name in ("worst.csv", "worst-terms.csv"))
    assert len(worst) == 20 and worst["id"].is_unique and set(terms["id"]) == set(worst["id"])
    assert list(terms.columns) == ["id", "target", "error", "term", "seconds", "share", "bound"]
    assert (tmp_path / "v/scatter.png").read_bytes()[1:4] == b"PNG"
    assert "<svg" in (tmp_path / "v/scatter.svg").read_text("utf-8")
    figures = figures_of(load_results(tmp_path / "v/run"))
    pairs = [(f, figures.one("validation.predicted", f.part, workload=f.workload))
             for f in figures.with_value("validation.published", part="tpot")]  # fmt: skip
    errors = [abs(predicted.value / published.value - 1) for published, predicted in pairs if predicted]
    assert sum(errors) / len(errors) == pytest.approx(mape["tpot"], rel=1e-3)
    again = CliRunner().invoke(stackline, ["plot", "validation", str(tmp_path / "v/run"), "--out",
                                           str(tmp_path / "again.png")])  # fmt: skip
    assert again.exit_code == 0 and (tmp_path / "again.png").read_bytes()[1:4] == b"PNG"


def test_a_chip_without_a_profile_is_a_refused_row_and_the_rest_is_compared(tmp_path):
    path = table(tmp_path / "m.csv", {}, {"chip": "no-such-chip"})
    document = json.loads(call("--measurements", str(path), "--format", "json").stdout)
    by_chip = {r["chip"]: r for r in document["tables"]["by chip"] if r["target"] == "tpot"}
    assert by_chip["no-such-chip"]["refused"] == 1 and by_chip["no-such-chip"]["mape"] is None
    assert by_chip["h100-sxm"]["refused"] == 0 and by_chip["h100-sxm"]["mape"] is not None


def test_where_every_row_is_refused_it_still_answers(tmp_path):
    path = table(tmp_path / "m.csv", {"chip": "no-such-chip"})
    done = call("--measurements", str(path), "--out", str(tmp_path / "v"))
    assert done.exit_code == 0 and (tmp_path / "v/scatter.png").exists()


def test_a_refit_predicts_a_chip_by_the_other_rows_of_the_file_and_not_by_its_own(tmp_path):
    pytest.importorskip("scipy")
    rows = pd.read_csv(SHIPPED, dtype=str, keep_default_na=False)
    rows = rows[rows.chip.isin(["h200-sxm", "b200-sxm"])][::2]
    theirs, slower = rows.chip == "b200-sxm", rows.copy()
    slower.loc[theirs, "tpot_ms"] = [x and str(3 * float(x)) for x in rows.tpot_ms[theirs]]
    paths = [tmp_path / name for name in ("published.csv", "slower.csv")]
    for path, some in zip(paths, (rows, slower), strict=True):
        some.to_csv(path, index=False)
    done = call("--measurements", str(paths[0]), "--refit", "--out", str(tmp_path / "v"))
    assert done.exit_code == 0 and "without chip b200-sxm" in done.stderr and "Goals (one chip left out)" in done.stdout
    before = pd.read_csv(tmp_path / "v/rows.csv").query("target == 'tpot'").set_index("id")
    after = validate(paths[1], "chip", refit=True).main.query("target == 'tpot'").set_index("id")
    change = after["predicted"] / before["predicted"]
    mine = before["chip"] == "b200-sxm"
    assert mine.any() and change[mine].tolist() == pytest.approx([1.0] * mine.sum(), rel=1e-5)
    assert (change[~mine] > 1).mean() > 0.9  # H200, which is fitted on the B200 alone


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ([{"disagg": "1"}], [], "none of 1 rows counts"),
        ([{}], ["--by", "none", "--refit"], "--refit leaves something out"),
        ([{}, {}], ["--by", "model", "--refit"], "none of 0 measured rows to fit on can be predicted"),
    ],
)
def test_a_users_mistake_is_one_line(tmp_path, changes, options, said):
    path = table(tmp_path / "m.csv", *changes)
    with pytest.raises(UserMistake, match=said):
        call("--measurements", str(path), *options)
