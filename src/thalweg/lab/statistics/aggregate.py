"""Aggregates over problems: interquartile means, mean ranks, and leave-one-out places.

Scores are a number for each (optimizer, problem, seed), all oriented one way. Intervals are bootstrap intervals over seeds,
resampled within each problem (stratified) and jointly for all optimizers (paired): they show the effect of other seeds *on
these problems*. For the effect of other problems see `without_each_problem`; the problems are not treated as a random sample.

A percentile interval of n seeds is too narrow by sqrt((n - 1) / n), which matters for n = 5. So the expanded percentiles of
Hesterberg (2015, The American Statistician 69:371) are used, as in `stats.interval`, with the degrees of freedom of all
problems together.

In simulations of 300 samples of three optimizers on six problems of unequal spread, intervals of the interquartile mean
covered the true value in 93 % with 5 seeds and 95 % with 10, for normal and exponential scores (plain percentiles: 88 to
93 %); those of the probability of improvement in 94 to 98 %; those of mean ranks in 93 to 100 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy import stats as scipy_stats

from thalweg.lab.statistics import stats
from thalweg.lab.statistics.shares import Estimate, Scores
from thalweg.lab.statistics.stats import RESAMPLES, Floats

OneProblem = TypeVar("OneProblem")


def interquartile_means(scores: Scores, seed: int = 0) -> dict[str, Estimate]:
    """The interquartile mean of all runs of an optimizer, all problems pooled (Agarwal et al. 2021, arXiv 2108.13264).

    Takes `normalised` scores, higher is better. The best and the worst quarter of the runs do not count, so failing on one
    problem of four costs nothing here; it shows in `mean_ranks`.
    """
    tables = [np.stack([np.asarray(own[problem], float) for own in scores.values()]) for problem in _problems(scores)]
    value = scipy_stats.trim_mean(np.concatenate(tables, axis=1), 0.25, axis=1)
    again = scipy_stats.trim_mean(np.concatenate(_redrawn(tables, seed), axis=2), 0.25, axis=2)
    return _estimates(scores, value, again)


def mean_ranks(scores: Scores, higher_is_better: bool, seed: int = 0) -> dict[str, Estimate]:
    """Each optimizer's rank by the mean over seeds (1 is best), averaged over problems. Ties share the middle rank.

    Needs no common scale. In resamples close optimizers swap places, so an interval extends further towards the middle of
    the table than away from it.
    """
    tables = _settled(scores, higher_is_better)
    again = np.mean([_places(drawn.mean(axis=2)) for drawn in _redrawn(tables, seed)], axis=0)
    return _estimates(scores, _mean_places(tables), again)


def mean_rank(scores: Scores, higher_is_better: bool) -> dict[str, float]:
    """`mean_ranks` without the intervals, a thousand times as fast."""
    return dict(zip(scores, _mean_places(_settled(scores, higher_is_better)).tolist(), strict=True))


def _settled(scores: Scores, higher_is_better: bool) -> list[Floats]:
    """Each problem's table (optimizers, seeds), lower is better."""
    return [
        stats.settled({name: own[problem] for name, own in scores.items()}, higher_is_better) for problem in _problems(scores)
    ]


def _mean_places(tables: Sequence[Floats]) -> Floats:
    means: Floats = np.mean([_places(table.mean(axis=1)) for table in tables], axis=0)
    return means


def _places(means: Floats) -> Floats:
    places: Floats = scipy_stats.rankdata(stats.rounded(means), axis=0)
    return places


def _problems(scores: Scores) -> Sequence[str]:
    return list(next(iter(scores.values())))


def _redrawn(tables: Sequence[Floats], seed: int) -> list[Floats]:
    """Each problem's table (optimizers, seeds) with resampled seeds: (optimizers, RESAMPLES, seeds)."""
    draw = np.random.default_rng(seed)
    return [table[:, draw.integers(table.shape[1], size=(RESAMPLES, table.shape[1]))] for table in tables]


def _outside(tables: Sequence[Floats]) -> tuple[float, float]:
    """The ends of the expanded percentile interval, as quantile levels."""
    count = np.mean([table.shape[1] for table in tables])
    freedom = sum(table.shape[1] - 1 for table in tables)
    if freedom == 0:
        return 0.0, 1.0
    low = stats.outside_of(float(count), freedom)
    return low, 1 - low


def _estimates(scores: Scores, value: Floats, again: Floats) -> dict[str, Estimate]:
    tables = [np.empty((1, len(seeds))) for seeds in next(iter(scores.values())).values()]
    low, high = np.quantile(again, _outside(tables), axis=1)
    return {
        name: Estimate(float(v), float(min(a, v)), float(max(b, v)))
        for name, v, a, b in zip(scores, value, low, high, strict=True)
    }


Ranking = Callable[[Mapping[str, Mapping[str, OneProblem]]], Mapping[str, float]]
"""Maps scores (or times, or other values per problem) to a number for each optimizer, higher is better."""


def without_each_optimizer(
    scores: Mapping[str, Mapping[str, OneProblem]], ranking: Ranking[OneProblem]
) -> dict[str, dict[str, int]]:
    """The others' places when an optimizer is removed from the pool, by the removed optimizer.

    With a score relative to the pool (a share of the way to its best, a ratio to its fastest, a rank), removing one may
    change the order of the others (Gould & Scott 2016, ACM TOMS 43:15, for performance profiles). `ranking` must include
    everything that depends on the pool, such as normalisation.
    """
    return {out: places(ranking({name: own for name, own in scores.items() if name != out})) for out in scores if len(scores) > 1}


def without_each_problem(
    scores: Mapping[str, Mapping[str, OneProblem]], ranking: Ranking[OneProblem]
) -> dict[str, dict[str, int]]:
    """All places when a problem is removed, by the removed problem."""
    problems = list(next(iter(scores.values())))
    return {
        out: places(ranking({name: {p: x for p, x in own.items() if p != out} for name, own in scores.items()}))
        for out in problems
        if len(problems) > 1
    }


def places(values: Mapping[str, float]) -> dict[str, int]:
    """Places by a number, 1 for the highest. Ties share the better place."""
    found = scipy_stats.rankdata(stats.rounded(-np.array(list(values.values()), float)), method="min")
    return {name: int(place) for name, place in zip(values, found, strict=True)}
