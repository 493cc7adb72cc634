"""AdaHessian; p is one tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def adahessian(
    p: Any,
    gradients: Gradients,
    curvatures: Any,
    lr: Rate = 0.15,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-4,
    power: float = 1.0,
    average: bool = False,
    k: int = 1,
    steps: int | None = None,
) -> Array:
    """AdaHessian: Yao et al. 2020, arXiv 2006.00719, Algorithm 1: D^(s) by Equation 9, m_t and v_t by Equation 12, w = w - eta m / v.

    m_t = (1 - beta1) sum beta1^(t-i) g_i / (1 - beta1^t), v_t = (sqrt((1 - beta2) sum beta2^(t-i) D_i^(s) D_i^(s) / (1 -
    beta2^t)))^power, and eps beside it, as in the authors' code. ``average``: of a matrix, D^(s) is the mean of a row. ``k``: D is looked
    at if t mod k = 1.
    """
    w, grad, T = begin(p, gradients, steps)
    sum1, sum2 = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        sum1 = beta1 * sum1 + grad(t, w)
        if t % k == 1 % k:
            D = np.asarray(curvatures[t - 1], dtype=np.float64)
            D = np.array([np.full(len(row), sum(row) / len(row)) for row in D]) if average and D.ndim == 2 else D
            sum2 = beta2 * sum2 + D**2
        v = np.sqrt((1.0 - beta2) * sum2 / (1.0 - beta2**t)) ** power + eps
        w = w - rate(lr, t) * ((1.0 - beta1) * sum1 / (1.0 - beta1**t)) / v
        path.append(w)
    return finish(path, w)
