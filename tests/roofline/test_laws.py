"""Laws that a step and a token obey whatever the constants are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.architecture import of_model
from harness.profiles import chip, model
from harness.roofline import constants, laws
from harness.roofline.evaluate import Timed, timed
from harness.roofline.hardware import Hardware, View
from harness.roofline.operate import Asked, prepare
from harness.roofline.point import Point
from harness.trace import COLLECTIVE_KINDS
from tests.roofline.support import Case, altered, at, cases

# A step's and a token's times fall with each; a smaller domain than a group makes it use the slower network.
FASTER = ("memory.bandwidth", "compute.", "scaleup.bandwidth", "scaleout.bandwidth")
RATES = (*FASTER[:2], "scaleup.bandwidth", "scaleout.bandwidth")
few = settings(max_examples=60, deadline=None)


@few
@given(cases(), st.dictionaries(st.sampled_from(FASTER), st.floats(1.0, 50.0), min_size=1))
def test_more_of_a_chip_never_slows_a_step_or_a_token(case, more):
    before, after = case.point, case.on(altered(case.chip, more))
    for step in ("alone", "batched", "decode"):
        assert getattr(after.timed, step).total[0] <= getattr(before.timed, step).total[0] * (1 + 1e-9), step
    assert after.figures["tpot_ms"].value <= before.figures["tpot_ms"].value * (1 + 1e-9)


@few
@given(cases())
def test_a_point_is_made_of_its_parts(case):
    """Steps by bound and by name, shares of a token, every figure in its interval, above zero."""
    p = case.point
    for step, seconds in ((p.decode, p.timed.decode), (p.prefill, p.timed.alone)):
        whole = float(seconds.total[0])
        assert sum(v[0] for v in seconds.by_bound.values()) == pytest.approx(whole, rel=1e-12)
        assert step.seconds == pytest.approx(whole, rel=1e-12)
        assert set(step.parts) == set(step.bounds) and min(step.parts.values()) >= 0
    assert sum(v[0] for v in p.timed.shares.values()) == pytest.approx(1, rel=1e-12)
    for name, figure in p.figures.items():
        assert 0 < figure.p10 <= figure.value <= figure.p90 < float("inf"), name


@few
@given(cases(layouts=("tp=1", "tp=1,pp=2")))
def test_a_chip_that_splits_nothing_has_no_collectives(case):
    p = case.point
    for step, seconds in ((p.prefill, p.timed.alone), (p.decode, p.timed.decode)):
        assert seconds.by_bound["network"][0] == seconds.by_bound["hops"][0] == 0
        assert "network" not in step.bounds.values()
        assert not {op.kind for listed in step.operators.values() for op, _ in listed} & set(COLLECTIVE_KINDS)
    assert "scaleup.bandwidth" not in p.used["tpot_ms"]


def test_a_group_has_a_network_part():
    four = at("qwen3-32b@h100-sxm:4")
    assert four.timed.decode.by_bound["network"][0] > 0 and four.timed.decode.by_bound["hops"][0] > 0
    assert "network" in four.decode.bounds.values() and "scaleup.bandwidth" in four.used["tpot_ms"]


def in_other_seconds(case: Case, factor: float) -> tuple[Timed, Timed]:
    """The point as it is, and where a second is 1/`factor` of one: rates divided, times multiplied."""
    plain = constants.load()
    # Generations are told apart by bandwidth over that of a reference: no law of nature, so it is left out here.
    scales = {**plain.scales, "generation": 0.0}
    slower = {k: v * factor if k.endswith("_s") else v for k, v in scales.items()}
    p, arch = case.point, of_model(model(case.model))
    asked = Asked(
        *(np.array([float(v)]) for v in (case.isl, case.osl, case.concurrency)), *(np.full(1, np.nan) for _ in "rpd"),
        np.full(1, float(p.placement.replicas)), np.array([""]), np.zeros(1, bool),
    )  # fmt: skip
    out = []
    for on, own_scales, times in (
        (case.chip, scales, 1.0),
        (altered(case.chip, dict.fromkeys((*RATES, "power.tdp"), 1 / factor)), slower, factor),
    ):
        own = Hardware.of([on])
        law = {f"law.{n}": {k: v * times if k.endswith("_s") else v for k, v in own.law(n).items()}
               for n in laws.tables()}  # fmt: skip
        view = View(Hardware(own.chips, own.left_out, law), np.zeros(1, int))
        work = prepare(arch, p.dtypes, p.placement.layout, p.placement.split, view, asked)
        out.append(timed(work, asked, replace(plain, scales=own_scales)))
    return out[0], out[1]


@few
@given(cases(), st.floats(0.01, 100))
def test_other_seconds_scale_every_time_alike(case, factor):
    """Every rate of the chip and every fixed time given in other seconds: times are the same, in those seconds."""
    one, other = in_other_seconds(case, factor)
    for step in ("decode", "alone", "batched"):
        for bound, seconds in getattr(one, step).by_bound.items():
            assert getattr(other, step).by_bound[bound] == pytest.approx(factor * seconds, rel=1e-9), (step, bound)
    for name in ("ttft", "ttft_median", "tpot", "tpot_median", "e2e", "queued"):
        assert getattr(other.latency, name) == pytest.approx(factor * getattr(one.latency, name), rel=1e-9), name
    assert other.latency.prefills == pytest.approx(one.latency.prefills, rel=1e-12)


def test_faster_memory_shortens_fixed_times_by_the_scale_of_generations():
    """Fixed times fall with the bandwidth over the reference's to the fitted power, and with nothing else."""
    before, after = (at("qwen3-32b@h100-sxm:1", on=altered(chip("h100-sxm"), {"memory.bandwidth": f})) for f in (1, 4))
    power = constants.load().scales["generation"]
    ratio = after.timed.pace.fixed[0] / before.timed.pace.fixed[0]
    assert ratio == pytest.approx(4**-power) and after.timed.pace.kernels == before.timed.pace.kernels


@pytest.mark.parametrize("text", ["llama-3.1-8b@h100-sxm:1", "qwen3-32b@h100-sxm:4", "gpt-oss-120b@b200-sxm:1",
                                  "deepseek-r1@mi355x:8", "qwen3-235b-a22b/fp8@zhenwu-m890:8"])  # fmt: skip
def test_shorter_prompts_and_fewer_requests_never_slow_a_token(text):
    points = [at(text, isl=isl, concurrency=c) for isl, c in ((256, 1), (256, 4), (2048, 4), (8192, 4), (8192, 8))]
    assert all(not p.notes for p in points)
    for figure in ("ttft_ms", "tpot_ms"):
        times = [p.figures[figure].value for p in points]
        assert times == sorted(times)


@pytest.mark.parametrize("text", ["llama-3.1-70b@h100-sxm:8", "llama-3.1-8b@b200-sxm:1"])
def test_no_step_is_faster_than_its_bytes_and_flops_at_the_profiles_peaks(text):
    """The sum of all operators against the roofline of the whole step, with the scales as fitted."""

    def floor(p: Point, step) -> float:
        on = chip(text.partition("@")[2].partition(":")[0])
        ops = [(op, n) for listed in step.operators.values() for op, n in listed if op.kind not in COLLECTIVE_KINDS]
        bytes_, flops = (sum(n * getattr(op, k) for op, n in ops) for k in ("total_bytes", "needed_flops"))
        return max(bytes_ / on.get("memory.bandwidth").point, flops / on.get("compute.bf16").point)

    p = at(text, isl=8000)
    for step in (p.decode, p.prefill):
        assert floor(p, step) < step.seconds < 6 * floor(p, step)
