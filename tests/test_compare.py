"""`stackline compare`: stacks side by side, without a winner where none is sure."""

from __future__ import annotations

import json
import math
import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from harness import load_results
from harness.cli import stackline
from harness.report.beside import SURE
from harness.report.comparison import concurrency_of
from harness.report.figures import figures_of
from harness.report.tables_memory import PARTS
from harness.roofline import laws
from harness.roofline.compare import causes, movers, ratio
from harness.roofline.point import Figure
from harness.run.rows_of_comparison import AGENT_TASKS, better_with
from harness.run.stack_costs import served
from harness.stack import parse

H20, M890 = "qwen3-235b-a22b/fp8@h20-96gb:8", "qwen3-235b-a22b/fp8@zhenwu-m890:8"
CLOSED = "nvidia-gb300-claude"


def compared(*arguments: str):
    return CliRunner().invoke(stackline, ["compare", *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare") / "run"
    done = compared(
        H20, M890, "qwen3-235b-a22b/fp8@h200-sxm:8,engine=sglang", CLOSED, "--no-sessions", "--out", str(out)
    )
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def figures(folder):
    return figures_of(load_results(folder))


@given(st.floats(0.01, 100), st.floats(1.001, 10), st.floats(1.001, 10))
def test_probability_agrees_with_the_interval(value, down, up):
    """Of an interval that holds 80 %: even where the ratio is 1, and 0.9 where an end of it is 1."""
    found = Figure(value, value / down, value * up, "1")
    p = better_with(found, True)
    assert math.isclose(p + better_with(found, False), 1)
    assert (p > 0.5) == (value > 1) or value == 1
    assert (p >= 0.9 - 1e-9) == (found.p10 >= 1 - 1e-12) or abs(math.log(found.p10)) < 1e-6
    assert (p <= 0.1 + 1e-9) == (found.p90 <= 1 + 1e-12) or abs(math.log(found.p90)) < 1e-6


def test_the_movers_make_up_the_ratio():
    a, b = (served(parse(text)).point for text in (M890, H20))
    for name in ("tpot_ms", "usd_per_m_output_tok", "energy_j_per_output_tok"):
        found = movers(a, b, name)
        assert math.isclose(sum(share for _, share, *_ in found), 1)
        assert [s for _, s, *_ in found] == sorted((s for _, s, *_ in found), reverse=True)
        up = math.sqrt(sum(max(low, high, 0) ** 2 for low, high in causes(a, b, name).values()))
        whole = ratio(a, b, name)
        assert math.isclose(math.log(whole.p90 / whole.value), up)
    assert movers(a, a, "tpot_ms") == []


def test_every_pair_has_its_ratios_and_nothing_is_won_below_0_9(figures, folder):
    text = (folder / "report/report.md").read_text("utf-8")
    rows = [f for f in figures.where("ratio") if f.part == "usd_per_m_output_tok"]
    assert len(rows) == 2
    for row in rows:
        assert row.low <= row.value <= row.high and 0 <= float(row.notes["better"]) <= 1
    unsure = [r for r in rows if 1 - SURE < float(r.notes["better"]) < SURE]
    assert unsure and text.count("not settled, cheaper with probability") == len(unsure)


def test_the_even_price_makes_a_token_cost_the_same(figures):
    """At that rent the ratio of money is 1: it is the ratio at today's rents, times even over own."""
    for even in figures.where("even_usd_per_chip_h"):
        money = figures.one("ratio", "usd_per_m_output_tok", stack=even.stack)
        assert math.isclose(money.value * even.value / float(even.notes["own"]), 1, rel_tol=2e-3)


def test_kinds_of_tokens_make_up_a_request(figures):
    """Input and output at their own prices are near what the request costs; a cached token is the cheapest."""
    for stack in (H20, M890):
        whole = figures.one("usd_per_m_output_tok", stack=stack).value * 1024
        each = {p: figures.one("usd_per_m_tok", p, stack=stack).value for p in ("input", "cached", "output")}
        assert 0 <= each["cached"] < each["input"] < each["output"]
        assert 0.5 < (each["input"] * 8192 + each["output"] * 1024) / whole < 1.5


def test_a_curve_gives_up_speed_for_throughput(figures):
    """More requests at once: never faster for one of them, and the point asked for is on the curve."""
    for stack in (H20, M890):
        rows = figures.with_value("curve.tok_s_per_user", stack=stack)
        speeds = [f.value for f in sorted(rows, key=concurrency_of)]
        assert len(speeds) > 4 and speeds == sorted(speeds, reverse=True)
        assert math.isclose(figures.one("curve.tok_s_per_user", "c=16", stack=stack).value,
                            figures.one("tok_s_per_user", stack=stack).value, rel_tol=1e-4)  # fmt: skip


def test_the_parts_of_a_memory_make_up_the_chip(figures):
    parts = {p: figures.one("memory_gb", p, stack=H20).value for p, _ in PARTS}
    assert all(v > 0 for v in parts.values())
    assert math.isclose(sum(parts.values()), figures.one("chip.memory_gb", chip="h20-96gb").value, rel_tol=1e-4)


def test_activations_are_in_what_engines_keep_back(figures):
    """Their share is a row of its own, and no other figure moves with it."""
    live, kept = (figures.one("memory_gb", part, stack=H20) for part in ("activations", "kept"))
    assert live.low < live.value < live.high and live.kind == kept.kind == "assumed"
    capacity = figures.one("chip.memory_gb", chip="h20-96gb").value
    assert live.value + kept.value == pytest.approx(laws.assumed("memory_reserve").point * capacity, rel=1e-3)


@pytest.mark.parametrize("name", ["pareto", "tornado", "memory", "time-spent", "cost"])
def test_each_plot_draws_as_png_and_svg(name, folder, tmp_path):
    for suffix, start in ((".png", b"\x89PNG"), (".svg", b"<?xml")):
        out = tmp_path / f"{name}{suffix}"
        done = CliRunner().invoke(stackline, ["plot", name, str(folder), "--out", str(out)], catch_exceptions=False)
        assert done.exit_code == 0 and out.read_bytes().startswith(start) and out.stat().st_size > 10_000
    assert [p.suffix for p in sorted(tmp_path.iterdir())] == [".png", ".svg"]


def test_a_closed_model_has_scores_and_no_speed(figures, folder):
    stack = str(parse(CLOSED))
    assert figures.where("score", stack=stack) and figures.one("tpot_ms", stack=stack).value is None
    assert not figures.where("ratio", stack=stack) and not figures.where("usd_per_solved_task", stack=stack)
    assert "publishes no architecture" in (folder / "report/report.md").read_text("utf-8")


def test_owners_are_told_what_to_type(folder):
    stacks = json.loads((folder / "manifest.json").read_text())["comparison"]["stacks"]
    serve, bench = stacks[H20]["test"]
    assert "--tensor-parallel-size 8" in serve and "--kv-cache-dtype fp8" in serve
    assert "--random-input-len 8192 --random-output-len 1024" in bench and "--max-concurrency 16" in bench
    assert stacks[str(parse(CLOSED))]["test"] == []


@pytest.mark.slow  # draws every plot once more
def test_the_report_is_made_from_the_folder_alone(folder):
    before = (folder / "report/index.html").read_bytes()
    CliRunner().invoke(stackline, ["report", str(folder)], catch_exceptions=False)
    assert (folder / "report/index.html").read_bytes() == before


@pytest.mark.slow
def test_stacks_come_from_a_file_and_figures_are_as_long_as_asked(tmp_path):
    (tmp_path / "stacks.txt").write_text(f"# two\n\n{H20}\n{M890}  # the other\n", "utf-8")
    done = compared("--from", str(tmp_path / "stacks.txt"), "--no-sessions", "--digits", "3", "--out",
                    str(tmp_path / "run"))  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = load_results(tmp_path / "run").rows
    assert set(rows["stack"]) >= {H20, M890}
    values = rows["value"].dropna()
    assert (values == values.map(lambda v: float(f"{v:.3g}"))).all()


@pytest.mark.slow  # two simulations
def test_sessions_give_agents_and_the_cost_of_a_solved_task(tmp_path):
    model = "deepseek-v4-flash"
    done = compared(f"{model}@h20-141gb:8", f"{model}@h200-sxm:8", "--out", str(tmp_path / "run"))
    assert done.exit_code == 0, done.output
    figures = figures_of(load_results(tmp_path / "run"))
    for stack in (f"{model}@h20-141gb:8", f"{model}@h200-sxm:8"):
        session = figures.one("usd_per_session", stack=stack, workload="coding-agent")
        for solved in figures.where("usd_per_solved_task", stack=stack):
            assert solved.part.startswith(AGENT_TASKS) and solved.kind == "assumed"
            assert math.isclose(solved.value, session.value / (float(solved.notes["score"]) / 100), rel_tol=1e-4)
    assert (tmp_path / "run/report/plots/solved.png").stat().st_size > 10_000
    report = (tmp_path / "run/report/report.md").read_text("utf-8")
    said = next(line for line in report.splitlines() if "Agents: of coding-agent sessions a chip holds" in line)
    assert re.search(r"; a session's rent, against .+ (times|settled|cheaper|dearer)", said), said


@pytest.mark.parametrize(("arguments", "word"), [
    ((H20,), "two different stacks"), ((H20, H20), "two different stacks"), ((H20, "qwen3-32b"), "names no chip"),
    ((H20, "nvidia-h200-qwen3.6"), "did you mean 'nvidia-h200-qwen3.5'"),
    ((H20, M890, "--baseline", CLOSED), "cannot be modelled"),
    ((H20, M890, "--no-sessions", "--workload", "chat"), "contradict"), ((CLOSED, "aws-trainium2-claude"), "none of"),
    ((H20, M890, "--workload", "chatt"), "did you mean 'chat'"), (("--from", "none.txt"), "no such file of stacks"),
    ((), "two different stacks"),
])  # fmt: skip
def test_mistakes_are_said_before_anything_is_written(arguments, word, tmp_path):
    done = CliRunner().invoke(stackline, ["compare", *arguments, "--out", str(tmp_path / "run")])
    assert done.exit_code != 0 and word in str(done.exception)
    assert not (tmp_path / "run").exists()
