"""AEGD."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def aegd(p: Any, gradients: Gradients, lr: Rate = 0.1, c: float = 1.0, *, losses: Any, steps: int | None = None) -> Array:
    """AEGD: Liu & Tian 2020, arXiv 2010.05109, Algorithm 1: v = g / (2 sqrt(f + c)), r = r / (1 + 2 eta v^2), theta = theta - 2 eta r v.

    r_0 = sqrt(f(theta_0) + c).
    """
    w, grad, T = begin(p, gradients, steps)
    r, path = np.full_like(w, math.sqrt(losses[0] + c)), []
    for t in range(1, T + 1):
        eta = rate(lr, t)
        v = grad(t, w) / (2.0 * math.sqrt(losses[t - 1] + c))
        r = r / (1.0 + 2.0 * eta * v**2)
        w = w - 2.0 * eta * r * v
        path.append(w)
    return finish(path, w)
