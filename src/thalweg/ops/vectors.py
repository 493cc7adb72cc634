"""Vectors per coordinate: memory of kind per_coordinate(k), shape of the tensor + (k,)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.ops.calling import X, by_tensor, has_lanes
from thalweg.values.arrays import framework
from thalweg.values.symbols import Symbol


@by_tensor
def stack(*xs: X) -> X:
    """Join k tensors into one vector of length k per coordinate; a number stands for a constant tensor."""
    if any(isinstance(x, Symbol) for x in xs):
        return Symbol.of("stack", *xs)
    like = next(x for x in xs if framework(x) is not None)
    space = framework(like)
    return space.stack([space.full(tuple(like.shape), x, like) if framework(x) is None else x for x in xs], axis=-1)


@by_tensor
def split(x: X, parts: int) -> Sequence[X]:
    """Split a vector per coordinate into equal parts."""
    if isinstance(x, Symbol):
        return [Symbol.of("part", x, i, parts) for i in range(parts)]
    pieces: Sequence[X] = framework(x).split(x, parts, axis=-1)
    return pieces


@by_tensor
def join(*xs: X) -> X:
    """Concatenate vectors per coordinate."""
    if any(isinstance(x, Symbol) for x in xs):
        return Symbol.of("join", *xs)
    return framework(xs[0]).concatenate(xs, axis=-1)


@by_tensor
def linear(x: X, w: Any, b: Any) -> X:
    """Compute x w + b for each coordinate's vector x; w (k, n) and b (n,) are NumPy arrays of the method."""
    if isinstance(x, Symbol):
        return Symbol.of("linear", x, w, b)
    space = framework(x)
    each = (x.shape[0], -1) if has_lanes.get() else (-1,)  # one product per lane: other lanes must not change its bits
    rows = space.matmul(x.reshape((*each, x.shape[-1])), space.asarray(w, x))
    rows += space.asarray(b, x)  # in place: with many coordinates, a second array of this size costs more than the product
    return rows.reshape((*x.shape[:-1], len(b)))


@by_tensor
def single(x: X) -> X:
    """Convert a vector of length one per coordinate to the tensor."""
    return Symbol.of("single", x) if isinstance(x, Symbol) else x[..., 0]
