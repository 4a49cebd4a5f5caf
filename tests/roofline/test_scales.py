"""Scales by engine and vendor: those that rows measured, and the middle for the rest."""

from __future__ import annotations

import numpy as np
import pytest

from harness.profiles import chip
from harness.roofline import constants
from harness.roofline.hardware import SOFTWARE, how_known, software
from harness.roofline.scales import of_engine


@pytest.mark.parametrize("kind", ["engine", "arrival"])
def test_an_engine_that_no_row_measured_takes_the_middle_of_those_that_were(kind):
    known = ["sglang", "vllm", "trtllm", "atom"]
    *measured, new, blank = of_engine(constants.load().scales, kind, np.array([*known, "chitu", ""]))
    assert measured[0] == 1
    assert new == blank == pytest.approx(np.exp(np.mean(np.log(measured))))


@pytest.mark.parametrize(("name", "of", "known"), [
    ("h100-sxm", "cuda", "cuda"), ("mi355x", "rocm", "rocm"), ("ascend-910c", "ascend", "other"),
    ("gaudi2", "gaudi", "other"), ("tpu-v6e", "tpu", "other"), ("zhenwu-m890", "other", "other"),
])  # fmt: skip
def test_a_chips_software_is_its_vendors_or_familys(name, of, known):
    assert (software(chip(name)), how_known(chip(name))) == (of, known)


def test_every_software_but_nvidias_has_a_factor():
    assert {f"vendor.{s}" for s in SOFTWARE if s != "cuda"} <= set(constants.load().scales)
