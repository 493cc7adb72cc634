"""Power of a comparison of n seeds, and the number of seeds needed for the next pair.

The test is that of `stats.compare_to_best`: paired, two-sided, on the mean difference. Its power is approximated by that of
Student's test with the same n (noncentral t), which a permutation test of the mean equals for large n and normal differences
(Lehmann & Romano 2005, section 15.2). With few seeds a permutation test has only 2 ** (n - 1) p-values: with k comparisons
the smallest must be at most level / k, so at least log2(2 k / level) seeds are needed. The level is divided by the number of
comparisons, which is Holm's first step; with several true differences the power is somewhat higher.

In simulations with `stats.permutation` at the effect with nominal power 80 % and normal differences, the power was 79 to
81 % for 8 to 34 seeds in one comparison, 15 in five and 20 in nineteen; it was 74 % and 70 % for 12 in nineteen and 10 in
ten, close to the fewest possible seeds. For a skewed (exponential) difference it was 91 to 100 %.
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
    """The power of a paired comparison for a true difference of `effect` standard deviations of the paired difference.

    The level is shared by all comparisons. 0 if there are too few seeds to reach significance."""
    share = level / comparisons
    if seeds < least_seeds(comparisons, level):
        return 0.0
    limit, shift = scipy_stats.t.isf(share / 2, seeds - 1), effect * math.sqrt(seeds)
    beyond = scipy_stats.nct.cdf(-limit, seeds - 1, shift)  # SciPy returns NaN if this underflows
    return float(scipy_stats.nct.sf(limit, seeds - 1, shift) + np.nan_to_num(beyond))


def least_seeds(comparisons: int = 1, level: float = LEVEL) -> int:
    """The fewest seeds with which a sign-permutation test can reach level / comparisons."""
    return max(2, math.ceil(math.log2(2 * comparisons / level) - 1e-9))


def detectable(seeds: int, comparisons: int = 1) -> float:
    """The smallest true difference, in standard deviations of the paired difference, detected with power POWER; inf with too
    few seeds."""
    if seeds < least_seeds(comparisons):
        return math.inf
    enough = 1.0
    while power(enough, seeds, comparisons) < POWER:
        enough *= 2
    return float(optimize.brentq(lambda effect: power(effect, seeds, comparisons) - POWER, 0.0, enough))


def seeds_needed(effect: float, comparisons: int = 1) -> int | None:
    """The fewest seeds that detect a difference of `effect` standard deviations with power POWER; None above 100,000."""
    low, high = least_seeds(comparisons) - 1, MOST_SEEDS
    if effect == 0 or power(abs(effect), high, comparisons) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(abs(effect), middle, comparisons) >= POWER else (middle, high)
    return high


@dataclass(frozen=True)
class Sight:
    """The power of a comparison, and the seeds needed for the next pair.

    smallest: the smallest difference of means, in units of the score, detected with 80 % power, for the median standard
    deviation of the differences to the best; inf if there is none. pair: the best, and the optimizer not separable from it
    that needs the fewest seeds; None if all are separable or none can be. seeds, more: the seeds that this pair needs if the
    observed difference is the true one, in all and in addition.
    """

    smallest: float
    pair: tuple[str, str] | None
    seeds: int | None
    more: int | None


def sight(scores: Mapping[str, Floats], higher_is_better: bool) -> Sight:
    """For one problem's scores, optimizer -> (seeds,), paired.

    `more` assumes that the observed difference is the true one, which is optimistic for the pair chosen as the closest to
    significance. Take it as a hint, not as a guarantee.
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
