"""Rows whose prompts alone need more time than there is: the share, what it grows with, and who it leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from harness.validation.overdriven import MARGIN, overdriven, prompt_share
from harness.validation.scored import SCENARIOS, read
from tests.validation.support import rows, table

# Published points of one engine, H200 and model (aiconfigurator's silicon sample): with 100 tokens out at 1,155 and
# 349,000 input tokens a second and replica, with 2,000 out at 11,000.
EIGHT_B = {
    "chip": "h200-sxm", "chips": "8", "tp": "8", "model": "llama-3.1-8b", "engine": "vllm 0.12.0", "isl": "8000",
    "osl": "100", "concurrency": "40", "ttft_ms": "169.81", "tpot_ms": "7.46",
}  # fmt: skip
USUAL = EIGHT_B | {"chips": "1", "tp": "1", "osl": "2000", "concurrency": "80", "ttft_ms": "360.93", "tpot_ms": "23.81"}


def shares(path, *changes: dict) -> np.ndarray:
    return prompt_share(read(table(path / "m.csv", *changes)), SCENARIOS).to_numpy()


def test_prompts_that_cannot_all_have_been_computed_leave_the_row_out(tmp_path):
    _, found = rows(tmp_path / "m.csv", USUAL, EIGHT_B)
    assert found["reason"].tolist() == ["", "its prompts alone, by its own figures, need more time than there is"]


def test_the_share_is_the_prompts_a_second_times_what_one_takes(tmp_path):
    one, twice, slower = shares(tmp_path, EIGHT_B, EIGHT_B | {"concurrency": "80"}, EIGHT_B | {"ttft_ms": "1078.16"})
    assert one > MARGIN and twice == pytest.approx(2 * one, rel=0.15)  # larger steps are a little quicker a prompt
    # 169.81 + 99 x 7.46 = 908.35 ms a request; 908.35 ms more halve their number.
    assert slower == pytest.approx(one / 2, rel=1e-6)


def test_bare_arithmetic_bounds_the_share_from_below(tmp_path):
    """8.03e9 parameters, but for the embedding, twice a token: no kernel runs above the published dense peak."""
    (share,) = shares(tmp_path, EIGHT_B)
    flops_s = 40 / 0.90835 * 8000 * 2 * 6.98e9
    assert share > flops_s / (8 * 1979e12)


def test_throughput_tells_where_latencies_are_missing(tmp_path):
    told = {"ttft_ms": "", "tpot_ms": "", "output_tok_s_per_chip": str(40 / 0.90835 * 100 / 8)}
    assert shares(tmp_path, EIGHT_B | told)[0] == pytest.approx(shares(tmp_path, EIGHT_B)[0], rel=1e-3)


@pytest.mark.parametrize(
    "change",
    [{"scenario": "static-batch"}, {"chip": "no-such-chip"}, {"concurrency": ""}, {"ttft_ms": ""},
     {"model": "deepseek-r1", "chips": "1", "tp": "1"}],
)  # fmt: skip
def test_rows_that_do_not_say_are_kept(tmp_path, change):
    frame = read(table(tmp_path / "m.csv", EIGHT_B | change))
    assert np.isnan(prompt_share(frame, SCENARIOS)[0]) and not overdriven(frame, SCENARIOS)[0]
