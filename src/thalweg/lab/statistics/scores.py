"""Scores of judged runs, as numbers and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thalweg.lab.data.problem import Floats
from thalweg.lab.trials.trials import Trial


def format_score(x: float | None, share: bool) -> str:
    """A score as text; a share in percent."""
    return "not finite" if x is None else f"{100 * x:.1f} %" if share else f"{x:.4g}"


def judged_scores(trials: Sequence[Trial], higher_is_better: bool) -> Floats:
    """Each trial's test score; the worst possible one if it is missing or undefined."""
    worst = -math.inf if higher_is_better else math.inf
    scores = [worst if trial.test_score is None or math.isnan(trial.test_score) else trial.test_score for trial in trials]
    return np.array(scores, float)


def block_means(each: Sequence[Floats], worst: float) -> Floats:
    """The mean of each block's scores; the worst possible score of a block where one is not finite."""
    return np.array([scores.mean() if len(scores) and np.isfinite(scores).all() else worst for scores in each])


def number(x: float | None) -> float:
    """A number to compute with or draw: NaN for None."""
    return math.nan if x is None else x
