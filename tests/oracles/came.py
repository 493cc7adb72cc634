"""CAME; p is one tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, divide, finish, norm, rate, silent


@silent()
def came(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2e-4,
    beta1: float = 0.9,
    beta2: float = 0.999,
    beta3: float = 0.9999,
    eps1: float = 1e-30,
    eps2: float = 1e-16,
    d: float = 1.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """CAME: Luo et al. 2023, arXiv 2307.02047, Algorithm 2.

    r = beta2 r + (1 - beta2) (g^2 + eps1) 1; c = beta2 c + (1 - beta2) 1^T (g^2 + eps1); v = r c / 1^T r; u = g / sqrt(v);
    u^ = u / max(1, RMS(u) / d); m = beta1 m + (1 - beta1) u^; U = (u^ - m)^2; R, C and S of U, beta3 and eps2 as r, c and v of
    g^2, beta2 and eps1; w = w - eta m / sqrt(S). Of the authors' code: a vector has v itself and the step m; w less eta
    weight_decay w.
    """
    w, grad, T = begin(p, gradients, steps)
    matrix = w.ndim == 2
    m, v = np.zeros_like(w), np.zeros_like(w)
    r, c, R, C = (np.zeros(w.shape[k]) if matrix else None for k in (0, 1, 0, 1))
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        squares = g**2 + eps1
        if matrix:
            r = beta2 * r + (1.0 - beta2) * squares.sum(1)
            c = beta2 * c + (1.0 - beta2) * squares.sum(0)
            v = np.outer(r, c) / r.sum()
        else:
            v = beta2 * v + (1.0 - beta2) * squares
        u = divide(g, np.sqrt(v))
        u = u / max(1.0, norm(u) / u.size**0.5 / d)
        m = beta1 * m + (1.0 - beta1) * u
        step = m
        if matrix:
            U = (u - m) ** 2 + eps2
            R = beta3 * R + (1.0 - beta3) * U.sum(1)
            C = beta3 * C + (1.0 - beta3) * U.sum(0)
            step = m / np.sqrt(np.outer(R, C) / R.sum())
        w = w - rate(lr, t) * (step + weight_decay * w)
        path.append(w)
    return finish(path, w)
