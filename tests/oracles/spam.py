"""SPAM."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def spam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    every: int = 500,
    warm_up: int = 150,
    threshold: float = 5000.0,
    wait: int = 20,
    steps: int | None = None,
) -> Array:
    """SPAM: Huang et al. 2025, arXiv 2501.06842, as in the authors' code, with density 1.

    At t a multiple of dT: m = v = 0, and N steps begin, whose k-th (from 0) is 1 - 0.99 (1 + cos(pi k / (N + 1))) / 2 times as long. From
    the step t mod dT = wait on: g_i = sign(g_i) sqrt(theta v_i) where g_i^2 > theta v_i. Then Adam; eps is beside sqrt(v) and the corrections
    are of the rate.
    """
    x, grad, T = begin(p, gradients, steps)
    m, v, path, k = np.zeros_like(x), np.zeros_like(x), [], warm_up
    for t in range(1, T + 1):
        g = grad(t, x)
        if t % every == 0:
            m, v, k = np.zeros_like(x), np.zeros_like(x), 0
        if t % every >= wait:
            g = np.where(g**2 > threshold * v, np.sign(g) * np.sqrt(threshold * v), g)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        share = 1.0 - 0.99 * (1.0 + math.cos(math.pi * k / (warm_up + 1))) / 2.0 if k < warm_up else 1.0
        x = x - share * rate(lr, t) * math.sqrt(1.0 - beta2**t) / (1.0 - beta1**t) * m / (np.sqrt(v) + eps)
        k += 1
        path.append(x)
    return finish(path, x)
