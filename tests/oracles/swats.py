"""SWATS; p is the whole model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, inner, rate, silent


@silent()
def swats(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-9,
    tolerance: float = 1e-9,
    steps: int | None = None,
) -> Array:
    """SWATS: Keskar & Socher 2017, arXiv 1712.07628, Algorithm 1.

    p_k = -alpha sqrt(1 - beta2^k) / (1 - beta1^k) m_k / (sqrt(a_k) + eps); if p_k . g_k != 0: gamma = p . p / -(p . g), lambda = beta2
    lambda + (1 - beta2) gamma; if k > 1 and |lambda / (1 - beta2^k) - gamma| < eps: Lambda = lambda / (1 - beta2^k), and from then
    on v = beta1 v + g, w = w - (1 - beta1) Lambda v. At a constant rate; Lambda > 0, from others' code.
    """
    w, grad, T = begin(p, gradients, steps)
    m, a, v = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    mean, Lambda, path = 0.0, 0.0, []
    for k in range(1, T + 1):
        g = grad(k, w)
        if Lambda:
            v = beta1 * v + g
            w = w - (1.0 - beta1) * Lambda * v
            path.append(w)
            continue
        m = beta1 * m + (1.0 - beta1) * g
        a = beta2 * a + (1.0 - beta2) * g**2
        step = -rate(lr, k) * math.sqrt(1.0 - beta2**k) / (1.0 - beta1**k) * m / (np.sqrt(a) + eps)
        w = w + step
        if inner(step, g) != 0.0:
            gamma = inner(step, step) / -inner(step, g)
            mean = beta2 * mean + (1.0 - beta2) * gamma
            if k > 1 and mean > 0.0 and abs(mean / (1.0 - beta2**k) - gamma) < tolerance:
                Lambda = mean / (1.0 - beta2**k)
        path.append(w)
    return finish(path, w)
