"""Pooling: the largest number of each window, or the mean."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, Rng, Shape, pair
from thalweg.nn.layers.layer import Layer
from thalweg.nn.layers.windows import Pair, add_up, output_size, windows


@dataclass(frozen=True)
class Pool2d(Layer):
    """A layer that makes one number of each window, channel by channel.

    Parameters
    ----------
    size : int | tuple[int, int]
        Height and width of a window, one number or a pair.
    stride : int | tuple[int, int] | None
        Step between windows, one number or a pair; None: as `size`, so that windows do not overlap.
    """

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.resolved()

    def resolved(self) -> tuple[Pair, Pair]:
        """Size and stride as pairs. Raises ValueError for what is none."""
        return pair(self.size, "size", 1), pair(self.size if self.stride is None else self.stride, "stride", 1)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """No parameters. Raises ValueError for samples that are not images, or too small."""
        return {}, (*output_size(shape, *self.resolved(), (0, 0), type(self).__name__), shape[2])


@dataclass(frozen=True)
class MaxPool2d(Pool2d):
    """The largest number of each window, of which `Pool2d` says size and stride; of equal ones the first gets the gradient."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Keeps where in its window each maximum was."""
        size, stride = self.resolved()
        if not backend.is_numpy(x):
            return backend.largest(backend.cut(x, size, stride)), None
        cut = windows(x, size, stride)
        flat = cut.reshape(*cut.shape[:5], size[0] * size[1])
        where = flat.argmax(axis=-1)[..., None]
        y: Array = np.take_along_axis(flat, where, axis=-1)[..., 0]
        return y, (where[..., 0], x.shape[2:])

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy at the place of the maximum."""
        where, shape = cache
        size, stride = self.resolved()
        place = np.arange(size[0] * size[1]).reshape(*size, 1)
        parts = (where[:, :, :, :, None, None, :] == place) * dy[:, :, :, :, None, None, :]
        return add_up(parts, shape, stride)


@dataclass(frozen=True)
class AvgPool2d(Pool2d):
    """The mean of each window, of which `Pool2d` says size and stride."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Keeps the shape."""
        size, stride = self.resolved()
        if not backend.is_numpy(x):
            return backend.cut(x, size, stride).mean((4, 5)), x.shape[2:]
        y: Array = windows(x, size, stride).mean(axis=(-2, -1))
        return y, x.shape[2:]

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy, shared out evenly."""
        size, stride = self.resolved()
        dy /= size[0] * size[1]
        parts = np.broadcast_to(dy[:, :, :, :, None, None, :], (*dy.shape[:4], *size, dy.shape[4]))
        return add_up(parts, cache, stride)
