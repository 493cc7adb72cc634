"""Initialisers of weights. They draw float64 numbers from the generator passed to them, never from NumPy's global one.

fan_in is the number of inputs of one output, fan_out the number of outputs of one input.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np

from thalweg.nn.arrays import Array, Rng, Shape

Fan = Literal["in", "out", "average"]


class Initialiser(ABC):
    """Interface of initialisers: (generator, shape, fan_in, fan_out) -> a float64 array of that shape."""

    @abstractmethod
    def __call__(self, rng: Rng, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draws one parameter."""


@dataclass(frozen=True)
class Zeros(Initialiser):
    """Zeros. Draws no random numbers."""

    def __call__(self, rng: Rng, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Zeros of that shape."""
        return np.zeros(shape)


@dataclass(frozen=True)
class Normal(Initialiser):
    """Gaussian with mean 0 and standard deviation `std`."""

    std: float = 0.01

    def __call__(self, rng: Rng, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """std * N(0, 1)."""
        return rng.standard_normal(shape) * self.std


@dataclass(frozen=True)
class Uniform(Initialiser):
    """Uniform on [low, high). One of the sources starts with Uniform(0, 1), another with Uniform(-0.1, 0.1)."""

    low: float = -0.1
    high: float = 0.1

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"Uniform(low={self.low}, high={self.high}): low must be below high")

    def __call__(self, rng: Rng, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """U[low, high)."""
        return rng.uniform(self.low, self.high, shape)


@dataclass(frozen=True)
class NormalByFan(Initialiser):
    """Gaussian with mean 0 and variance `variance` / fan."""

    variance: float
    fan: Fan = "in"

    def __post_init__(self) -> None:
        _check_fan(self.fan)

    def __call__(self, rng: Rng, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """sqrt(variance / fan) * N(0, 1)."""
        return rng.standard_normal(shape) * math.sqrt(self.variance / _size(self.fan, fan_in, fan_out))


@dataclass(frozen=True)
class UniformByFan(Initialiser):
    """Uniform on [-sqrt(`square` / fan), sqrt(`square` / fan)).

    One of the sources uses square = 1 (which it calls Glorot) and 2 (which it calls He).
    """

    square: float
    fan: Fan = "in"

    def __post_init__(self) -> None:
        _check_fan(self.fan)

    def __call__(self, rng: Rng, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """U(-sqrt(square / fan), sqrt(square / fan))."""
        bound = math.sqrt(self.square / _size(self.fan, fan_in, fan_out))
        return rng.uniform(-bound, bound, shape)


def he() -> NormalByFan:
    """Variance 2 / fan_in: preserves the variance of signals through ReLU layers (He et al. 2015, arXiv 1502.01852)."""
    return NormalByFan(2.0, "in")


def lecun() -> NormalByFan:
    """Variance 1 / fan_in (LeCun, Bottou, Orr, Mueller 1998, Efficient BackProp)."""
    return NormalByFan(1.0, "in")


def glorot_normal() -> NormalByFan:
    """Variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010, AISTATS 9:249)."""
    return NormalByFan(1.0, "average")


def glorot_uniform() -> UniformByFan:
    """Uniform on [-a, a), a = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, AISTATS 9:249, equation 16)."""
    return UniformByFan(3.0, "average")


def _size(fan: Fan, fan_in: int, fan_out: int) -> float:
    return {"in": fan_in, "out": fan_out, "average": (fan_in + fan_out) / 2}[fan]


def _check_fan(fan: str) -> None:
    if fan not in ("in", "out", "average"):
        raise ValueError(f"fan={fan!r}: want 'in', 'out' or 'average'")
