"""The expected value of the best of k trials, for every k.

A trial is a draw of hyper-parameters: independent, or quasi-random and shuffled. Every subset of k of the n trials is equally
likely to be the ones run. So the mean over all subsets is an unbiased estimate for k trials (Tang et al. 2020, arXiv
2004.13705; computed as in Chen et al. 2021, arXiv 2107.03374, equation 1). The plug-in estimate of Dodge et al. 2019 (arXiv
1909.03004) draws with replacement and is biased downwards.

Each trial has a score for the choice (validation) and a value (test). If one number serves as both, the curve is
optimistic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats
from scipy.special import gammaln

from thalweg.lab.statistics.stats import Floats


def _checked(chosen_by: npt.ArrayLike, outcome: npt.ArrayLike) -> tuple[Floats, Floats]:
    chosen, worth = np.asarray(chosen_by, float), np.asarray(outcome, float)
    if chosen.ndim != 1 or chosen.shape != worth.shape or not len(chosen):
        raise ValueError(
            f"best of k: what trials are chosen by has shape {chosen.shape}, and their outcomes {worth.shape}; wanted "
            "(n,) of both"
        )
    if not np.isfinite(worth).all():
        raise ValueError("best of k: an outcome is not finite; a diverged trial is worth what chance is, so write that")
    return np.where(np.isnan(chosen), -np.inf, chosen), worth


def _weights(n: int) -> Floats:
    """Row k - 1: the chance that the i-th best of n trials is the best of k of them, C(n - i, k - 1) / C(n, k)."""
    k, i = np.arange(1, n + 1)[:, None], np.arange(1, n + 1)[None, :]
    short = n - i < k - 1

    def log_choose(a: Any, b: Any) -> Any:
        return gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1)

    return np.where(short, 0.0, np.exp(log_choose(np.where(short, k - 1, n - i), k - 1) - log_choose(n, k)))


def expected(chosen_by: npt.ArrayLike, outcome: npt.ArrayLike) -> Floats:
    """The expected outcome of the best of k = 1..n trials. Tied trials are chosen at random: each has their mean outcome.

    Parameters
    ----------
    chosen_by : npt.ArrayLike
        Scores (n,), higher is better. A diverged trial may have -inf or NaN and is then chosen last.
    outcome : npt.ArrayLike
        Values (n,), finite; that of a diverged trial is usually chance level.

    Raises
    ------
    ValueError
        If the two differ in length or are empty, or an outcome is not finite.
    """
    chosen, worth = _checked(chosen_by, outcome)
    groups = np.asarray(scipy_stats.rankdata(-chosen, method="dense"), np.intp) - 1  # SciPy 1.18 counts in float64
    together = np.bincount(groups, worth) / np.bincount(groups)
    found: Floats = _weights(len(chosen)) @ together[np.sort(groups)]
    return found


def best_of(k: int, *tables: Floats) -> tuple[float, float, float]:
    """The outcome of the best of k of n settings, out of sample: its mean, and the 5 % and 95 % points of its distribution.

    tables: scores (n settings, seeds), finite, higher is better, of one tuning or several. A setting is chosen on one seed and
    has the mean of the other seeds as its outcome; the mean is over all subsets of k settings of a table, over the seeds that
    choose, and over the tables.
    """
    outcomes, weights = [], []
    for table in tables:
        n, seeds = table.shape
        for seed in range(seeds):
            order = np.argsort(-table[:, seed], kind="stable")
            outcomes.append(np.delete(table, seed, axis=1).mean(axis=1)[order])
            weights.append(_weights(n)[k - 1] / (seeds * len(tables)))
    found, weight = np.concatenate(outcomes), np.concatenate(weights)
    low, high = np.quantile(found, [0.05, 0.95], weights=weight, method="inverted_cdf")
    return float(found @ weight), float(low), float(high)
