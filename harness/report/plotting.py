"""Finds plots by file name, draws them, and says in a sentence why one was not drawn.

A plot is one file in `plots/` (or in a `--path` folder): its name is the plot's id, and it defines

    TITLE   what the plot shows, in a few words
    NEEDS   the metric names without which it cannot be drawn
    draw(results, figure)   draws a run on a matplotlib figure; raises `CannotDraw` where rows do not suffice
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from PIL import Image  # matplotlib brings it

from harness import discovery
from harness.errors import BadFile, CannotWrite, StacklineError
from harness.report import style
from harness.report.figures import Figures, figures_of
from harness.report.numbers import and_list
from harness.results import Results


class CannotDraw(StacklineError):
    """The rows do not suffice for a plot; the message is a clause that says what is missing."""


@dataclass(frozen=True)
class Drawn:
    """What became of a plot: `path` of the PNG beside its SVG, or None and the sentence why not."""

    name: str
    title: str
    path: Path | None
    sentence: str = ""
    words: str = ""  # the picture's own heading and how to read it

    @property
    def vector(self) -> Path:
        """The SVG beside the PNG."""
        if self.path is None:
            raise CannotDraw(self.sentence)
        return self.path.with_suffix(".svg")


def draw_all(results: Results, folder: Path) -> list[Drawn]:
    """Draw every plot that is found. One that fails costs a sentence, never the report."""
    figures = figures_of(results)
    return [
        _try(results, figures, name, path, folder / f"{name}.png")
        for name, path in discovery.find(discovery.PLOT).items()
    ]


def _try(results: Results, figures: Figures, name: str, path: Path, out: Path) -> Drawn:
    title = name
    try:
        module = load(name, path)
        title = str(getattr(module, "TITLE", name))
        words = draw_module(module, name, results, figures, out, out.with_suffix(".svg"))
    except CannotWrite:
        raise
    except Exception as error:
        for stale in (out, out.with_suffix(".svg")):  # a picture of an earlier report would contradict the sentence
            stale.unlink(missing_ok=True)
        why = f"is left out: {error}" if isinstance(error, CannotDraw) else f"failed: {type(error).__name__}: {error}"
        return Drawn(name, title, None, f"The plot “{name}” {why}.")
    return Drawn(name, title, out, words=words)


def draw_one(name: str, results: Results, out: Path) -> Path:
    """Draw one plot. Raises UnknownId, or CannotDraw where rows are missing."""
    path = discovery.path_of(discovery.PLOT, name)
    draw_module(load(name, path), name, results, figures_of(results), out)
    return out


def load(name: str, path: Path) -> ModuleType:
    """Run the plot's file as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"harness_plot_{name.replace('-', '_')}", path)
    if spec is None or spec.loader is None:
        raise CannotDraw(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = getattr(error, "lineno", None) or "?"
        raise BadFile(path, f"line {line}", f"{type(error).__name__}: {error}", "a plot's file that loads") from error
    return module


def draw_module(module: ModuleType, name: str, results: Results, figures: Figures, *outs: Path) -> str:
    """Draw once and save whole, a file an `out`; returns the picture's heading and line below.

    Raises CannotDraw, naming the metrics that the run lacks.
    """
    missing = [metric for metric in getattr(module, "NEEDS", ()) if not figures.with_value(metric)]
    if missing:
        raise CannotDraw(f"the run has no value of {and_list(missing)}")
    with style.figure() as figure:
        module.draw(results, figure)
        for out in outs:
            _save(figure, out)
        return style.words_in(figure)


def _save(figure: style.Figure, out: Path) -> None:
    """A PNG, or an SVG by the name's ending."""
    vector = out.suffix == ".svg"
    work = out.with_name(f".{out.name}.{os.getpid()}{'.svg' if vector else '.png'}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if vector:
            figure.savefig(work, metadata={"Date": None})
        else:
            _small_picture(figure).save(work, optimize=True)
        work.replace(out)
    except OSError as error:
        raise CannotWrite(out, error.strerror or str(error)) from error
    finally:
        work.unlink(missing_ok=True)


def _small_picture(figure: style.Figure) -> Image.Image:
    """The drawn figure in 256 colours, a third of the size: the page holds its pictures."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=style.DPI, metadata={"Software": None})
    picture = Image.open(raw).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.info["dpi"] = (style.DPI, style.DPI)
    return picture
