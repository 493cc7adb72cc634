"""The words a rule may use besides + - * / ** and comparisons, each written once for every framework.

An argument is a NumPy, torch or JAX array, a number, a per-lane `Scalar`, or a `Symbol` of `trace`; the result is of
the same sort. Element-wise words broadcast; `norm`, `total` and `mean` speak of one tensor, `model_total` of all of them
(of each lane by itself).
"""

from thalweg.ops.calling import X, lanes
from thalweg.ops.elements import (
    clip,
    cos,
    debias,
    every_kth,
    exp,
    floor,
    log,
    maximum,
    minimum,
    mix,
    off,
    ratio,
    sigmoid,
    sign,
    sqrt,
    tanh,
    where,
)
from thalweg.ops.epsilon import Epsilon, at_least, both, inside, outside, over_debiased_root, over_root
from thalweg.ops.history import append, known
from thalweg.ops.matrices import col_means, leading, lift, orthogonal, project, row_means, sizes
from thalweg.ops.slices import slice_max, slice_min
from thalweg.ops.tensors import mean, model_total, norm, total
from thalweg.ops.vectors import join, linear, single, split, stack

__all__ = [
    "Epsilon", "X", "append", "at_least", "both", "clip", "col_means", "cos", "debias", "every_kth", "exp", "floor", "inside",
    "join", "known", "lanes", "leading", "lift", "linear", "log", "maximum", "mean", "minimum", "mix", "model_total", "norm",
    "off", "orthogonal", "outside", "over_debiased_root", "over_root", "project", "ratio", "row_means", "sigmoid", "sign",
    "single", "sizes", "slice_max", "slice_min", "split", "sqrt", "stack", "tanh", "total", "where",
]  # fmt: skip
