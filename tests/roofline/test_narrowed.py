"""All-reduces in fewer bits: where a page says so, from a size on, and a larger tensor never sends less."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.roofline import narrowed
from harness.roofline.narrowed import rules, sent_bytes
from tests.roofline.support import at


@given(st.floats(1, 1e9), st.floats(1, 100), st.floats(0.1, 1), st.floats(0, 1e7))
def test_a_larger_tensor_never_sends_less(size, factor, share, least):
    small, large = sent_bytes(np.array([size, size * factor]), share, least)
    assert small <= large <= size * factor


def test_the_published_setting_shortens_long_prompts_alone(monkeypatch):
    """8,192 tokens of R1 are 117 MB an all-reduce; 8 tokens are 115 kB, under the 2 MiB from which it is narrowed."""
    text, asked = "deepseek-r1@mi355x:8,engine=sglang", {"isl": 8192, "concurrency": 8}
    ours = at(text, **asked).timed
    monkeypatch.setattr(narrowed, "rules", tuple)
    plain = at(text, **asked).timed
    assert ours.decode.by_bound["network"] == plain.decode.by_bound["network"]
    ratio = ours.alone.by_bound["network"][0] / plain.alone.by_bound["network"][0]
    assert 4.5 / 16 < ratio < 0.5  # the pipeline's filling falls with the root


@pytest.mark.parametrize("text", ["deepseek-r1@mi300x:8,engine=sglang", "deepseek-r1@mi355x:8,engine=vllm"])
def test_elsewhere_tensors_are_sent_as_they_are(monkeypatch, text):
    ours = at(text, isl=8192).timed.alone.by_bound["network"]
    monkeypatch.setattr(narrowed, "rules", tuple)
    assert ours == at(text, isl=8192).timed.alone.by_bound["network"]


def test_every_setting_says_why_and_where():
    for rule in rules():
        assert set(rule) == {"engine", "chip", "bits", "least_bytes", "reason"}
        assert 0 < rule["bits"] < 16 and rule["least_bytes"] > 0 and rule["reason"]
