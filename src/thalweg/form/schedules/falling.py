"""Schedules that fall from the first update to the last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from thalweg.form.schedules.schedule import Schedule, counted_steps
from thalweg.ops import cos, maximum, minimum, where


@dataclass(frozen=True)
class constant(Schedule):
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
class linear(Schedule):
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

    def __call__(self, t: Any) -> Any:
        return self.value + (self.final - self.value) * minimum(1.0, (t - 1) / self.steps)


@dataclass(frozen=True)
class cosine(Schedule):
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

    def __call__(self, t: Any) -> Any:
        return self.final + (self.value - self.final) * 0.5 * (1 + cos(math.pi * minimum(1.0, (t - 1) / self.steps)))


@dataclass(frozen=True)
class polynomial(Schedule):
    """Fall from `value` at the first update to `final` after `steps` updates, as a power of the share of them that is left.

    Parameters
    ----------
    value, final : float or array
        First and last value.
    steps : int
        Number of updates.
    power : float
        The power; 1 is `linear`.
    """

    value: Any
    steps: int
    power: float = 1.0
    final: Any = 0.0

    def __call__(self, t: Any) -> Any:
        return self.final + (self.value - self.final) * maximum(0.0, 1 - (t - 1) / self.steps) ** self.power


@dataclass(frozen=True)
class rex(Schedule):
    """Fall slowly at first and ever faster from `value` at the first update to 0 after `steps` updates.

    Parameters
    ----------
    value : float or array
        First value.
    steps : int
        Number of updates.

    References
    ----------
    Chen, Wolfe & Kyrillidis 2022, arXiv 2107.04197, section 3: the reflected exponential.
    """

    value: Any
    steps: int

    def __call__(self, t: Any) -> Any:
        left = maximum(0.0, 1 - (t - 1) / self.steps)
        return self.value * left / (0.5 + 0.5 * left)


@dataclass(frozen=True)
class exponential(Schedule):
    """Multiply by `factor` after every `steps` updates, at once or spread evenly over them.

    Parameters
    ----------
    value : float or array
        First value.
    factor : float or array
        Factor for `steps` updates.
    steps : int
        Number of updates.
    stairs : bool
        Whether the value stays the same in between.
    """

    value: Any
    factor: Any
    steps: int = 1
    stairs: bool = False

    def __call__(self, t: Any) -> Any:
        return self.value * self.factor ** ((t - 1) // self.steps if self.stairs else (t - 1) / self.steps)


@dataclass(frozen=True)
class piecewise(Schedule):
    """Multiply by `factor` after each of some numbers of updates.

    Parameters
    ----------
    value : float or array
        First value.
    after : tuple of int
        Numbers of updates, in ascending order: (30, 60) multiplies at the 31st and at the 61st update.
    factor : float or array
        The factor.
    """

    value: Any
    after: tuple[int, ...]
    factor: Any = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "after", tuple(counted_steps("piecewise", steps) for steps in self.after))
        if list(self.after) != sorted(set(self.after)):
            raise ValueError(f"piecewise: after counts updates in ascending order, not {self.after}")

    def __call__(self, t: Any) -> Any:
        found = self.value
        for steps in self.after:
            found = found * where(t > steps, 1.0 * self.factor, 1.0)
        return found
