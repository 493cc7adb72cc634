"""Aggregates over problems, against the definitions written out."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.lab.statistics import aggregate, shares

DRAW = np.random.default_rng(0)
SCORES = {name: {problem: DRAW.normal(i, 1, 8) for problem in "wxyz"} for i, name in enumerate("abc")}


def test_normalised_is_the_share_of_the_way_for_losses_and_accuracies_alike() -> None:
    losses = {"a": {"p": np.array([2.0, 1.0, 0.5, 3.0, np.inf, np.nan])}}
    assert shares.normalised(losses, {"p": 2.0}, {"p": 1.0})["a"]["p"].tolist() == [0, 1, 1.5, 0, 0, 0]
    accuracies = {"a": {"p": np.array([0.1, 0.9, 0.5, 0.05, -np.inf])}}
    found = shares.normalised(accuracies, {"p": 0.1}, {"p": 0.9})["a"]["p"]
    assert found == pytest.approx([0, 1, 0.5, 0, 0])
    with pytest.raises(ValueError, match="p: from its start 1 to its best 1"):
        shares.normalised(losses, {"p": 1.0}, {"p": 1.0})


def test_the_interquartile_mean_is_the_mean_of_the_middle_half() -> None:
    found = aggregate.interquartile_means(SCORES)
    for name, own in SCORES.items():
        pooled = np.sort(np.concatenate(list(own.values())))
        assert found[name].value == pytest.approx(pooled[8:24].mean())
        assert found[name].low < found[name].value < found[name].high
    assert found == aggregate.interquartile_means(SCORES), "drawn from a fixed seed"


def test_its_interval_is_as_wide_as_the_spread_of_new_samples() -> None:
    draw = np.random.default_rng(1)
    again = [{"a": {p: draw.normal(size=5) for p in "uvwxyz"}} for _ in range(150)]
    found = [aggregate.interquartile_means(scores)["a"] for scores in again]
    width = np.mean([estimate.high - estimate.low for estimate in found])
    assert 0.85 < width / (2 * 1.96 * np.std([estimate.value for estimate in found])) < 1.2
    assert 0.88 < np.mean([estimate.low <= 0 <= estimate.high for estimate in found]) <= 1


def test_seeds_are_drawn_within_their_problem() -> None:
    constant = {"a": {"p": np.zeros(5), "q": np.full(5, 9.0)}}
    assert aggregate.interquartile_means(constant)["a"] == shares.Estimate(4.5, 4.5, 4.5)


def test_mean_ranks_average_the_ranks_of_means() -> None:
    scores = {"a": {"p": np.array([1.0, 3.0]), "q": np.array([5.0, 5.0])}, "b": {"p": np.array([2.0, 2.0]), "q": np.array([4.0, np.nan])},
              "c": {"p": np.array([0.0, 0.0]), "q": np.array([6.0, 6.0])}}  # fmt: skip
    found = aggregate.mean_ranks(scores, higher_is_better=True)
    assert [found[name].value for name in "abc"] == [(1.5 + 2) / 2, (1.5 + 3) / 2, (3 + 1) / 2]
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in found.values())
    flipped = aggregate.mean_ranks({name: {p: -x for p, x in own.items()} for name, own in scores.items()}, False)
    assert [flipped[name].value for name in "abc"] == [found[name].value for name in "abc"]


def test_who_is_left_out_can_decide_who_wins() -> None:
    times = {"a": {"p": 1.0, "q": 9.0}, "b": {"p": 4.0, "q": 4.0}, "c": {"p": 9.0, "q": 1.0}}

    def shares(pool: dict[str, dict[str, float]]) -> dict[str, float]:
        return {n: -sum(t / min(o[p] for o in pool.values()) for p, t in own.items()) for n, own in pool.items()}

    assert aggregate.places(shares(times)) == {"a": 2, "b": 1, "c": 2}
    assert aggregate.without_each_optimizer(times, shares) == {
        "a": {"b": 2, "c": 1},
        "b": {"a": 1, "c": 1},
        "c": {"a": 1, "b": 2},
    }
    assert aggregate.without_each_problem(times, shares) == {"p": {"a": 3, "b": 2, "c": 1}, "q": {"a": 1, "b": 2, "c": 3}}
    assert (
        aggregate.without_each_problem({"a": {"p": 1.0}}, shares)
        == {}
        == aggregate.without_each_optimizer({"a": {"p": 1.0}}, shares)
    )
