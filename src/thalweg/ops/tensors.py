"""Reductions: one number per tensor, shaped to broadcast against it, or one for the whole model."""

from __future__ import annotations

import numpy as np

from thalweg.ops.calling import X, by_tensor, has_lanes
from thalweg.values.arrays import framework, widened
from thalweg.values.norms import euclidean
from thalweg.values.per_tensor import Each
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import NUMBER, Symbol
from thalweg.values.trees import Vector


@by_tensor
def total(x: X) -> X:
    """The sum of a tensor's elements; in an @around method, over the whole tree."""
    if isinstance(x, Symbol):
        return Symbol.of("total", x)
    if hasattr(x, "total_of_all"):  # a whole tree, see trees.Vector
        return x.total_of_all()
    space = framework(x)
    first = 1 if has_lanes.get() else 0
    return space.sum(x, axis=tuple(range(first, x.ndim)), keepdims=bool(first))


@by_tensor
def mean(x: X) -> X:
    """The mean of a tensor's elements."""
    if isinstance(x, Symbol):
        return Symbol.of("mean", x)
    count = 1
    for size in x.shape[1 if has_lanes.get() else 0 :]:
        count *= size
    return total(x) / max(count, 1)


@by_tensor
def norm(x: X) -> X:
    """The Euclidean norm of a tensor; in an @around method, over the whole tree."""
    if isinstance(x, Symbol):
        return Symbol.of("norm", x)
    if hasattr(x, "norm_of_all"):  # a whole tree, see trees.Vector
        return x.norm_of_all()
    lanes = has_lanes.get()
    return framework(x).asarray(euclidean([x], int(lanes), keepdims=lanes), widened(x))


def model_total(x: X) -> X:
    """The sum over all elements of all tensors of a stage: <g, p> over the whole model is model_total(g * p).

    x is a tensor; the result is one number, per lane. Within a branch of `choose` the sum runs over the branch's tensors; a
    tensor without a gradient in this step adds nothing. A rule with this word runs on all tensors at once, without a fused
    kernel. Raises TypeError if x is a number.
    """
    if isinstance(x, Symbol):
        if x.level == NUMBER:
            raise TypeError(f"model_total adds up tensors, and {x!r} is one number for them all")
        return Symbol.of("model_total", x)
    found = Vector([widened(part) for part in (x.values if isinstance(x, Each) else [x])], has_lanes.get()).total_of_all()
    values = found.values if isinstance(found, Scalar) else found
    if framework(values).name == "numpy":
        return Scalar(np.asarray(values, np.float64))  # float64, as all numbers of the model: its tensors may differ in dtype
    return Scalar(values) if has_lanes.get() else values
