"""Schedules: a hyper-parameter as a function of t = 1, 2, ..., the number of the update.

Schedules accept plain and traced numbers; a value may be one number or one per lane (an array). They are small dataclasses:
they pickle, copy, print as they were written, and are equal if their numbers are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from thalweg.ops import cos, maximum, minimum, sqrt


def _check(what: str, steps: Any) -> None:
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise ValueError(f"{what}: steps counts updates, so it is a whole number from 1 on, not {steps!r}")


class _Schedule:
    """A function of t, and no number, which those who compute with it are told."""

    def _is_no_number(self, *_: Any) -> Any:
        raise TypeError(
            f"{self!r} is a schedule, a function of t = 1, 2, ..., and no number to compute with; "
            "a framework's scheduler needs a number, lr=0.1"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __float__ = _is_no_number


@dataclass(frozen=True)
class constant(_Schedule):
    """The same value at every update.

    Parameters
    ----------
    value : float or array
        The value.
    """

    value: Any

    def __call__(self, t: Any) -> Any:
        return self.value


@dataclass(frozen=True)
class warm_up(_Schedule):
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

    def __post_init__(self) -> None:
        _check("warm_up", self.steps)

    def __call__(self, t: Any) -> Any:
        return (self.then(t) if callable(self.then) else self.then) * minimum(1.0, t / self.steps)


@dataclass(frozen=True)
class linear(_Schedule):
    """Change linearly from `value` at the first update to `final` after `steps` updates, then stay.

    Parameters
    ----------
    value, final : float or array
        First and last value.
    steps : int
        Number of updates.
    """

    value: Any
    steps: int
    final: Any = 0.0

    def __post_init__(self) -> None:
        _check("linear", self.steps)

    def __call__(self, t: Any) -> Any:
        return self.value + (self.final - self.value) * minimum(1.0, (t - 1) / self.steps)


@dataclass(frozen=True)
class cosine(_Schedule):
    """Fall along half a cosine from `value` at the first update to `final` after `steps` updates, then stay.

    Parameters
    ----------
    value, final : float or array
        First and last value.
    steps : int
        Number of updates.

    References
    ----------
    Loshchilov & Hutter 2017, arXiv 1608.03983.
    """

    value: Any
    steps: int
    final: Any = 0.0

    def __post_init__(self) -> None:
        _check("cosine", self.steps)

    def __call__(self, t: Any) -> Any:
        return self.final + (self.value - self.final) * 0.5 * (1 + cos(math.pi * minimum(1.0, (t - 1) / self.steps)))


@dataclass(frozen=True)
class warm_up_stable_decay(_Schedule):
    """Rise linearly to `value`, stay, and fall linearly to `final`.

    Parameters
    ----------
    value, final : float or array
        Plateau and last value.
    steps : int
        Number of updates.
    warm, decay : float
        Shares of `steps` for the rise and for the fall.

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
        _check("warm_up_stable_decay", self.steps)

    def __call__(self, t: Any) -> Any:
        rising, falling = max(1, round(self.warm * self.steps)), max(1, round(self.decay * self.steps))
        risen = self.value * minimum(1.0, t / rising)
        return self.final + (risen - self.final) * minimum(1.0, maximum(0.0, self.steps + 1 - t) / falling)


@dataclass(frozen=True)
class inverse_sqrt(_Schedule):
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

    def __post_init__(self) -> None:
        _check("inverse_sqrt", self.steps)

    def __call__(self, t: Any) -> Any:
        return self.value * minimum(t / self.steps, sqrt(self.steps / maximum(t, 1)))
