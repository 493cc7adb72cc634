"""The lab's statistics: intervals, ranks, tests, targets. Functions of numbers that emit no warnings.

Scores are paired: entry i of every optimizer comes from seed i, with the same start and the same order of data. No run is
dropped. A diverged run enters with its final score (usually chance level). A score that is not finite ranks last: it is
replaced by a number so bad that no other score can compensate for it. So one missing score is worse than none and better
than two, and two optimizers that both miss one are compared by their other runs.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

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


@contextmanager
def _quiet() -> Iterator[None]:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's warnings on degenerate samples; the result shows this
        yield


def interval(scores: Floats, confidence: float = 0.95, seed: int = 0) -> tuple[float, float, float]:
    """The mean and its bootstrap interval over seeds: (mean, low, high).

    The expanded percentile bootstrap (Hesterberg 2015, The American Statistician 69:371) widens the percentiles by the ratio
    of Student's t to the normal distribution. In 400 samples of ten normal scores it covered the mean in 96 %, the plain
    percentile and BCa in 91 %. Unlike Student's interval it stays between the smallest and the largest score. With one seed,
    or a score that is not finite, the interval is (mean, mean, mean).
    """
    count = len(scores)
    mean = float(np.mean(scores)) if count else math.nan
    if count < 2 or not np.isfinite(scores).all():
        return mean, mean, mean
    outside = outside_of(count, count - 1, confidence)
    with _quiet():
        found = scipy_stats.bootstrap(
            (np.asarray(scores),), np.mean, confidence_level=min(1 - 2 * outside, 1 - 1e-12), n_resamples=RESAMPLES,
            method="percentile", rng=np.random.default_rng(seed),
        ).confidence_interval  # fmt: skip
    return mean, min(float(found.low), mean), max(float(found.high), mean)


def outside_of(count: float, freedom: float, confidence: float = 0.95) -> float:
    """The share of bootstrap means beyond either end of the expanded percentile interval (Hesterberg 2015).

    count: values in each sample (or stratum), at least 2. freedom: degrees of freedom in all."""
    return float(scipy_stats.norm.cdf(math.sqrt(count / (count - 1)) * scipy_stats.t.ppf((1 - confidence) / 2, freedom)))


@dataclass(frozen=True)
class Rank:
    """A rank, 1 is best, and its 95 % bootstrap interval over seeds."""

    place: int
    low: int
    high: int


def ranks(scores: Mapping[str, Floats], higher_is_better: bool, seed: int = 0) -> dict[str, Rank]:
    """Ranks by the mean score, with bootstrap intervals. Seeds are resampled jointly, as the scores are paired.

    Ties share the better rank.
    """
    table = settled(scores, higher_is_better)
    draws = np.random.default_rng(seed).integers(table.shape[1], size=(RESAMPLES, table.shape[1]))
    with _quiet():
        places = scipy_stats.rankdata(rounded(table.mean(axis=1)), method="min")
        again = scipy_stats.rankdata(rounded(table[:, draws].mean(axis=2)), method="min", axis=0)
    low, high = np.percentile(again, [2.5, 97.5], axis=1, method="nearest")
    return {
        name: Rank(int(place), int(min(place, a)), int(max(place, b)))
        for name, place, a, b in zip(scores, places, low, high, strict=True)
    }


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


@dataclass(frozen=True)
class Verdict:
    """Against the best: the p-value, the adjusted p-value, and whether they differ (None: too few seeds to tell)."""

    p: float
    adjusted: float
    separable: bool | None


def compare_to_best(scores: Mapping[str, Floats], higher_is_better: bool) -> dict[str, Verdict]:
    """Each optimizer against the one with the best mean: a paired two-sided permutation test on the mean difference, with
    Holm's correction.

    The sign permutation test is exact for any number of seeds, and its statistic, the mean, also defines the ranks;
    Wilcoxon's test has another statistic. The optimizers that are not separable form a confidence set of the best: an
    optimizer as good as any is excluded in fewer than 5 % of comparisons. With too few seeds to reach significance, nothing
    is claimed: 20 optimizers take 10 seeds.
    """
    names = sorted(scores)
    table = dict(zip(names, settled({name: scores[name] for name in names}, higher_is_better), strict=True))
    best = min(names, key=lambda name: float(rounded(table[name].mean())))
    others = [name for name in names if name != best]
    values = {name: permutation(table[name] - table[best]) for name in others}
    adjusted = holm(values)
    powerless = 2.0 ** (1 - len(scores[best])) * len(others) > LEVEL
    found = {name: Verdict(values[name], adjusted[name], None if powerless else adjusted[name] <= LEVEL) for name in others}
    return {best: Verdict(1.0, 1.0, False), **found}


Key = TypeVar("Key")


def holm(values: Mapping[Key, float]) -> dict[Key, float]:
    """p-values with Holm's step-down correction (1979, Scand. J. Statist. 6:65)."""
    adjusted: dict[Key, float] = {}
    running = 0.0
    for i, key in enumerate(sorted(values, key=values.__getitem__)):
        running = max(running, min(1.0, values[key] * (len(values) - i)))
        adjusted[key] = running
    return adjusted


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
