"""The lab's statistics on known values and on hostile ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from thalweg.lab.statistics import stats

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("seeds", [7, 10, 15])
def test_an_interval_covers_as_often_as_it_says(seeds: int) -> None:
    draws = np.random.default_rng(1).normal(size=(400, seeds))
    found = [stats.interval(sample) for sample in draws]
    covered = np.mean([low <= 0 <= high for _, low, high in found])
    assert 0.93 <= covered <= 0.98, "the plain percentile interval covers 0.91, 0.91 and 0.93"
    assert all(low <= mean <= high for mean, low, high in found)
    assert all(sample.min() <= low and high <= sample.max() for sample, (_, low, high) in zip(draws, found, strict=True))


def test_an_interval_is_as_wide_as_students() -> None:
    for seeds in (8, 200):
        samples = np.random.default_rng(2).normal(size=(100, seeds))
        found = np.array([stats.interval(sample)[1:] for sample in samples])
        half = scipy_stats.t.ppf(0.975, seeds - 1) * scipy_stats.sem(samples, axis=1)
        assert 0.94 < np.mean((found[:, 1] - found[:, 0]) / (2 * half)) < 1.02, "the plain percentile: 0.79 for eight seeds"
    sample = samples[0]
    _, low, high = stats.interval(sample)
    _, lower, higher = stats.interval(sample, confidence=0.5)
    assert low < lower < higher < high
    assert stats.interval(sample) == stats.interval(sample)


@pytest.mark.parametrize("sample", [[3.0], [2.0] * 5, [1.0, math.inf], [-math.inf, 1.0]])
def test_an_interval_survives_anything(sample: list[float]) -> None:
    mean, low, high = stats.interval(np.array(sample))
    assert mean == low == high == np.mean(sample)


def test_ranks_know_order_ties_and_doubt() -> None:
    clear = {"a": np.full(8, 3.0), "b": np.full(8, 2.0), "c": np.full(8, 2.0), "d": np.full(8, -np.inf)}
    found = stats.ranks(clear, higher_is_better=True)
    assert {name: rank.place for name, rank in found.items()} == {"a": 1, "b": 2, "c": 2, "d": 4}
    assert (found["a"].low, found["a"].high) == (1, 1)
    lower = stats.ranks({"a": np.full(8, 3.0), "b": np.full(8, 2.0)}, higher_is_better=False)
    assert lower["b"].place == 1
    saw = np.array([1.0, -1.0] * 4)
    noisy = stats.ranks({"a": saw, "b": -saw, "c": saw + 9}, True)
    assert (noisy["c"].low, noisy["c"].high) == (1, 1)
    assert (noisy["a"].low, noisy["a"].high) == (noisy["b"].low, noisy["b"].high) == (2, 3)


def test_verdicts_separate_what_differs_and_nothing_else() -> None:
    base = DRAW.normal(0, 1, 15)
    scores = {"best": base + 1, "worse": base + DRAW.normal(0, 0.1, 15), "alike": base + 1 + DRAW.normal(-0.01, 0.2, 15)}
    found = stats.compare_to_best(scores, higher_is_better=True)
    best = max(scores, key=lambda name: scores[name].mean())
    assert found[best].separable is False
    assert found["worse"].separable is True
    assert found["worse"].adjusted >= found["worse"].p
    alike = next(name for name in ("best", "alike") if name != best)
    assert found[alike].separable is False


def test_too_few_seeds_prove_nothing() -> None:
    found = stats.compare_to_best({"a": np.array([1.0, 1.1, 1.2]), "b": np.zeros(3)}, True)
    assert found["b"].separable is None
    assert stats.compare_to_best({"a": np.ones(1), "b": np.zeros(1)}, True)["b"].separable is None


def test_a_false_alarm_is_as_rare_as_promised() -> None:
    draw = np.random.default_rng(3)
    alarms = 0
    for _ in range(60):
        shared = draw.normal(size=12)
        found = stats.compare_to_best({name: shared + draw.normal(size=12) for name in "abcd"}, True)
        alarms += any(v.separable for v in found.values())
    assert alarms <= 9, "against the best of four, at most about one in ten"


def test_runs_without_a_score_count_as_the_worst() -> None:
    scores = {"sound": DRAW.normal(0, 1, 15), "breaks": np.full(15, -np.inf)}
    assert stats.ranks(scores, True)["breaks"].place == 2
    assert stats.compare_to_best(scores, True)["breaks"].separable is True
    both = stats.compare_to_best({"a": np.full(9, -np.inf), "b": np.full(9, -np.inf)}, True)
    assert not any(v.separable for v in both.values())


def test_missing_scores_are_counted_before_the_others_are_read() -> None:
    scores = {
        "none missing": np.array([0.1, 0.1, 0.1, 0.1]),
        "one missing": np.array([0.9, 0.9, 0.9, math.nan]),
        "one missing, the rest worse": np.array([0.8, 0.9, 0.9, -math.inf]),
        "two missing": np.array([0.9, 0.9, math.nan, math.inf]),
    }
    places = {name: rank.place for name, rank in stats.ranks(scores, True).items()}
    assert list(places.values()) == [1, 2, 3, 4]
    flipped = {name: -row for name, row in scores.items()}
    assert {name: rank.place for name, rank in stats.ranks(flipped, False).items()} == places
    assert stats.ranks({"huge": np.full(3, 1e300), "small": np.ones(3)}, False)["huge"].place == 2


def test_the_same_scores_in_another_order_are_a_tie() -> None:
    row = np.array([0.1, 0.2, 0.3, 0.7, 0.77])
    other = next(o for seed in range(99) if (o := np.random.default_rng(seed).permutation(row)).mean() != row.mean())
    found = stats.ranks({"a": row, "b": other}, True)
    assert found["a"].place == found["b"].place == 1


def test_a_place_lies_within_its_interval_and_ties_share_the_better() -> None:
    crowd = {str(i): row for i, row in enumerate(np.random.default_rng(0).normal(size=(150, 5)))}
    assert all(rank.low <= rank.place <= rank.high for rank in stats.ranks(crowd, True).values())
    assert [rank.place for rank in stats.ranks({name: np.ones(3) for name in "abcd"}, True).values()] == [1] * 4


@pytest.mark.parametrize("seeds", [2, 5, 9, 10])
def test_permutations_agree_with_scipys(seeds: int) -> None:
    difference = np.random.default_rng(seeds).normal(0.8, 1, seeds)
    test = scipy_stats.permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=2**seeds)
    found = stats.compare_to_best({"a": np.zeros(seeds), "b": difference}, higher_is_better=True)
    assert min(v.p for v in found.values()) == pytest.approx(test.pvalue, abs=1e-12)


def test_many_seeds_are_sampled_and_never_certain() -> None:
    difference = np.random.default_rng(0).normal(0.3, 1, 30)
    found = stats.compare_to_best({"a": np.zeros(30), "b": difference}, True)
    assert min(v.p for v in found.values()) == pytest.approx(scipy_stats.ttest_1samp(difference, 0).pvalue, abs=0.03)
    sure = stats.compare_to_best({"a": np.zeros(30), "b": np.ones(30)}, True)
    assert 0 < sure["a"].p < 1e-4


def test_adjusted_after_holm() -> None:
    draw = np.random.default_rng(5)
    scores = {"best": np.zeros(12), **{f"r{i}": -0.2 * i + draw.normal(0, 0.4, 12) for i in range(1, 5)}}
    found = stats.compare_to_best(scores, True)
    best = max(scores, key=lambda name: scores[name].mean())
    ps = sorted((v.p, v.adjusted) for name, v in found.items() if name != best)
    largest = 0.0
    for i, (p, adjusted) in enumerate(ps):
        largest = max(largest, min(1.0, p * (4 - i)))
        assert adjusted == pytest.approx(largest)


def test_one_optimizer_alone_is_the_best() -> None:
    assert stats.ranks({"a": np.ones(1)}, True) == {"a": stats.Rank(1, 1, 1)}
    assert stats.compare_to_best({"a": np.ones(1)}, True)["a"].separable is False


def test_steps_and_widths() -> None:
    assert stats.steps_to(0.5, [1.0, 0.6, 0.4, 0.7], [0, 10, 20, 30]) == 20
    assert stats.steps_to(0.1, [1.0, math.nan, math.inf], [0, 10, 20]) == math.inf
    rates = [1e-3, 1e-3, 1e-2, 1e-2, 1e-1, 1e-1, 1.0, 1.0]
    ends = [0.9, 0.9, 0.1, 0.1, 0.1, 0.1, math.inf, math.inf]
    limit = 0.1 + 0.05 * (1.0 - 0.1)
    assert stats.width(rates, ends, start=1.0, near=0.05) == pytest.approx(1 + (limit - 0.1) / (0.9 - 0.1))
    assert stats.width(rates, ends, start=0.1, near=0.05) == pytest.approx(1.0), "from the first as good as the best to the last"
    assert stats.width(rates, ends[:-2] + [math.nan] * 2, start=0.1, near=0.05) == pytest.approx(1.0)
    assert stats.width([1e-2, 1e-1, 1.0], [0.5, 0.1, 0.5], start=1.1, near=0.2) == pytest.approx(1.0), (
        "half of a decade to each side"
    )
    assert stats.width([1.0, 1e-2, 1e-1], [0.5, 0.5, 0.1], start=1.1, near=0.2) == pytest.approx(1.0), "in any order"
    assert stats.width(rates, [math.inf] * 8, start=1.0, near=0.05) == 0.0
    assert stats.width([0.1], [1.0], start=2.0, near=0.05) == 0.0
    assert stats.width([], [], start=2.0, near=0.05) == 0.0
