"""What every problem of the lab does: lanes, seeds, fingerprints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.problems.every import ALL, SEEDS, descended, each_problem, lane, leaves
from thalweg.lab import problems
from thalweg.lab.refusal import Refusal


def test_a_problem_is_there_because_its_file_is() -> None:
    files = {path.stem for path in Path(problems.__path__[0]).rglob("*.py")} - {"__init__"}
    assert set(problems.names()) == files
    assert all(problem.name == name for name, problem in ALL.items())


def test_names_are_forgiving_and_errors_name_the_nearest() -> None:
    assert problems.problem(" Breast-Cancer").name == "breast_cancer"
    with pytest.raises(Refusal, match="no problem is called 'digit'; did you mean 'digits'") as refused:
        problems.problem("digit")
    assert refused.value.exit_code == 2


@each_problem
def test_lanes_equal_runs(problem: Any) -> None:
    """Three lanes, and each of them alone, to the last bit: starts, draws, losses, gradients, validation, test."""
    params, draws = problem.init(SEEDS), problem.draws(SEEDS, problem.batch_size)
    alone = [problem.init([seed]) for seed in SEEDS]
    own_draws = [problem.draws([seed], problem.batch_size) for seed in SEEDS]
    for _ in range(4):
        loss, grads = problem.loss_and_grad(params, next(draws))
        judged = problem.validate(params, SEEDS), problem.test(params, SEEDS)
        assert loss.shape == (3,)
        for i in range(3):
            for mine, ours in zip(leaves(alone[i]), leaves(lane(params, i)), strict=True):
                np.testing.assert_array_equal(mine, ours)
            own_loss, own_grads = problem.loss_and_grad(alone[i], next(own_draws[i]))
            assert own_loss[0] == loss[i]
            for own_pair, pair in zip(
                (problem.validate(alone[i], SEEDS[i : i + 1]), problem.test(alone[i], SEEDS[i : i + 1])), judged, strict=True
            ):
                assert (own_pair[0][0], own_pair[1][0]) == (pair[0][i], pair[1][i])
            alone[i] = descended(alone[i], own_grads)
        params = descended(params, grads)


@each_problem
def test_seeds_matter_and_repeat(problem: Any) -> None:
    first, again = problem.init([1, 2, 1]), problem.init([1, 2, 1])
    for a, b in zip(leaves(first), leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[0], a[2])
    assert any((a[0] != a[1]).any() for a in leaves(first))


def test_fingerprints_differ() -> None:
    assert len({problem.fingerprint for problem in ALL.values()}) == len(ALL)
    for name, problem in ALL.items():
        assert problems.problem(name).fingerprint == problem.fingerprint


@each_problem
def test_a_nan_lane_touches_no_neighbour(problem: Any) -> None:
    params = problem.init(SEEDS)
    loss, grads = problem.loss_and_grad(params, next(problem.draws(SEEDS, problem.batch_size)))
    judged = problem.validate(params, SEEDS)
    for leaf in leaves(params):
        leaf[1] = np.nan
    hurt, hurt_grads = problem.loss_and_grad(params, next(problem.draws(SEEDS, problem.batch_size)))
    hurt_judged = problem.validate(params, SEEDS)
    assert np.isnan(hurt[1])
    assert np.isnan(hurt_judged[0][1])
    for i in (0, 2):
        assert hurt[i] == loss[i]
        assert all(was[i] == now[i] for was, now in zip(judged, hurt_judged, strict=True))
        for a, b in zip(leaves(lane(grads, i)), leaves(lane(hurt_grads, i)), strict=True):
            np.testing.assert_array_equal(a, b)
