"""Trials of a rule: its learning rate is chosen on some instances of the surface, its success counted on others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from thalweg.core.stage import Stage
from thalweg.lab.data.surface import Surface
from thalweg.lab.race.ground import Array, Placed, instances
from thalweg.lab.race.walk import ends
from thalweg.values.numerals import short

RATES = 33  # learning rates for each rule, a log grid over its declared range
TUNED_ON = 25  # tuning instances; odd, so that the median is one of the losses
JUDGED_ON = 50  # further instances for the success
NEAR = 1e-3  # near the minimum: this share of the initial gap in the loss
LEVEL = 0.95


@dataclass(frozen=True)
class Success:
    """The number of runs that ended near the minimum, and of all runs."""

    hits: int
    runs: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share, at the level LEVEL (E. B. Wilson 1927, JASA 22:209)."""
        found = binomtest(self.hits, self.runs).proportion_ci(LEVEL, method="wilson")
        return float(found.low), float(found.high)


def numbers(seed: int, role: int, count: int) -> list[tuple[int, int, int]]:
    """The seeds of the instances to tune on (role 0) or to judge on (role 1)."""
    return [(seed, role, k) for k in range(count)]


def tuned(surface: Surface, stage: Stage, search: tuple[float, float], steps: int, seed: int) -> float:
    """The learning rate with the smallest median final loss; at a tie, the smallest loss along the path."""
    ground = instances(surface, numbers(seed, 0, TUNED_ON)).times(RATES)
    rates = np.array([short(rate) for rate in np.geomspace(*search, RATES)])  # rounded as shown, so that they can be typed
    draws = [seed + k for k in range(TUNED_ON)] * RATES
    lanes = np.repeat(rates, TUNED_ON).tolist()
    final, on_the_way = (
        np.median(losses.reshape(RATES, TUNED_ON), axis=1) for losses in ends(ground, stage, lanes, steps, ground.start, draws)
    )
    if not np.isfinite(final).any():
        return float(rates[0])
    best = final.min()
    first = float(np.median(ground.value(ground.start)))
    equals = final <= best + 1e-9 * abs(first - best)
    return float(rates[np.where(equals, on_the_way, np.inf).argmin()])


def judged(surface: Surface, stage: Stage, lr: float, steps: int, seed: int) -> Success:
    """The number of fresh instances on which a run ends near the minimum."""
    ground = instances(surface, numbers(seed, 1, JUDGED_ON))
    draws = [fresh(seed) + 1 + k for k in range(JUDGED_ON)]
    final, _ = ends(ground, stage, [lr] * JUDGED_ON, steps, ground.start, draws)
    return Success(int(reached(ground, final).sum()), JUDGED_ON)


def reached(ground: Placed, final: Array) -> npt.NDArray[np.bool_]:
    """Whether each final loss (T,) is near the minimum: its gap is at most NEAR of the initial gap."""
    lowest = ground.surface.lowest
    near: npt.NDArray[np.bool_] = final - lowest <= NEAR * (ground.value(ground.start) - lowest)
    return near


def fresh(seed: int) -> int:
    """The seed of the drawn run, for rules that draw random numbers: none of the tuning seeds."""
    return seed + TUNED_ON
