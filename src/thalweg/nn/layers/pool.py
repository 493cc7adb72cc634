"""Max and average pooling."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, Rng, Shape, pair
from thalweg.nn.layers.layer import Layer
from thalweg.nn.layers.windows import Pair, add_up, output_size, windows


@dataclass(frozen=True)
class Pool2d(Layer):
    """Base class of pooling layers: one number for each window and channel.

    Parameters
    ----------
    size : int | tuple[int, int]
        Height and width of a window, one number or a pair.
    stride : int | tuple[int, int] | None
        Step between windows, one number or a pair. None: equal to `size`, so that windows do not overlap.
    """

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.resolved()

    def resolved(self) -> tuple[Pair, Pair]:
        """Size and stride as pairs. Raises ValueError for anything else."""
        return pair(self.size, "size", 1), pair(self.size if self.stride is None else self.stride, "stride", 1)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """No parameters. Raises ValueError for samples that are not images, or too small."""
        return {}, (*output_size(shape, *self.resolved(), (0, 0), type(self).__name__), shape[2])


@dataclass(frozen=True)
class MaxPool2d(Pool2d):
    """The maximum of each window; see `Pool2d` for size and stride. At a tie the gradient goes to the first."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the position of each maximum in its window."""
        size, stride = self.resolved()
        if not backend.is_numpy(x):
            return backend.largest(backend.cut(x, size, stride)), None
        cut = windows(x, size, stride)
        flat = cut.reshape(*cut.shape[:5], size[0] * size[1])
        where = flat.argmax(axis=-1)[..., None]
        y: Array = np.take_along_axis(flat, where, axis=-1)[..., 0]
        return y, (where[..., 0], x.shape[2:])

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy at the position of the maximum."""
        where, shape = cache
        size, stride = self.resolved()
        place = np.arange(size[0] * size[1]).reshape(*size, 1)
        parts = (where[:, :, :, :, None, None, :] == place) * dy[:, :, :, :, None, None, :]
        return add_up(parts, shape, stride)


@dataclass(frozen=True)
class AvgPool2d(Pool2d):
    """The mean of each window; see `Pool2d` for size and stride."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the shape."""
        size, stride = self.resolved()
        if not backend.is_numpy(x):
            return backend.cut(x, size, stride).mean((4, 5)), x.shape[2:]
        y: Array = windows(x, size, stride).mean(axis=(-2, -1))
        return y, x.shape[2:]

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy, divided evenly over the window."""
        size, stride = self.resolved()
        dy /= size[0] * size[1]
        parts = np.broadcast_to(dy[:, :, :, :, None, None, :], (*dy.shape[:4], *size, dy.shape[4]))
        return add_up(parts, cache, stride)
