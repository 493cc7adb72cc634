"""Times to many targets, against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thalweg.lab.statistics import stats, targets

AT = {"p": [0, 10, 20, 30]}
CURVES = {
    "a": {"p": np.array([[4.0, 2.0, 1.0, 3.0], [4.0, math.nan, 2.0, 0.0]])},
    "b": {"p": np.array([[4.0, 4.0, 4.0, 4.0]] * 2)},
}


def test_targets_lie_between_the_pools_start_and_best() -> None:
    goals = targets.targets(CURVES, count=4, nearest=0.01)["p"]
    assert goals[-1] == pytest.approx(0.5 + 0.01 * 3.5), "the best is the lowest median of what runs reached on the way"
    left = (goals - 0.5) / 3.5
    assert left == pytest.approx(0.01 ** np.linspace(0.25, 1, 4))
    assert targets.targets({"b": CURVES["b"]})["p"].size == 0


def test_hits_agree_with_one_target_at_a_time() -> None:
    goals = {"p": np.array([3.0, 1.5, 0.5, -1.0])}
    found = targets.hits(CURVES, AT, goals)
    for name, own in CURVES.items():
        for run, row in zip(own["p"], found[name]["p"], strict=True):
            assert row.tolist() == [stats.steps_to(goal, run, AT["p"]) for goal in goals["p"]]
    assert found["a"]["p"].tolist() == [[10, 20, math.inf, math.inf], [20, 30, 30, math.inf]]


def test_the_ecdf_counts_triples_and_problems_weigh_the_same() -> None:
    own = {"p": np.array([[1.0, 4.0], [math.inf, 9.0]]), "q": np.array([[2.0]]), "none": np.empty((2, 0))}
    assert targets.reached(own, [0, 1, 2, 4, 100]) == pytest.approx([0, 0.125, 0.625, 0.75, 0.875])
    assert targets.reached({}, [1, 2]).tolist() == [0, 0]


def test_the_area_is_the_integral_of_the_ecdf() -> None:
    draw = np.random.default_rng(0)
    own = {"p": np.where(draw.random((9, 11)) < 0.3, math.inf, np.ceil(1000 ** draw.random((9, 11))))}
    grid = np.geomspace(1, 1000, 200001)
    integral = np.trapezoid(targets.reached(own, grid), np.log(grid)) / np.log(1000)
    assert targets.area(own, {"p": 1000}) == pytest.approx(integral, abs=1e-4)
    assert targets.area({"p": np.array([[0.0, 1.0]])}, {"p": 100}) == 1
    assert targets.area({"p": np.array([[math.inf, 100.0]])}, {"p": 100}) == 0
    assert targets.area({}, {}) == 0
