"""Validations on the way, of a training function that hands over how to compute its score: so many that they cost little."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from thalweg.lab.training.seeding import undisturbed

PART = 1 / 5
"""The largest share of a run's time that validations on the way may take."""
MOST = 50
"""The largest number of them in a run."""


def affordable(training: float, validation: float) -> int:
    """How many validations a run of so many seconds, without any, can afford if each takes so many."""
    return min(MOST, int(PART / (1 - PART) * training / validation)) if validation > 0 else MOST


@dataclass
class Validations:
    """The validations of a run: `count` of them, spread evenly over its steps, and none at its end, which the function scores.

    count: None where it is not known yet: then one is made whenever all of them so far took at most PART of the time. seconds:
    what they took.
    """

    count: int | None
    steps: int
    made: int = 0
    seconds: float = 0.0
    begun: float = field(default_factory=time.perf_counter)
    passed: int = 0

    def due(self, step: float) -> bool:
        """Whether a validation is made at a report of this step."""
        if self.count is None:
            return self.seconds <= PART * (time.perf_counter() - self.begun)
        before, self.passed = self.passed, max(self.passed, int(step * (self.count + 1) / self.steps))
        return before < self.passed <= self.count

    def of(self, asked: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
        """Those of a run's reports, each a step and a moment, at which a validation is made."""
        return [report for report in asked if self.due(report[0])]

    def score(self, compute: Callable[[], Any]) -> Any:
        """The score, whose time is counted. What it draws leaves the run as it is, however often there is one."""
        begun = time.perf_counter()
        with undisturbed():
            found = compute()
        self.made, self.seconds = self.made + 1, self.seconds + time.perf_counter() - begun
        return found
