"""What a comparison says of money and sessions: ratios with a probability, rent beside ownership, list prices."""

from __future__ import annotations

import math
from dataclasses import replace

from harness import profiles
from harness.profiles import shared_value
from harness.results import Row
from harness.run import traffic
from harness.run.rows_of_costs import list_price_rows, own_rows, session_tokens
from harness.run.rows_of_point import Workload
from harness.run.rows_of_session_ratios import TWINS, session_ratio_rows
from harness.run.stack_costs import served
from harness.serving.steady import pool
from harness.stack import parse

H20, M890 = (served(parse(f"qwen3-235b-a22b/fp8@{chip}:8")).point for chip in ("h20-96gb", "zhenwu-m890"))
LOAD = Workload("large", traffic.ISL, traffic.OSL, traffic.CONCURRENCY)


def of_session(p, value, low, high, metric="usd_per_session"):
    return {metric: Row(str(p.stack), metric, value, "USD", "assumed", "model-of-time", p10=low, p90=high)}


def ratios(a, b, ours, theirs):
    return {row.metric: row for row in session_ratio_rows(a, b, ours, theirs, str(b.stack))}


def test_a_stack_beside_itself_is_one_without_doubt():
    same = of_session(H20, 2.0, 1.0, 4.0)
    row = ratios(H20, H20, same, same)["ratio[usd_per_session]"]
    assert (row.value, row.p10, row.p90) == (1.0, 1.0, 1.0)


def test_two_sessions_are_never_surer_beside_each_other_than_apart_would_allow():
    """What cancels narrows the ratio; nothing widens it past the hypot of both intervals."""
    row = ratios(M890, H20, of_session(M890, 1.0, 0.5, 2.0), of_session(H20, 2.0, 1.0, 4.0))["ratio[usd_per_session]"]
    whole = math.hypot(math.log(2), math.log(2))
    assert row.value == 0.5 and 0 < math.log(row.value / row.p10) <= whole + 1e-9
    better = float(row.note.rpartition("better=")[2])
    assert 0.5 < better < 0.9 and row.kind == "assumed"


def test_more_agents_are_better_and_more_money_is_not():
    up = of_session(M890, 2.0, 1.9, 2.1, "agents_per_chip"), of_session(H20, 1.0, 0.9, 1.1, "agents_per_chip")
    assert float(ratios(M890, H20, *up)["ratio[agents_per_chip]"].note.rpartition("better=")[2]) > 0.5
    dear = of_session(M890, 2.0, 1.9, 2.1), of_session(H20, 1.0, 0.9, 1.1)
    assert float(ratios(M890, H20, *dear)["ratio[usd_per_session]"].note.rpartition("better=")[2]) < 0.5


def test_a_stack_that_may_hold_nothing_is_never_called_better():
    """At the p90 of its step times it holds no session: there is no end to what one costs."""
    cheap = of_session(M890, 1.0, 0.1, None), of_session(H20, 9.0, 8.0, 10.0)
    row = ratios(M890, H20, *cheap)["ratio[usd_per_session]"]
    assert row.p90 is None and row.p10 < row.value and "better=0.5" in row.note
    few = of_session(M890, 9.0, 0.0, 10.0, "agents_per_chip"), of_session(H20, 1.0, 0.9, 1.1, "agents_per_chip")
    row = ratios(M890, H20, *few)["ratio[agents_per_chip]"]
    assert row.p10 == 0 and row.p90 > row.value and "better=0.5" in row.note
    dear = of_session(M890, 90.0, 80.0, None), of_session(H20, 9.0, 8.0, 10.0)
    assert "better=0.0" in ratios(M890, H20, *dear)["ratio[usd_per_session]"].note
    assert set(TWINS) >= {"agents_per_chip", "agents_per_mw", "usd_per_session"}


def test_without_an_interval_there_is_no_ratio():
    assert not ratios(M890, H20, of_session(M890, 1.0, None, None), of_session(H20, 1.0, 0.5, 2.0))


def test_owning_is_capital_and_electricity():
    rows = {row.metric: row for row in own_rows(H20, LOAD)}
    price, years = profiles.chip("h20-96gb").get("price.purchase"), shared_value("ownership.years")
    hours, share = years.point / 3600, shared_value("ownership.utilisation").point
    assert math.isclose(rows["usd_per_chip_h[capital]"].value, price.point / hours / share, rel_tol=0.15)
    parts = sum(rows[f"usd_per_chip_h[{part}]"].value for part in ("capital", "electricity"))
    assert math.isclose(rows["usd_per_chip_h[owned]"].value, parts, rel_tol=0.1)
    for row in rows.values():
        assert row.p10 is None or row.p10 < row.value < row.p90
    # A board below its limit of 500 W and its server, at a few cents a kWh.
    assert 0.01 < rows["usd_per_chip_h[electricity]"].value < 0.15


def test_a_chip_without_a_price_says_so():
    rows = [row for row in own_rows(M890, LOAD) if row.value is None]
    assert len(rows) == 2 and all("no purchase price" in row.note for row in rows)


def test_a_session_by_the_price_list_is_its_tokens_at_their_prices():
    model, sessions = profiles.model("claude-opus-5"), pool("chat", 0, 50)
    tokens = session_tokens(sessions)
    assert math.isclose(tokens["input"] + tokens["cached"], sessions.rows["isl"].sum() / 50)
    rows = {row.metric: row for row in list_price_rows("s", model, "", sessions)}
    prices = {part: rows[f"list_usd_per_m_tok[{part}]"] for part in ("input", "cached", "output")}
    assert all(row.kind == "published" for row in prices.values())
    whole = sum(tokens[part] * prices[part].value / 1e6 for part in prices)
    assert math.isclose(rows["list_usd_per_session"].value, whole)
    solved = [row for metric, row in rows.items() if metric.startswith("list_usd_per_solved_task")]
    assert solved and all(row.value > whole and row.kind == "assumed" for row in solved)


def test_no_price_list_no_rows():
    free = replace(profiles.model("qwen3-32b"), values={})
    assert not list(list_price_rows("s", free, "", None))
