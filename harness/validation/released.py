"""When the software of a measured row was released: by the version that the row's engine names (`releases.toml`).

A run of December on an image of August has August's software. "trtllm 1.2.0rc6.post2" and
"sglang lmsysorg/sglang:v0.5.9-cu130" name a version; where its post-release or candidate is not listed, the version
that it belongs to stands for it. Builds of a day ("nightly-5b8c30d") name none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_VERSION = re.compile(r"(?<![\d.])v?(\d+\.\d+(?:\.\d+)*)(rc\d+)?(\.post\d+)?")


@cache
def releases() -> Mapping[str, Mapping[str, str]]:
    """{engine family: {version: YYYY-MM-DD}}."""
    table = tomllib.loads((files(__package__) / "releases.toml").read_text("utf-8"))
    return {family: {k: str(day) for k, day in of.items()} for family, of in table.items() if family != "source"}


def release_day(family: str, engine: str) -> str:
    """The day that the version named in a row's engine was released, "" where none is named or it is not known."""
    known = releases().get(family, {})
    found = _VERSION.search(engine.rsplit(":", 1)[-1])
    if not found:
        return ""
    number, candidate, post = found[1], found[2] or "", found[3] or ""
    return next((known[v] for v in (number + candidate + post, number + candidate, number) if v in known), "")
