"""Words for a pair of square matrices, one on a matrix's rows and one on its columns, as Kronecker factors are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thalweg.ops.calling import X, in_one_piece
from thalweg.ops.elements import maximum, where
from thalweg.values.arrays import framework, is_traced
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import Symbol


@in_one_piece
def row_products(x: X) -> X:
    """The inner products of a matrix's rows, x x^T: shape (..., m, m), as memory of kind `square`."""
    return Symbol.of("row_products", x) if isinstance(x, Symbol) else x @ framework(x).swapaxes(x, -1, -2)


@in_one_piece
def col_products(x: X) -> X:
    """The inner products of a matrix's columns, x^T x: shape (..., n, n), as memory of kind `square_of_cols`."""
    return Symbol.of("col_products", x) if isinstance(x, Symbol) else framework(x).swapaxes(x, -1, -2) @ x


@in_one_piece
def turn(L: X, x: X, R: X) -> X:
    """L^T x R: for orthogonal L and R the matrix x in their coordinates."""
    return Symbol.of("turn", L, x, R) if isinstance(x, Symbol) else framework(x).swapaxes(L, -1, -2) @ x @ R


@in_one_piece
def turn_back(L: X, x: X, R: X) -> X:
    """L x R^T: the counterpart of `turn`."""
    return Symbol.of("turn_back", L, x, R) if isinstance(x, Symbol) else L @ x @ framework(x).swapaxes(R, -1, -2)


@in_one_piece
def inverse_root(S: X, order: X, eps: X) -> X:
    """(S + eps I)^(-1 / order) of a symmetric matrix without negative eigenvalues. NaN for a matrix that is not finite."""
    if isinstance(S, Symbol):
        return Symbol.of("inverse_root", S, order, eps)
    values, vectors = _eigen(S)
    roots = (maximum(values, 0.0) + eps) ** (-1.0 / order)
    return (vectors * roots[..., None, :]) @ framework(S).swapaxes(vectors, -1, -2)


@in_one_piece
def eigenvectors(S: X, before: X, due: X, first: X) -> X:
    """Return eigenvectors of a symmetric matrix as columns, those of large eigenvalues first.

    first: whether they are computed in full. due: whether, if not, the ones before are improved by a step of orthogonal
    iteration, the QR decomposition of S times them; if not, they are returned. NaN for a matrix that is not finite.
    """
    if isinstance(S, Symbol):
        return Symbol.of("eigenvectors", S, before, due, first)
    improved = lambda: _finite(S, lambda good: framework(S).linalg.qr(good @ before)[0])  # noqa: E731
    return _if(first, S, lambda: _eigen(S)[1][..., ::-1] if framework(S).name != "torch" else _eigen(S)[1].flip(-1),
               lambda: _if(due, S, improved, lambda: before))  # fmt: skip


def _eigen(S: X) -> tuple[X, X]:
    """Return eigenvalues, smallest first, and eigenvectors."""
    space, finite = framework(S), _is_finite(S)
    values, vectors = space.linalg.eigh(where(finite, S, 0.0 * space.full(tuple(S.shape), 0.0, S)))
    return where(finite[..., 0], values, values * np.nan), where(finite, vectors, vectors * np.nan)


def _finite(S: X, made: Callable[[X], X]) -> X:
    finite = _is_finite(S)
    found = made(where(finite, S, 0.0 * framework(S).full(tuple(S.shape), 0.0, S)))
    return where(finite, found, found * np.nan)


def _is_finite(S: X) -> X:
    return framework(S).isfinite(abs(S).sum((-2, -1)))[..., None, None]


def _if(condition: X, like: X, yes: Callable[[], X], no: Callable[[], X]) -> X:
    """Return yes() or no(), for each lane its own; where the condition is known, only what is wanted is computed."""
    values = condition.values if isinstance(condition, Scalar) else condition
    if is_traced(values):
        return framework(like).cond(values, yes, no) if values.ndim == 0 else where(condition, yes(), no())
    if not np.any(np.asarray(values)):
        return no()
    return yes() if np.all(np.asarray(values)) else where(condition, yes(), no())
