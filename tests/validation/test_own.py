"""A chip's owner narrows its figures; a row is explained by operator."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import harness
from harness.cli import stackline
from harness.errors import BadFile, UserMistake
from harness.roofline.constants import load, load_own
from harness.validation import own
from harness.validation.extract import SHIPPED
from harness.validation.scored import read

CHIP = "h200-sxm"


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> pd.DataFrame:
    """Forty runs of a chip that takes 1.5 times the predicted time a token, with 3 % of scatter."""
    shipped = read(SHIPPED)
    mine = shipped[(shipped.chip == CHIP) & shipped.tpot_ms.notna()].head(40).reset_index(drop=True)
    inputs = mine[["chip", "chips", "model", "weight_dtype", "tp", "ep", "dp", "isl", "osl", "concurrency"]]
    inputs = inputs.assign(engine_family=mine.engine_family, date=mine.date)
    predicted = harness.predict(inputs)
    noise = np.exp(np.random.default_rng(0).normal(0, 0.03, len(mine)))
    return mine.assign(tpot_ms=predicted.tpot_ms * 1.5 * noise, tpot_stat="mean", ttft_ms=np.nan)[
        predicted.error.isna()
    ]


def test_a_shift_is_found_and_betters_the_runs_kept_out(runs):
    found = own.narrow(runs, CHIP)["tpot"]
    assert 1.25 < found.own.factor < 1.5 and found.after < found.before / 2
    assert found.used + found.kept_out == len(runs) and found.kept_out >= len(runs) // 5


def test_what_remains_is_narrower_than_the_prior(runs):
    found = own.narrow(runs, CHIP)["tpot"].own
    low, high = load().errors["tpot.cuda"]
    assert found.q90 - found.q10 < high - low and found.q10 < 0 < found.q90


def test_the_file_moves_that_chip_and_no_other(runs, tmp_path):
    found = own.narrow(runs, CHIP)
    own.write(found, CHIP, "runs.csv", tmp_path / "own.toml")
    frame = pd.DataFrame({"chip": [CHIP, "h100-sxm"], "model": "llama-3.1-8b", "isl": 512, "osl": 64, "concurrency": 4})
    before, after = harness.predict(frame), harness.predict(frame, load_own(tmp_path / "own.toml"))
    ratio = (after.tpot_ms / before.tpot_ms).tolist()
    assert ratio == pytest.approx([found["tpot"].own.factor, 1.0])
    assert (after.tpot_ms_p10 <= after.tpot_ms).all() and (after.tpot_ms <= after.tpot_ms_p90).all()


def test_too_few_runs_are_a_users_mistake(runs):
    with pytest.raises(UserMistake, match="an update needs 5"):
        own.narrow(runs.head(3), CHIP)


@pytest.mark.parametrize(
    "text", ["", "[own.x.tpot]\nfactor = 0\nq10 = -1\nq90 = 1\n", "own = 3\n", "[own.x.speed]\nfactor = 1"]
)
def test_a_file_that_calibrate_did_not_write_is_refused(text, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(BadFile):
        load_own(path)


def test_a_row_is_explained_by_operator_and_by_what_would_narrow_it(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("chip,chips,model,isl,osl,concurrency\nh100-sxm,8,llama-3.1-70b,4096,512,32\n", "utf-8")
    said = CliRunner().invoke(stackline, ["predict", str(path), "--explain", "1"])
    assert said.exit_code == 0 and "mlp.all_reduce" in said.output and "narrow" in said.output
    past = CliRunner().invoke(stackline, ["predict", str(path), "--explain", "2"])
    assert isinstance(past.exception, UserMistake) and "row 2 of 1" in str(past.exception)
