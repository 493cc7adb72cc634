"""Schedules that begin anew."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from thalweg.form.schedules.schedule import Schedule, counted
from thalweg.ops import cos, where

MOST = 1 << 30
"""No training has more updates."""


@dataclass(frozen=True)
class restarts(Schedule):
    """Fall along half a cosine from `value` to `final` again and again: the first time in `steps` updates.

    Parameters
    ----------
    value, final : float or array
        Value at the first update of each cycle, and the one that its end approaches.
    steps : int
        Number of updates of the first cycle.
    factor : int
        Each cycle is so many times as long as the one before.

    References
    ----------
    Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5: SGDR.
    """

    value: Any
    steps: int
    factor: int = 1
    final: Any = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "factor", counted("restarts: factor is", self.factor))

    def __call__(self, t: Any) -> Any:
        past, long = self._cycle(t)
        return self.final + (self.value - self.final) * 0.5 * (1 + cos(math.pi * past / long))

    def _cycle(self, t: Any) -> tuple[Any, Any]:
        """Return how many updates of the cycle are past, and how many it has; both are exact."""
        if self.factor == 1:
            return (t - 1) % self.steps, self.steps
        past, long, begin, more = t - 1, float(self.steps), self.steps, self.steps * self.factor
        while begin < MOST:
            past, long = where(t > begin, t - 1 - begin, past), where(t > begin, float(more), long)
            begin, more = begin + more, more * self.factor
        return past, long
