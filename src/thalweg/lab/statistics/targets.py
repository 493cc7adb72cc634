"""Time to target over many targets, as a complement to the score at a fixed budget. No target is chosen by hand.

After COCO (Hansen et al. 2021, Optim. Methods Softw. 36:114, arXiv 1603.08785 and 1605.03560): the share of all (problem,
seed, target) triples reached within a number of steps, and the area under it. COCO knows each optimum; here the targets lie
between the pool's start and best, so they depend on the participants.

For losses: lower is better. A loss that is not finite reaches no target.
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
"""Optimizer -> problem -> the steps (seeds, targets) at which each target was first reached, inf if never."""

COUNT = 51
NEAREST = 0.01


def targets(curves: Curves, count: int = COUNT, nearest: float = NEAREST) -> dict[str, Floats]:
    """`count` target losses for each problem, from near the start down to near the best.

    The start is the median first loss; the best is the lowest loss of any optimizer's median run. The distance to the best
    decreases geometrically from (almost) all of the way to the share `nearest`, so late progress counts as much as early
    progress. Empty if no optimizer got below the start.
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
    """The first of each problem's steps `at` at which each of its goals was reached; inf if never."""
    return {
        name: {problem: _first(_so_far(runs), at[problem], goals[problem]) for problem, runs in own.items()}
        for name, own in curves.items()
    }


def _so_far(runs: npt.ArrayLike) -> Floats:
    """The running minimum of the loss."""
    found = np.asarray(runs, float)
    lowest: Floats = np.minimum.accumulate(np.where(np.isfinite(found), found, np.inf), axis=1)
    return lowest


def _first(lowest: Floats, at: Sequence[int], goals: Floats) -> Floats:
    reached = lowest[:, :, None] <= goals
    return np.where(reached.any(axis=1), np.asarray(at, float)[reached.argmax(axis=1)], np.inf)


def reached(own: Mapping[str, Floats], steps: npt.ArrayLike) -> Floats:
    """The ECDF: the share of an optimizer's triples reached within each of the steps (n,). Problems have equal weights."""
    at = np.asarray(steps, float)
    shares = [np.searchsorted(np.sort(found.ravel()), at, side="right") / found.size for found in own.values() if found.size]
    return np.mean(shares, axis=0) if shares else np.zeros(len(at))


def area(own: Mapping[str, Floats], budget: Mapping[str, int]) -> float:
    """The area under the ECDF over log steps, from 1 step (0 counts as 1) to each problem's budget, as a share of the maximum.

    1: all targets at once; 0: none within the budget. It equals the mean of log(budget / steps) / log(budget) over the
    triples, so no numerical integration is needed.
    """
    shares = [
        np.mean(np.maximum(0.0, 1 - np.log(np.maximum(found, 1.0)) / math.log(budget[problem])))
        for problem, found in own.items()
        if found.size
    ]
    return float(np.mean(shares)) if shares else 0.0
