"""What a loaded profile is: frozen chips and models whose numbers are `Cited` and whose texts are `Fact`s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.quantity import Cited, weakest

DTYPES = (
    "fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp4", "nvfp4", "mxfp4", "int4", "q4_k_m", "q8_0", "q4_1",
)  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """A sourced piece of text: a memory type, a release date, an export remark."""

    id: str
    value: str
    kind: str
    source: str
    note: str = ""


@dataclass(frozen=True)
class Source:
    """Where something was read. `url` is empty only for what has no page (a book, a printed sheet)."""

    id: str
    title: str
    publisher: str
    url: str
    locator: str = ""
    published: str = ""
    retrieved: str = ""


@dataclass(frozen=True)
class Profile:
    """A loaded profile. `get` gives the sourced number of a key; `missing` says why a key has none."""

    id: str
    name: str
    path: Path
    sha256: str
    texts: Mapping[str, str]
    values: Mapping[str, tuple[Cited, ...]]
    facts: Mapping[str, Fact]
    tables: Mapping[str, Any]
    missing: Mapping[str, str]
    sources: Mapping[str, Source]
    base: str = ""

    def get(self, key: str) -> Cited:
        """The `Cited` of a key (the newest by date where several are listed).

        Raises KeyError with the reason where the profile says the value is not published.
        """
        if key not in self.values:
            raise KeyError(f"{self.id}: {key}: {self.missing.get(key, 'not in the profile')}")
        return max(self.values[key], key=lambda cited: cited.date)

    def has(self, key: str) -> bool:
        return key in self.values

    def fact(self, key: str) -> str | None:
        """The text of a sourced fact, None where absent."""
        return self.facts[key].value if key in self.facts else None

    @property
    def all_values(self) -> list[Cited]:
        return [cited for listed in self.values.values() for cited in listed]

    @property
    def weakest_kind(self) -> str:
        return weakest([c.kind for c in self.all_values])


@dataclass(frozen=True)
class Chip(Profile):
    """A chip: `get("memory.bandwidth")`, `peak("fp8")`, `price()`; all SI."""

    @property
    def vendor(self) -> str:
        return self.texts["vendor"]

    @property
    def family(self) -> str:
        """The line of designs (Hopper, CDNA, ...); a chip whose profile names none is its own family."""
        return self.texts.get("family", self.id)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Dtypes the chip is stated (or inferred, with its source in the table) not to compute in."""
        return tuple(self.tables.get("dtypes", {}).get("unsupported", ()))

    def peak_key(self, dtype: str) -> str | None:
        """The profile key of the dense peak that runs `dtype`, following aliases and stated fallbacks."""
        seen: set[str] = set()
        fallback = self.tables.get("dtypes", {}).get("fallback", {})
        while dtype not in seen:
            seen.add(dtype)
            for name in (dtype, *_PEAK_ALIASES.get(dtype, ())):
                if f"compute.{name}" in self.values and name not in self.unsupported:
                    return f"compute.{name}"
            dtype = fallback.get(dtype, _WEIGHT_ONLY.get(dtype, dtype))
        return None


# fp16 and bf16 share the tensor rate on every chip here; the three 4-bit floats share one datapath.
_PEAK_ALIASES = {
    "fp16": ("bf16",),
    "bf16": ("fp16",),
    "nvfp4": ("fp4",),
    "mxfp4": ("fp4",),
    "fp4": ("nvfp4", "mxfp4"),
}
# Formats that are dequantised on the way in: the product runs in bf16 where nothing better is stated.
_WEIGHT_ONLY = {
    "int4": "bf16", "q4_k_m": "bf16", "q8_0": "bf16", "q4_1": "bf16", "fp4": "bf16", "nvfp4": "bf16",
    "mxfp4": "bf16",
}  # fmt: skip


@dataclass(frozen=True)
class Workload(Profile):
    """A workload: how many calls a session makes, how long they are and how far apart; what good service is."""

    @property
    def imitates(self) -> str:
        return self.texts["imitates"]


@dataclass(frozen=True)
class Model(Profile):
    """A model: published figures, licence, and for open weights an architecture table."""

    endpoint: Mapping[str, Any] = field(default_factory=dict)

    @property
    def proxy(self) -> Mapping[str, str]:
        """{model, why, source} of a model that stands in for an unpublished architecture; empty without one."""
        return next(iter(self.tables.get("proxy", [])), {})

    @property
    def native_dtype(self) -> str:
        return self.tables["dtypes"]["native"]
