"""What a comparison says of money and sessions: ratios with a probability, rent beside ownership, list prices."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness import profiles
from harness.errors import UserMistake
from harness.profiles import shared_value
from harness.report.figures import read_note
from harness.results import Row
from harness.roofline.compare import ratio
from harness.roofline.point import point
from harness.run import traffic
from harness.run.rows_of_claims import claim_rows
from harness.run.rows_of_comparison import against, predicted
from harness.run.rows_of_costs import list_price_rows, own_rows, session_tokens
from harness.run.rows_of_least import least_rows, parse_least
from harness.run.rows_of_means import mean_load, mean_point, mean_rows
from harness.run.rows_of_point import Workload
from harness.run.rows_of_session_ratios import TWINS, session_ratio_rows
from harness.run.rows_of_text import bytes_per_token, text_rows
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


def test_the_least_server_keeps_its_limit_and_half_of_it_does_not():
    rows = {row.metric: row for row in least_rows(H20, LOAD, {"users": 200.0, "tpot_ms": 50.0})}
    least, tpot = rows["least_chips"], rows["least_chips.tpot_ms"]
    assert tpot.value <= 50 and least.p10 <= least.value and (least.p90 is None or least.p90 >= least.value)
    half = predicted(H20, [{"isl": LOAD.isl, "osl": LOAD.osl, "concurrency": 200, "chips": int(least.value / 2),
                            "tp": "", "pp": "", "ep": "", "dp": ""}]).iloc[0]  # fmt: skip
    assert half["tpot_ms"] > 50 or half["bound_by"] == "capacity" or isinstance(half["error"], str)
    assert math.isclose(rows["least_chips.usd_per_h"].value, H20.price.cited.point * 3600 * least.value)


def test_a_limit_that_nothing_keeps_is_said():
    (row,) = least_rows(H20, LOAD, {"users": 200.0, "tpot_ms": 0.01})
    assert row.value is None and "no number of chips" in row.note


@pytest.mark.parametrize("text", ["users=200", "users=1.5,tpot_ms=50", "users=0,tpot_ms=5", "tpot_ms=5,users=a", "x"])
def test_a_wrong_wish_is_one_line(text):
    with pytest.raises(UserMistake, match="write users=N,tpot_ms=T"):
        parse_least(text)


def test_money_by_text_is_absent_where_the_tokenizer_is_unknown():
    (row,) = text_rows(H20, LOAD)
    assert row.value is None and "tokenizer" in row.note


@pytest.mark.slow  # fetches the reference weights
def test_money_by_text_of_the_reference_model():
    model = profiles.model("smollm2-135m-instruct")
    p = point(parse("smollm2-135m-instruct@h20-96gb"), model, profiles.chip("h20-96gb"), 1024, 128, 4)
    (row,) = text_rows(p, LOAD)
    assert 1 < bytes_per_token() < 8
    assert math.isclose(row.value, p.figures["usd_per_m_output_tok"].value / bytes_per_token())


def test_means_are_those_of_the_calls():
    sessions = pool("chat", 0, 50)
    load = mean_load(sessions, 16)
    assert load.isl == round(sessions.rows["isl"].mean()) and load.id.startswith("chat-isl")
    at = mean_point(H20.stack, profiles.model("qwen3-235b-a22b"), H20.chip, load)
    rows = list(mean_rows(H20.stack, H20.chip, at, at, load))
    assert {row.workload for row in rows} == {load.id} and not any(row.metric.startswith("ratio") for row in rows)
    beside = mean_point(M890.stack, profiles.model("qwen3-235b-a22b"), M890.chip, load)
    assert any(row.metric == "ratio[tpot_ms]" for row in mean_rows(M890.stack, M890.chip, beside, at, load))


OLD = served(parse("qwen3-235b-a22b/int8@zhenwu-810e:8")).point


def test_statements_are_tried_and_not_taken():
    rows = {row.metric: row for row in claim_rows(M890, OLD, {}, {})}
    times = rows["claim.3x[output_tok_s_per_chip]"]
    assert times.p10 < times.value < times.p90 and 0 <= float(read_note(times.note)["p_of_3"]) <= 1
    one, both = (rows[f"claim.800gb_s[{way}.tpot_ms]"].value for way in ("one", "both"))
    stated = M890.figures["tpot_ms"].value
    assert one <= stated <= both and math.isclose(rows["claim.800gb_s[both/one.tpot_ms]"].value, both / one)
    rooms = [row.value for metric, row in rows.items() if metric.startswith("claim.144gb")]
    assert rooms == sorted(rooms, reverse=True)  # GiB hold more than GB, and both more than the older chip
    assert not [m for m in rows if m.startswith("claim.560000")]  # no session was simulated


def test_a_fleet_is_a_range_over_two_chips_and_its_share_in_service():
    def held(p, agents, low, high):
        return {"coding-agent": {**of_session(p, agents, low, high, "agents_per_chip"),
                                 **of_session(p, 4.0, 3.9, 4.1, "session_h")}}  # fmt: skip

    sessions = {str(M890.stack): held(M890, 2.0, 0.0, 8.0), str(OLD.stack): held(OLD, 0.5, 0.25, 1.0)}
    rows = {row.metric: row for row in claim_rows(M890, OLD, sessions, {"coding-agent": 60.0})}
    share = shared_value("ownership.utilisation")
    new, old = (rows[f"claim.560000[sessions_per_day.coding-agent.{p.chip.id}]"] for p in (M890, OLD))
    assert math.isclose(old.value, 560_000 * share.point * 0.5 * 24 / 4)
    assert new.p10 == 0 and new.p90 > 4 * new.value and old.p10 < old.value < old.p90 and new.kind == "assumed"
    calls = rows["claim.560000[calls_per_day.coding-agent.zhenwu-m890]"]
    assert math.isclose(calls.value, 60 * new.value)


def test_an_input_is_even_where_it_makes_the_ratio_one():
    """At that rent the ratio of money is 1, which is linear in it; a rent outside the range is not offered."""
    new, first = (served(parse(f"deepseek-v4-flash@{chip}:8")).point for chip in ("zhenwu-m890", "h20-141gb"))
    rows = [row for row in against(new, first, LOAD) if row.metric == "mover[usd_per_m_output_tok]"]
    turned = next(row for row in rows if "cause=zhenwu-m890/price" in row.note)
    even = new.price.cited.point * 3600 / ratio(new, first, "usd_per_m_output_tok").value
    low, high = (end * 3600 for end in new.price.cited.range)
    said = read_note(turned.note).get("even")
    assert (said is None) == (not low <= even <= high)
    assert said is None or math.isclose(float(said.split()[0]), even, rel_tol=0.01)
