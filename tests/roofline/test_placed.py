"""Constants of a chip that was not measured: the measured ones' centre, moved by what its profile says."""

from __future__ import annotations

import numpy as np
import pytest

from harness.profiles import chip
from harness.roofline import laws, priors
from harness.roofline.hardware import Hardware
from tests.roofline.support import altered

EXPERTS = "moe.fp8_block"  # measured on H100 (3.35 TB/s) and B200 (8 TB/s)


def share(on, left_out=(), name: str = EXPERTS) -> float:
    return float(Hardware.of([on], left_out).law(name)["e_bw"][0])


def centre(left_out=(), name: str = EXPERTS) -> float:
    return priors.prior_of(laws.tables(), name, left_out)["e_bw"][0]


def test_experts_fill_a_wider_memory_less_well():
    usual = np.sqrt(chip("h100-sxm").get("memory.bandwidth").point * chip("b200-sxm").get("memory.bandwidth").point)
    one = chip("h200-sxm")
    own = one.get("memory.bandwidth").point
    assert share(one) == pytest.approx(centre() * (own / usual) ** -0.12)
    twice = altered(one, {"memory.bandwidth": 2.0})
    assert share(twice) == pytest.approx(share(one) * 2**-0.12)
    # What it reads at grows all the same.
    assert 2 * share(twice) > share(one)


def test_a_measured_chip_keeps_its_own_and_a_left_out_one_is_placed_by_the_others():
    h100 = chip("h100-sxm")
    assert share(h100) == laws.tables()[EXPERTS]["chips"]["h100-sxm"]["e_bw"]
    ratio = h100.get("memory.bandwidth").point / chip("b200-sxm").get("memory.bandwidth").point
    assert share(h100, ["h100-sxm"]) == pytest.approx(centre(["h100-sxm"]) * ratio**-0.12)


def test_a_share_is_at_most_what_any_memory_gave_and_products_do_not_move():
    slow = altered(chip("h200-sxm"), {"memory.bandwidth": 0.01})
    assert share(slow) == 0.95
    for name in ("gemm.fp8", "attention_decode.bf16"):
        assert share(slow, name=name) == centre(name=name)
