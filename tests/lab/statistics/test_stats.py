"""The lab's statistics on known values and on hostile ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from thalweg.lab.statistics import stats


@pytest.mark.parametrize("seeds", [3, 5, 15])
def test_an_interval_covers_as_often_as_it_says(seeds: int) -> None:
    draws = np.random.default_rng(1).normal(size=(400, seeds))
    found = [stats.interval(sample) for sample in draws]
    covered = np.mean([low <= 0 <= high for _, low, high in found])
    assert 0.93 <= covered <= 0.98, "a bootstrap's expanded percentiles cover 0.76, 0.93 and 0.95"
    assert found[0][1:] == pytest.approx(scipy_stats.t.interval(0.95, seeds - 1, draws[0].mean(), scipy_stats.sem(draws[0])))


def test_an_interval_counts_what_the_seeds_share() -> None:
    """Each sample's mean is off by the test set's luck, which no seed shows."""
    draw = np.random.default_rng(2)
    luck = draw.normal(0, 0.5, size=(400, 1))
    samples = luck + draw.normal(size=(400, 8))
    found = np.array([stats.interval(sample, besides=0.25)[1:] for sample in samples])
    assert 0.93 <= np.mean((found[:, 0] <= 0) & (found[:, 1] >= 0)) <= 0.98
    alone = np.array([stats.interval(sample)[1:] for sample in samples])
    assert np.mean((alone[:, 0] <= 0) & (alone[:, 1] >= 0)) < 0.85
    assert stats.interval(np.full(5, 0.9), besides=0.01)[1:] == pytest.approx((0.9 - 0.196, 0.9 + 0.196), abs=1e-3)
    sample = samples[0]
    _, low, high = stats.interval(sample)
    _, lower, higher = stats.interval(sample, confidence=0.5)
    assert low < lower < higher < high


def test_divergence_is_bounded_below() -> None:
    assert stats.least_divergence(0, 15) == 0
    found = stats.least_divergence(8, 15)
    assert found == pytest.approx(scipy_stats.binomtest(8, 15, alternative="greater").proportion_ci(0.95).low)
    assert stats.least_divergence(8, 15, rows=20) < found
    wrong = [stats.least_divergence(int(k), 15) > 0.2 for k in np.random.default_rng(0).binomial(15, 0.2, 2000)]
    assert np.mean(wrong) <= 0.05


@pytest.mark.parametrize("sample", [[3.0], [2.0] * 5, [1.0, math.inf], [-math.inf, 1.0]])
def test_an_interval_survives_anything(sample: list[float]) -> None:
    mean, low, high = stats.interval(np.array(sample))
    assert mean == low == high == np.mean(sample)


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
