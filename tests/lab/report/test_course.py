"""The course of training: which curves are drawn, against what, and how far."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from lab.report.fake_results import fake
from thalweg.lab.report.figures import course
from thalweg.lab.report.figures.lines import LEAST, name_ends
from thalweg.lab.report.figures.marks import COLOURS
from thalweg.lab.report.figures.style import marks


def drawn(results: Any, curve: Any) -> Any:
    """The axes of a figure."""
    axes = Figure().add_axes((0.1, 0.1, 0.8, 0.8))
    known = course._known(results, curve)
    assert known is not None
    course._draw(axes, known)
    return axes


def test_the_lines_are_the_medians_by_epoch() -> None:
    results = fake(rules=3, seeds=5)
    results["settings"]["batch_size"], results["problem"]["train_size"] = 20, 100
    axes = drawn(results, "score_curve")
    lines = {line.get_color(): line for line in axes.lines if len(line.get_xdata()) > 2 and line.get_color() in COLOURS}
    for row, colour in zip(results["rules"], COLOURS, strict=False):
        runs = np.array([[np.nan if x is None else x for x in run["score_curve"]] for run in row["judging"]], float)
        np.testing.assert_allclose(lines[colour].get_ydata(), np.median(runs, axis=0))
        np.testing.assert_allclose(lines[colour].get_xdata(), np.array(results["evaluated_at"]) * 20 / 100)
    assert axes.get_xlabel() == "epoch"
    results["problem"]["train_size"] = 0
    axes = drawn(results, "train_curve")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "Training loss")


def test_eight_are_in_colour_and_the_others_grey() -> None:
    axes = drawn(fake(rules=12, seeds=2), "train_curve")
    assert {line.get_color() for line in axes.lines if len(line.get_xdata()) > 2} == {*COLOURS, "#c8d0d8"}
    assert len([text for text in axes.texts if text.get_text()]) == 8


@pytest.mark.usefixtures("users_fonts")
def test_both_figures_are_in_the_report_and_beside_it(tmp_path: Path) -> None:
    from thalweg.lab.report import report

    report.write(fake(rules=4, seeds=3), tmp_path / "report.html", report.render)
    page = (tmp_path / "report.html").read_text()
    assert "training loss by epoch. " in page
    assert "validation accuracy by epoch. " in page
    assert {"training.svg", "training.pdf", "validation.svg"} <= {path.name for path in (tmp_path / "figures").iterdir()}
    paper = (tmp_path / "figures" / "training.pdf").read_bytes()
    assert b"/FontFile2" in paper, "conferences accept TrueType fonts"
    assert b"/Type3" not in paper


def test_a_loop_of_the_user_s_own_has_no_training_loss() -> None:
    results: Any = fake(rules=2, seeds=3)
    results["training"] = {}
    assert course.course(results, "train_curve") == ""
    assert course.course(results, "score_curve")


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    results: Any = fake(rules=2, seeds=2)
    for row in results["rules"]:
        for run in row["judging"]:
            run["train_curve"] = run["score_curve"] = [None] * len(results["evaluated_at"])
    assert course.course(results, "train_curve") == course.course(results, "score_curve") == ""
    with pytest.raises(ValueError, match="no run has a finite training loss or score"):
        course.write_picture(results, tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"must end in \.png, \.svg or \.pdf"):
        course.write_picture(results, tmp_path / "a.gif")


def test_the_limits_show_what_differs() -> None:
    fast, slow = np.linspace(1, 0, 41) ** 8 + 1e-3, np.linspace(1, 0, 41) + 0.01
    wild = np.where(np.arange(41) < 5, 1.0, 1e12)
    low, high, log = course._limits([fast, slow, wild])
    assert log
    assert low < 1e-3 < 2 < high < 3
    scores = [np.r_[0.1, np.full(40, 0.97)], np.r_[0.1, np.full(40, 0.95)]]
    low, high, log = course._limits(scores)
    assert not log
    assert 0.93 < low < 0.95 < 0.97 < high < 1


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("ends", [[0.5] * 8, [0.001] * 8, [1.0] * 8, [0.2, 0.9, 0.2, 0.01, 0.9], [5.0, 0.1]])
def test_names_do_not_overlap_and_stay_within(ends: list[float], log: bool) -> None:
    axes = Figure().add_axes((0.1, 0.1, 0.8, 0.8))
    if log:
        axes.set_yscale("log")
    axes.set_ylim(0.001, 1)
    names = [str(k) for k in range(len(ends))]
    given = [(up, name, marks([{"name": name}])[name], 1.0) for up, name in zip(ends, names, strict=True)]
    name_ends(axes, given)
    heights = np.sort([text.xyann[1] for text in axes.texts])
    assert (np.diff(heights) > LEAST * 0.999).all()
    assert heights[0] >= 0
    assert heights[-1] <= 1
    assert re.fullmatch(r"\d", axes.texts[0].get_text())
