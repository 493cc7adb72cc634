"""The Euclidean norm, also for numbers whose squares overflow or underflow their dtype."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg.values.arrays import Array, dtype_name, framework, widened

SCALES = {"float32": (2.0**-103, 2.0**100, 2.0**-80), "float64": (2.0**-970, 2.0**600, 2.0**-600)}
"""The sum of squares below which bits are lost, the scale of the numbers in that case, and the scale after an overflow. Powers
of two keep every bit of the norm.
"""


def euclidean(arrays: Sequence[Array], first: int = 0, *, keepdims: bool = False) -> Array:
    """Return the norm over all arrays together. first: the number of leading axes that count lanes, each with a norm of its own.

    The result is float64 for NumPy, as in the kernels; otherwise of the arrays' dtype, or float32 for half precision.
    """
    space = framework(arrays[0])
    if space.name == "numpy":
        return _scaled([np.asarray(x, np.float64) for x in arrays], first, keepdims)
    wide = list(map(widened, arrays))
    if space.name == "torch" and all(dtype_name(x) == "float32" and x.device.type != "mps" for x in wide):
        norms = [_of_torch(x, first, keepdims) for x in wide]
        found = norms[0] if len(norms) == 1 else space.linalg.vector_norm(space.stack(norms, 0), dim=0)
        return space.cast(found, "float32")
    return _of_jax(first, keepdims)(wide) if space.name == "jax" else _scaled(wide, first, keepdims)


@functools.cache
def _of_jax(first: int, keepdims: bool) -> Callable[[Sequence[Array]], Array]:
    """The norm with a derivative of its own, x / |x|, and 0 where the norm is 0.

    That of the square root is infinite there, and behind a `where` that leaves the norm out NaN, 0 times infinity; that of the
    scaled numbers overflows where XLA multiplies the scales.
    """
    jax: Any = sys.modules["jax"]

    def norm(arrays: Sequence[Array]) -> Array:
        return _scaled(arrays, first, keepdims)

    def along(given: tuple[Sequence[Array]], by: tuple[Sequence[Array]]) -> tuple[Array, Array]:
        found, slope = made(given[0]), 0.0
        size = found + (found == 0)
        for x, dx in zip(given[0], by[0], strict=True):
            each = size.reshape(tuple(size.shape[:first]) + (1,) * (x.ndim - first))
            slope = slope + jax.numpy.sum(x / each * dx, axis=tuple(range(first, x.ndim)), keepdims=keepdims)
        return found, slope

    made: Callable[[Sequence[Array]], Array] = jax.custom_jvp(norm)
    made.defjvp(along)  # type: ignore[attr-defined]
    return made


def _of_torch(x: Array, first: int, keepdims: bool) -> Array:
    """Compute in float64, which needs no copy in torch."""
    space, axes = framework(x), tuple(range(first, x.ndim))
    return space.linalg.vector_norm(x, dim=axes, keepdim=keepdims, dtype=space.float64) if axes else abs(x).double()


def _scaled(arrays: Sequence[Array], first: int, keepdims: bool) -> Array:
    squares = _squares(arrays, first, keepdims)
    space, (least, up, down) = framework(squares), SCALES[dtype_name(squares)]
    if space.name == "numpy" and (least <= squares < np.inf if first == 0 and not keepdims else _within(squares, least)):
        return np.sqrt(squares)
    one, more, less = (space.full(tuple(squares.shape), value, squares) for value in (1.0, up, down))
    scale = space.where(squares < least, more, space.where(squares < np.inf, one, less))
    lanes = tuple(scale.shape[:first])
    of_each = [x * scale.reshape(lanes + (1,) * (x.ndim - first)) for x in arrays]
    if space.name == "jax":  # of constants, such as biases that start at 0, XLA would square the scale, which overflows
        of_each = sys.modules["jax"].lax.optimization_barrier(of_each)
    return space.sqrt(_squares(of_each, first, keepdims)) / scale


def _within(squares: Array, least: float) -> bool:
    return bool(np.all((squares >= least) & (squares < np.inf)))


def _squares(arrays: Sequence[Array], first: int, keepdims: bool) -> Array:
    """Return the sum of the squares."""
    found = 0.0
    for x in arrays:
        found = found + framework(x).sum(x * x, axis=tuple(range(first, x.ndim)), keepdims=keepdims)
    return found
