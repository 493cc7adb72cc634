"""Words for products and factors of matrices, which act on the last two axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thalweg.ops.calling import X, by_tensor, in_one_piece
from thalweg.ops.elements import where
from thalweg.values.arrays import framework
from thalweg.values.symbols import Symbol


@in_one_piece
def matmul(x: X, y: X) -> X:
    """The product of two matrices."""
    return Symbol.of("matmul", x, y) if isinstance(x, Symbol) or isinstance(y, Symbol) else x @ y


@by_tensor
def transposed(x: X) -> X:
    """A matrix with rows and columns exchanged."""
    return Symbol.of("transposed", x) if isinstance(x, Symbol) else framework(x).swapaxes(x, -1, -2)


@in_one_piece
def orthonormal(x: X) -> X:
    """Orthonormal columns that span a matrix's, by its QR decomposition. NaN for a matrix that is not finite."""
    return Symbol.of("orthonormal", x) if isinstance(x, Symbol) else _finite(x, lambda good: framework(x).linalg.qr(good)[0])


@by_tensor
def upper(x: X) -> X:
    """The upper triangle of a matrix, diagonal included."""
    return Symbol.of("upper", x) if isinstance(x, Symbol) else framework(x).triu(x)


@in_one_piece
def inverse(x: X) -> X:
    """The inverse of a square matrix. NaN for a matrix that is not finite."""
    return Symbol.of("inverse", x) if isinstance(x, Symbol) else _finite(x, lambda good: framework(x).linalg.inv(good), True)


@in_one_piece
def spectral_norm(x: X) -> X:
    """The largest singular value of a matrix: shape (..., 1, 1). NaN for a matrix that is not finite."""
    if isinstance(x, Symbol):
        return Symbol.of("spectral_norm", x)
    return _finite(x, lambda good: framework(x).linalg.matrix_norm(good, ord=2)[..., None, None])


def _finite(x: X, made: Callable[[X], X], unit: bool = False) -> X:
    """Return made(x), and NaN for a matrix that is not finite, in whose place `made` gets zeros, or the identity."""
    space = framework(x)
    finite = space.isfinite(abs(x).sum((-2, -1)))[..., None, None]
    instead = 0.0 * space.full(tuple(x.shape), 0.0, x)
    found = made(where(finite, x, instead + space.asarray(np.eye(x.shape[-1]), x) if unit else instead))
    return where(finite, found, found * np.nan)
