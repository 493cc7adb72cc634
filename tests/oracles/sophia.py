"""Sophia."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def sophia(
    p: Any,
    gradients: Gradients,
    curvatures: Any,
    lr: Rate = 1e-3,
    beta1: float = 0.96,
    beta2: float = 0.99,
    gamma: float = 0.01,
    eps: float = 1e-12,
    k: int = 10,
    weight_decay: float = 0.0,
    optax: bool = False,
    limit: float = 1.0,
    steps: int | None = None,
) -> Array:
    """Sophia: Liu, Li, Hall, Liang & Ma 2023, arXiv 2305.14342, Algorithm 3.

    ``curvatures``: h_hat, one a step, looked at if t mod k = 1. ``optax``: its order and its corrected momentum: the step
    is along m / (1 - beta1^t) and over the h of the step before. ``limit``: where a direction is cut off.
    """
    w, grad, T = begin(p, gradients, steps)
    m, h = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        before = h
        m = beta1 * m + (1.0 - beta1) * grad(t, w)
        if t % k == 1 % k:
            h = beta2 * h + (1.0 - beta2) * np.asarray(curvatures[t - 1], dtype=np.float64)
        direction = m / (1.0 - beta1**t) if optax else m
        d = direction / np.maximum(gamma * (before if optax else h), eps)
        eta = rate(lr, t)
        w = w - eta * weight_decay * w - eta * np.minimum(np.maximum(d, -limit), limit)
        path.append(w)
    return finish(path, w)
