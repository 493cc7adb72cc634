"""Element-wise activations. GELU, which needs the normal distribution function, is in gelu.py."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array
from thalweg.nn.layers.layer import Activation
from thalweg.values.arrays import framework


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), to full relative accuracy in both tails; exp never overflows."""
    if not backend.is_numpy(x):
        own: Array = backend.functions(x).sigmoid(x)
        return own
    small = np.exp(-np.abs(x))
    y: Array = np.maximum(small, x >= 0)  # 1 where x >= 0, as small <= 1; np.where is ten times slower
    small += 1
    y /= small
    return y


@dataclass(frozen=True)
class ReLU(Activation):
    """max(x, 0), with derivative 0 at 0."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the output."""
        y: Array = backend.relu(x)
        return y, y

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy where the output is positive."""
        dy *= cache > 0
        return dy


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """x where x > 0, slope * x elsewhere (Maas, Hannun, Ng 2013).

    Parameters
    ----------
    slope : float
        0 <= slope < 1.
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.slope < 1:
            raise ValueError(f"LeakyReLU(slope={self.slope}): want 0 <= slope < 1")

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the input."""
        return backend.larger(x, x * self.slope), x

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy, times slope where the input is not positive."""
        dy *= np.maximum(cache > 0, dy.dtype.type(self.slope))  # 1 or slope, as slope < 1
        return dy


@dataclass(frozen=True)
class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the output."""
        y = sigmoid(x)
        return y, y

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy y (1 - y)."""
        dy *= cache
        dy *= 1 - cache
        return dy


@dataclass(frozen=True)
class Tanh(Activation):
    """tanh(x)."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the output."""
        y: Array = framework(x).tanh(x)
        return y, y

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy (1 - y^2)."""
        dy *= 1 - cache * cache
        return dy
