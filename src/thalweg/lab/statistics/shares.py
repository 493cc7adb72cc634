"""Scores as shares of the way from the start to the best, and estimates. No SciPy, so that the catalogue may import it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.lab.data.problem import Floats

Scores = Mapping[str, Mapping[str, Floats]]
"""Optimizer -> problem -> a score for each seed, for all optimizers on the same problems and seeds."""


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


def normalised(scores: Scores, start: Mapping[str, float], best: Mapping[str, float]) -> dict[str, dict[str, Floats]]:
    """Each score as the share of the way from the start to the best: 0 at the start (chance level), 1 at the pool's best.

    (x - start) / (best - start), for losses and accuracies alike; higher is better. The share is linear: with a logarithm,
    problems whose loss can fall to an irrelevant 1e-15 would dominate. A run that ended below its start, or without a finite
    score, counts as 0: divergence costs as much as no training, however far the run went. A single run may exceed 1, as
    `best` is usually a median. The share depends on the pool through `best`: see `without_each_optimizer`.

    Parameters
    ----------
    start : Mapping[str, float]
        Each problem's score at the start, the loss at initialisation or the score of guessing.
    best : Mapping[str, float]
        Each problem's best known score, for example the best optimizer's median.

    Raises
    ------
    ValueError
        If start and best are equal or not finite.
    """
    for problem in next(iter(scores.values()), {}):
        if not math.isfinite(best[problem] - start[problem]) or best[problem] == start[problem]:
            raise ValueError(
                f"{problem}: from its start {start[problem]:g} to its best {best[problem]:g} is no way to take a share of; "
                "leave the problem out, or say what its best score is"
            )
    return {
        name: {problem: _share(x, start[problem], best[problem]) for problem, x in own.items()} for name, own in scores.items()
    }


def _share(x: Floats, start: float, best: float) -> Floats:
    x = np.asarray(x, float)
    share = np.where(np.isfinite(x), (np.where(np.isfinite(x), x, start) - start) / (best - start), 0.0)
    return np.maximum(share, 0.0)
