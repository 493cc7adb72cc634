"""Time to target over many targets, beside the score at a fixed budget: no single target decides, and none is chosen by hand.

After COCO (Hansen et al. 2021, Optim. Methods Softw. 36:114, arXiv 1603.08785 and 1605.03560): the share of all (problem,
seed, target) triples reached within so many steps, and its area. COCO knows each optimum; here the targets lie between the
pool's own start and best, so they depend on who takes part.

Losses only: lower is better. A loss that is not finite reaches nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from thalweg.lab.statistics.stats import Floats

Curves = Mapping[str, Mapping[str, npt.ArrayLike]]
"""Optimizer -> problem -> loss curves (seeds, points)."""
Hits = dict[str, dict[str, Floats]]
"""Optimizer -> problem -> the steps (seeds, targets) at which each target was first reached, inf where it was not."""

COUNT = 51
NEAREST = 0.01


def targets(curves: Curves, count: int = COUNT, nearest: float = NEAREST) -> dict[str, Floats]:
    """For each problem `count` losses, from near the start down to near the best.

    The start is the median first loss; the best is the lowest that any optimizer's median run reached. What is left of the
    way from the one to the other falls geometrically from (almost) all to the share `nearest`, so the last steps of the way
    count as much as the first. Empty where no optimizer got below the start.
    """
    found: dict[str, Floats] = {}
    for problem in next(iter(curves.values()), {}):
        runs = [_so_far(own[problem]) for own in curves.values()]
        start = float(np.median(np.concatenate([run[:, 0] for run in runs])))
        best = min(float(np.median(run[:, -1])) for run in runs)
        left = np.geomspace(1, nearest, count + 1)[1:]
        found[problem] = best + left * (start - best) if best < start < math.inf else np.empty(0)
    return found


def hits(curves: Curves, at: Mapping[str, Sequence[int]], goals: Mapping[str, Floats]) -> Hits:
    """The first of each problem's steps `at` at which each of its goals was reached; inf where it never was."""
    return {
        name: {problem: _first(_so_far(runs), at[problem], goals[problem]) for problem, runs in own.items()}
        for name, own in curves.items()
    }


def _so_far(runs: npt.ArrayLike) -> Floats:
    """The lowest loss so far."""
    found = np.asarray(runs, float)
    lowest: Floats = np.minimum.accumulate(np.where(np.isfinite(found), found, np.inf), axis=1)
    return lowest


def _first(lowest: Floats, at: Sequence[int], goals: Floats) -> Floats:
    reached = lowest[:, :, None] <= goals
    return np.where(reached.any(axis=1), np.asarray(at, float)[reached.argmax(axis=1)], np.inf)


def reached(own: Mapping[str, Floats], steps: npt.ArrayLike) -> Floats:
    """The share of an optimizer's triples reached within each of the steps (n,): the ECDF. Problems weigh the same."""
    at = np.asarray(steps, float)
    shares = [np.searchsorted(np.sort(found.ravel()), at, side="right") / found.size for found in own.values() if found.size]
    return np.mean(shares, axis=0) if shares else np.zeros(len(at))


def area(own: Mapping[str, Floats], budget: Mapping[str, int]) -> float:
    """The area under the ECDF over log steps, from 1 step (0 counts as 1) to each problem's budget, as a share of the whole.

    1: everything at once; 0: nothing within the budget. That is the mean of log(budget / steps) / log(budget) over the
    triples, so no integral is taken numerically.
    """
    shares = [
        np.mean(np.maximum(0.0, 1 - np.log(np.maximum(found, 1.0)) / math.log(budget[problem])))
        for problem, found in own.items()
        if found.size
    ]
    return float(np.mean(shares)) if shares else 0.0
