"""Power of a comparison of n seeds, and roughly how many more would tell the next pair apart.

The test is that of `simultaneous.standings`: paired, two-sided, on the mean difference, for all pairs at once. A pair's power is
approximated by that of Student's test with the same n (noncentral t), which a permutation test of the mean equals for large n
and normal differences (Lehmann & Romano 2005, section 15.2), at the level that the number of pairs and their correlation leave
to a single one: that of the statistic which the largest of all exceeds in 5 %.

In simulations with `stats.permutation` at the effect with nominal power 80 % and normal differences, the power of a single pair
was 79 to 81 % for 8 to 34 seeds; for a skewed (exponential) difference it was 91 to 100 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy import stats as scipy_stats

from thalweg.lab.statistics import simultaneous, stats
from thalweg.lab.statistics.stats import LEVEL, Floats

POWER = 0.8
MOST_SEEDS = 100_000
TIMES = ((2.0, "up to twice as many"), (10.0, "several times as many"), (math.inf, "more than ten times as many"))
"""How many seeds would be needed, in classes: a number would promise more than one sample can know."""


def power(effect: float, seeds: int, level: float = LEVEL) -> float:
    """The power of a paired comparison for a true difference of `effect` standard deviations of the paired difference.

    0 if there are too few seeds to reach significance."""
    if seeds < least_seeds():
        return 0.0
    limit, shift = scipy_stats.t.isf(level / 2, seeds - 1), effect * math.sqrt(seeds)
    beyond = scipy_stats.nct.cdf(-limit, seeds - 1, shift)  # SciPy returns NaN if this underflows
    return float(scipy_stats.nct.sf(limit, seeds - 1, shift) + np.nan_to_num(beyond))


def least_seeds(level: float = LEVEL) -> int:
    """The fewest seeds with which random signs can reach the level."""
    return math.ceil(math.log2(2 / level) - 1e-9)


def detectable(seeds: int, level: float = LEVEL) -> float:
    """The smallest true difference, in standard deviations of the paired difference, detected with power POWER; inf with too
    few seeds."""
    if seeds < least_seeds():
        return math.inf
    enough = 1.0
    while power(enough, seeds, level) < POWER:
        enough *= 2
        if enough > LARGEST_EFFECT:
            return math.inf
    return float(optimize.brentq(lambda effect: power(effect, seeds, level) - POWER, 0.0, enough))


LARGEST_EFFECT = 1e6


def seeds_needed(effect: float, level: float = LEVEL) -> int | None:
    """The fewest seeds that detect a difference of `effect` standard deviations with power POWER; None above 100,000."""
    low, high = least_seeds() - 1, MOST_SEEDS
    if effect == 0 or power(abs(effect), high, level) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(abs(effect), middle, level) >= POWER else (middle, high)
    return high


@dataclass(frozen=True)
class Sight:
    """The power of a comparison, and the seeds needed for the next pair.

    smallest: the smallest difference of means, in units of the score, detected with 80 % power, for the median standard
    deviation of the differences to the best; inf if there is none. pair: the best, and the optimizer not separable from it
    that needs the fewest seeds; None if all are separable or none can be. times: how many seeds that pair needs, one of TIMES.
    """

    smallest: float
    pair: tuple[str, str] | None
    times: str | None


def sight(scores: Mapping[str, Floats], higher_is_better: bool) -> Sight:
    """For one problem's scores, optimizer -> (seeds,), paired.

    `times` assumes that the observed difference is the true one, which is optimistic for the pair chosen as the closest to
    significance. Take it as a hint, not as a guarantee.
    """
    found = simultaneous.standings(scores, higher_is_better)
    names = list(scores)
    table = dict(zip(names, stats.settled(scores, higher_is_better), strict=True))
    best = min(names, key=lambda name: (found[name].place, name))
    others = [name for name in names if name != best]
    count = len(table[best])
    if not others or count < 2:
        return Sight(math.inf, None, None)
    differences = {name: table[name] - table[best] for name in others}
    spread = {name: float(difference.std(ddof=1)) for name, difference in differences.items()}
    typical = float(np.median(list(spread.values())))
    level = level_of_one(np.stack(list(table.values())))
    smallest = detectable(count, level) * typical if typical else 0.0
    effects = {
        name: abs(float(differences[name].mean())) / spread[name]
        for name in others
        if found[name].separable is not True and spread[name]
    }
    nearest = max(effects, key=effects.__getitem__, default=None)
    if nearest is None or not effects[nearest]:
        return Sight(smallest, None, None)
    needed = seeds_needed(effects[nearest], level) or math.inf
    times = next(words for most, words in TIMES if needed / count <= most)
    return Sight(smallest, (best, nearest), times)


def level_of_one(table: Floats) -> float:
    """The level at which each pair of a table is tested, so that all together are at LEVEL."""
    first, second = np.triu_indices(len(table), 1)
    centred = table - table.mean(axis=1, keepdims=True)
    limit = simultaneous.students(simultaneous.critical(centred[first] - centred[second]), table.shape[1])
    return float(2 * scipy_stats.t.sf(limit, table.shape[1] - 1))
