"""Agents on servers in a run: real simulations of few calls."""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness import profiles
from harness.discovery import CHIP, MODEL
from harness.results import Row
from harness.run import agents, choice, manifest
from harness.serving.capacity import USERS, Effort, measure
from harness.serving.deploy import deploy

MODEL_ID, CALLS = "deepseek-v4-flash", 60


def rows_of(model: str, *chips: str) -> list[Row]:
    told: list[int] = []
    models, servers = [profiles.model(model)], [profiles.chip(c) for c in chips]
    rows = list(agents.agent_rows(models, servers, told.append, agents.Simulations(0, CALLS)))
    assert sum(told) == agents.steps(models, servers)
    return rows


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return rows_of(MODEL_ID, "h20-96gb", "h100-sxm", "ascend-910b2")


def of(rows: list[Row], metric: str, **equal: object) -> dict[str, Row]:
    """{chip: row}"""
    return {r.chip: r for r in rows if r.metric == metric and all(getattr(r, k) == v for k, v in equal.items())}


def test_values_lie_in_their_intervals_and_every_source_resolves(rows: list[Row]) -> None:
    for r in rows:
        if r.p10 is not None:
            assert r.p10 <= r.value * (1 + 1e-12), r
            # What a session costs has no upper end where the slowest steps hold none.
            assert r.p90 is not None or r.metric in ("usd_per_session", "energy_kwh_per_session", "session_h"), r
            assert r.p90 is None or r.value <= r.p90 * (1 + 1e-12), r
        assert r.value is not None or r.note.startswith("error="), r
    used = [*agents.workloads(), profiles.model(MODEL_ID), *(profiles.chip(c) for c in {r.chip for r in rows})]
    assert manifest.sources(used, rows)


def test_agents_of_a_chip_a_server_and_a_session_fit_together(rows: list[Row]) -> None:
    a_chip, a_server = of(rows, "agents_per_chip"), of(rows, "agents_per_server")
    for chip, row in a_chip.items():
        if row.value is not None:
            assert row.value * row.chips == pytest.approx(a_server[chip].value)
    for which in (agents.ALONE, agents.SHARED):
        parts = [of(rows, f"{name}_h", workload=f"agent-35h-{which}") for name in ("session", "chip_wait", "tool_wait")]
        for chip, whole in parts[0].items():
            if whole.value is not None:
                assert whole.value == pytest.approx(parts[1][chip].value + parts[2][chip].value)
                assert whole.kind == "assumed" and "workload_assumed=21 of 21" in whole.note


def test_a_server_to_itself_costs_a_session_more_and_takes_no_longer(rows: list[Row]) -> None:
    for metric in ("usd_per_session", "chip_wait_h"):
        alone, shared = (of(rows, metric, workload=f"agent-35h-{w}") for w in (agents.ALONE, agents.SHARED))
        both = [c for c in alone if alone[c].value and shared[c].value]
        assert both
        for chip in both:
            more, less = (alone, shared) if metric.startswith("usd") else (shared, alone)
            assert more[chip].value >= 0.9 * less[chip].value


def test_the_hit_rate_grows_with_how_long_caches_are_kept(rows: list[Row]) -> None:
    chips = {r.chip for r in rows if "keep_s" in r.metric}
    assert len(chips) == agents.RETAINED
    for chip in chips:
        rates = [next(r.value for r in rows if r.chip == chip and r.metric == f"prefix_hit_rate[keep_s={k:g}]")
                 for k in agents.KEEP_S]  # fmt: skip
        assert rates[0] == 0 and rates[-1] > 0.8
        assert all(later > earlier - 0.05 for earlier, later in pairwise(rates))  # few calls, met in another order


def test_latencies_are_shown_past_the_load_that_is_held(rows: list[Row]) -> None:
    for chip, row in of(rows, "agents_per_server").items():
        loads = [float(r.metric[18:-1]) for r in rows if r.chip == chip and r.metric.startswith("ttft_p95_s[agents=")]
        if row.value is not None:
            assert loads[0] == 1 and loads[-1] > row.value >= ([0, *loads])[-2]


@pytest.mark.parametrize(("model", "chip", "reason"), [
    ("qwen3-235b-a22b", "h200-sxm", "of the calls of coding-agent are past the model's context of 40,960 tokens"),
    ("deepseek-v4-pro", "h20-96gb", "weights need"),
])  # fmt: skip
def test_a_server_that_cannot_serve_says_why(model: str, chip: str, reason: str) -> None:
    rows = rows_of(model, chip)
    assert rows and all(r.value is None for r in rows)
    assert any(reason in r.note for r in rows)


def test_a_call_that_waits_breaks_the_p95_that_it_is_counted_in(rows: list[Row]) -> None:
    pool = agents.Simulations(0).pool(agents.AGENTS)
    seen = measure(deploy(f"{MODEL_ID}@h20-96gb:8"), pool, USERS, 400, {"ttft_ms": 5000}, effort=Effort(300))
    assert seen.held < 0.95 and seen.latency["ttft_s.p95"] > 5


def test_the_whole_library_is_not_simulated() -> None:
    assert choice.served(MODEL, ("all",)) == choice.served(MODEL, ()) == list(choice.SERVED)
    assert set(choice.served(CHIP, ("all",))) >= set(choice.COMPARED[CHIP]) and len(choice.served(CHIP, ("all",))) < 40
    assert choice.served(MODEL, ("kimi-k2.5",)) == ["kimi-k2.5"]
