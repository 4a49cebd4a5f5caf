"""`stackline chips` and `models` as a user calls them: show, check, compare, new."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from harness.cli import stackline
from harness.discovery import CHIP, MODEL, find
from harness.errors import BadFile, UserMistake


def call(*args: str) -> str:
    done = CliRunner().invoke(stackline, args, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def records(*args: str) -> list[dict]:
    return json.loads(call(*args, "--format", "json"))


def test_every_chip_and_model_is_listed_with_its_grade():
    for command, kind in (("chips", CHIP), ("models", MODEL)):
        rows = records(command, "list")
        assert [row["id"] for row in rows] == list(find(kind))
        assert all(row["grade"][0] in "ABCD" and "read on a page" in row["grade"] for row in rows)


def test_show_prints_value_range_kind_source_and_what_is_missing():
    text = call("chips", "show", "zhenwu-m890")
    for part in ("grade D", "memory.bandwidth", "2100 GB/s .. 4915 GB/s", "estimated", "derived here", "not published",
                 "Three times the performance", "sglang-37519: Issue 37519", "https://"):  # fmt: skip
        assert part in text
    assert "by the numbers" not in text  # no US rule is applied to a Chinese chip
    assert "by the numbers, not legal advice" in call("chips", "show", "h100-sxm")


def test_conflicting_values_are_all_shown():
    text = call("chips", "show", "h20-96gb")
    assert all(watts in text for watts in ("400 W [", "500 W [", "550 W ["))


@pytest.mark.parametrize("args", [("chips", "show", "h100-sxm"), ("models", "show", "qwen3-235b-a22b")])
def test_the_forms_for_programs_hold_sources_and_reasons(args):
    rows = records(*args)
    keys = {row["key"] for row in rows}
    assert any(k.startswith("sources.") for k in keys) and "grade" in keys
    numbers = [row for row in rows if row["unit"]]
    assert numbers and all(isinstance(row["value"] or row["low"], int | float) for row in numbers)
    again = list(csv.DictReader(io.StringIO(call(*args, "--format", "csv"))))
    assert [row["key"] for row in again] == [row["key"] for row in rows]


def test_an_old_price_is_warned_of(monkeypatch):
    import datetime as dt

    from harness import evidence

    class Later(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2030, 1, 1, tzinfo=tz)

    monkeypatch.setattr(evidence.dt, "datetime", Later)
    text = call("chips", "show", "h100-sxm")
    assert "old prices:" in text and "days ago" in text
    assert "older than 180 days" in call("chips", "check", "h100-sxm")


def test_a_ratio_of_two_chips_has_an_interval():
    rows = {row["key"]: row for row in records("chips", "compare", "h20-96gb", "zhenwu-m890")}
    ratio = rows["memory.bandwidth"]["zhenwu-m890 / h20-96gb"]
    middle, low, _, high = ratio.replace("(", "").replace(")", "").split()
    assert float(low) < float(middle) < float(high)
    assert rows["grade"]["zhenwu-m890"].startswith("D") and rows["formats not computed"]["h20-96gb"]
    same = {row["key"]: row for row in records("chips", "compare", "h20-96gb", "h20-96gb")}
    assert same["memory.bandwidth"]["h20-96gb / h20-96gb"] == "1"  # the same draws cancel


def test_a_comparison_says_what_is_stated_to_run():
    rows = {row["key"]: row for row in records("chips", "compare", "h200-sxm", "zhenwu-810e", "--model",
                                               "qwen3-235b-a22b/fp8")}  # fmt: skip
    line = rows["qwen3-235b-a22b in fp8"]
    assert line["h200-sxm"].startswith("stated (vllm")
    assert line["zhenwu-810e"].startswith("not stated")
    assert rows["  computes in instead"]["zhenwu-810e"] == "bf16"


def test_scores_stand_side_by_side_only_where_they_were_made_alike():
    text = call("models", "compare", "qwen3.7-max", "claude-opus-4.8")
    assert "published scores:" in text and "not comparable" in text and "by proxy" not in text.splitlines()[0]
    assert "qwen3.8-2.4t-a95b: closest published" in text  # the proxy is named in the table


@pytest.mark.parametrize("args", [("chips", "compare", "h100-sxm"), ("models", "compare", "llama-3.1-8b")])
def test_one_alone_is_not_compared(args):
    with pytest.raises(UserMistake, match="or more"):
        CliRunner().invoke(stackline, args, catch_exceptions=False)


def test_a_models_arithmetic_is_printed():
    text = call("models", "show", "deepseek-v4-pro", "--context", "100000")
    for part in ("30 x compressed", "experts", "KV cache a token: 9,848 B in bf16", "after 100,000 tokens",
                 "parameters.total: published"):  # fmt: skip
        assert part in text


def test_a_model_is_written_from_its_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = {"model_type": "qwen3", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
              "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 128, "vocab_size": 100,
              "max_position_embeddings": 512, "_name_or_path": "org/Tiny-Qwen"}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert call("models", "new", "--from", "config.json").strip() == "tiny-qwen.toml"
    assert "tiny-qwen: ok" in call("models", "check", "tiny-qwen.toml")
    with pytest.raises(UserMistake, match="already there"):
        CliRunner().invoke(stackline, ["models", "new", "--from", "config.json"], catch_exceptions=False)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadFile, match="model_type"):
        CliRunner().invoke(stackline, ["models", "new", "x", "--from", "config.json"], catch_exceptions=False)


def test_a_broken_file_of_ones_own_does_not_hide_the_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hardware_profiles").mkdir()
    (tmp_path / "hardware_profiles/broken.toml").write_text('name = "Broken"\n')
    done = CliRunner().invoke(stackline, ["chips", "list", "--format", "json"], catch_exceptions=False)
    assert len(json.loads(done.stdout)) > 80 and "left out" in done.stderr and "broken.toml" in done.stderr


def test_a_new_file_over_a_shipped_id_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(stackline, ["chips", "new", "h100-sxm", "--like", "l40s"], catch_exceptions=False)
    assert "stands over" in done.stderr
    text = (tmp_path / "hardware_profiles/h100-sxm.toml").read_text()
    assert 'vendor = "to be filled in"' in text and "to be filled in" in text.split("[missing]")[1]


def test_a_closed_model_is_not_said_to_run_anywhere():
    rows = {row["key"]: row for row in records("chips", "compare", "h20-96gb", "h200-sxm", "--model", "qwen3.7-max")}
    assert rows["qwen3.7-max"]["h200-sxm"].startswith("closed")
