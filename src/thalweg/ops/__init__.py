"""The words a rule may use besides + - * / ** and comparisons, each written once for every framework.

An argument is a NumPy, torch or JAX array, a number, a per-lane `Scalar`, or a `Symbol`; the result is of the same type.
Element-wise words broadcast. `norm`, `total` and `mean` reduce one tensor, `model_total` all of them (per lane).
"""

from thalweg.ops import elements
from thalweg.ops.calling import X, lanes
from thalweg.ops.elements import *  # noqa: F403 - a word is found by being there
from thalweg.ops.epsilon import Epsilon, at_least, both, inside, outside, over_debiased_root, over_root
from thalweg.ops.history import append, known
from thalweg.ops.kronecker import col_products, eigenvectors, inverse_root, row_products, turn, turn_back
from thalweg.ops.matrices import col_means, leading, lift, orthogonal, project, row_means, short_means, sizes, sketch
from thalweg.ops.products import inverse, matmul, orthonormal, spectral_norm, transposed, upper
from thalweg.ops.slices import slice_max, slice_min
from thalweg.ops.tensors import mean, model_total, norm, total
from thalweg.ops.vectors import join, linear, single, split, stack

__all__ = [
    "Epsilon", "X", "append", "at_least", "both", "col_means", "col_products", "eigenvectors", "inside", "inverse",
    "inverse_root", "join", "known", "lanes", "leading", "lift", "linear", "matmul", "mean", "model_total", "norm",
    "orthogonal", "orthonormal", "outside", "over_debiased_root", "over_root", "project", "row_means", "row_products",
    "short_means", "single", "sizes", "sketch", "slice_max", "slice_min", "spectral_norm", "split", "stack", "total",
    "transposed", "turn", "turn_back", "upper",
]  # fmt: skip
__all__ += elements.__all__
