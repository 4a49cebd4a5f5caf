"""No number without a source in any data file, no source without a reader, no two sources of one name."""

from __future__ import annotations

import tomllib
from collections import defaultdict

import pytest

from harness import profiles
from harness.discovery import CHIP, MODEL, WORKLOAD, find
from tests.conftest import ROOT

FILES = sorted(
    p for folder in ("hardware_profiles", "harness", "tasks/workloads") for p in (ROOT / folder).rglob("*.toml")
    if p.name != "_schema.toml"
)  # fmt: skip


def unsourced(node, sourced=False, path=""):
    """Dotted paths of numbers that neither their table nor one above it gives a source for."""
    if isinstance(node, dict):
        sourced = sourced or bool(node.get("source") or node.get("statement"))
        for key, child in node.items():
            yield from unsourced(child, sourced, f"{path}.{key}".lstrip("."))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from unsourced(child, sourced, f"{path}[{i}]")
    elif isinstance(node, int | float) and not isinstance(node, bool) and not sourced:
        yield path


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_number_of_a_data_file_has_a_source(path):
    assert list(unsourced(tomllib.loads(path.read_text("utf-8")))) == []


def test_the_walk_sees_a_number_without_a_source():
    assert list(unsourced({"a": {"value": 1}, "b": {"value": 2, "source": "x"}, "c": [{"d": 3}]})) == [
        "a.value",
        "c[0].d",
    ]


@pytest.mark.parametrize("kind", [CHIP, MODEL, WORKLOAD], ids=lambda k: k.name)
def test_a_source_has_one_meaning_and_is_used(kind):
    shared = profiles.shared(kind).sources
    meanings, used = defaultdict(set), set()
    for path in find(kind).values():
        own = tomllib.loads(path.read_text("utf-8")).get("sources", {})
        profile = profiles.load_file(kind, path)
        used |= set(profile.sources)
        unnamed = [name for name in own if path.read_text("utf-8").count(name) < 2]  # a note may name one too
        assert not unnamed, f"{path.name}: sources that nothing names"
        assert not set(own) & set(shared), f"{path.name}: sources that _shared.toml has"
        for name, source in profile.sources.items():
            meanings[name].add((source.title, source.url))
    assert {name for name, said in meanings.items() if len(said) > 1} == set()
    rules = {rule["source"] for rule in profiles.shared(kind).tables.get("export_rules", [])}
    values = {s for listed in profiles.shared(kind).values.values() for c in listed for s in c.sources}
    assert set(shared) <= used | rules | values


def test_a_name_means_the_same_for_chips_and_models():
    """Rows of a run name sources by id alone."""
    pages = [
        {n: s.url for i in find(k) for n, s in profiles.load_file(k, find(k)[i]).sources.items()} for k in (CHIP, MODEL)
    ]
    assert all(pages[0][name] == pages[1][name] for name in set(pages[0]) & set(pages[1]))
