"""Whole stacks: every layer named or its absence explained, and the cut test as its rules say."""

from __future__ import annotations

import json
import tomllib

import pytest
from click.testing import CliRunner

from harness.cli import stackline
from harness.cut import LICENCE, LOST, STAYS, Cut, checked, losses, remaining, replacements, state
from harness.discovery import CHIP, MODEL, STACK, find, shipped_folder
from harness.errors import BadFile, UnknownId, UserMistake
from harness.run import stack_costs
from harness.stack import parse
from harness.whole_stacks import BUYERS, ROLES, STATES, all_stacks, layers_of, load_file, whole_stack

ALL = {one.id: one for one in all_stacks()}
MAKERS = ("alibaba", "huawei", "baidu", "cambricon", "nvidia", "google", "aws", "amd")


def run(*arguments: str):
    return CliRunner().invoke(stackline, ["stacks", *arguments])


@pytest.fixture(params=sorted(ALL))
def one(request):
    return ALL[request.param]


def test_the_stacks_of_the_comparison_are_there():
    assert all(any(i.startswith(maker) for i in ALL) for maker in MAKERS)


def test_every_role_has_a_layer_or_a_reason(one):
    assert [r for r in ROLES if r in one.layers] == list(one.layers)
    assert set(one.layers) | set(one.missing) == set(ROLES)
    assert all(one.missing.values()) and one.where and one.about


def test_every_layer_says_who_made_it_and_where_that_was_read(one):
    for layer in one.layers.values():
        assert layer.name and layer.maker and layer.licence
        assert all(len(code) == 2 for code in layer.jurisdiction)
        assert layer.source["title"] and layer.source["kind"]


def test_every_described_layer_is_read():
    described = tomllib.loads((shipped_folder(STACK) / "_layers.toml").read_text("utf-8"))
    for role in described:
        if role not in ("chip", "model"):
            assert {name for name in layers_of(role)} == set(described[role])
        else:  # what is said of a pattern is said of something
            ids = find(CHIP if role == "chip" else MODEL)
            assert all(any(load_matches(p, ids) for p in about["applies_to"]) for about in described[role].values())


def load_matches(pattern, ids):
    from fnmatch import filter as matching

    return matching(ids, pattern)


def test_its_name_stands_where_a_stack_does(one):
    assert parse(one.id) == one.serves
    assert parse(f"{one.id},price=own").options["price"] == "own"
    assert one.id not in find(MODEL)


def test_what_it_serves_is_modelled_or_refused_with_a_reason(one):
    found = stack_costs.served(one.serves)
    assert found.point or found.why
    assert bool(found.point) == (one.layers["model"].open == "yes" or one.serves.model == "qwen3.7-max")


TERMS = ("nvidia", "jurisdiction:us", "jurisdiction:cn", "cloud:azure", "anthropic")


@pytest.mark.parametrize("cut", [*(Cut((t,)) for t in TERMS), *(Cut((), b) for b in BUYERS)], ids=str)
def test_what_remains_loses_nothing_and_what_is_lost_names_it(cut, one):
    left = remaining(list(ALL.values()), checked(cut, list(ALL.values())))
    found = losses(one, cut)
    assert (one in left) == (state(found) != LOST)
    assert all(loss.why for loss in found)
    for option in replacements(one, cut, left) if one not in left else []:
        lost = {loss.role for loss in found if loss.state == LOST}
        assert option.taken_from in left
        assert option.whole or lost & set(option.taken_from.layers) <= set(option.roles) | {"server", "cloud"}


def test_open_source_is_not_lost_by_its_origin():
    without_us = Cut(("jurisdiction:us",))
    huawei = ALL["huawei-910c-deepseek"]  # LangGraph is of a US company, and open
    assert state(losses(huawei, without_us)) == STAYS
    assert {loss.role for loss in losses(ALL["nvidia-h200-qwen3.5"], without_us)} == {"chip", "server", "cloud",
                                                                                        "runtime"}  # fmt: skip


def test_a_closed_model_moves_only_with_its_maker():
    cut = Cut(("nvidia",))
    left = remaining(list(ALL.values()), cut)
    assert all(option.whole for option in replacements(ALL["nvidia-gb300-claude"], cut, left))
    assert not any(option.whole for option in replacements(ALL["nvidia-h200-qwen3.5"], cut, left))


def test_buyers_are_told_apart():
    assert state(losses(ALL["nvidia-gb300-claude"], Cut((), "cn"))) == LOST
    assert state(losses(ALL["nvidia-h200-qwen3.5"], Cut((), "cn"))) == LICENCE
    assert state(losses(ALL["huawei-910c-deepseek"], Cut((), "us"))) == LICENCE
    assert state(losses(ALL["alibaba-m890-qwen3.8"], Cut((), "cn"))) == STAYS
    assert STATES[0] == "open"


def test_a_term_that_means_nothing_is_a_mistake():
    with pytest.raises(UnknownId, match="nvidia"):
        checked(Cut(("nvida",)), list(ALL.values()))
    with pytest.raises(UserMistake, match="before the colon"):
        checked(Cut(("country:us",)), list(ALL.values()))
    assert run("list", "--without", "nvida").exit_code != 0


def test_the_command_shows_what_replaces_a_layer_and_its_cost():
    rows = json.loads(run("list", "--without", "nvidia", "--format", "json").output)
    moved = [r for r in rows if r["id"] == "nvidia-h200-qwen3.5"]
    assert {r["state"] for r in moved} == {"lost"} and all("×" in r["speed a chip"] for r in moved)
    assert all(r["quality"] == "same model" for r in moved)
    assert {r["state"] for r in rows} == {"lost", "stays"}


def test_show_and_compare_name_every_layer():
    shown = run("show", "cambricon-mlu590-deepseek").output
    assert "no cloud of its own was found" in shown and "vllm-mlu" in shown
    compared = run("compare", "alibaba-m890-qwen3.7-max", "nvidia-gb300-claude", "--format", "json")
    rows = {row[""]: row for row in json.loads(compared.output)}
    assert "NVIDIA" in rows["chip"]["nvidia-gb300-claude"]
    assert rows["output tokens/s a chip"]["nvidia-gb300-claude"].startswith("—")
    assert any("HLE" in name for name in rows)


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "stacks" / "ours.toml"
    assert run("new", str(path)).exit_code == 0 and run("check", str(path)).exit_code == 0
    done = CliRunner().invoke(stackline, ["--path", str(tmp_path), "stacks", "show", "ours"])
    assert "Our racks" in done.output
    assert run("new", str(path)).exit_code != 0
    good = path.read_text("utf-8")
    for wrong, word in ((good.replace('"hgx"', '"hgy"'), "layers.server"), (good.replace("cloud =", "# "), "cloud"),
                        (good.replace("where =", "whare ="), "where"), (good + "\nx = 1\n", "layers.x"),
                        (good.replace("@h200-sxm:8", ""), "serves")):  # fmt: skip
        path.write_text(wrong, "utf-8")
        with pytest.raises((BadFile, UserMistake), match=word):
            load_file(path)


def test_an_id_is_looked_up(one):
    assert whole_stack(one.id) == one
    with pytest.raises(UnknownId):
        whole_stack(f"{one.id}x")


@pytest.mark.parametrize("typed, meant", [("nvidea", "nvidia"), ("alibabba", "alibaba"), ("hauwei", "huawei")])
def test_a_misspelt_maker_is_answered_with_a_maker(typed, meant):
    with pytest.raises(UnknownId, match=f"did you mean '{meant}"):
        checked(Cut((typed,)), list(ALL.values()))


@pytest.mark.parametrize("typed", ["bye", "x", "tim", "form"])
def test_a_word_of_a_remark_is_no_maker(typed):
    """"Baidu (XPU time from Kunlunxin)", "Oracle (site built by Crusoe)"."""
    with pytest.raises(UnknownId) as said:
        checked(Cut((typed,)), list(ALL.values()))
    assert said.value.suggestion not in ("by", "xpu", "time", "from", "site", "built")


def test_what_nobody_read_says_so_in_words_that_a_reader_knows():
    """No layer hides a memory behind a word of the file's own, and none rests a legal matter on one."""
    for one in ALL.values():
        for layer in one.layers.values():
            for text in (layer.maker, layer.licence, layer.offers, layer.since):
                assert text.count("memory") == text.count("assumed, from memory"), (layer.id, text)
            assert "from memory" not in layer.limits and all("memory" not in a.why for a in layer.buyers), layer.id
            if not layer.source["url"] and layer.source["kind"] != "profile":
                assert "assumed" in layer.source["title"], layer.id
