"""Matrix words, which act on the last two axes and broadcast over the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thalweg.ops.calling import X, by_tensor, has_lanes, in_one_piece
from thalweg.ops.elements import sign, sqrt, where
from thalweg.ops.epsilon import Epsilon, outside
from thalweg.values.arrays import dtype_name, framework, is_traced
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import Symbol


@by_tensor
def row_means(x: X) -> X:
    """The mean of each row: shape (..., m, 1), as memory of kind `rows`."""
    return Symbol.of("row_means", x) if isinstance(x, Symbol) else _means(x, -1)


@by_tensor
def col_means(x: X) -> X:
    """The mean of each column: shape (..., 1, n), as memory of kind `cols`."""
    return Symbol.of("col_means", x) if isinstance(x, Symbol) else _means(x, -2)


def _means(x: X, axis: int) -> X:
    return framework(x).sum(_a_matrix(x), axis=(axis,), keepdims=True) / max(x.shape[axis], 1)


@by_tensor
def sizes(x: X) -> tuple[X, X]:
    """Return a matrix's numbers of rows and columns; 1 for missing axes."""
    if isinstance(x, Symbol):
        return Symbol.of("rows", x), Symbol.of("cols", x)
    return max(_a_matrix(x).shape[-2], 1), max(x.shape[-1], 1)


@by_tensor
def orthogonal(
    x: X, steps: int, a: X, b: X, c: X, eps: X, dtype: str, preconditioning: str = "frobenius",
    each: Sequence[Sequence[X]] | None = None,
) -> X:  # fmt: skip
    """Approximate the orthogonal matrix nearest to x by the quintic Newton-Schulz iteration: `steps` times
    X <- a X + b (X X^T) X + c (X X^T)^2 X, starting at x divided by its Frobenius norm + eps (with an `at_least`, by the
    larger of the two). dtype: of the iteration, "own" for x's. preconditioning: another norm for the division, see `muon`.
    each: a, b and c of each iteration, instead of `steps` equal ones; ValueError for rows of another length.
    """
    eps = eps if isinstance(eps, Epsilon) else outside(eps)
    if each is not None and not (len(each) and all(len(abc) == 3 for abc in each)):
        raise ValueError(f"coefficients are (a, b, c) for each iteration, as ((3.4445, -4.775, 2.0315), ...), not {each!r}")
    if isinstance(x, Symbol):
        shown = (steps, a, b, c) if each is None else [z for abc in each for z in abc]

        def compute(x: X, *values: X) -> X:
            *found, number = values
            own = None if each is None else [found[k : k + 3] for k in range(0, len(found), 3)]
            abc = found[1:] if each is None else (a, b, c)
            return orthogonal(x, steps, *abc, replace(eps, number=number), dtype, preconditioning, own)

        return Symbol.of("orthogonal", x, *shown, eps.number, compute=compute)
    space, own = framework(_a_matrix(x)), dtype_name(x)
    dtype = own if dtype == "own" else dtype
    tall = x.shape[-2] > x.shape[-1]  # so that X X^T is the smaller square
    x = space.rounded(space.swapaxes(x, -1, -2) if tall else x, dtype)
    size = _size(x, preconditioning, dtype)
    x = space.rounded(x / space.rounded(eps.beside(size), dtype), dtype)
    for first, third, fifth in each or [(a, b, c)] * steps:
        square = space.product(x, space.swapaxes(x, -1, -2), dtype)
        x = space.product_and(1.0, space.product_and(fifth, square, square, third, square, dtype), x, first, x, dtype)
    return space.cast(space.swapaxes(x, -1, -2) if tall else x, own)


def _size(x: X, kind: str, dtype: str) -> X:
    """Return the divisor of a wide matrix, or of each row, that makes all singular values at most 1."""
    space = framework(x)
    if kind == "frobenius":
        return space.size_of_matrix(x, dtype)
    if kind == "spectral":
        wide = space.cast(x, "float32") if dtype in ("float16", "bfloat16") else x  # no framework has an SVD in half precision
        return space.rounded(space.linalg.matrix_norm(wide, ord=2), dtype)[..., None, None]
    square = space.product(x, space.swapaxes(x, -1, -2), dtype)
    return sqrt(abs(square).sum(-1)[..., None] if kind == "aol" else space.size_of_matrix(square, dtype))


@in_one_piece
def leading(x: X, before: X, due: X) -> X:
    """Return, if due, the first singular vectors of a matrix's shorter side, else the previous ones: kind `projector` or `basis`.

    They are columns; the entry of largest magnitude in each is positive. For a matrix that is not finite they are NaN.
    """
    if isinstance(x, Symbol):
        return Symbol.of("leading", x, before, due)
    values = due.values if isinstance(due, Scalar) else due
    if is_traced(values) and values.ndim == 0:
        return framework(x).cond(values, lambda: _singular(x, before), lambda: before)
    if not (is_traced(values) or np.any(np.asarray(values))):
        return before
    return where(due if isinstance(due, Scalar) else bool(due), _singular(x, before), before)


def _singular(x: X, like: X) -> X:
    space, own = framework(_a_matrix(x)), dtype_name(x)
    x = space.cast(x, "float32") if own in ("float16", "bfloat16") else x
    x = space.swapaxes(x, -1, -2) if x.shape[-2] > x.shape[-1] else x
    finite = space.isfinite(abs(x).sum((-2, -1)))[..., None, None]
    u = space.linalg.svd(where(finite, x, 0.0 * space.full(tuple(x.shape), 0.0, x)), full_matrices=False)[0][
        ..., : like.shape[-1]
    ]
    size = abs(u)
    signs = sign((u * (size == space.amax(size, -2)[..., None, :])).sum(-2))[..., None, :] if 0 not in u.shape else 1.0
    return space.cast(where(finite, u * signs, u * np.nan), own)


@by_tensor
def sketch(noise: X, before: X, due: X) -> X:
    """Return, if due, random directions of a matrix's shorter side, else the previous ones: kind `projector`.

    They are columns of normal draws, taken from `noise`, of a mean square of 1 over the number of directions.
    """
    if isinstance(noise, Symbol):
        return Symbol.of("sketch", noise, before, due)
    few, wide = before.shape[-1], noise.shape[-2] <= noise.shape[-1]
    drawn = (noise if wide else framework(noise).swapaxes(noise, -1, -2))[..., :few]
    return where(due, drawn / max(few, 1) ** 0.5, before)


@by_tensor
def short_means(x: X) -> X:
    """The mean over a matrix's shorter side: of each column if m <= n, shape (..., 1, n), else of each row."""
    if isinstance(x, Symbol):
        return Symbol.of("short_means", x)
    return _means(x, -2 if x.shape[-2] <= x.shape[-1] else -1)


@in_one_piece
def project(P: X, x: X) -> X:
    """Project a matrix's shorter side on the directions P: P^T x if that side is the rows' axis, else x P."""
    if isinstance(x, Symbol):
        return Symbol.of("project", P, x)
    return framework(x).swapaxes(P, -1, -2) @ x if x.shape[-2] <= x.shape[-1] else _a_matrix(x) @ P


@in_one_piece
def lift(P: X, R: X) -> X:
    """Map a projected matrix R back to the full space of P: the counterpart of `project`."""
    if isinstance(R, Symbol):
        return Symbol.of("lift", P, R)
    return P @ R if R.shape[-2] == P.shape[-1] else R @ framework(R).swapaxes(P, -1, -2)


def _a_matrix(x: X) -> X:
    shape = tuple(x.shape[1 if has_lanes.get() else 0 :])
    if len(shape) < 2:
        raise ValueError(
            f"a word on matrices was given shape {shape}; route it with choose((is_matrix, this_rule()), otherwise=another())"
        )
    return x
