"""Schedules that rise first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from thalweg.form.schedules.schedule import Schedule
from thalweg.ops import clip, cos, maximum, minimum, sqrt


@dataclass(frozen=True)
class warm_up(Schedule):
    """Rise linearly over the first `steps` updates, as t / steps, to a value or another schedule.

    Parameters
    ----------
    steps : int
        Number of updates of the rise.
    then : float or callable
        The value, or the schedule that the rise multiplies.
    """

    steps: int
    then: Any

    def __call__(self, t: Any) -> Any:
        return (self.then(t) if callable(self.then) else self.then) * minimum(1.0, t / self.steps)


@dataclass(frozen=True)
class warm_up_stable_decay(Schedule):
    """Rise linearly to `value`, stay, and fall linearly to `final`.

    Parameters
    ----------
    value, final : float or array
        Plateau and last value.
    steps : int
        Number of updates.
    warm, decay : float
        Shares of `steps` for the rise and for the fall, together at most 1. Each takes one update at least.

    References
    ----------
    Hu et al. 2024, arXiv 2404.06395, section 4.
    """

    value: Any
    steps: int
    warm: float = 0.1
    decay: float = 0.2
    final: Any = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.warm >= 0 and self.decay >= 0 and self.warm + self.decay <= 1):
            raise ValueError(
                f"warm_up_stable_decay: warm and decay are shares of all updates, together at most 1, not {self.warm} and "
                f"{self.decay}"
            )

    def __call__(self, t: Any) -> Any:
        rising, falling = max(1, round(self.warm * self.steps)), max(1, round(self.decay * self.steps))
        risen = self.value * minimum(1.0, t / rising)
        return self.final + (risen - self.final) * minimum(1.0, maximum(0.0, self.steps + 1 - t) / falling)


@dataclass(frozen=True)
class inverse_sqrt(Schedule):
    """Rise linearly over `steps` updates to `value`, then fall as 1 / sqrt(t).

    Parameters
    ----------
    value : float or array
        Largest value.
    steps : int
        Number of updates of the rise.

    References
    ----------
    Vaswani et al. 2017, arXiv 1706.03762, eq. 3.
    """

    value: Any
    steps: int = 1

    def __call__(self, t: Any) -> Any:
        return self.value * minimum(t / self.steps, sqrt(self.steps / maximum(t, 1)))


@dataclass(frozen=True)
class one_cycle(Schedule):
    """Rise along half a cosine to `value`, and fall along another one nearly to 0 at the last update.

    As torch's OneCycleLR; optax's `cosine_onecycle_schedule` reaches both ends one update later.

    Parameters
    ----------
    value : float or array
        Largest value.
    steps : int
        Number of updates, at least 3.
    warm : float
        Share of the updates at whose end the value is largest.
    start, final : float
        First and last value, as shares of the largest.

    References
    ----------
    Smith & Topin 2018, arXiv 1708.07120.
    """

    value: Any
    steps: int
    warm: float = 0.3
    start: float = 1 / 25
    final: float = 1 / 25e4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 < self.warm * self.steps < self.steps:
            raise ValueError(
                f"one_cycle: a share of {self.warm} of {self.steps} updates leaves none to rise in, or none to fall in"
            )

    def __call__(self, t: Any) -> Any:
        top, last = self.warm * self.steps - 1, self.steps - 1
        up = 0.5 * (1 - cos(math.pi * minimum(1.0, (t - 1) / top)))
        down = 0.5 * (1 - cos(math.pi * clip((t - 1 - top) / (last - top), 0.0, 1.0)))
        return self.value * (self.start + (1 - self.start) * up - (1 - self.final) * down)
