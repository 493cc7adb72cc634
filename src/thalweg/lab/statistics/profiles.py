"""Performance profiles (Dolan & Moré 2002, Math. Program. 91:201), and AlgoPerf's score based on them.

A profile is the share of problems on which an optimizer took at most tau times as long as the fastest one. It is relative to
the pool: with another fastest, the order of the others may change (Gould & Scott 2016, ACM TOMS 43:15). So show
`aggregate.without_each_optimizer` with it.

Times may be steps, gradient evaluations or seconds. inf: target not reached; NaN: not run, which counts the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from thalweg.lab.statistics.stats import Floats

Times = Mapping[str, Mapping[str, float]]
"""Optimizer -> problem -> the time to the target."""

LARGEST_RATIO = 4.0
POINTS = 100


def ratios(times: Times) -> dict[str, dict[str, float]]:
    """Each time divided by the fastest of its problem; inf if the target was not reached, by anyone or by all."""
    fastest = {problem: min(_or_inf(own[problem]) for own in times.values()) for problem in _problems(times)}
    return {name: {problem: _ratio(own[problem], fastest[problem]) for problem in fastest} for name, own in times.items()}


def _problems(times: Times) -> list[str]:
    return list(next(iter(times.values()), {}))


def _or_inf(time: float) -> float:
    return math.inf if math.isnan(time) else time


def _ratio(time: float, fastest: float) -> float:
    time = _or_inf(time)
    if not math.isfinite(time):
        return math.inf
    return time / fastest if fastest > 0 else 1.0 if time == fastest else math.inf


def profile(own: Mapping[str, float], taus: Floats) -> Floats:
    """The share of problems with a ratio of at most tau, for each tau (n,)."""
    shares: Floats = np.mean(np.array(list(own.values()))[:, None] <= taus, axis=0)
    return shares


def area(own: Mapping[str, float], largest: float = LARGEST_RATIO) -> float:
    """The exact area under an optimizer's profile from 1 to the largest ratio, as a share of the maximum."""
    return float(np.mean([max(0.0, largest - ratio) / (largest - 1) for ratio in own.values()]))


def algoperf_scores(times: Times, held_out: Mapping[str, str]) -> dict[str, float]:
    """AlgoPerf's benchmark score (Dahl et al. 2023, arXiv 2306.07179, section 4.4; Kasimbeg et al. 2025, arXiv 2502.15015):
    the area under the profile over the base workloads, after `after_held_out`.

    Computed with AlgoPerf's trapezoids over 100 points, which differ from the exact `area` by up to 0.0015.

    Parameters
    ----------
    times : Times
        Times on all problems, including the variants.
    held_out : Mapping[str, str]
        Each variant's base workload.
    """
    taus = np.linspace(1, LARGEST_RATIO, POINTS)
    found = ratios(after_held_out(times, held_out))
    return {name: float(np.trapezoid(profile(own, taus), taus) / (LARGEST_RATIO - 1)) for name, own in found.items()}


def after_held_out(times: Times, held_out: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """The times on the base workloads, inf if the variant voids the success.

    In this order: a variant counts as not reached if its base is not; a time above 4 times the fastest counts as not reached;
    a base counts as not reached if its variant is not.
    """
    told = {name: {problem: _or_inf(time) for problem, time in own.items()} for name, own in times.items()}
    for own in told.values():
        own.update({variant: math.inf for variant, base in held_out.items() if math.isinf(own[base])})
    far = ratios(told)
    near = {name: {p: t if far[name][p] <= LARGEST_RATIO else math.inf for p, t in own.items()} for name, own in told.items()}
    missed = {name: {base for variant, base in held_out.items() if math.isinf(own[variant])} for name, own in near.items()}
    return {
        name: {p: math.inf if p in missed[name] else t for p, t in own.items() if p not in held_out} for name, own in near.items()
    }
