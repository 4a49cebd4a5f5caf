"""What a fit that few chips of a vendor taught says of that vendor."""

from __future__ import annotations

import pytest

from harness.roofline.constants import left_out, load
from harness.validation.fit import placed

FOUND = {"vendor.other": 1.4, "vendor.rocm": 1.6, "vendor.ascend": 2.9, "vendor.gaudi": 0.9, "work.gemm16": 1.1}


def test_a_vendor_that_one_chip_measured_takes_the_middle():
    taught = placed(FOUND, {"cuda": 9, "rocm": 2, "ascend": 1})
    assert taught == FOUND | {"vendor.ascend": 1.4, "vendor.gaudi": 1.4}


def test_the_middle_does_not_hang_on_how_many_chips_nobody_named():
    assert placed(FOUND, {"other": 5})["vendor.other"] == FOUND["vendor.other"]


@pytest.mark.parametrize("chip", ["mi300x", "mi355x"])
def test_without_one_of_amds_two_chips_the_other_does_not_speak_for_both(chip):
    scales = left_out("chip", chip).scales
    assert scales["vendor.rocm"] == scales["vendor.other"] != load().scales["vendor.rocm"]
