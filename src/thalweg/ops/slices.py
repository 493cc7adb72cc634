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
    first = 1 if has_lanes.get() else 0
    if x.ndim <= first + 1:
        return edges.reshape(tuple(x.shape))
    return minimum(row_part(edges, x), col_part(edges, x))


def row_part(edges: X, like: X) -> X:
    """For each element of a tensor's first column, the minimum of its slices' numbers along all axes but the last.

    like: an array of the tensor's shape, with two axes or more.
    """
    first, least, start = 1 if has_lanes.get() else 0, None, 0
    for axis in range(first, like.ndim - 1):
        size = like.shape[axis]
        shape = [1] * like.ndim
        shape[:first], shape[axis] = like.shape[:first], size
        own = edges[..., start : start + size].reshape(tuple(shape))
        least, start = own if least is None else minimum(least, own), start + size
    return least


def col_part(edges: X, like: X) -> X:
    """For each element of the last axis, its slice's number, in a shape that broadcasts against the tensor's."""
    first, size = 1 if has_lanes.get() else 0, like.shape[-1]
    ones = [1] * (like.ndim - first - 1)
    return edges[..., edges.shape[-1] - size :].reshape((*like.shape[:first], *ones, size))


def all_slices(rows: X, cols: X) -> X:
    """`slice_max` of a tensor, from its maxima over the last axis and those over the one before, both kept as axes of 1."""
    of_rows, of_cols = slice_max(rows)[..., :-1], slice_max(cols)
    return framework(rows).concatenate([of_rows, of_cols[..., of_cols.shape[-1] - cols.shape[-1] :]], axis=-1)
