"""When an engine lets a request in: half the steps between two looks, where a page gives them, and nowhere else."""

from __future__ import annotations

import pytest

from harness.roofline import admission
from harness.roofline.admission import rules
from harness.roofline.point import Point
from tests.roofline.support import at


@pytest.fixture
def polled_and_plain(monkeypatch):
    """A point as it is, and with a look at every step."""

    def points(text: str, **asked) -> tuple[Point, Point]:
        polled = at(text, **asked)
        with monkeypatch.context() as without:
            without.setattr(admission, "rules", tuple)
            return polled, at(text, **asked)

    return points


def waited_steps(points, text: str, concurrency: int) -> float:
    """Decode steps by which the first token comes later than with a look at every step.

    Output is long, so that hardly a prompt arrives beside another and each is prefilled alone under both.
    """
    one, other = points(text, isl=1024, osl=16384, concurrency=concurrency)
    return (_first_token_s(one) - _first_token_s(other)) / one.timed.decode.total[0]


def _first_token_s(p: Point) -> float:
    return p.figures["ttft_ms"].value / 1e3


@pytest.mark.parametrize(("users", "steps"), [(1, 0), (8, 4.5), (15, 4.5), (16, 14.5), (64, 14.5)])
def test_sglang_on_blackwell_looks_every_ten_or_thirty_steps(polled_and_plain, users, steps):
    assert waited_steps(polled_and_plain, "deepseek-r1@b200-sxm:8,engine=sglang", users) == pytest.approx(steps)


@pytest.mark.parametrize("text", ["deepseek-r1@h200-sxm:8", "deepseek-r1@mi355x:8"])
def test_elsewhere_it_looks_at_every_step(polled_and_plain, text):
    assert waited_steps(polled_and_plain, f"{text},engine=sglang", 64) == 0


def test_prompts_that_wait_for_a_look_are_prefilled_together(polled_and_plain):
    """A prompt costs less beside others, so tokens come no later; where nothing arrives in 30 steps, as early."""
    for osl, together in ((256, True), (16384, False)):
        polled, plain = polled_and_plain("deepseek-r1@b200-sxm:8,engine=sglang", osl=osl, concurrency=32)
        ours, theirs = (p.figures["tpot_ms"].value for p in (polled, plain))
        assert ours < theirs if together else ours == theirs


def test_every_setting_says_why_and_where():
    for rule in rules():
        assert rule["steps"] > 1 and rule["reason"]
        assert set(rule) <= {"engine", "family", "concurrency", "data_parallel", "steps", "reason"}
