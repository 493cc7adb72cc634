"""Penalties on the weights, added to the loss and its gradient. Biases are exempt by default.

`Linear(32, penalty=L2(1e-4))` for one layer, `Model(..., penalty=L2(1e-4))` for every layer without one of its own; a tuple
adds several. This is coupled weight decay: the penalty's gradient passes through the optimizer's rule. For decoupled weight
decay chain `tw.decay` after the rule.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from thalweg.nn.arrays import Array, sum_but_lanes


class Penalty(ABC):
    """Base class of penalties. `biases`: whether parameters named "b" are penalised too."""

    biases: bool

    @abstractmethod
    def value(self, w: Array) -> Array:
        """w (lanes, ...) -> (lanes,)."""

    @abstractmethod
    def grad(self, w: Array) -> Array:
        """The gradient of `value`, shaped and typed like w."""


@dataclass(frozen=True)
class L1(Penalty):
    """strength * sum |w|; gradient strength * sign(w), with 0 at w = 0.

    Parameters
    ----------
    strength : float
        Factor of the penalty, at least 0.
    biases : bool
        Whether biases are penalised too.
    """

    strength: float
    biases: bool = False

    def __post_init__(self) -> None:
        _check(self, self.strength)

    def value(self, w: Array) -> Array:
        """strength * sum |w|, one per lane."""
        value: Array = sum_but_lanes(abs(w)) * self.strength
        return value

    def grad(self, w: Array) -> Array:
        """strength * sign(w)."""
        grad: Array = np.sign(w) * w.dtype.type(self.strength)
        return grad


@dataclass(frozen=True)
class L2(Penalty):
    """strength * sum w^2; gradient 2 * strength * w. (With plain SGD: a weight decay of 2 * strength.)

    Parameters
    ----------
    strength : float
        Factor of the penalty, at least 0.
    biases : bool
        Whether biases are penalised too.
    """

    strength: float
    biases: bool = False

    def __post_init__(self) -> None:
        _check(self, self.strength)

    def value(self, w: Array) -> Array:
        """strength * sum w^2, one per lane."""
        value: Array = sum_but_lanes(w * w) * self.strength
        return value

    def grad(self, w: Array) -> Array:
        """2 * strength * w."""
        grad: Array = w * w.dtype.type(2 * self.strength)
        return grad


def as_penalties(penalty: "Penalty | tuple[Penalty, ...]") -> "tuple[Penalty, ...]":
    """One or several penalties as a tuple. Raises TypeError for anything else."""
    several = (penalty,) if isinstance(penalty, Penalty) else tuple(penalty)
    for one in several:
        if not isinstance(one, Penalty):
            raise TypeError(
                f"penalty={one!r}: want nn.L1(...) or nn.L2(...), or a tuple of them, for example penalty=nn.L2(1e-4)"
            )
    return several


def _check(penalty: Penalty, strength: float) -> None:
    if not strength >= 0:
        raise ValueError(f"{type(penalty).__name__}({strength!r}): the strength must be at least 0")
