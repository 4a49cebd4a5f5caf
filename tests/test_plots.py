"""Each plot draws from a small run, a new file is a new plot, and one that cannot be drawn says why."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from harness import discovery
from harness.errors import UnknownId
from harness.report import build, draw
from harness.report.comparing import chosen_models
from harness.report.figures import figures_of
from harness.report.labels import spread
from harness.report.plotting import CannotDraw, draw_all
from harness.results import load_results
from tests.conftest import ROOT
from tests.test_report import MODEL, SUITE, measured, quality_rows, toy_manifest, toy_rows, toy_run

PLOTS = (
    "agents", "agents-caches", "agents-load", "chips", "cost", "languages", "long-run", "quality", "roofline",
)  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n"
NEW_PLOT = """
TITLE = "A plot of one's own"
NEEDS = ("wall_s",)


def draw(results, figure):
    figure.add_subplot().plot([1, 2])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_run(tmp_path_factory.mktemp("toy") / "run")


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `--path` folder that is forgotten after the test."""
    monkeypatch.setattr(discovery, "_extra_paths", [])
    mine = tmp_path / "mine"
    mine.mkdir()
    discovery.add_paths((mine,))
    return mine


def test_the_shipped_plots_are_found_by_their_file_names() -> None:
    assert set(PLOTS) <= set(discovery.find(discovery.PLOT))


@pytest.mark.parametrize("name", PLOTS)
def test_each_plot_draws(name: str, folder: Path, tmp_path: Path) -> None:
    out = draw(name, load_results(folder), tmp_path / f"{name}.png")
    assert out.read_bytes().startswith(PNG)
    assert out.stat().st_size > 15_000
    assert [p.name for p in tmp_path.iterdir()] == [out.name]  # nothing half-written stays


@pytest.mark.parametrize("name", PLOTS)
def test_each_plot_declares_its_contract(name: str) -> None:
    from harness.report.plotting import load

    module = load(name, discovery.path_of(discovery.PLOT, name))
    assert module.TITLE
    assert module.NEEDS
    assert callable(module.draw)


def test_a_new_file_in_a_path_folder_is_a_plot_of_the_report_and_one_that_fails_costs_a_sentence(
    own_folder: Path, tmp_path: Path
) -> None:
    (own_folder / "my_plot.py").write_text(NEW_PLOT)
    (own_folder / "broken.py").write_text('def draw(results, figure):\n    raise ValueError("no such thing")\n')
    run = toy_run(tmp_path / "run", quality_rows())
    said: list[str] = []
    page = build(run, said.append).read_text("utf-8")
    assert (run / "report" / "plots" / "my-plot.png").read_bytes().startswith(PNG)
    assert (run / "report" / "plots" / "my-plot.svg").read_text("utf-8").startswith("<?xml")
    assert "A plot of one&#39;s own" in page
    assert "(plots/my-plot.png)" in (run / "report" / "report.md").read_text("utf-8")
    assert "The plot “broken” failed: ValueError: no such thing." in page
    assert [line for line in said if "failed" in line] == ["The plot “broken” failed: ValueError: no such thing."]


def test_missing_needs_become_a_sentence_and_leave_no_old_picture(tmp_path: Path) -> None:
    results = load_results(toy_run(tmp_path / "run", quality_rows()))
    stale = [tmp_path / "plots" / f"cost.{kind}" for kind in ("png", "svg")]
    stale[0].parent.mkdir()
    for picture in stale:
        picture.write_bytes(PNG)
    drawn = {plot.name: plot for plot in draw_all(results, tmp_path / "plots")}
    assert drawn["quality"].path
    assert drawn["cost"].path is None
    assert "the run has no value of usd_per_m_output_tok" in drawn["cost"].sentence
    assert not any(picture.exists() for picture in stale)


def test_drawing_one_plot_without_its_needs_is_an_error_that_names_them(tmp_path: Path) -> None:
    results = load_results(toy_run(tmp_path / "run", quality_rows()))
    with pytest.raises(CannotDraw, match=r"chip\.bandwidth_tb_s and chip\.peak_bf16_tflop_s"):
        draw("roofline", results, tmp_path / "out.png")


def test_an_unknown_plot_suggests_the_nearest(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownId, match="did you mean 'roofline'"):
        draw("rooflines", load_results(folder), tmp_path / "out.png")


def test_one_language_is_no_comparison(tmp_path: Path) -> None:
    rows = [measured("accuracy", 0.5), measured("accuracy[lang=en]", 0.5)]
    with pytest.raises(CannotDraw, match="two or more languages"):
        draw("languages", load_results(toy_run(tmp_path / "run", rows)), tmp_path / "out.png")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weakest rows that are allowed: bare values, and a manifest that says nothing."""
    rows = [row for row in toy_rows() if not row.metric.partition("[")[0].endswith("95")]
    bare = [type(row)(**{**row.__dict__, "p10": None, "p90": None, "n": None}) for row in rows]
    return toy_run(tmp_path_factory.mktemp("bare") / "run", bare, {})


@pytest.mark.parametrize("name", PLOTS)
def test_plots_draw_without_intervals_or_names(name: str, bare: Path, tmp_path: Path) -> None:
    out = draw(name, load_results(bare), tmp_path / f"{name}.svg")
    assert out.read_text("utf-8").startswith("<?xml") and out.stat().st_size > 9_000


def test_the_small_model_is_not_compared_as_a_large_one(folder: Path) -> None:
    groups = chosen_models(figures_of(load_results(folder)), "output_tok_s_per_chip")
    assert groups
    assert MODEL not in [model for model, _ in groups]
    assert SUITE in toy_manifest()["suites"]


def test_labels_spread_apart_and_keep_their_order() -> None:
    places = spread([1.0, 1.05, 1.1, 5.0], 0.5)
    assert places == sorted(places)
    assert all(b - a >= 0.5 - 1e-9 for a, b in pairwise(places))
    assert places[3] == 5.0


def crowded(figure) -> list[str]:
    """Words of an axis that touch one another, or leave the picture."""
    figure.draw_without_rendering()
    found = []
    for axis, start, end in ((axis, *ends) for ax in figure.axes for axis, ends in
                             ((ax.xaxis, ("x0", "x1")), (ax.yaxis, ("y0", "y1")))):  # fmt: skip
        low, high = sorted(axis.get_view_interval())
        shown = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        boxes = [(label.get_window_extent(), label.get_text()) for label in shown if label.get_text()]
        boxes.sort(key=lambda box: getattr(box[0], start))
        gaps = [(getattr(after, start) - getattr(box, end), a, b) for (box, a), (after, b) in pairwise(boxes)]
        found += [f"{a} {b}" for gap, a, b in gaps if gap < 3]
        found += [words for box, words in boxes if box.x0 < -1 or box.x1 > figure.bbox.x1 + 1]
    return found


@pytest.mark.slow  # every plot of the worked example: half a minute
def test_numbers_of_an_axis_stand_apart_and_within_the_picture() -> None:
    from harness.report import style
    from harness.report.plotting import load

    results, drawn = load_results(ROOT / "results/baseline"), 0
    figures = figures_of(results)
    for name, path in discovery.find(discovery.PLOT).items():
        module = load(name, path)
        if all(figures.with_value(metric) for metric in module.NEEDS):
            with style.figure() as figure:
                try:
                    module.draw(results, figure)
                except CannotDraw:
                    continue
                assert crowded(figure) == [], name
                assert all(ax.get_xlabel() or ax.get_title(loc="left") for ax in figure.axes if ax.axison), name
                drawn += 1
    assert drawn > 9
