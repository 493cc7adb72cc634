"""AdGD; p is the whole model."""

from __future__ import annotations

import math
from typing import Any

from .common import Array, Gradients, Rate, begin, finish, norm, rate, silent


@silent()
def adgd(p: Any, gradients: Gradients, lr: Rate = 1.0, first_rate: float = 1e-6, steps: int | None = None) -> Array:
    """AdGD: Malitsky & Mishchenko 2020, arXiv 1910.09529, Algorithm 1; lr, which the paper has not, multiplies each step.

    lambda_0 = first_rate, theta_0 = infinity; lambda_k = min(sqrt(1 + theta_(k-1)) lambda_(k-1), |x_k - x_(k-1)| / (2 |g_k - g_(k-1)|));
    x_(k+1) = x_k - lambda_k g_k; theta_k = lambda_k / lambda_(k-1). Where g_k = g_(k-1): lambda_k = lambda_(k-1).
    """
    x, grad, T = begin(p, gradients, steps)
    lam, theta, path = first_rate, math.inf, []
    x_before, g_before = x, None
    for k in range(1, T + 1):
        g = grad(k, x)
        if g_before is not None:
            bend = norm(g - g_before)
            found = min(math.sqrt(1.0 + theta) * lam, norm(x - x_before) / (2.0 * bend)) if bend > 0.0 else lam
            theta, lam = found / lam, found
        x_before, g_before = x, g
        x = x - rate(lr, k) * lam * g
        path.append(x)
    return finish(path, x)
