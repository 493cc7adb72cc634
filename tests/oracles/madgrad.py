"""MADGRAD."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def madgrad(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    mu: float = 0.9,
    eps: float = 1e-6,
    steps: int | None = None,
) -> Array:
    """MADGRAD: Defazio & Jelassi 2021, arXiv 2101.11075, Algorithm 1, its k counting from 0; c = 1 - mu.

    lambda_k = gamma_k sqrt(k + 1); s = s + lambda g; nu = nu + lambda g^2; z = x_0 - s / (cbrt(nu) + eps);
    x = (1 - c) x + c z.
    """
    x, grad, T = begin(p, gradients, steps)
    x_0, s, nu = x.copy(), np.zeros_like(x), np.zeros_like(x)
    c = 1.0 - mu
    path = []
    for k in range(T):
        g = grad(k + 1, x)
        lam = rate(lr, k + 1) * math.sqrt(k + 1)
        s = s + lam * g
        nu = nu + lam * (g * g)
        z = x_0 - s / (np.cbrt(nu) + eps)
        x = (1.0 - c) * x + c * z
        path.append(x)
    return finish(path, x)
