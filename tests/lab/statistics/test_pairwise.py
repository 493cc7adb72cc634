"""Pairs over problems, against SciPy and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats as scipy_stats

from thalweg.lab.statistics import pairwise

PROBLEMS = [f"p{i}" for i in range(12)]


def scores(means: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    return {name: {f"p{i}": np.array([mean, mean]) for i, mean in enumerate(own)} for name, own in means.items()}


def test_signed_ranks_agree_with_all_signs() -> None:
    draw = np.random.default_rng(0)
    for difference in (
        draw.normal(size=8),
        np.array([1.0, -1.0, 2.0, 2.0, 3.0, 0.0, 4.0]),
        np.array([0, 0, 0, 1.0, 2, -3, 4, 5]),
    ):
        ranks = np.where(difference == 0, 0, scipy_stats.rankdata(np.abs(difference)))
        signs = np.array(list(itertools.product([-1, 1], repeat=len(difference))))
        expected = np.mean(np.abs(signs @ ranks) >= abs(np.sign(difference) @ ranks) - 1e-9)
        assert pairwise.signed_rank(difference) == pytest.approx(expected, abs=1e-12)
    assert pairwise.signed_rank(np.zeros(5)) == 1


def test_fewer_than_six_problems_prove_nothing() -> None:
    five = pairwise.critical_difference(scores({"a": np.arange(5.0), "b": np.arange(5.0) + 9.5}), True)
    assert five.remark == "5 problems are too few to separate any two optimizers: Wilcoxon's test needs 6"
    assert five.cliques == []
    assert five.pairs["a", "b"].separable is None
    assert five.pairs["a", "b"].p == 0.0625
    six = pairwise.critical_difference(scores({"a": np.arange(6.0), "b": 2.5 * np.arange(6.0) + 9.5}), True)
    assert six.pairs["a", "b"].separable is True
    assert six.remark == ""


def test_worse_is_whom_some_other_one_beats() -> None:
    draw = np.random.default_rng(0)
    base = draw.normal(size=12)
    found = pairwise.critical_difference(scores({"a": base, "b": base + draw.normal(0, 1, 12), "last": base - 9}), True)
    assert {name: pair.separable for name, pair in found.worse.items()} == {"a": False, "b": False, "last": True}
    assert found.worse["last"].adjusted == min(found.pairs["a", "last"].adjusted, found.pairs["b", "last"].adjusted)
    assert found.worse[found.order[0]].adjusted == 1


def test_problems_on_the_same_data_are_one_witness() -> None:
    means = {"a": np.zeros(8), "b": np.arange(8.0) + 9.5}
    assert pairwise.critical_difference(scores(means), True).pairs["a", "b"].separable is True
    found = pairwise.critical_difference(
        scores(means), True, lambda problem: "digits" if problem in ("p0", "p1", "p2", "p3") else problem
    )
    assert found.remark.startswith("5 problems are too few")
    assert found.worse["a"].separable is None


def test_order_and_cliques() -> None:
    draw = np.random.default_rng(0)
    base = draw.normal(size=12)
    means = {
        "last": base - 5,
        "first": base + draw.normal(0.3, 1, 12),
        "close": base + draw.normal(0, 1, 12),
        "also last": base - 5 + draw.normal(0, 0.5, 12),
    }
    found = pairwise.critical_difference(scores(means), higher_is_better=True)
    assert found.order[:2] == ["first", "close"]
    assert {frozenset(clique) for clique in found.cliques} == {frozenset({"first", "close"}), frozenset({"last", "also last"})}
    flipped = pairwise.critical_difference(scores({name: -own for name, own in means.items()}), higher_is_better=False)
    assert (flipped.order, flipped.pairs) == (found.order, found.pairs)


def test_cliques_may_overlap_and_are_the_largest() -> None:
    assert pairwise._cliques("abcd", {("a", "d"), ("d", "b")}) == [["a", "b", "c"], ["c", "d"]]
    assert pairwise._cliques("abc", set(itertools.combinations("abc", 2))) == []
    assert pairwise._cliques("abcd", {("b", "c")}) == [["a", "b"], ["c", "d"]]


def test_one_optimizer_called_by_many_names_is_seldom_told_apart() -> None:
    draw = np.random.default_rng(1)
    alarms = sum(
        any(
            p.separable
            for p in pairwise.critical_difference(scores({n: draw.normal(size=12) for n in "abc"}), True).pairs.values()
        )
        for _ in range(100)
    )
    assert alarms <= scipy_stats.binom.ppf(0.999, 100, 0.05)


def test_diverged_runs_count_as_the_worst() -> None:
    means = {"a": np.arange(12.0), "b": np.full(12, -np.inf)}
    found = pairwise.critical_difference(scores(means), True)
    assert found.order == ["a", "b"]
    assert found.pairs["a", "b"].separable is True
