"""Power, against SciPy, published values and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from thalweg.lab.statistics import power, stats


def test_published_values() -> None:
    # Cohen 1988, table 2.3: half a standard deviation, paired, two-sided, 5 %, 80 %
    assert power.seeds_needed(0.5) == 34
    assert power.power(0.5, 34) == pytest.approx(0.808, abs=5e-4)
    assert power.power(0.0, 20) == pytest.approx(0.05, abs=1e-9), "without an effect, the level"


def test_the_three_questions_are_one() -> None:
    for seeds, level in ((8, 0.05), (15, 0.01), (40, 0.003)):
        effect = power.detectable(seeds, level)
        assert power.power(effect, seeds, level) == pytest.approx(0.8, abs=1e-9)
        assert power.seeds_needed(effect + 1e-9, level) == seeds
    assert power.seeds_needed(-0.5) == power.seeds_needed(0.5)
    assert power.seeds_needed(0.0) is None
    assert power.seeds_needed(1e-4) is None


def test_a_stricter_level_sees_less() -> None:
    draws = np.random.default_rng(2).normal(0.9, 1, (20000, 12))
    found = np.mean(scipy_stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.01)
    assert power.power(0.9, 12, level=0.01) == pytest.approx(found, abs=0.012)
    assert power.power(0.9, 12, level=0.01) < power.power(0.9, 12) - 0.1


def test_too_few_seeds_see_nothing_at_all() -> None:
    assert power.least_seeds() == 6
    assert power.power(100.0, 5) == 0
    assert math.isinf(power.detectable(5))
    assert math.isinf(power.detectable(6, 0.0))
    assert power.seeds_needed(1e6) == 6


def test_many_pairs_share_the_level() -> None:
    draw = np.random.default_rng(3)
    alone = power.level_of_one(draw.normal(size=(2, 12)))
    assert alone == pytest.approx(0.05, abs=0.02)
    assert 0.05 / 190 < power.level_of_one(draw.normal(size=(20, 12))) < 0.005


@pytest.mark.parametrize(("seeds", "effect"), [(10, 0.7), (14, 0.6)])
def test_the_lab_finds_as_often_as_predicted(seeds: int, effect: float) -> None:
    draws = np.random.default_rng(0).normal(effect, 1, (500, seeds))
    found = np.mean([stats.permutation(difference) <= 0.05 for difference in draws])
    predicted = power.power(effect, seeds)
    assert abs(found - predicted) < 3.5 * math.sqrt(predicted * (1 - predicted) / 500)


def test_power_agrees_with_students_test() -> None:
    draws = np.random.default_rng(1).normal(0.9, 1, (20000, 7))
    assert np.mean(scipy_stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05) == pytest.approx(power.power(0.9, 7), abs=0.012)


def test_the_next_pair() -> None:
    saw = np.array([1.0, -1.0] * 6) * math.sqrt(11 / 12)  # of standard deviation 1
    scores = {"best": np.zeros(12), "near": saw - 0.1, "next": saw[::-1] - 0.5, "far": saw - 9.0}
    found = power.sight(scores, higher_is_better=True)
    assert found.pair == ("best", "next")
    level = power.level_of_one(np.stack(list(scores.values())))
    assert 2 * 12 < (power.seeds_needed(0.5, level) or 0) < 10 * 12
    assert found.times == "several times as many"
    assert found.smallest == pytest.approx(power.detectable(12, level))
    flipped = power.sight({name: -own for name, own in scores.items()}, higher_is_better=False)
    assert flipped == found


def test_nothing_to_settle() -> None:
    alone = power.Sight(math.inf, None, None)
    assert power.sight({"a": np.ones(9)}, True) == alone
    assert power.sight({"a": np.ones(1), "b": np.ones(1)}, True) == alone
    same = power.sight({"a": np.ones(9), "b": np.ones(9)}, True)
    assert (same.smallest, same.pair) == (0.0, None)
