"""Tests of all pairs of optimizers over problems, and the groups of a critical-difference diagram.

Wilcoxon's signed-rank test on each pair, with Holm's correction for all pairs, as Benavoli et al. 2016 (JMLR 17:5) advise:
in the mean-rank tests of Demšar 2006 (JMLR 7:1), Friedman's and Nemenyi's, other optimizers affect whether two differ. With n
problems the smallest p-value is 2 / 2**n, so 6 problems are needed for one pair at 5 %, and more for many pairs. With too few
problems for any test to reach significance, the result says so and calls nothing different or alike.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats

from thalweg.lab.statistics import aggregate, stats
from thalweg.lab.statistics.aggregate import Scores
from thalweg.lab.statistics.stats import LEVEL, Floats


@dataclass(frozen=True)
class Pair:
    """Two optimizers: the p-value, the adjusted p-value, and whether they differ (None: too few problems to tell)."""

    p: float
    adjusted: float
    separable: bool | None


@dataclass(frozen=True)
class CriticalDifference:
    """The content of a critical-difference diagram.

    order: by mean rank, best first. pairs: by names in the given order. cliques: maximal groups of at least two neighbours of
    which no two differ; empty with too few problems. remark: the reason in that case, or "".
    """

    mean_rank: dict[str, float]
    order: list[str]
    pairs: dict[tuple[str, str], Pair]
    cliques: list[list[str]]
    remark: str


def least_problems(pairs: int = 1) -> int:
    """The fewest problems with which Wilcoxon's test, after Holm, can separate any of `pairs` pairs."""
    return math.ceil(math.log2(2 * pairs / LEVEL))


def critical_difference(scores: Scores, higher_is_better: bool) -> CriticalDifference:
    """The diagram of scores on a common scale for all problems, usually `aggregate.normalised` ones.

    Each problem enters with the mean over its seeds, and ranks are those of the means.
    """
    means = _means(scores, higher_is_better)
    problems = len(next(iter(means.values())))
    values = {(a, b): signed_rank(means[a] - means[b]) for a, b in itertools.combinations(scores, 2)}
    adjusted, least = stats.holm(values), least_problems(max(1, len(values)))
    powerless = problems < least
    pairs = {key: Pair(p, adjusted[key], None if powerless else adjusted[key] <= LEVEL) for key, p in values.items()}
    mean_rank = aggregate.mean_rank(scores, higher_is_better)
    order = sorted(mean_rank, key=mean_rank.__getitem__)
    cliques = [] if powerless else _cliques(order, {key for key, pair in pairs.items() if pair.separable})
    return CriticalDifference(mean_rank, order, pairs, cliques, _remark(problems, least, len(values)) if powerless else "")


def _remark(problems: int, least: int, pairs: int) -> str:
    return (
        f"{problems} problem{' is' if problems == 1 else 's are'} too few to say who differs from whom: for "
        f"{f'{pairs} pairs' if pairs > 1 else 'one pair'} Wilcoxon's test, after Holm, needs {least}"
    )


def _means(scores: Scores, higher_is_better: bool) -> dict[str, Floats]:
    """The mean over seeds for each problem, lower is better: (problems,)."""
    problems = list(next(iter(scores.values())))
    table = np.stack(
        [stats.settled({name: own[p] for name, own in scores.items()}, higher_is_better).mean(axis=1) for p in problems], axis=1
    )
    return dict(zip(scores, stats.rounded(table), strict=True))


def signed_rank(difference: Floats) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test, 1 where all differences are 0.

    Exact without ties, and with ties up to 16 problems, by vectorised enumeration of all signs (SciPy takes 0.3 s for
    twelve). A zero keeps its rank but has no sign (Pratt 1959).
    """
    sizes = np.abs(difference)
    if not sizes.any():
        return 1.0
    if len(sizes) <= stats.EXACT:
        return stats.permutation(np.sign(difference) * scipy_stats.rankdata(sizes))
    plain = len(np.unique(sizes)) == len(sizes) and sizes.all()
    return float(scipy_stats.wilcoxon(difference, zero_method="pratt", method="exact" if plain else "asymptotic").pvalue)


def _cliques(order: Sequence[str], differ: set[tuple[str, str]]) -> list[list[str]]:
    found: list[list[str]] = []
    for i in range(len(order)):
        group = [order[i]]
        for name in order[i + 1 :]:
            if any((a, name) in differ or (name, a) in differ for a in group):
                break
            group.append(name)
        if len(group) > 1 and not any(set(group) <= set(other) for other in found):
            found.append(group)
    return found


def alike(found: CriticalDifference) -> Mapping[str, list[str]]:
    """For each optimizer, those that are not separable from it."""
    return {
        name: [b if a == name else a for (a, b), pair in found.pairs.items() if name in (a, b) and pair.separable is not True]
        for name in found.order
    }
