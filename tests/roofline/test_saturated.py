"""Requests of a run of the saturated rate: as published at the published lengths, and fewer the longer they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness import predict
from harness.roofline.saturated import usual_requests

# "Number of requests" of TensorRT-LLM's performance overview, by input and output length (v1.0, then 1.x).
PUBLISHED = {
    (128, 128): 30000, (128, 2048): 3000, (128, 4096): 1500, (1000, 2000): 1500, (2048, 128): 3000, (2048, 2048): 1500,
    (5000, 500): 1500, (1000, 1000): 3000, (500, 2000): 3000, (20000, 2000): 1000, (1024, 1024): 3000,
    (8192, 1024): 1500, (1024, 8192): 1500, (32768, 1024): 1000, (1024, 32768): 1000,
}  # fmt: skip


@pytest.mark.parametrize(("lengths", "requests"), PUBLISHED.items())
def test_published_lengths_have_the_published_number(lengths, requests):
    assert usual_requests(np.array([sum(lengths)])) == pytest.approx(requests)


def test_longer_requests_are_never_more():
    assert (np.diff(usual_requests(np.geomspace(1, 1e6, 500))) <= 1e-6).all()


def test_a_saturated_run_says_what_stood_in_for_its_requests():
    rows = pd.DataFrame([{"chip": "h200-sxm", "model": "llama-3.1-8b", "tp": 1, "isl": 2048, "osl": 2048}])
    assert predict(rows)["requests_used"][0] == pytest.approx(1500)
