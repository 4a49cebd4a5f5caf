"""Activations of a prefill step: worked by hand, linear in tokens, split by the chips."""

from __future__ import annotations

import pytest

from harness.activations import peak_bytes
from harness.architecture import of_model
from harness.operators import Dtypes
from harness.profiles import model

BF16 = Dtypes("bf16", "bf16", "bf16")


def test_a_dense_model_is_largest_at_gate_and_up():
    """Llama 3.1 8B, one chip: hidden 4096 twice (the stream, the block's input) and 2 x 14336, two bytes each."""
    assert peak_bytes(of_model(model("llama-3.1-8b")), BF16, 2048, 16) == 2048 * (2 * 4096 + 2 * 14336) * 2


def test_routed_experts_hold_a_row_for_each_expert_of_a_token():
    """Qwen3-235B over 8 chips, the experts' widths split: 8 rows a token of 1536/8 between, 4096 out."""
    rows = 8 * 2048
    by_hand = 2048 * 2 * 4096 + rows * (1536 // 8) + rows * 4096
    assert peak_bytes(of_model(model("qwen3-235b-a22b")), BF16, 2048, 16, tp=8) == by_hand * 2


def test_expanded_latents_are_counted():
    """DeepSeek-V3.1, attention on one chip: 128 heads of queries and keys (192 wide), of values and outputs (128)."""
    found = peak_bytes(of_model(model("deepseek-v3.1")), BF16, 2048, 1, tp=1, ep=8, dp=8)
    assert found == 2048 * (7168 + 128 * (192 + 192 + 128 + 128)) * 2


def test_a_step_of_few_tokens_and_many_requests_is_largest_at_its_logits():
    arch = of_model(model("llama-3.1-8b"))
    assert peak_bytes(arch, BF16, 16, 512) == 16 * 4096 * 2 + 512 * 128256 * (2 + 4)


@pytest.mark.parametrize("name", ["llama-3.1-70b", "deepseek-v4-flash", "qwen3-235b-a22b", "minimax-m2.5"])
def test_more_tokens_take_more_and_more_chips_less(name):
    arch, dtypes = of_model(model(name)), Dtypes("fp8", "fp8", "fp8")
    one, two = (peak_bytes(arch, dtypes, n, 1, tp=4) for n in (4096, 8192))
    assert two == pytest.approx(2 * one, rel=0.01)
    assert peak_bytes(arch, dtypes, 8192, 1, tp=8) < two
