"""An owner's kernels narrow the laws of one chip, and of no other."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness.cli import stackline
from harness.discovery import CHIP as CHIP_FILE
from harness.discovery import find
from harness.errors import BadFile, UserMistake
from harness.profiles import chip
from harness.roofline import laws, links, own_kernels
from harness.roofline.constants import load_own
from harness.roofline.fit_law import fit_law
from harness.roofline.hardware import Hardware
from harness.roofline.priors import prior_of
from tests.roofline.test_fit import TRUE, synthetic

pytest.importorskip("scipy")
CHIP, SCATTER = "h20-96gb", 0.1
FAMILIES = sorted(TRUE)


def prior(family: str) -> dict[str, list[float]]:
    return prior_of(laws.tables(), family if family in links.PARTS else f"{family}.bf16")


def some(family: str, seed: int, rows: int):
    return synthetic(family, seed).part(np.arange(rows))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_kernels_leave_the_prior(family):
    assert own_kernels.update(prior(family), some(family, 1, 0), SCATTER) == prior(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_many_kernels_say_what_the_fit_says(family):
    rows = synthetic(family, seed=1)
    found, fit = own_kernels.update(prior(family), rows, SCATTER), fit_law(rows)
    mine = rows.predict({p: v[0] for p, v in found.items()})
    assert np.abs(np.log(mine / rows.predict(fit.constants))).mean() < 0.01
    assert found["t0_s"][0] == pytest.approx(fit.constants["t0_s"], rel=0.05)


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=st.integers(0, 99), rows=st.integers(1, 60), more=st.integers(1, 60))
@settings(max_examples=8, deadline=None)
def test_more_kernels_never_widen(family, seed, rows, more):
    """At one point of the constants, whatever the kernels are: what they say adds up."""
    names = list(prior(family))
    at = np.log([TRUE[family].get(p, 0.5) for p in names])
    spread = np.array([np.log(v[0] / v[1]) / 1.6449 for v in prior(family).values()])
    few, many = (
        own_kernels.widths(own_kernels.information(names, at, some(family, seed, n), SCATTER), spread)
        for n in (rows, rows + more)
    )
    assert (many <= few * (1 + 1e-9)).all() and (few <= spread * (1 + 1e-9)).all()
    floor = 1 / np.sqrt(1 / spread**2 + 1 / own_kernels.MISFIT**2)
    assert (many >= floor * (1 - 1e-9)).all()


def products(rows: int, slower: float, chip_id: str = CHIP) -> pd.DataFrame:
    """Measured products of a chip that takes `slower` times as long as its law says, with 3 % of scatter."""
    from harness.roofline.fit_kernels import gemm

    rng = np.random.default_rng(3)
    m, n, k = (2.0 ** rng.integers(low, high, rows) for low, high in ((0, 14), (8, 14), (8, 14)))
    frame = pd.DataFrame({"chip": chip_id, "gemm_dtype": "bfloat16", "m": m, "n": n, "k": k, "time_us": 1.0})
    ((_, _, made),) = gemm(frame)
    law = {p: float(v[0]) for p, v in Hardware.of([chip(chip_id)]).law("gemm.bf16").items()}
    return frame.assign(time_us=made.predict(law) * 1e6 * slower * np.exp(rng.normal(0, 0.03, rows)))


def test_an_update_betters_the_kernels_kept_out_and_names_their_number():
    found = own_kernels.narrow(products(60, 1.6), CHIP)["gemm.bf16"]
    assert found.used == 48 and found.kept_out == 12
    assert found.before > 0.3 and found.after < 0.08
    assert all(low <= centre <= high for centre, low, high in found.constants.values())


def test_the_file_moves_that_chip_and_no_other_and_nothing_shipped(tmp_path):
    shipped = {p: hashlib.sha256(p.read_bytes()).digest() for p in laws.FOLDER.glob("*.toml")}
    products(60, 2.0).to_csv(tmp_path / "mine.csv", index=False)
    said = CliRunner().invoke(stackline, ["calibrate", str(tmp_path / "mine.csv"), "--chip", CHIP,
                                          "-o", str(tmp_path / "own.toml")], catch_exceptions=False)  # fmt: skip
    assert said.exit_code == 0 and "gemm.bf16" in said.stdout and "median error before" in said.stdout
    frame = pd.DataFrame({"chip": [CHIP, "h100-sxm"], "model": "llama-3.1-8b", "isl": 512, "osl": 64, "concurrency": 4})
    before, after = harness.predict(frame), harness.predict(frame, load_own(tmp_path / "own.toml"))
    ratio = (after.tpot_ms / before.tpot_ms).tolist()
    assert 1.2 < ratio[0] < 2.0 and ratio[1] == 1.0
    assert {p: hashlib.sha256(p.read_bytes()).digest() for p in laws.FOLDER.glob("*.toml")} == shipped
    frame.to_csv(tmp_path / "in.csv", index=False)
    explained = CliRunner().invoke(stackline, ["predict", str(tmp_path / "in.csv"), "--explain", "1",
                                               "--constants", str(tmp_path / "own.toml")])  # fmt: skip
    assert "measured" in explained.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"time_us": 0}, "time_us: found 0"),
        ({"m": "many"}, "m: found many"),
        ({"gemm_dtype": "fp7"}, "expected one of bfloat16"),
        ({"gemm_dtype": "w4a16_mxfp4"}, "no law was fitted for gemm.w4a16_mxfp4"),
        ({"chip": "h100-sxm"}, "0 kernels of h20-96gb"),
    ],
)
def test_what_is_wrong_with_a_kernel_is_one_line(change, said):
    with pytest.raises(UserMistake, match=said):
        own_kernels.narrow(products(10, 1.0).assign(**change), CHIP)


def test_a_chip_whose_profile_lacks_what_the_law_takes_says_so():
    lonely = next(c for c in find(CHIP_FILE) if not chip(c).has("scaleup.bandwidth"))
    rows = {"chip": lonely, "time_us": 9.0, "op_name": "all_reduce", "num_gpus": 2, "message_size": 4096}
    frame = pd.DataFrame([{**rows, "nccl_dtype": "half", "kernel_source": "mine"}] * 9)
    with pytest.raises(UserMistake, match=r"has no scaleup.bandwidth"):
        own_kernels.narrow(frame, lonely)


def test_int8_products_are_of_the_class_that_predictions_take():
    found = own_kernels.narrow(products(10, 1.0).assign(gemm_dtype="int8"), CHIP)
    assert list(found) == ["gemm.fp8"]


def test_a_table_of_neither_kind_names_what_the_nearest_kind_lacks(tmp_path):
    products(10, 1.0).drop(columns="k").to_csv(tmp_path / "mine.csv", index=False)
    said = CliRunner().invoke(stackline, ["calibrate", str(tmp_path / "mine.csv"), "--chip", CHIP, "-o", "x.toml"])
    assert isinstance(said.exception, UserMistake) and str(said.exception).endswith("but for the columns k")


@pytest.mark.parametrize("family", sorted(own_kernels.COLUMNS))
def test_a_family_is_told_by_its_columns(family):
    assert own_kernels.family_of(["chip", "time_us", "extra", *own_kernels.COLUMNS[family]]) == family
    assert own_kernels.family_of(own_kernels.COLUMNS[family]) is None


@pytest.mark.parametrize("text", [
    "[kernels.x.no-such-class.constants]\nt0_s = [1.0, 1.0, 1.0]\n",
    '[kernels.x."gemm.bf16".constants]\nt0_s = [1.0, 1.0, 1.0]\n',
    "[kernels]\n[own]\n",
])  # fmt: skip
def test_a_file_of_kernels_that_calibrate_did_not_write_is_refused(text, tmp_path):
    (tmp_path / "own.toml").write_text(text, "utf-8")
    with pytest.raises(BadFile):
        load_own(tmp_path / "own.toml")
