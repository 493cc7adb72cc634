"""What judged runs scored: as numbers to compute with, and as a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thalweg.lab.data.problem import Floats
from thalweg.lab.trials.trials import Trial


def format_score(x: float | None, share: bool) -> str:
    """A score in words: a share in percent."""
    return "not finite" if x is None else f"{100 * x:.1f} %" if share else f"{x:.4g}"


def judged_scores(trials: Sequence[Trial], higher_is_better: bool) -> Floats:
    """Each trial's test score; one that was never reached or is undefined is the worst there is."""
    worst = -math.inf if higher_is_better else math.inf
    scores = [worst if trial.test_score is None or math.isnan(trial.test_score) else trial.test_score for trial in trials]
    return np.array(scores, float)


def number(x: float | None) -> float:
    """A number to count with or to draw: NaN where there is none."""
    return math.nan if x is None else x
