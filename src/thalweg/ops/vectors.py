"""Vectors that belong to each coordinate: memory of the kind per_coordinate(k), shape of the tensor + (k,)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.ops.calling import X, by_tensor, has_lanes
from thalweg.values.arrays import framework
from thalweg.values.symbols import Symbol


@by_tensor
def stack(*xs: X) -> X:
    """k tensors joined into one vector of k for each coordinate; a number stands for a tensor full of it."""
    if any(isinstance(x, Symbol) for x in xs):
        return Symbol.of("stack", *xs)
    like = next(x for x in xs if framework(x) is not None)
    space = framework(like)
    return space.stack([space.full(tuple(like.shape), x, like) if framework(x) is None else x for x in xs], axis=-1)


@by_tensor
def split(x: X, parts: int) -> Sequence[X]:
    """A vector per coordinate, cut into equal parts."""
    if isinstance(x, Symbol):
        return [Symbol.of("part", x, i, parts) for i in range(parts)]
    pieces: Sequence[X] = framework(x).split(x, parts, axis=-1)
    return pieces


@by_tensor
def join(*xs: X) -> X:
    """Vectors of each coordinate, end to end."""
    if any(isinstance(x, Symbol) for x in xs):
        return Symbol.of("join", *xs)
    return framework(xs[0]).concatenate(xs, axis=-1)


@by_tensor
def linear(x: X, w: Any, b: Any) -> X:
    """x w + b for each coordinate's vector x; w (k, n) and b (n,) are NumPy arrays that belong to the method."""
    if isinstance(x, Symbol):
        return Symbol.of("linear", x, w, b)
    space = framework(x)
    each = (x.shape[0], -1) if has_lanes.get() else (-1,)  # a lane's product by itself: its last bits are its own affair
    rows = space.matmul(x.reshape((*each, x.shape[-1])), space.asarray(w, x))
    rows += space.asarray(b, x)  # in place: for many coordinates a second array of this size costs more than the product
    return rows.reshape((*x.shape[:-1], len(b)))


@by_tensor
def single(x: X) -> X:
    """A vector of one for each coordinate, as the tensor it is."""
    return Symbol.of("single", x) if isinstance(x, Symbol) else x[..., 0]
