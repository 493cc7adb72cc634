"""Slices: rows and columns of a matrix, generalized to tensors of any shape: memory of kind `slices`."""

from __future__ import annotations

from thalweg.ops.calling import X, by_tensor, has_lanes
from thalweg.ops.elements import minimum
from thalweg.values.arrays import framework
from thalweg.values.symbols import Symbol


@by_tensor
def slice_max(x: X) -> X:
    """The maximum over each slice along each axis, concatenated: shape (n_1 + ... + n_k,). x must not be negative."""
    if isinstance(x, Symbol):
        return Symbol.of("slice_max", x)
    space, first = framework(x), 1 if has_lanes.get() else 0
    lanes, axes = tuple(x.shape[:first]), range(first, x.ndim)
    if x.ndim <= first + 1:
        return x.reshape((*lanes, -1))
    if 0 in x.shape:
        return space.full((*lanes, sum(x.shape[first:])), 0.0, x)
    edges = [space.amax(x, tuple(other for other in axes if other != axis)) for axis in axes]
    return space.concatenate(edges, axis=-1)


@by_tensor
def slice_min(edges: X, x: X) -> X:
    """For each element of a tensor shaped like x, the minimum of its slices' numbers, in the layout of `slice_max`."""
    if isinstance(edges, Symbol):
        return Symbol.of("slice_min", edges)
    first, least, start = 1 if has_lanes.get() else 0, None, 0
    if x.ndim <= first + 1:
        return edges.reshape(tuple(x.shape))
    for axis in range(first, x.ndim):
        size = x.shape[axis]
        shape = [1] * x.ndim
        shape[:first], shape[axis] = x.shape[:first], size
        own = edges[..., start : start + size].reshape(tuple(shape))
        least, start = own if least is None else minimum(least, own), start + size
    return least
