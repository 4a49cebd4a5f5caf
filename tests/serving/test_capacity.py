"""How much load a stack holds: the search, the requests in full swing, and the fleet."""

from __future__ import annotations

import functools
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import discovery
from harness.errors import UserMistake
from harness.profiles import chip, shared_value
from harness.roofline import cost
from harness.serving import capacity as searching
from harness.serving import steady
from harness.serving.capacity import Effort, Load
from harness.serving.deploy import deploy
from harness.serving.fleet import Demand, fleet, parse_demand, per_unit, reach

# Fewer calls a simulation than the search takes else.
capacity = functools.partial(searching.capacity, effort=Effort(calls=1500))
measure = functools.partial(searching.measure, effort=Effort(calls=1500))
TOLERANCE = 0.03 + 0.02  # of the bisection, and of what the sessions at its edge happen to be
A4090 = "llama-3.1-8b@rtx-4090,engine=vllm"
SLO = {"ttft_ms": 4000.0, "tpot_ms": 200.0}


@functools.cache
def pool(workload: str, seed: int = 0) -> steady.Pool:
    return steady.pool(workload, seed, 300)


def most(stack: str, kind: str = "users", workload: str = "code-completion", slo=None) -> float:
    found = capacity(deploy(stack), pool(workload), kind, slo or SLO, 0.9)
    assert found.middle is not None
    return found.middle.load


@pytest.fixture
def doubled(tmp_path, no_extra_paths):
    """A folder of one's own with the RTX 4090 of twice the memory, and one twice as fast."""
    source = discovery.find(discovery.CHIP)["rtx-4090"].read_text("utf-8")
    for name, keys in (("large", ["memory.capacity"]), ("fast", ["memory.bandwidth", "compute.bf16"])):
        text = source
        for key in keys:
            text, n = re.subn(rf"(\[{re.escape(key)}\]\nvalue = )([\d.]+)", _twice, text)
            assert n == 1, key
        (tmp_path / f"rtx-4090-{name}.toml").write_text(text, "utf-8")
    discovery.add_paths((tmp_path,))


def _twice(found: re.Match) -> str:
    return f"{found[1]}{float(found[2]) * 2:g}"


@pytest.mark.slow
def test_a_faster_chip_never_holds_less(doubled):
    base, fast = (most(f"llama-3.1-8b@rtx-4090{s},engine=vllm") for s in ("", "-fast"))
    assert fast > base * 1.2  # the limits are of time: twice the speed is worth something


@pytest.mark.slow
def test_more_memory_never_holds_less(doubled):
    """Of a limit on the first token. One on the time between tokens may be kept *because* memory keeps others out."""
    base, large = (most(f"llama-3.1-8b@rtx-4090{s},engine=vllm", slo={"ttft_ms": 2000.0}) for s in ("", "-large"))
    assert large >= base * (1 - TOLERANCE)


@pytest.mark.parametrize("users", [2, 8])
def test_a_closed_loop_is_full_until_its_figures_end(users):
    """Little's law: calls of a second or less must not run out before the window does."""
    seen = measure(deploy("llama-3.1-8b@h100-sxm"), pool("code-completion"), "users", users, SLO)
    arrival, finished = (np.asarray(x, float) for x in (seen.done.journal.arrival, seen.done.journal.finished))
    lasted = (finished - arrival)[finished > 0] / 1e9
    assert seen.requests_per_s * lasted.mean() == pytest.approx(users, rel=0.1)


@pytest.mark.slow
def test_a_stricter_level_holds_less():
    loose, strict = most(A4090, slo=SLO), most(A4090, slo=SLO | {"tpot_ms": 60.0})
    assert strict <= loose * (1 + TOLERANCE)


def test_a_limit_on_the_queue_counts():
    """Nothing but the queue: without that limit any load would be held."""
    seen = {limit: measure(deploy(f"{A4090},max_seqs=2"), pool("code-completion"), "rate", 5.0, {"queue_s": limit}).held
            for limit in (0.001, 1e6)}  # fmt: skip
    assert seen[0.001] < 0.5 < seen[1e6] == 1.0


def test_the_interval_is_ordered_and_the_load_is_held():
    found = capacity(deploy(A4090), pool("code-completion"), "users", SLO, 0.9)
    least, largest = reach(found)
    assert least.load <= found.middle.load <= largest.load
    assert all(x.held >= 0.9 for x in (least, found.middle, largest))
    assert found.middle.load == int(found.middle.load) >= 1
    more = measure(deploy(A4090), pool("code-completion"), "users", found.middle.load * 1.5, SLO)
    assert more.held < 0.9


def test_what_cannot_be_held_is_none():
    found = capacity(deploy(A4090), pool("code-completion"), "users", {"ttft_ms": 0.01}, 0.9)
    assert found.middle is None and reach(found) == (None, None)


# Requests in full swing


@given(st.integers(1, 40), st.integers(0, 3))
@settings(max_examples=12, deadline=None)
def test_the_same_seed_gives_the_same_requests(sessions, seed):
    p = pool("chat", seed)
    first, second = (steady.closed(p, sessions, 600.0) for _ in range(2))
    pd.testing.assert_frame_equal(first[0], second[0])
    assert first[1] == second[1]


@given(st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=12, deadline=None)
def test_more_load_has_the_sessions_of_less(few, more):
    """So that two loads differ by the load, not by what was drawn."""
    p = pool("chat")
    less, many = (steady.closed(p, n, 600.0)[0] for n in (few, few + more))
    for session in range(few):
        columns = ["turn", "isl", "osl", "arrival_s", "gap_s"]
        a, b = (x.loc[x["session"] == session, columns].reset_index(drop=True) for x in (less, many))
        pd.testing.assert_frame_equal(a, b)


def test_sessions_in_progress_are_the_long_ones():
    """Met at an instant: a session in proportion to its length, at any moment of it."""
    p = pool("chat")
    frame, start = steady.closed(p, 4000, 1.0)
    met = frame[frame["session"] < 4000].groupby("session").size()
    assert len(met) == 4000
    life, chosen = p.life_s, steady._in_progress(p, 4000)
    drawn = np.array([life[k] for k, _ in chosen])
    expected = (life**2).sum() / life.sum()  # the mean of a length-biased draw
    assert drawn.mean() == pytest.approx(expected, rel=0.1) and expected > 1.3 * life.mean()
    share = np.array([u for _, u in chosen]) / drawn
    assert share.mean() == pytest.approx(0.5, abs=0.02) and 0 <= share.min() and share.max() <= 1
    assert start.until_s == 1.0 and all(tokens >= 0 and age >= 0 for tokens, age in start.cached.values())


@pytest.mark.parametrize("rate", [0.5, 5.0])
def test_sessions_begin_at_the_rate_asked(rate):
    p, horizon = pool("chat"), 4000.0
    frame, _ = steady.opened(p, rate, horizon)
    begun = round(rate * p.mean_life_s)
    new = frame.loc[(frame["turn"] == 0) & (frame["session"] >= begun), "arrival_s"]
    assert len(new) == pytest.approx(rate * horizon, rel=0.15)
    assert new.between(0, horizon).all()
    calls = frame.groupby("session").size()
    assert calls.min() >= 1 and (frame["isl"] >= 1).all()


def test_throughput_in_full_swing_is_what_is_offered():
    seen = measure(deploy("llama-3.1-8b@h100-sxm"), pool("chat"), "rate", 0.5, {"ttft_ms": 5000.0})
    assert seen.requests_per_s == pytest.approx(0.5 * pool("chat").mean_calls, rel=0.15)
    assert seen.held == 1.0 and 0 < seen.busy < 1


# Demand and fleet


@pytest.mark.parametrize(("text", "demand"), [
    ("workload=chat,users=20", Demand("chat", "users", 20.0)),
    (" workload = chat , rate = 0.5 ", Demand("chat", "rate", 0.5)),
    ("sessions_per_day=86400,workload=chat", Demand("chat", "rate", 1.0)),
    ("workload=coding-agent,sessions_per_day=1e8", Demand("coding-agent", "rate", 1e8 / 86_400)),
])  # fmt: skip
def test_a_demand_in_words(text, demand):
    assert parse_demand(text) == demand


@pytest.mark.parametrize("text", [
    "", "workload=chat", "users=3", "workload=chat,users=", "workload=chat,users=x", "workload=chat,users=0",
    "workload=chat,users=inf", "workload=chat,users=nan", "workload=chat,users=3,users=4", "workload=chat,users=3,x=1",
    "workload=,users=3", "chat,users=3",
])  # fmt: skip
def test_a_demand_that_makes_no_sense(text):
    with pytest.raises(UserMistake, match="demand"):
        parse_demand(text)


def held(load: float) -> Load:
    """100 users on 8 chips of 500 W, 2 sessions a second."""
    return Load(load, 1.0, 2.0, 20.0, 4000.0, 0.5, 500.0, 0.9, {}, 1.0, (0.5, 0.1), None)


def test_the_fleet_of_a_demand_by_hand():
    """950 users at 100 a copy of 8 chips: 10 copies, 80 chips, 95 % of what they hold."""
    d = deploy("llama-3.1-70b@h100-sxm:8")
    found = fleet(d, Demand("chat", "users", 950.0), held(100.0), rack_kw=40.0)
    assert (found["copies"], found["chips"], found["share_of_capacity"]) == (10, 80, 0.95)
    assert found["servers"] == 80 / chip("h100-sxm").get("server.chips").point
    beside, pue = shared_value("server.overhead_power").point, shared_value("datacentre.pue").point
    assert found["facility_mw"] == pytest.approx(80 * (500 + beside) * pue / 1e6)
    assert found["racks"] == math.ceil(80 * (500 + beside) / 40_000)
    hourly = 80 * cost.price(chip("h100-sxm")).cited.point * 3600
    assert found["usd_per_hour"] == pytest.approx(hourly)
    assert found["usd_per_session"] == pytest.approx(hourly / 3600 / (10 * 2.0 * 0.95))
    units = per_unit(d, held(100.0))
    assert units["per_chip"] == 12.5 and units["per_server"] == 12.5 * 8
    assert units["per_mw"] == pytest.approx(12.5 * 1e6 / ((500 + beside) * pue))


def test_a_whole_number_of_copies_is_not_rounded_up_by_an_error_of_floats():
    found = fleet(deploy("llama-3.1-8b@h100-sxm"), Demand("chat", "rate", 0.3), held(0.1))
    assert found["copies"] == 3 and found["share_of_capacity"] == pytest.approx(1.0)


def test_a_chip_of_unknown_power_has_no_megawatts():
    load = held(10.0)
    unknown = Load(**{**load.__dict__, "power_w_per_chip": math.nan})
    found = fleet(deploy("llama-3.1-8b@h100-sxm"), Demand("chat", "users", 5.0), unknown)
    assert "facility_mw" not in found and "racks" not in found and found["chips"] == 1
    assert "per_mw" not in per_unit(deploy("llama-3.1-8b@h100-sxm"), unknown)
