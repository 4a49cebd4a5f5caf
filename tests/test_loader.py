"""Profiles on top of a base, values that follow others, and files that were changed in one place."""

from __future__ import annotations

import copy
import tomllib

import numpy as np
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import discovery, profiles, units
from harness.discovery import CHIP, MODEL, find
from harness.errors import BadFile
from harness.profiles import DTYPES
from harness.quantity import KINDS

PRINTS = {i: find(CHIP)[i].read_text("utf-8") for i in ("zhenwu-m890", "h100-sxm", "rtx-4090", "gaudi3")}
RAW = {i: tomllib.loads(text) for i, text in PRINTS.items()}
SAMPLED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A user's folder of chips, found as the working folder's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hardware_profiles").mkdir()

    def write(name: str, text: str):
        path = tmp_path / "hardware_profiles" / f"{name}.toml"
        path.write_text(text, "utf-8")
        return path

    return write


RENT = """
[price.contract]
value = 1.5
low = 1.4
high = 1.6
unit = "USD/h"
kind = "estimated"
source = "assumed here"
note = "our own offer"
date = "2026-11-01"
region = "us"
"""


# A base


def test_only_what_differs_is_written(folder):
    folder("our-h100", f'base = "h100-sxm"\nname = "Our H100"\n{RENT}')
    own, base = profiles.chip("our-h100"), profiles.chip("h100-sxm")
    assert own.name == "Our H100" and own.base == "h100-sxm" and own.sha256 != base.sha256
    assert own.get("price.contract").value == pytest.approx(1.5 / 3600)
    assert own.get("memory.bandwidth") == base.get("memory.bandwidth") and own.sources.keys() >= {"aiconfigurator"}


def test_what_is_inherited_is_the_same_draw_and_cancels(folder):
    folder("our-m890", 'base = "zhenwu-m890"\n')
    own, base = profiles.chip("our-m890"), profiles.chip("zhenwu-m890")
    assert np.all(own.get("compute.bf16").sample(50) == base.get("compute.bf16").sample(50))


def test_a_file_of_the_same_id_stands_over_the_shipped_one(folder):
    folder("h100-sxm", f'base = "h100-sxm"\n{RENT}')
    own = profiles.chip("h100-sxm")
    assert own.get("price.contract").value == pytest.approx(1.5 / 3600)
    assert own.get("compute.bf16").value == 989.4e12


def test_a_file_is_parsed_again_only_where_it_or_its_base_has_changed(folder):
    folder("below", 'base = "h100-sxm"\nname = "Below"\n')
    folder("above", 'base = "below"\n')
    first = profiles.chip("above")
    assert profiles.chip("above") is first
    folder("below", 'base = "h100-sxm"\nname = "Other"\n')
    assert profiles.chip("above").name == "Other" and first.name == "Below"


def test_a_reason_takes_an_inherited_value_away(folder):
    folder("bare", 'base = "h100-sxm"\n[missing]\n"price.neocloud" = "not rented"\n')
    assert profiles.chip("bare").missing["price.neocloud"] == "not rented"
    assert not profiles.chip("bare").has("price.neocloud")


def test_a_base_may_stand_on_a_base(folder):
    folder("one", f'base = "h100-sxm"\n{RENT}')
    folder("two", 'base = "one"\nname = "Two"\n')
    assert profiles.chip("two").get("price.contract").value == pytest.approx(1.5 / 3600)


@pytest.mark.parametrize(("files", "message"), [
    ({"a": "b", "b": "a"}, "does not lead back"),
    ({"a": "a"}, "the id of another chip"),
    ({"a": "h100-smx"}, "did you mean 'h100-sxm'"),
])  # fmt: skip
def test_a_base_that_is_none_is_refused(folder, files, message):
    for name, base in files.items():
        folder(name, f'base = "{base}"\n')
    with pytest.raises(BadFile, match=message) as refused:
        profiles.chip("a")
    assert refused.value.key == "base"


def test_a_loose_file_with_a_base_is_of_its_bases_kind(tmp_path, no_extra_paths):
    (tmp_path / "mine.toml").write_text('base = "h100-sxm"\n')
    (tmp_path / "tuned.toml").write_text('base = "llama-3.1-8b"\n')
    discovery.add_paths((tmp_path,))
    assert "mine" in find(CHIP) and "mine" not in find(MODEL)
    assert "tuned" in find(MODEL) and "tuned" not in find(CHIP)
    assert profiles.model("tuned").native_dtype == "bf16"


def test_prices_and_scores_are_not_a_fine_tunes(tmp_path, no_extra_paths):
    priced = next(i for i in find(MODEL) if profiles.model(i).has("price.input"))
    (tmp_path / "tuned.toml").write_text(f'base = "{priced}"\n[dtypes]\nnative = "bf16"\n')
    discovery.add_paths((tmp_path,))
    tuned = profiles.model("tuned")
    assert not tuned.has("price.input") and "scores" not in tuned.tables


# A value that follows another

TWICE = """
[compute.int4]
of = "compute.int8"
times = 2
unit = "TOP/s"
kind = "derived"
source = "derived here"
note = "twice"
"""
MEASURED = """
[compute.bf16]
value = 200
unit = "TFLOP/s"
kind = "measured"
source = "sglang-37519"
"""


def test_a_multiple_moves_with_its_base(folder):
    m890 = profiles.chip("zhenwu-m890")
    assert np.allclose(m890.get("compute.fp8").sample(200), 2 * m890.get("compute.bf16").sample(200))
    assert m890.get("compute.fp4").point == pytest.approx(4 * m890.get("compute.bf16").point)


def test_a_multiple_is_no_stronger_than_its_base(folder):
    folder("x", f'base = "zhenwu-m890"\n{TWICE}')
    assert profiles.chip("x").get("compute.int4").kind == "estimated"  # and not "derived"


def test_a_multiple_follows_what_a_derived_profile_changes(folder):
    folder("x", f'base = "zhenwu-m890"\n{MEASURED}')
    own = profiles.chip("x")
    assert own.get("compute.fp8").point == pytest.approx(400e12) and own.get("compute.fp8").id == "x/compute.fp8"


def test_a_chain_of_multiples_follows_too(folder):
    folder("one", f'base = "zhenwu-m890"\n{TWICE}')
    folder("two", f'base = "one"\n{MEASURED}')
    two = profiles.chip("two")
    assert two.get("compute.int4").point == pytest.approx(800e12)  # 2 x int8, which is 2 x bf16
    assert np.allclose(two.get("compute.int4").sample(9), 4 * two.get("compute.bf16").sample(9))


@pytest.mark.parametrize("table", [MEASURED.replace("200", "-1"), TWICE.replace("int4", "bf16").replace("int8", "fp9")])
def test_a_mistake_in_what_others_follow_is_one_line(folder, table):
    folder("x", f'base = "zhenwu-m890"\n{table}')
    with pytest.raises(BadFile) as refused:
        profiles.chip("x")
    assert refused.value.key.startswith("compute.bf16")


def test_a_wafer_and_a_part_without_outside_memory_are_plausible(folder):
    for name, capacity, bandwidth, watts in (("wafer", 44e9, 21e15, 23000), ("sram", 230e6, 80e12, 275)):
        numbers = (
            ("memory.capacity", capacity, "B"),
            ("memory.bandwidth", bandwidth, "B/s"),
            ("power.tdp", watts, "W"),
        )
        tables = [
            f'[{key}]\nvalue = {v!r}\nunit = "{u}"\nkind = "datasheet"\nsource = "epoch-ai"\n' for key, v, u in numbers
        ]
        folder(name, 'base = "h100-sxm"\n' + "".join(tables))
        assert profiles.chip(name).get("memory.bandwidth").value == bandwidth


@pytest.mark.parametrize("of", ["compute.bf61", "memory.bandwidth", "compute.int4", "vendor"])
def test_a_multiple_of_nothing_is_refused(folder, of):
    folder("x", f'base = "h100-sxm"\n{TWICE}'.replace("compute.int8", of))
    with pytest.raises(BadFile) as refused:
        profiles.chip("x")
    assert refused.value.key == "compute.int4.of"


# One change in a valid file


def quantities(node, path=()):
    """Every (path, table) of a number with a unit."""
    if isinstance(node, dict):
        if "unit" in node and "of" not in node:
            yield path, node
        for key, child in node.items():
            yield from quantities(child, (*path, key))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from quantities(child, (*path, i))


def meaning(chip):
    """Everything of a profile but where it was read from."""
    values = [
        (c.id, c.value, c.low, c.high, c.kind, c.source, c.direction, c.readings, c.date) for c in chip.all_values
    ]
    rounded = [(*v[:1], *(None if x is None else float(f"{x:.10g}") for x in v[1:4]), *v[4:7],
                tuple((float(f"{r.value:.10g}"), r.kind, r.source) for r in v[7]), v[8]) for v in values]  # fmt: skip
    return sorted(rounded, key=str), dict(chip.facts), chip.tables, dict(chip.texts), dict(chip.missing)


def shuffled(draw, node):
    if not isinstance(node, dict):
        return node
    order = draw(st.permutations(sorted(node)))
    return {key: shuffled(draw, node[key]) for key in order}


@st.composite
def rewritten(draw):
    """(id, the same profile written otherwise): keys in another order, a number in another unit, floats for ints."""
    name = draw(st.sampled_from(sorted(RAW)))
    raw = shuffled(draw, copy.deepcopy(RAW[name]))
    _, table = draw(st.sampled_from(list(quantities(raw))))
    dimension = units.dimension(table["unit"])
    other = draw(st.sampled_from([u for u, (d, _) in units.UNITS.items() if d == dimension]))
    factor = units.UNITS[table["unit"]][1] / units.UNITS[other][1]
    for numbers in (table, *table.get("readings", [])):
        numbers.update({k: float(numbers[k]) * factor for k in ("value", "low", "high") if k in numbers})
    table["unit"] = other
    return name, raw


@SAMPLED
@given(case=rewritten())
def test_the_same_written_otherwise_means_the_same(tmp_path, case):
    name, raw = case
    path = tmp_path / f"{name}.toml"
    path.write_bytes(tomli_w.dumps(raw).encode())
    assert meaning(profiles.load_file(CHIP, path)) == meaning(profiles.load_file(CHIP, find(CHIP)[name]))


WORDS = {"kind": KINDS, "direction": ("one", "both", "unknown"), "unit": tuple(units.UNITS)}


def slips(raw):
    """Every (key that the refusal must name, damage) of a profile: slips of the pen that change what is said."""
    for path, table in quantities(raw):
        key = ".".join(str(p) for p in path if not isinstance(p, int))
        yield key, lambda t=table: t.update(kidn=t.pop("kind"))
        for word in WORDS:
            if word in table:
                yield key, lambda t=table, w=word: t.update({w: t[w] + "x"} if t[w] + "x" not in WORDS[w] else {w: 7})
        for number in ("value", "low", "high"):
            if number in table:
                yield key, lambda t=table, n=number: t.update({n: -t[n]})
                yield key, lambda t=table, n=number: t.update({n: str(t[n])})
                yield key, lambda t=table, n=number: t.update({n: float("nan")})
        yield key, lambda t=table: t.update(source="no-such-source")
        yield key, lambda t=table: t.pop("unit")
        if "low" in table and table["low"] < table["high"]:
            yield key, lambda t=table: t.update(low=t["high"], high=t["low"])
            yield key, lambda t=table: t.pop("high")
        if "direction" in table:
            yield key, lambda t=table: t.pop("direction")
        if "date" in table and path[0] == "price":
            yield key, lambda t=table: t.pop("date")
            yield key, lambda t=table: t.update(date="last year")
        if "region" in table and path[1] != "purchase":
            yield key, lambda t=table: t.pop("region")
    for name in list(raw):
        if isinstance(raw[name], dict):
            yield "", lambda n=name: raw.update({n[:-1] + "q" + n[-1]: raw.pop(n)})
    yield "dtypes", lambda: raw["dtypes"]["unsupported"].append("fp9")
    yield "dtypes", lambda: raw["dtypes"].update(in_blocks="fp8")
    yield "dtypes", lambda: raw["dtypes"].update(in_blocks=["fp9"])
    yield "dtypes", lambda: raw["dtypes"]["fallback"].update(fp8="bf61")
    yield "name", lambda: raw.update(name=3)


@pytest.mark.parametrize("name", sorted(RAW))
def test_a_slip_of_the_pen_is_one_line_with_file_and_key(tmp_path, name):
    path = tmp_path / f"{name}.toml"
    for i in range(len(list(slips(copy.deepcopy(RAW[name]))))):
        raw = copy.deepcopy(RAW[name])
        key, damage = list(slips(raw))[i]
        damage()
        path.write_bytes(tomli_w.dumps(raw).encode())
        with pytest.raises(BadFile) as refused:
            profiles.load_file(CHIP, path)
        lines = [str(e) for e in (refused.value, *refused.value.others)]
        assert all("\n" not in line and str(path) in line and ", expected " in line for line in lines)
        assert any(key in line for line in lines)


@SAMPLED
@given(name=st.sampled_from(sorted(PRINTS)), at=st.floats(0, 1, exclude_max=True), byte=st.binary(max_size=3))
def test_a_changed_byte_loads_or_is_refused_in_one_line(tmp_path, name, at, byte):
    data = PRINTS[name].encode()
    place = int(at * len(data))
    path = tmp_path / f"{name}.toml"
    path.write_bytes(data[:place] + byte + data[place + 1 :])
    try:
        chip = profiles.load_file(CHIP, path)
    except BadFile as refused:
        assert "\n" not in str(refused) and str(path) in str(refused) and refused.key
        return
    assert all(cited.point > 0 for cited in chip.all_values)
    assert all(chip.peak_key(dtype) in (None, *chip.values) for dtype in DTYPES)
