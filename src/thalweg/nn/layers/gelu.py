"""Exact GELU, x Phi(x), and the normal distribution function that it needs (NumPy has no erf)."""

import math
from dataclasses import dataclass
from functools import cache as memoised
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array
from thalweg.nn.layers.layer import Activation

CENTRE = 3.75  # z -> (z - CENTRE) / (z + CENTRE) maps [0, inf) to [-1, 1)
FAR = 1e6  # beyond it the tail is 0
DEGREE = 24  # where the Chebyshev coefficients fall below float64's rounding


def normal_cdf(x: Array) -> Array:
    """Phi(x), the standard normal distribution function, in the dtype of x, to rounding.

    Phi(-|x|) = exp(-x^2 / 2) erfcx(|x| / sqrt 2) / 2, with erfcx(z) = exp(z^2) erfc(z) as a Chebyshev series in
    (z - c) / (z + c), the method of Shepherd & Laframboise 1981, Math. Comp. 36:249. The coefficients are computed
    at first use.
    """
    z = np.minimum(np.abs(x) * x.dtype.type(math.sqrt(0.5)), FAR)
    tail = _erfcx(z)
    np.square(z, out=z)
    tail *= np.exp(np.negative(z, out=z), out=z)
    tail *= x.dtype.type(0.5)
    np.subtract(x > 0, tail, out=tail)
    np.abs(tail, out=tail)  # 1 - tail or tail; faster than np.where
    return tail


def _erfcx(z: Array) -> Array:
    """exp(z^2) erfc(z) for 0 <= z < inf, by Clenshaw's recurrence."""
    twice: Array = z + z.dtype.type(CENTRE)
    np.divide(z - z.dtype.type(CENTRE), twice, out=twice)
    twice *= 2
    before, now, free = np.zeros_like(z), np.zeros_like(z), np.empty_like(z)
    first, *rest = _coefficients()
    smallest = np.finfo(z.dtype).eps / 16
    for c in reversed([c for c in rest if abs(c) > smallest]):
        np.multiply(twice, now, out=free)
        free -= before
        free += z.dtype.type(c)
        before, now, free = now, free, before
    twice *= now
    twice *= 0.5
    twice -= before
    twice += z.dtype.type(first)
    twice /= 1 + 2 * z
    return twice


@memoised
def _coefficients() -> tuple[float, ...]:
    """Chebyshev coefficients of (1 + 2z) erfcx(z), a smooth function that stays between 1 and 1.3."""
    n = DEGREE + 1
    nodes = [CENTRE / math.tan(math.pi * i / (4 * n)) ** 2 for i in range(1, 2 * n, 2)]
    values = [(1 + 2 * z) * _erfcx_at(z) for z in nodes]
    cosine = [math.cos(math.pi * i / (2 * n)) for i in range(4 * n)]  # exact in integers: cos(k * angle) would lose digits
    waves = [math.fsum(v * cosine[k * (2 * i + 1) % (4 * n)] for i, v in enumerate(values)) for k in range(n)]
    return (waves[0] / n, *(2 * wave / n for wave in waves[1:]))


def _erfcx_at(z: float) -> float:
    """erfcx at one point: by the definition where it is accurate, by the continued fraction of erfc beyond."""
    if z < 2:
        return math.exp(z * z) * math.erfc(z)
    fraction = z
    for k in range(200, 0, -1):
        fraction = z + k / 2 / fraction
    return 1 / (math.sqrt(math.pi) * fraction)


@dataclass(frozen=True)
class GELU(Activation):
    """x Phi(x), the exact form (Hendrycks & Gimpel 2016, arXiv 1606.08415), not the tanh approximation."""

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches x and Phi(x)."""
        if not backend.is_numpy(x):
            return backend.gelu(x), None
        phi = normal_cdf(x)
        return x * phi, (x, phi)

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy (Phi(x) + x phi(x)), with phi the normal density."""
        x, phi = cache
        density = np.exp(x * x * x.dtype.type(-0.5))
        density *= x.dtype.type(1 / math.sqrt(2 * math.pi))
        density *= x
        density += phi
        dy *= density
        return dy
