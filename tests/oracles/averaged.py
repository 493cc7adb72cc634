"""Ranger; p is one layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def ranger(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    k: int = 6,
    alpha: float = 0.5,
    beta1: float = 0.95,
    beta2: float = 0.999,
    eps: float = 1e-5,
    threshold: float = 5.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Ranger (Wright 2019): RAdam (Liu et al. 2020, arXiv 1908.03265, Algorithm 2) with m / (sqrt(v) + eps), corrected by the
    rate, inside Lookahead (Zhang et al. 2019, arXiv 1907.08610, Algorithm 1).
    """
    w, grad, T = begin(p, gradients, steps)
    m, v, slow = np.zeros_like(w), np.zeros_like(w), w
    length = 2.0 / (1.0 - beta2) - 1.0
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g * g
        rho = length - 2.0 * t * beta2**t / (1.0 - beta2**t)
        step = m / (1.0 - beta1**t)
        if rho > threshold:
            r = math.sqrt((rho - 4.0) * (rho - 2.0) * length / ((length - 4.0) * (length - 2.0) * rho))
            step = step * r * math.sqrt(1.0 - beta2**t) / (np.sqrt(v) + eps)
        w = w - rate(lr, t) * (step + weight_decay * w)
        if t % k == 0:
            slow = slow + alpha * (w - slow)
            w = slow
        path.append(w)
    return finish(path, w)
