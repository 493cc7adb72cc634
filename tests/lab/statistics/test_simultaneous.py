"""Tests of all pairs at once: by hand, against SciPy, and how often they are wrong."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from support import first

from thalweg.lab.statistics import simultaneous, stats
from thalweg.lab.statistics.simultaneous import AllPairs, Standing, standings

DRAW = np.random.default_rng(0)


def test_ranks_know_order_ties_and_doubt() -> None:
    clear = {"a": np.full(8, 3.0), "b": np.full(8, 2.0), "c": np.full(8, 2.0), "d": np.full(8, -np.inf)}
    found = standings(clear, higher_is_better=True)
    assert {name: own.place for name, own in found.items()} == {"a": 1, "b": 2, "c": 2, "d": 4}
    assert (found["a"].low, found["a"].high) == (1, 1)
    assert (found["b"].low, found["b"].high) == (found["c"].low, found["c"].high) == (2, 3)
    lower = standings({"a": np.full(8, 3.0), "b": np.full(8, 2.0)}, higher_is_better=False)
    assert lower["b"].place == 1
    saw = np.array([1.0, -1.0] * 4)
    noisy = standings({"a": saw, "b": -saw, "c": saw + 9}, True)
    assert (noisy["c"].low, noisy["c"].high) == (1, 1)
    assert (noisy["a"].low, noisy["a"].high) == (noisy["b"].low, noisy["b"].high) == (2, 3)


def test_verdicts_separate_what_differs_and_nothing_else() -> None:
    base = DRAW.normal(0, 1, 15)
    scores = {"best": base + 1, "worse": base + DRAW.normal(0, 0.1, 15), "alike": base + 1 + DRAW.normal(-0.01, 0.2, 15)}
    found = standings(scores, higher_is_better=True)
    best = max(scores, key=lambda name: scores[name].mean())
    assert found[best].separable is False
    assert found["worse"].separable is True
    assert found["worse"].adjusted >= found["worse"].p
    alike = next(name for name in ("best", "alike") if name != best)
    assert found[alike].separable is False
    assert (found["worse"].low, found[best].high, found[alike].high) == (3, 2, 2), "ranks say what verdicts say"


def test_adjusted_by_hand() -> None:
    """Westfall & Young's step-down: of all signs, the share in which any pair not yet settled is as far apart."""
    table = np.random.default_rng(5).normal(size=(4, 7)) + np.array([0.0, 0.3, 0.6, 2.0])[:, None]
    keys = list(itertools.combinations(range(4), 2))

    def statistic(signs: np.ndarray, a: int, b: int) -> float:
        difference = signs * (table[a] - table[b])
        return float(abs(difference.sum()) / math.sqrt((difference**2).sum()))

    observed = {key: statistic(np.ones(7), *key) for key in keys}
    order = sorted(keys, key=lambda key: -observed[key])
    signs = [np.array(each) for each in itertools.product([-1.0, 1.0], repeat=7)]
    largest, adjusted = 0.0, {}
    for i, key in enumerate(order):
        count = sum(max(statistic(each, *other) for other in order[i:]) >= observed[key] - 1e-12 for each in signs)
        largest = adjusted[key] = max(largest, count / len(signs))
    found = AllPairs(table).adjusted
    for (a, b), p in adjusted.items():
        assert found[a, b] == found[b, a] == pytest.approx(p, abs=1e-12)
    assert 0.01 < min(adjusted.values()) < 0.05 < max(adjusted.values()) < 1


def test_too_few_seeds_prove_nothing() -> None:
    found = standings({"a": np.array([1.0, 1.1, 1.2]), "b": np.zeros(3)}, True)
    assert found["b"].separable is None
    assert (found["b"].low, found["b"].high) == (1, 2)
    assert found["b"].behind[0] < 0 < found["b"].behind[1]
    assert standings({"a": np.ones(1), "b": np.zeros(1)}, True)["b"].separable is None
    far = {"a": np.arange(5.0), "b": np.arange(5.0) + 100}
    assert standings(far, True)["a"].separable is None
    assert standings({name: np.append(own, own[-1] + 1) for name, own in far.items()}, True)["a"].separable is True


@pytest.mark.parametrize(("count", "seeds"), first([(8, 12), (2, 12), (8, 8)]))
def test_a_false_alarm_is_as_rare_as_promised_however_many_there_are(count: int, seeds: int) -> None:
    draw = np.random.default_rng(3)
    alarms, missed, tables = 0, 0, 300
    for _ in range(tables):
        found = AllPairs(draw.normal(size=seeds) + draw.normal(size=(count, seeds)))
        least, most = found.gaps()
        alarms += bool(found.better.any())
        missed += bool((least > 0).any() or (most < 0).any())
    assert alarms <= scipy_stats.binom.ppf(0.999, tables, 0.05), "Holm's correction against the best: about 36 of 8"
    assert missed <= scipy_stats.binom.ppf(0.999, tables, 0.05)
    assert alarms + missed > 0


def test_gaps_bound_the_lead_and_the_lag() -> None:
    draw = np.random.default_rng(8)
    truth = np.array([0.0, 0.5, 0.6, 3.0])
    behind = truth - np.array([0.5, 0.0, 0.0, 0.0])
    missed = 0
    for _ in range(200):
        least, most = AllPairs(draw.normal(size=10) + 0.5 * draw.normal(size=(4, 10)) + truth[:, None]).gaps()
        missed += not ((least <= behind) & (behind <= most)).all()
    assert missed <= scipy_stats.binom.ppf(0.999, 200, 0.05)
    assert least[3] > 1.5
    assert most[0] < 0.5


def test_level_is_shown_and_not_only_not_denied() -> None:
    base = DRAW.normal(0, 1, 12)
    near = base + DRAW.normal(0, 0.01, 12)
    found = standings({"a": base, "b": near, "far": base - 5}, True, margin=0.1)
    assert [own.level for own in found.values()] == [True, True, False]
    assert not any(own.level for own in standings({"a": base, "b": DRAW.normal(0, 1, 12)}, True, margin=0.1).values())
    assert not any(own.level for own in standings({"a": np.ones(12) + 0.5, "b": np.ones(12)}, True).values() if own.place > 1)
    few = standings({"a": base[:4], "b": near[:4]}, True, margin=0.1)
    assert not few["b"].level


def test_who_is_chosen_is_no_better_for_it() -> None:
    draw = np.random.default_rng(4)
    found, plain, covered = [], [], 0
    for _ in range(400):
        table = draw.normal(size=8) + draw.normal(size=(10, 8))
        mean, low, high = simultaneous.chosen(table)
        found.append(mean)
        plain.append(table.mean(axis=1).min())
        covered += low <= 0 <= high
    assert abs(np.mean(found)) < 3.5 * np.std(found) / 20
    assert np.mean(plain) < -0.4, "the lowest of ten means is too low"
    assert covered >= scipy_stats.binom.ppf(0.001, 400, 0.95)
    one = np.array([[1.0, 2.0, 3.0]])
    assert simultaneous.chosen(one) == stats.interval(one[0])
    assert simultaneous.chosen(np.ones((3, 5))) == (1, 1, 1)
    assert simultaneous.chosen(np.ones((3, 5)), besides=0.01)[1:] == pytest.approx((1 - 0.196, 1 + 0.196), abs=1e-3)


def test_runs_without_a_score_count_as_the_worst() -> None:
    scores = {"sound": DRAW.normal(0, 1, 15), "breaks": np.full(15, -np.inf)}
    found = standings(scores, True)
    assert found["breaks"].place == 2
    assert found["breaks"].separable is True
    both = standings({"a": np.full(9, -np.inf), "b": np.full(9, -np.inf)}, True)
    assert not any(own.separable for own in both.values())


def test_missing_scores_are_counted_before_the_others_are_read() -> None:
    scores = {
        "none missing": np.array([0.1, 0.1, 0.1, 0.1]),
        "one missing": np.array([0.9, 0.9, 0.9, math.nan]),
        "one missing, the rest worse": np.array([0.8, 0.9, 0.9, -math.inf]),
        "two missing": np.array([0.9, 0.9, math.nan, math.inf]),
    }
    places = {name: own.place for name, own in standings(scores, True).items()}
    assert list(places.values()) == [1, 2, 3, 4]
    flipped = {name: -row for name, row in scores.items()}
    assert {name: own.place for name, own in standings(flipped, False).items()} == places
    assert standings({"huge": np.full(3, 1e300), "small": np.ones(3)}, False)["huge"].place == 2


def test_the_same_scores_in_another_order_are_a_tie() -> None:
    row = np.array([0.1, 0.2, 0.3, 0.7, 0.77])
    other = next(o for seed in range(99) if (o := np.random.default_rng(seed).permutation(row)).mean() != row.mean())
    found = standings({"a": row, "b": other}, True)
    assert found["a"].place == found["b"].place == 1


def test_a_place_lies_within_its_interval_and_ties_share_the_better() -> None:
    crowd = {str(i): row for i, row in enumerate(np.random.default_rng(0).normal(size=(60, 7)))}
    found = standings(crowd, True)
    assert all(own.low <= own.place <= own.high for own in found.values())
    assert standings(dict(reversed(crowd.items())), True) == found, "whatever their order"
    assert [own.place for own in standings({name: np.ones(3) for name in "abcd"}, True).values()] == [1] * 4


@pytest.mark.parametrize("seeds", [2, 5, 9, 10])
def test_permutations_agree_with_scipys(seeds: int) -> None:
    difference = np.random.default_rng(seeds).normal(0.8, 1, seeds)
    test = scipy_stats.permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=2**seeds)
    found = standings({"a": np.zeros(seeds), "b": difference}, higher_is_better=True)
    worse = next(own for own in found.values() if own.place == 2)
    assert worse.p == worse.adjusted == pytest.approx(test.pvalue, abs=1e-12)


def test_many_seeds_are_sampled_and_never_certain() -> None:
    difference = np.random.default_rng(0).normal(0.3, 1, 30)
    found = standings({"a": np.zeros(30), "b": difference}, True)
    exact = scipy_stats.ttest_1samp(difference, 0).pvalue
    assert min(own.adjusted for own in found.values()) == pytest.approx(exact, abs=0.03)
    sure = standings({"a": np.zeros(30), "b": np.ones(30)}, True)
    assert 0 < sure["a"].adjusted < 1e-4


def test_one_optimizer_alone_is_the_best() -> None:
    assert standings({"a": np.ones(1)}, True) == {"a": Standing(1, 1, 1, 1.0, 1.0, False, (-math.inf, math.inf), False)}
