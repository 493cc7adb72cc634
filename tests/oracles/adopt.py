"""ADOPT."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def adopt(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.9999,
    eps: float = 1e-6,
    clipped: bool = True,
    c: Rate = 0.0,
    steps: int | None = None,
) -> Array:
    """ADOPT: Taniguchi et al. 2024, arXiv 2411.02853, Algorithm 2 with c_t = t^(1/4), or ``c``; not ``clipped``: Algorithm 1.

    The first gradient is its g_0: v_0 = g_0^2, and w stays.
    """
    w, grad, T = begin(p, gradients, steps)
    if T == 0:
        return finish([], w)
    v = grad(1, w) ** 2
    m = np.zeros_like(w)
    path = [w]
    for t in range(1, T):
        g = grad(t + 1, w)
        r = g / np.maximum(np.sqrt(v), eps)
        if clipped:
            limit = rate(c, t + 1) or math.sqrt(math.sqrt(t))
            r = np.clip(r, -limit, limit)
        m = beta1 * m + (1.0 - beta1) * r
        w = w - rate(lr, t + 1) * m
        v = beta2 * v + (1.0 - beta2) * g**2
        path.append(w)
    return finish(path, w)
