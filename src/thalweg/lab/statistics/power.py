"""What a comparison of n seeds could have seen, and how many more would settle the next pair.

The test is `stats.compare_to_best`'s: paired, two-sided, on the mean difference. Its power is taken from Student's test with
the same n (noncentral t), which a permutation test of the mean equals for large n and normal differences (Lehmann & Romano
2005, section 15.2). For few seeds a permutation test knows only 2 ** (n - 1) different p-values: with k comparisons the
smallest must be at most level / k, so log2(2 k / level) seeds are the least. The level is divided by the number of
comparisons: that is Holm's first step, so with several differences at once the test may see somewhat more.

Simulated with `stats.permutation` at the effect said to be found in 80 %, normal differences: found in 79 to 81 % for 8
to 34 seeds alone, 15 among five comparisons and 20 among nineteen; in 74 % and 70 % for 12 among nineteen and 10 among ten,
close to the fewest seeds that can find anything. A skewed (exponential) difference was found more often, in 91 to 100 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy import stats as scipy_stats

from thalweg.lab.statistics import stats
from thalweg.lab.statistics.stats import LEVEL, Floats

POWER = 0.8
MOST_SEEDS = 100_000


def power(effect: float, seeds: int, comparisons: int = 1, level: float = LEVEL) -> float:
    """The chance that a paired comparison of so many seeds finds a true difference of `effect`, in standard deviations of the
    paired difference, at a level shared by so many comparisons. 0 where no outcome could pass."""
    share = level / comparisons
    if seeds < least_seeds(comparisons, level):
        return 0.0
    limit, shift = scipy_stats.t.isf(share / 2, seeds - 1), effect * math.sqrt(seeds)
    beyond = scipy_stats.nct.cdf(-limit, seeds - 1, shift)  # SciPy has NaN where this vanishes
    return float(scipy_stats.nct.sf(limit, seeds - 1, shift) + np.nan_to_num(beyond))


def least_seeds(comparisons: int = 1, level: float = LEVEL) -> int:
    """The fewest seeds with which a sign-permutation test can reach level / comparisons."""
    return max(2, math.ceil(math.log2(2 * comparisons / level) - 1e-9))


def detectable(seeds: int, comparisons: int = 1) -> float:
    """The smallest true difference, in standard deviations of the paired difference, that is found with a power of POWER;
    inf where so few seeds cannot find any."""
    if seeds < least_seeds(comparisons):
        return math.inf
    enough = 1.0
    while power(enough, seeds, comparisons) < POWER:
        enough *= 2
    return float(optimize.brentq(lambda effect: power(effect, seeds, comparisons) - POWER, 0.0, enough))


def seeds_needed(effect: float, comparisons: int = 1) -> int | None:
    """The fewest seeds that find a difference of `effect` standard deviations with a power of POWER; None beyond 100,000."""
    low, high = least_seeds(comparisons) - 1, MOST_SEEDS
    if effect == 0 or power(abs(effect), high, comparisons) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(abs(effect), middle, comparisons) >= POWER else (middle, high)
    return high


@dataclass(frozen=True)
class Sight:
    """What a run could have seen, and what would settle the next pair.

    smallest: the smallest difference of means, in the score's own units, that it would have found with 80 % power, for the
    typical (median) standard deviation of the differences to the best; inf where none. pair: of the others that are not
    separable from the best, the one that needs the fewest seeds; None where all are separable or none could ever be.
    seeds, more: how many seeds that pair takes if the observed difference is the true one, and how many those are more.
    """

    smallest: float
    pair: tuple[str, str] | None
    seeds: int | None
    more: int | None


def sight(scores: Mapping[str, Floats], higher_is_better: bool) -> Sight:
    """For one problem's scores, optimizer -> (seeds,), paired.

    `more` takes the observed difference as the true one, which flatters the pair that was chosen for being nearest to
    settled: a hint where to spend seeds, no promise.
    """
    verdicts = stats.compare_to_best(scores, higher_is_better)
    names = list(scores)
    table = dict(zip(names, stats.settled(scores, higher_is_better), strict=True))
    best = next(iter(verdicts))
    others = [name for name in names if name != best]
    count = len(table[best])
    if not others or count < 2:
        return Sight(math.inf, None, None, None)
    differences = {name: table[name] - table[best] for name in others}
    spread = {name: float(difference.std(ddof=1)) for name, difference in differences.items()}
    typical = float(np.median(list(spread.values())))
    smallest = detectable(count, len(others)) * typical if typical else 0.0
    effects = {
        name: abs(float(differences[name].mean())) / spread[name]
        for name in others
        if verdicts[name].separable is not True and spread[name]
    }
    nearest = max(effects, key=effects.__getitem__, default=None)
    needed = seeds_needed(effects[nearest], len(others)) if nearest is not None else None
    if nearest is None or needed is None:
        return Sight(smallest, None, None, None)
    return Sight(smallest, (best, nearest), needed, max(1, needed - count))
