"""Plot of a sweep: latency with the limits, and throughput or what the cache held."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.report import style

if TYPE_CHECKING:
    from harness.serving.deploy import Deployment

_WHAT = {
    "users": "sessions at once", "rate": "sessions a second", "keep": "an unused prefix is kept, s",
    "hold": "a session's cache is held, s", "host-gb": "host memory for evicted prefixes, GB",
}  # fmt: skip


def draw(found: pd.DataFrame, d: Deployment, workload: str, over: str, users: float, slo: Mapping[str, float],
         path: Path) -> None:  # fmt: skip
    """Raises CannotWrite."""
    with style.figure() as figure:
        figure.set_size_inches(13, 8)
        (ttft, tpot), (left, right) = figure.subplots(2, 2, sharex=True)
        x = np.arange(len(found))
        _latency(ttft, x, found, "ttft", slo, "Time to first token, s")
        _latency(tpot, x, found, "tpot", slo, "Time per output token, s")
        _line(left, x, found["prefix_hit_rate"] * 100, "Prefix hit rate, %")
        left.set_ylim(0, 100)
        if over in ("users", "rate"):
            _line(right, x, found["output_tok_s_per_chip"], "Output token/s a chip")
        else:
            right.stackplot(x, found["kv_in_use"] * 100, found["kv_kept"] * 100, labels=["in use", "kept"],
                            colors=[style.PALETTE[0], style.PALETTE[5]])  # fmt: skip
            right.set_title("KV memory, % of capacity", loc="left")
            right.set_ylim(0, 100)
            _legend(right)
        for ax in (left, right):
            ax.set_xticks(x, ["∞" if np.isinf(v) else f"{v:g}" for v in found[over]])
            ax.set_xlabel(_WHAT[over])
        load = "" if over in ("users", "rate") else f", {users:g} sessions at once"
        limits = ", ".join(f"{k} {v:g}" for k, v in slo.items())
        note = f"Modelled, in full swing. Values are evenly spaced. Dashed: service level ({limits})."
        style.heading(figure, f"{d.stack}: {workload}{load}", note)
        style.save(figure, path)


def _latency(ax: style.Axes, x: np.ndarray, found: pd.DataFrame, name: str, slo: Mapping[str, float],
             title: str) -> None:  # fmt: skip
    for k, q in enumerate(("p50", "p95")):
        ax.plot(x, found[f"{name}_{q}_s"], marker="o", color=style.PALETTE[k], label=q)
    limit = min(slo.get(f"{name}_ms", np.inf) / 1e3, slo.get(f"{name}_s", np.inf))
    if np.isfinite(limit):
        ax.axhline(limit, color=style.INK, linestyle=(0, (4, 3)), linewidth=1.4)
    ax.set_yscale("log")
    style.plain_log(ax.yaxis)
    ax.set_title(title, loc="left")
    _legend(ax)


def _line(ax: style.Axes, x: np.ndarray, y: pd.Series, title: str) -> None:
    ax.plot(x, y, marker="o", color=style.PALETTE[2])
    ax.set_title(title, loc="left")
    ax.set_ylim(bottom=0)


def _legend(ax: style.Axes) -> None:
    """Above the axes, beside the title: never on a line."""
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2)
