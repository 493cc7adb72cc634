"""The lab's statistics: intervals, tests, targets. Functions of numbers that emit no warnings.

Scores are paired: entry i of every optimizer comes from seed i, with the same start and the same order of data. No run is
dropped. A diverged run enters with its final score (usually chance level). A score that is not finite ranks last: it is
replaced by a number so bad that no other score can compensate for it. So one missing score is worse than none and better
than two, and two optimizers that both miss one are compared by their other runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

Floats = npt.NDArray[np.floating[Any]]

RESAMPLES = 2000
EXACT = 16
"""Up to this number of seeds all permutations are enumerated; above it, the same number of random ones is drawn."""
LEVEL = 0.05
LARGEST = 1e150
"""Finite scores are clipped to this, so that sums of a few squares stay finite."""


def interval(scores: Floats, confidence: float = 0.95, besides: float = 0.0) -> tuple[float, float, float]:
    """The mean and Student's interval over seeds: (mean, low, high).

    besides: a variance of the mean that the seeds do not show, as that of a test set which all of them share; the degrees of
    freedom then are Welch & Satterthwaite's (1946). With one seed, or a score that is not finite, the interval is (mean, mean,
    mean).

    In 600 samples of 5 normal scores it covered the mean in 96 % (a bootstrap's expanded percentiles: 93 %), of 15 in 95 %; of
    exponential ones in 88 and 92 %. Where one run in ten diverges, it cannot cover well, since most samples of five hold no
    such run (39 %; 80 % with 15): divergence is told by itself, see `least_divergence`.
    """
    count = len(scores)
    mean = float(np.mean(scores)) if count else math.nan
    if count < 2 or not np.isfinite(scores).all():
        return mean, mean, mean
    own = float(np.var(scores, ddof=1)) / count
    if own + besides == 0:
        return mean, mean, mean
    freedom = (count - 1) * ((own + besides) / own) ** 2 if own else math.inf
    half = float(scipy_stats.t.isf((1 - confidence) / 2, freedom)) * math.sqrt(own + besides)
    return mean, mean - half, mean + half


def least_divergence(diverged: int, runs: int, rows: int = 1) -> float:
    """The share of runs that diverges at least, so far as `runs` of them show: Clopper & Pearson's lower bound (1934).

    It holds for all `rows` of a table at once with probability 95 %."""
    return float(scipy_stats.beta.ppf(LEVEL / rows, diverged, runs - diverged + 1)) if diverged else 0.0


def outside_of(count: float, freedom: float, confidence: float = 0.95) -> float:
    """The share of bootstrap means beyond either end of the expanded percentile interval (Hesterberg 2015).

    count: values in each sample (or stratum), at least 2. freedom: degrees of freedom in all."""
    return float(scipy_stats.norm.cdf(math.sqrt(count / (count - 1)) * scipy_stats.t.ppf((1 - confidence) / 2, freedom)))


def settled(scores: Mapping[str, Floats], higher_is_better: bool) -> Floats:
    """The scores as a table of finite numbers with a row for each optimizer, lower is better."""
    table = np.stack([np.asarray(row, float) for row in scores.values()])
    missing = ~np.isfinite(table)
    table = np.clip(np.where(missing, 0.0, -table if higher_is_better else table), -LARGEST, LARGEST)
    known = table[~missing] if not missing.all() else np.zeros(1)
    span = float(known.max() - known.min()) or max(1.0, abs(float(known.max())))
    # All other seeds together gain at most the span times their number.
    return np.where(missing, known.max() + (table.shape[1] + 1) * span, table)


def rounded(x: Floats) -> Floats:
    """Round to 40 binary digits, so that equal scores summed in another order are a tie."""
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2.0**40) / 2.0**40, exponent)


def permutation(difference: Floats) -> float:
    """The two-sided p-value of the mean under random signs of the differences; exact up to 16 of them.

    SciPy's permutation_test gives the same, but its Python loop takes 0.3 s for 2 ** 15 signs; this takes 3 ms.
    """
    count, extent = len(difference), float(np.abs(difference).sum())
    if count < 2 or extent == 0:
        return 1.0
    if count <= EXACT:  # the other half is symmetric
        signs = 1 - 2 * (np.arange(2 ** (count - 1))[:, None] >> np.arange(count) & 1)
    else:
        signs = 1 - 2 * np.random.default_rng(0).integers(2, size=(2 ** (EXACT - 1), count))
        signs[0] = 1  # the observed outcome is one of them
    return float(np.mean(np.abs(signs @ (difference / extent)) >= abs(difference.sum()) / extent - 1e-12))


def steps_to(target: float, curve: Sequence[float], at: Sequence[int]) -> float:
    """The first of the steps `at` at which the loss curve is at or below the target; inf if none is."""
    return next((float(step) for step, loss in zip(at, curve, strict=True) if loss <= target), math.inf)


def width(rates: Sequence[float], ends: Sequence[float], start: float, near: float) -> float:
    """The width in decades of the range of good learning rates around the best one. Good: the median final score (lower is
    better) is within the share `near` of the way from the best back to the start.

    The crossing between the last good rate and the next one is interpolated on the log axis, unless the next one has no
    finite score. 0 if no rate has a finite score.
    """
    tried = sorted(set(rates))
    medians = [_median([end for r, end in zip(rates, ends, strict=True) if r == rate]) for rate in tried]
    best = min(range(len(tried)), key=medians.__getitem__, default=0)
    if not tried or not math.isfinite(medians[best]):
        return 0.0
    limit = medians[best] + near * max(0.0, start - medians[best])
    logs = [math.log10(rate) for rate in tried]
    return abs(_crossing(logs[best:], medians[best:], limit) - _crossing(logs[best::-1], medians[best::-1], limit))


def _median(ends: Sequence[float]) -> float:
    return float(np.median([math.inf if math.isnan(end) else end for end in ends]))


def _crossing(logs: Sequence[float], ends: Sequence[float], limit: float) -> float:
    """The first crossing of the limit by a curve that begins below it; the last point if there is none."""
    for i, end in enumerate(ends):
        if end > limit:
            share = (limit - ends[i - 1]) / (end - ends[i - 1]) if math.isfinite(end) else 0.0
            return logs[i - 1] + share * (logs[i] - logs[i - 1])
    return logs[-1]
