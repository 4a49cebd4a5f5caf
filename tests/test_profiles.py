"""Shipped chips and models load, cite, and add up; a damaged file is refused in one line."""

from __future__ import annotations

import copy
import csv
import gzip
import json
import os
import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import profiles, units
from harness.architecture import from_table
from harness.discovery import CHIP, MODEL, find
from harness.errors import BadFile

CHIPS, MODELS = list(find(CHIP)), list(find(MODEL))
NO_ADDRESS = ("derived", "estimated", "assumed")  # kinds that a source without an address may carry
DATA = Path(os.environ.get("STACKLINE_REFERENCE_DATA", Path(__file__).parents[2] / "shared"))
FACTS, POINTS = DATA / "facts", DATA / "measurements" / "operating_points.csv.gz"
NEEDED = ("memory.capacity", "memory.bandwidth", "compute.bf16", "scaleup.bandwidth", "scaleup.domain",
          "power.tdp", "server.chips")  # fmt: skip
COUNTED_BY_TORCH = {  # id -> name in the golden file, parameters
    "smollm2-135m-instruct": ("SmolLM2-135M", 134515008),
    "llama-3.1-8b": ("Llama-3.1-8B-like", 8030261248),
    "deepseek-r1": ("DeepSeek-V3-like", 671026404352),
}


def architecture(model_id: str):
    model = profiles.model(model_id)
    return from_table(model.tables["architecture"], model.path)


def every_profile():
    return [profiles.chip(i) for i in CHIPS] + [profiles.model(i) for i in MODELS]


# Shipped files


@pytest.mark.golden
@pytest.mark.skipif(not FACTS.exists(), reason="no facts in STACKLINE_REFERENCE_DATA")
def test_every_chip_that_the_field_compares_is_there():
    rows = csv.DictReader((FACTS / "chip_ids.csv").open(encoding="utf-8"))
    assert {row["id"] for row in rows} <= set(CHIPS)


@pytest.mark.golden
@pytest.mark.skipif(not POINTS.exists(), reason="no operating points in STACKLINE_REFERENCE_DATA")
def test_every_chip_and_model_that_was_measured_is_there():
    with gzip.open(POINTS, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["chip"] for row in rows} <= set(CHIPS)
    assert {row["model"] for row in rows} <= set(MODELS)


@pytest.mark.parametrize("chip_id", CHIPS)
def test_a_chip_has_every_number_a_prediction_needs(chip_id):
    chip = profiles.chip(chip_id)
    alone = chip.get("scaleup.domain").point == 1  # a device that cannot be linked has no link
    for key in (k for k in NEEDED if not (alone and k == "scaleup.bandwidth")):
        assert chip.get(key).point > 0


@pytest.mark.parametrize("chip_id", CHIPS)
def test_a_chip_has_a_price_or_says_why_not(chip_id):
    chip = profiles.chip(chip_id)
    rents = ("price.contract", "price.neocloud", "price.ondemand", "price.spot")
    assert all(chip.has(key) or chip.missing[key] for key in (*rents, "price.purchase"))
    assert all(c.date for key in (*rents, "price.purchase") if chip.has(key) for c in chip.values[key])
    assert all(c.extra.get("region") for key in rents if chip.has(key) for c in chip.values[key])


@pytest.mark.parametrize("profile", every_profile(), ids=lambda p: p.id)
def test_every_claim_has_a_page_or_says_that_it_has_none(profile):
    claims = [*profile.all_values, *profile.facts.values()]
    claims += [reading for cited in profile.all_values for reading in cited.readings]
    for claim in claims:
        if claim.source in profile.sources:
            source = profile.sources[claim.source]
            assert source.url.startswith(("https://", "http://")) or (not source.url and claim.kind in NO_ADDRESS), (
                claim.id
            )
            assert source.title and source.publisher and source.retrieved
        elif claim.source == profiles.UNVERIFIED:
            assert claim.kind == "assumed"
        else:
            assert claim.source in (profiles.DERIVED, profiles.ASSUMED) and claim.note


def test_shared_values_are_cited_and_positive():
    for key in ("exchange.cny_per_usd", "electricity.price", "datacentre.pue", "power.idle", "power.utilisation"):
        assert profiles.shared_value(key).point > 0
    assert profiles.shared_value("exchange.cny_per_usd").date
    assert profiles.shared_value("datacentre.pue").range[0] > 1
    assert all(s.url.startswith("http") or s.url == "" for s in profiles.shared(CHIP).sources.values())


@pytest.mark.parametrize(
    ("chip_id", "key", "unit", "value"),
    [
        ("h100-sxm", "compute.bf16", "TFLOP/s", 989.4),  # dense, not 1979
        ("h100-sxm", "scaleup.bandwidth", "GB/s", 450),  # one way, not 900
        ("h20-96gb", "compute.bf16", "TFLOP/s", 148),
        ("b200-sxm", "memory.bandwidth", "TB/s", 7.7),  # the HGX board, not the chip
        ("b200-sxm", "compute.fp4", "PFLOP/s", 9),
        ("ascend-910c", "scaleup.bandwidth", "GB/s", 392),  # published one way
        ("ascend-910c", "compute.bf16", "TFLOP/s", 752),
        ("ascend-910b2", "compute.bf16", "TFLOP/s", 376),
        ("mi300x", "scaleup.bandwidth", "GB/s", 448),
        ("mi355x", "compute.fp8", "TFLOP/s", 5033.2),
    ],
)
def test_figures_that_are_often_misread(chip_id, key, unit, value):
    assert units.from_si(profiles.chip(chip_id).get(key).point, unit) == pytest.approx(value, rel=1e-9)


def test_what_is_not_published_has_no_value():
    m890 = profiles.chip("zhenwu-m890")
    for key in ("memory.bandwidth", "compute.bf16", "compute.fp8", "compute.fp4", "power.tdp"):
        assert m890.get(key).value is None
    with pytest.raises(KeyError, match="not published"):
        m890.get("price.purchase")


def test_a_ratio_claim_stays_text():
    chip = profiles.chip("zhenwu-m890")
    assert any("Three times" in s["text"] for s in chip.tables["statements"])
    low, high = (chip.get("compute.bf16").quantile(p) for p in (0.05, 0.95))
    assert high / low > 4  # the claim narrows nothing


# Parameter counts


@pytest.mark.golden
@pytest.mark.parametrize(("model_id", "named"), COUNTED_BY_TORCH.items())
def test_parameters_equal_those_counted_by_torch(model_id, named):
    name, count = named
    assert architecture(model_id).parameters == count
    golden = DATA / "golden" / "flops.json"
    if golden.exists():
        assert json.loads(golden.read_text())["models"][name]["params_total_unique"] == count


def test_two_matrices_instead_of_three_would_be_noticed():
    table = copy.deepcopy(profiles.model("llama-3.1-8b").tables["architecture"])
    table["layers"][0]["mlp"]["gated"] = False
    counted = from_table(table, Path("x.toml")).parameters
    published = profiles.model("llama-3.1-8b").get("parameters.total")
    assert counted < published.low


# Damaged files


def leaves(node, path=()):
    """Every (path, value) below a table or list, tables and lists included."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        yield (*path, key), child
        yield from leaves(child, (*path, key))


RAW = {i: tomllib.loads(find(CHIP)[i].read_text("utf-8")) for i in ("zhenwu-810e", "h100-sxm")}
JUNK = st.sampled_from([-1, 0, 0.5, True, "", "x", [], {}, [1], {"value": 1}, 1e999, float("nan"), 10**30])


@st.composite
def damaged(draw):
    raw = copy.deepcopy(RAW[draw(st.sampled_from(sorted(RAW)))])
    path, _ = draw(st.sampled_from(list(leaves(raw))))
    parent = raw
    for step in path[:-1]:
        parent = parent[step]
    how = draw(st.sampled_from(["delete", "misspell", "junk", "unit", "swap", "negate", "kind"]))
    key = path[-1]
    if how == "delete":
        del parent[key]
    elif how == "misspell" and isinstance(parent, dict):
        parent[f"{key}x"] = parent.pop(key)
    elif how == "swap" and isinstance(parent, dict) and "low" in parent:
        parent["low"], parent["high"] = parent["high"], parent["low"]
    elif how == "negate" and isinstance(parent[key], int | float):
        parent[key] = -parent[key]
    elif how == "unit" and isinstance(parent, dict) and "unit" in parent:
        parent["unit"] = draw(st.sampled_from([*units.UNITS, "GBps", 3]))
    elif how == "kind" and isinstance(parent, dict) and "kind" in parent:
        parent["kind"] = draw(st.sampled_from(["exact", "assumed", "guessed", "", 7]))
    else:
        parent[key] = draw(JUNK)
    return raw


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=damaged())
def test_a_damaged_profile_loads_or_is_refused_in_one_line(tmp_path, raw):
    path = tmp_path / "some-chip.toml"
    path.write_bytes(tomli_w.dumps(raw).encode())
    try:
        chip = profiles.load_file(CHIP, path)
    except BadFile as refused:
        message = str(refused)
        assert "\n" not in message and str(path) in message and refused.key and ", expected " in message
        return
    for cited in chip.all_values:  # what loads can be used
        assert cited.point > 0 and (cited.sample(8) > 0).all()
    assert all(chip.peak_key(dtype) in (None, *chip.values) for dtype in profiles.DTYPES)


@pytest.fixture
def write(tmp_path):
    def write(raw):
        path = tmp_path / "some-chip.toml"
        path.write_bytes(raw if isinstance(raw, bytes) else tomli_w.dumps(raw).encode())
        return path

    return write


def changed(key: str, **changes):
    raw = copy.deepcopy(RAW["h100-sxm"])
    table, _, name = key.partition(".")
    raw[table][name].update(changes)
    return raw


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"unit": "GB"}, "memory.bandwidth.unit"),
        ({"kind": "certain"}, "memory.bandwidth.kind"),
        ({"source": "nobody"}, "memory.bandwidth.source"),
        ({"value": -1}, "memory.bandwidth.value"),
        ({"value": "3350"}, "memory.bandwidth.value"),
        ({"low": 3000}, "memory.bandwidth"),
        ({"low": 3400, "high": 3300}, "memory.bandwidth"),
        ({"kind": "estimated"}, "memory.bandwidth"),  # a bare estimate
        ({"direction": "both"}, "memory.bandwidth.direction"),  # not a link
        ({"valeu": 1}, "memory.bandwidth.valeu"),
        ({"value": 3.35}, "memory.bandwidth.value"),  # meant in TB/s
        ({"value": 3350e9}, "memory.bandwidth.value"),  # meant in B/s
        ({"readings": [{"value": 1}]}, "memory.bandwidth.readings"),
    ],
)
def test_a_mistake_is_named_by_its_key(write, changes, key):
    with pytest.raises(BadFile) as refused:
        profiles.load_file(CHIP, write(changed("memory.bandwidth", **changes)))
    assert refused.value.key == key


def test_a_required_key_may_be_absent_only_with_a_reason(write):
    raw = copy.deepcopy(RAW["h100-sxm"])
    del raw["power"]["tdp"]
    with pytest.raises(BadFile, match=r"power\.tdp"):
        profiles.load_file(CHIP, write(raw))
    raw["missing"]["power.tdp"] = "not published"
    with pytest.raises(KeyError, match="not published"):
        profiles.load_file(CHIP, write(raw)).get("power.tdp")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"name = ", b"a = 1\na = 2"])
def test_a_file_that_is_no_profile_is_refused(write, content):
    with pytest.raises(BadFile):
        profiles.load_file(CHIP, write(content))


# What loading does to a number


def test_a_link_given_as_the_sum_of_both_directions_is_halved(write):
    both = profiles.load_file(CHIP, write(changed("scaleup.bandwidth", direction="both")))
    one = profiles.load_file(CHIP, write(changed("scaleup.bandwidth", direction="one")))
    assert one.get("scaleup.bandwidth").value == 2 * both.get("scaleup.bandwidth").value


def test_a_link_must_state_its_direction(write):
    raw = changed("scaleup.bandwidth")
    del raw["scaleup"]["bandwidth"]["direction"]
    with pytest.raises(BadFile, match=r"scaleup\.bandwidth\.direction"):
        profiles.load_file(CHIP, write(raw))


def test_an_unknown_direction_is_drawn_from_both_readings():
    link = profiles.chip("zhenwu-m890").get("scaleup.bandwidth")
    draws = set(link.sample(500))
    assert draws == {400e9, 800e9}
    assert link.is_median and 400e9 < link.point < 800e9


def test_prices_in_cny_arrive_in_usd_at_the_shared_rate(write):
    raw = changed("price.contract", value=6.8036, low=6, high=7, unit="CNY/h", region="cn")
    rent = profiles.load_file(CHIP, write(raw)).get("price.contract")
    rate = profiles.shared_value("exchange.cny_per_usd")
    assert rent.dimension == "usd/time"
    assert units.from_si(rent.value, "USD/h") == pytest.approx(6.8036 / rate.point)
    assert rate.date in rent.note


def test_of_several_prices_the_newest_is_used():
    rents = profiles.chip("h100-sxm").values["price.neocloud"]
    assert len(rents) > 1
    assert profiles.chip("h100-sxm").get("price.neocloud").date == max(r.date for r in rents)


def test_conflicting_values_are_drawn_alike():
    tdp = profiles.chip("h20-96gb").get("power.tdp")
    draws = list(tdp.sample(3000))
    assert {400.0, 500.0, 550.0} == set(draws)
    assert all(0.28 < draws.count(v) / 3000 < 0.39 for v in (400.0, 500.0, 550.0))
    assert tdp.point == 400.0
