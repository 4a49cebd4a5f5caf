"""What a run was made with: versions, commit, machine, suites, profile hashes, and the sources rows name."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import harness
from harness.discovery import CHIP
from harness.evidence import grade, stale
from harness.export import rules, statuses
from harness.profiles import Chip, Model, Profile, Source, shared
from harness.results import Row
from harness.roofline import laws
from harness.stack import parse
from harness.support import fallback, support

PACKAGES = ("numpy", "pandas", "matplotlib", "datasets", "tokenizers", "gguf", "threadpoolctl")


def versions() -> dict[str, str]:
    """Installed versions of what the figures depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> dict[str, Any]:
    """{"commit", "dirty"} of the checkout, both None where the package is not run from one."""
    root = Path(harness.__file__).parent.parent
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}

    def git(*args: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *args], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}


def machine() -> dict[str, Any]:
    """CPU, cores, memory and system of this machine."""
    from harness.runners.reference import cores

    ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {"cpu": _cpu_name(), "cores": cores(), "ram_gb": round(ram / 1e9, 1) if ram else None,
            "system": platform.platform(terse=True)}  # fmt: skip


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def profile_entries(profiles: Iterable[Profile]) -> dict[str, dict[str, Any]]:
    """{"chip/ID" or "model/ID": its entry} of every profile used."""
    return {f"{type(p).__name__.lower()}/{p.id}": profile_entry(p) for p in profiles}


def profile_entry(profile: Profile) -> dict[str, Any]:
    """A profile's content hash, grade, old prices and, for a chip, what the export rules and dated facts say."""
    entry = {
        "sha256": profile.sha256, "name": profile.name,
        "vendor": profile.texts.get("vendor") or profile.texts.get("publisher", ""),
        "jurisdiction": profile.texts.get("jurisdiction", ""), "weakest_kind": profile.weakest_kind,
        "grade": str(grade(profile)), "stale": [f"{c.id.rpartition('/')[2]} of {c.date}" for c in profile.all_values
                                                if stale(c)],
    }  # fmt: skip
    if isinstance(profile, Chip):
        entry["export"] = [{"text": str(s), "source": s.source} for s in statuses(profile)]
        entry["export"] += [
            {"text": f"{e['date']}: {e['text']}", "source": e["source"]} for e in profile.tables.get("export", [])
        ]  # fmt: skip
    elif isinstance(profile, Model) and profile.proxy:
        entry["proxy"] = dict(profile.proxy)
    return entry


def support_entries(rows: Iterable[Row], chips: Iterable[Chip]) -> list[dict[str, str]]:
    """What is stated of each modelled stack: level, engine, version, date, limits, source, and the format used."""
    by_id = {chip.id: chip for chip in chips}
    asked = {(r.stack, r.model, r.weight_dtype, r.chip): r for r in rows if r.model and r.chip in by_id and r.stack}
    entries = []
    for stack, model_id, dtype, chip_id in asked:
        chip = by_id[chip_id]
        found = support(chip, model_id, dtype, parse(stack).options.get("engine", ""))
        entries.append({"stack": stack, "model": model_id, "chip": chip_id, "dtype": dtype,
                        "computes_in": fallback(chip, dtype), **asdict(found)})  # fmt: skip
    return entries


def sources(profiles: Iterable[Profile], rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """{id: where it was read}: every source of the profiles used, and every other that a row names.

    Raises KeyError for one that nothing defines.
    """
    shared_by_name = {source.id: _entry(source) for source in shared(CHIP).sources.values()}
    known: dict[str, dict[str, str]] = dict(_OWN) | laws.constant_sources() | shared_by_name
    used = {name: _entry(source) for profile in profiles for name, source in profile.sources.items()}
    used |= {rule["source"]: known[rule["source"]] for rule in rules()}
    named = {s for row in rows for s in row.source.split()} | set(used)
    return {name: (known | used)[name] for name in sorted(named)}


def _entry(source: Source) -> dict[str, str]:
    fields = ("title", "publisher", "url", "locator", "published", "retrieved")
    return {f: getattr(source, f) for f in fields if getattr(source, f)}


_OWN = {
    "run": {"title": "measured in this run", "publisher": "this run", "url": ""},
    "model-of-time": {"title": "Stackline's model of time (harness/roofline)", "publisher": "Stackline", "url": ""},
    "profile": {"title": "the chip's profile, which gives no value", "publisher": "Stackline", "url": ""},
    "derived-here": {"title": "derived in the profile, arithmetic in its note", "publisher": "Stackline", "url": ""},
    "assumed-here": {"title": "assumed in the profile, reason in its note", "publisher": "Stackline", "url": ""},
    "unverified-from-memory": {"title": "unverified, from memory", "publisher": "Stackline", "url": ""},
}  # fmt: skip
