"""Best of k, against all subsets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from thalweg.lab.statistics import budget


@pytest.mark.parametrize("chosen", [[3.0, 1.0, 5.0, 2.0, 4.0], [1.0, 0.0, 1.0, 1.0, 0.0]])
def test_the_estimate_is_the_mean_over_all_subsets_and_all_lots(chosen: list[float]) -> None:
    worth = [0.3, 2.0, -1.0, 0.7, 1.1]
    lots = list(itertools.permutations(range(5)))
    for k in range(1, 6):
        subsets = list(itertools.combinations(range(5), k))
        bests = [worth[max(own, key=lambda i: (chosen[i], lot[i]))] for lot in lots for own in subsets]
        assert budget.expected(chosen, worth)[k - 1] == pytest.approx(np.mean(bests), abs=1e-12)


def test_the_best_of_uniform_draws_is_known() -> None:
    n = 200
    x = np.arange(1, n + 1) / (n + 1)
    k = np.arange(1, n + 1)
    assert budget.expected(x, x) == pytest.approx(k / (k + 1), abs=1e-12), "the grid's own order statistics"


def test_it_is_unbiased() -> None:
    draw = np.random.default_rng(1)
    found = np.mean([budget.expected(x, x) for x in draw.random((300, 6))], axis=0)
    assert found == pytest.approx([k / (k + 1) for k in range(1, 7)], abs=0.03)


def test_diverged_trials_are_chosen_last_and_worth_what_they_are() -> None:
    found = budget.expected([0.5, math.nan, -math.inf], [0.9, 0.1, 0.1])
    assert found == pytest.approx([1.1 / 3, (0.9 + 0.9 + 0.1) / 3, 0.9])
    with pytest.raises(ValueError, match="an outcome is not finite"):
        budget.expected([1.0, 2.0], [1.0, math.inf])
    with pytest.raises(ValueError, match=r"has shape \(2,\), and their outcomes \(3,\)"):
        budget.expected([1.0, 2.0], [1.0, 2.0, 3.0])


def test_the_best_of_a_few_over_several_tunings_is_the_mean_of_theirs() -> None:
    draw = np.random.default_rng(3)
    tables = [draw.random((6, 2)), 1 + draw.random((6, 2))]
    means = [budget.best_of(4, table)[0] for table in tables]
    mean, low, high = budget.best_of(4, *tables)
    assert mean == pytest.approx(np.mean(means))
    assert low < 1 < high, "the span holds what differs between the tunings"
