"""The sweep of an optimizer's learning rates: the median final score of its tuning trials at each."""

from __future__ import annotations

import math

import numpy as np

from thalweg.lab.report.schema.optimizer import Row, TunedTrial
from thalweg.lab.statistics.scores import number


def good(trial: TunedTrial) -> bool:
    """Whether a trial ended with a score."""
    return not trial["diverged"] and trial["score"] is not None


def sweep(row: Row, higher_is_better: bool) -> tuple[list[float], list[float]]:
    """The learning rates in their order, and the medians there; NaN where half of the runs or more diverged.

    The grids of several blocks lie between one another. So as many neighbouring rates as there are blocks, about one of each,
    share a median, which stands at the middle one.
    """
    rates, blocks = sorted({trial["lr"] for trial in row["tuning"]}), len(row["best_settings"])
    alike = [rates[i : i + blocks] for i in range(0, len(rates), blocks)]
    worst = -math.inf if higher_is_better else math.inf
    ends = [[number(t["score"]) if good(t) else worst for t in row["tuning"] if t["lr"] in some] for some in alike]
    medians = [float(np.median(end)) for end in ends]
    return [some[len(some) // 2] for some in alike], [x if math.isfinite(x) else math.nan for x in medians]
