"""Interleaved rounds, and ratios with their intervals."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Steps = dict[str, Callable[[], object]]
ROUND = 0.004
"""Seconds that a contestant is timed in a round, at least."""
PAUSE = 0.02
"""Seconds before each: other pools' threads spin for a while after their work, and would hold up whoever comes next."""


def rounds(steps: Steps, count: int, note: Callable[[], None], *, long: bool = False) -> dict[str, np.ndarray]:
    """Seconds a step, for each contestant and round; in each round all of them, in an order of its own.

    long: a step is no step but seconds of work, already run before; it is timed once a round.
    """
    repeats = dict.fromkeys(steps, 1) if long else {name: _repeats(step) for name, step in steps.items()}
    found: dict[str, list[float]] = {name: [] for name in steps}
    order = random.Random(0)
    gc.disable()
    try:
        for _ in range(count):
            for name in order.sample(list(steps), len(steps)):
                time.sleep(PAUSE)
                if not long:
                    steps[name]()
                start = time.perf_counter()
                for _ in range(repeats[name]):
                    steps[name]()
                found[name].append((time.perf_counter() - start) / repeats[name])
            note()
    finally:
        gc.enable()
    return {name: np.array(times) for name, times in found.items()}


def _repeats(step: Callable[[], object]) -> int:
    for _ in range(3):
        step()
    start = time.perf_counter()
    step()
    return max(1, int(ROUND / (time.perf_counter() - start)))


class Ratio(NamedTuple):
    """A median over rounds and its 95 % interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]"


def ratio(a: np.ndarray, b: np.ndarray) -> Ratio:
    """The median of a / b over the rounds, and its 95 % interval (bootstrap over rounds)."""
    ratios = a / b
    draws = np.random.default_rng(0).choice(ratios, (2000, len(ratios)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return Ratio(float(np.median(ratios)), float(low), float(high))
