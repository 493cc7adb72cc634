"""Tests of all pairs of optimizers over problems, and the groups of a critical-difference diagram.

Wilcoxon's signed-rank test on each pair, as Benavoli et al. 2016 (JMLR 17:5) advise: in the mean-rank tests of Demšar 2006 (JMLR
7:1), Friedman's and Nemenyi's, other optimizers affect whether two differ. All pairs are tested at once by the step-down maximum
of `simultaneous`, which counts that the best was chosen among many. The smallest p-value of n problems is 2 / 2**n, so 6 are
needed for 5 %. With fewer the result says so and calls nothing different or alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats

from thalweg.lab.statistics import aggregate, power, simultaneous, stats
from thalweg.lab.statistics.shares import Scores
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

    order: by mean rank, best first. pairs: by names in the given order. worse: for each optimizer the adjusted p-value of there
    being none that is better, and whether one is (None: too few problems to tell). cliques: maximal groups of at least two
    neighbours of which no two differ; empty with too few problems. remark: the reason in that case, or "".
    """

    mean_rank: dict[str, float]
    order: list[str]
    pairs: dict[tuple[str, str], Pair]
    worse: dict[str, Pair]
    cliques: list[list[str]]
    remark: str


def critical_difference(
    scores: Scores, higher_is_better: bool, data_of: Callable[[str], str] = lambda problem: problem
) -> CriticalDifference:
    """The diagram of scores on a common scale for all problems, usually `shares.normalised` ones.

    Each problem enters with the mean over its seeds, and ranks are those of the means. data_of: the name of a problem's data;
    in the tests problems on the same data enter with their mean, as one.
    """
    means = _by_data(_means(scores, higher_is_better), list(map(data_of, next(iter(scores.values())))))
    problems = len(next(iter(means.values())))
    powerless = problems < power.least_seeds()
    pairs = all_pairs(means)
    mean_rank = aggregate.mean_rank(scores, higher_is_better)
    order = sorted(mean_rank, key=mean_rank.__getitem__)
    cliques = [] if powerless else _cliques(order, {key for key, pair in pairs.items() if pair.separable})
    worse = _worse(means, pairs, order[0])
    return CriticalDifference(mean_rank, order, pairs, worse, cliques, _remark(problems) if powerless else "")


def _by_data(means: Mapping[str, Floats], data: Sequence[str]) -> dict[str, Floats]:
    """The mean over the problems on the same data."""
    same = [np.array([name == other for other in data]) for name in dict.fromkeys(data)]
    return {name: np.array([own[which].mean() for which in same]) for name, own in means.items()}


def _worse(means: Mapping[str, Floats], pairs: Mapping[tuple[str, str], Pair], best: str) -> dict[str, Pair]:
    """For each optimizer, whether another one is better; lower means are better."""
    lost: dict[str, list[float]] = {name: [1.0] for name in means}
    for (a, b), pair in pairs.items():
        ahead = float(signed_ranks(means[a] - means[b]).sum())
        if ahead:
            lost[a if ahead > 0 else b].append(pair.adjusted)
    blind = len(means[best]) < power.least_seeds()
    found = {best: Pair(1.0, 1.0, False)}
    for name in means.keys() - found.keys():
        p, adjusted = signed_rank(means[name] - means[best]), min(lost[name])
        found[name] = Pair(p, adjusted, None if blind else adjusted <= LEVEL)
    return {name: found[name] for name in means}


def all_pairs(means: Mapping[str, Floats]) -> dict[tuple[str, str], Pair]:
    """Wilcoxon's test of each pair of optimizers, by one number for each problem, adjusted for all pairs."""
    keys = list(itertools.combinations(means, 2))
    if not keys:
        return {}
    scores = np.stack([signed_ranks(means[a] - means[b]) for a, b in keys])
    blind = scores.shape[1] < power.least_seeds()
    return {
        key: Pair(signed_rank(means[key[0]] - means[key[1]]), float(p), None if blind else bool(p <= LEVEL))
        for key, p in zip(keys, simultaneous.step_down(scores), strict=True)
    }


def _remark(problems: int) -> str:
    few = f"{problems} problem{' is' if problems == 1 else 's are'} too few to separate any two optimizers"
    return f"{few}: Wilcoxon's test needs {power.least_seeds()}"


def _means(scores: Scores, higher_is_better: bool) -> dict[str, Floats]:
    """The mean over seeds for each problem, lower is better: (problems,)."""
    problems = list(next(iter(scores.values())))
    table = np.stack(
        [stats.settled({name: own[p] for name, own in scores.items()}, higher_is_better).mean(axis=1) for p in problems], axis=1
    )
    return dict(zip(scores, stats.rounded(table), strict=True))


def signed_ranks(difference: Floats) -> Floats:
    """The ranks of the differences' sizes, with their signs. A zero keeps its rank but has no sign (Pratt 1959)."""
    ranks: Floats = np.sign(difference) * scipy_stats.rankdata(np.abs(difference))
    return ranks


def signed_rank(difference: Floats) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test, 1 where all differences are 0.

    Exact without ties, and with ties up to 16 problems, by vectorised enumeration of all signs (SciPy takes 0.3 s for
    twelve).
    """
    sizes = np.abs(difference)
    if not sizes.any():
        return 1.0
    if len(sizes) <= stats.EXACT:
        return stats.permutation(signed_ranks(difference))
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
