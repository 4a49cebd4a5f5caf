"""What a run was made with: versions, commit, machine, suites, profile hashes, and the sources rows name."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import harness
from harness.discovery import CHIP
from harness.profiles import Profile, Source, shared
from harness.results import Row
from harness.roofline import laws

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
    """A profile's content hash and grade: the share of its values read in an opened source, and the weakest kind."""
    values = profile.all_values
    opened = sum(c.source in profile.sources for c in values)
    return {
        "sha256": profile.sha256, "name": profile.name,
        "vendor": profile.texts.get("vendor") or profile.texts.get("publisher", ""),
        "weakest_kind": profile.weakest_kind, "grade": f"{opened}/{len(values)} values from an opened source",
    }  # fmt: skip


def sources(profiles: Iterable[Profile], rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """{id: where it was read} of every source that a row names. Raises KeyError for one that nothing defines."""
    known: dict[str, dict[str, str]] = dict(_OWN) | laws.constant_sources()
    for source in shared(CHIP).sources.values():
        known[source.id] = _entry(source)
    for profile in profiles:
        known |= {name: _entry(source) for name, source in profile.sources.items()}
    named = {s for row in rows for s in row.source.split()}
    return {name: known[name] for name in sorted(named)}


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
