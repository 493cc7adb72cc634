"""Softmax and its logarithm over the last axis."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array
from thalweg.nn.layers.layer import Activation


def classes_first(x: Array) -> Array:
    """A copy with the last axis moved first: NumPy reduces a short last axis ten times more slowly than a first axis."""
    return np.moveaxis(x, -1, 0).copy()


def classes_last(x: Array) -> Array:
    """The inverse of `classes_first`, again a copy, since matrix products need a contiguous last axis."""
    return np.moveaxis(x, 0, -1).copy()


def log_softmax(x: Array) -> Array:
    """x - log sum exp x over the first axis. Subtracts the maximum first, so nothing overflows. Overwrites x."""
    x -= x.max(axis=0)
    x -= np.log(np.exp(x).sum(axis=0))
    return x


def log_softmax_last(x: Array) -> Array:
    """x - log sum exp x over the last axis, in a new array."""
    return classes_last(log_softmax(classes_first(x))) if backend.is_numpy(x) else backend.log_softmax(x)


@dataclass(frozen=True)
class Softmax(Activation):
    """exp(x) / sum exp(x) over the last axis.

    Not needed before `CrossEntropy`, which takes logits: that is safer and faster.
    """

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the output."""
        if not backend.is_numpy(x):
            return backend.softmax(x), None
        y = classes_first(x)
        y -= y.max(axis=0)
        np.exp(y, out=y)
        y /= y.sum(axis=0)
        y = classes_last(y)
        return y, y

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """y (dy - sum y dy): the whole Jacobian, so that any loss may follow."""
        dy -= np.einsum("...k,...k->...", dy, cache)[..., None]
        dy *= cache
        return dy


@dataclass(frozen=True)
class LogSoftmax(Activation):
    """log softmax(x) over the last axis, computed without log(0)."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the output."""
        y = log_softmax_last(x)
        return y, y

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy - softmax(x) sum dy."""
        dy -= np.exp(cache) * np.einsum("...k->...", dy)[..., None]
        return dy
