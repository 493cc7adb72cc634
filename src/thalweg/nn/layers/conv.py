"""Two-dimensional convolution as one matrix product (im2col)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, Rng, Shape, pair, positive, sum_over_batch
from thalweg.nn.initialisers import Initialiser, Zeros, he
from thalweg.nn.layers.layer import Trainable
from thalweg.nn.layers.windows import Pair, add_up, output_size
from thalweg.nn.penalties import Penalty, as_penalties


@dataclass(frozen=True)
class Conv2d(Trainable):
    """2-D convolution (cross-correlation) of images with `filters` filters, plus one bias per filter.

    Samples are (height, width, channels), outputs (rows, columns, filters); w is (size[0], size[1], channels, filters),
    b (filters,).

    Parameters
    ----------
    filters : int
        Number of filters.
    size : int | tuple[int, int]
        Height and width of a filter, one number or a pair.
    stride : int | tuple[int, int]
        Step between windows, one number or a pair.
    padding : int | tuple[int, int]
        Zeros added on each side, one number or a pair.
    weights : Initialiser
        Initialiser of w.
    biases : Initialiser
        Initialiser of b.
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    filters: int
    size: int | tuple[int, int] = 3
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] = 0
    weights: Initialiser = field(default_factory=he)
    biases: Initialiser = field(default_factory=Zeros)
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        positive(self.filters, "filters")
        self._geometry()
        as_penalties(self.penalty)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """w first, then b. Raises ValueError for samples that are not images, or too small."""
        size, stride, padding = self._geometry()
        rows, columns = output_size(shape, size, stride, padding, f"Conv2d({self.filters})")
        high, wide = size
        inputs, outputs = high * wide * shape[2], high * wide * self.filters
        w = self.weights(rng, (high, wide, shape[2], self.filters), inputs, outputs)
        b = self.biases(rng, (self.filters,), inputs, outputs)
        return {"w": w, "b": b}, (rows, columns, self.filters)

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the windows as the rows of a matrix."""
        size, stride, (top, left) = self._geometry()
        cut = backend.cut(backend.padded(x, top, left), size, stride)
        lanes, batch, rows, columns = cut.shape[:4]
        w = _matrix(params["w"])
        matrix = cut.reshape(lanes, batch * rows * columns, w.shape[1])
        y = matrix @ w
        y += params["b"][:, None, :]
        return y.reshape(y.shape[0], batch, rows, columns, self.filters), (matrix, x.shape[2:])

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """windows^T dy, and the sum of dy over batch and positions."""
        matrix, _ = cache
        flat = dy.reshape(dy.shape[0], -1, self.filters)
        dw = np.matmul(matrix.swapaxes(1, 2), flat)
        return {"w": dw.reshape(params["w"].shape), "b": sum_over_batch(flat)}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy w^T, each window's gradient added at the window's position."""
        _, (height, width, channels) = cache
        lanes, batch, rows, columns = dy.shape[:4]
        parts = np.matmul(dy.reshape(lanes, -1, self.filters), _matrix(params["w"]).swapaxes(1, 2))
        size, stride, (top, left) = self._geometry()
        parts = parts.reshape(lanes, batch, rows, columns, *size, channels)
        dx = add_up(parts, (height + 2 * top, width + 2 * left), stride)
        return dx[:, :, top : top + height, left : left + width]

    def _geometry(self) -> tuple[Pair, Pair, Pair]:
        return pair(self.size, "size", 1), pair(self.stride, "stride", 1), pair(self.padding, "padding", 0)


def _matrix(w: Array) -> Array:
    """(lanes, high, wide, channels, filters) -> (lanes, high * wide * channels, filters)."""
    return w.reshape(w.shape[0], -1, w.shape[-1])
