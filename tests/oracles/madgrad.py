"""MADGRAD."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, divide, finish, rate, silent


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


@silent()
def mirror_madgrad(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    mu: float = 0.9,
    eps: float = 0.0,
    added_to_lr: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Mirror MADGRAD: Defazio & Jelassi 2021, the authors' code, k counting from 0; c = 1 - mu.

    nu = sqrt(k / (k + 1)) nu + g^2; z = z - lr cbrt(k + 1) g / (cbrt(nu) + eps), 0 / 0 being 0; x = (1 - c) x + c z. ``added_to_lr``:
    in the code eps is added to lr, too.
    """
    x, grad, T = begin(p, gradients, steps)
    z, nu = x.copy(), np.zeros_like(x)
    c = 1.0 - mu
    path = []
    for k in range(T):
        g = grad(k + 1, x)
        nu = math.sqrt(k / (k + 1)) * nu + g**2
        z = z - (rate(lr, k + 1) + added_to_lr) * float(np.cbrt(k + 1)) * divide(g, np.cbrt(nu) + eps)
        x = (1.0 - c) * x + c * z
        path.append(x)
    return finish(path, x)
