"""Yogi and Ano."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def yogi(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-3,
    bias_correction: bool = False,
    initial: float = 0.0,
    initial_m: float | None = None,
    steps: int | None = None,
) -> Array:
    """Yogi: Zaheer et al. 2018, NeurIPS, Algorithm 2: v <- v - (1 - beta2) sign(v - g^2) g^2, no bias correction.

    ``initial``: what both moments begin at (optax: 1e-6, and the bias correction). ``initial_m``: m alone.
    """
    w, grad, T = begin(p, gradients, steps)
    m = np.full_like(w, initial if initial_m is None else initial_m)
    v = np.full_like(w, initial)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = np.where(v > g * g, v - (1.0 - beta2) * g * g, np.where(v < g * g, v + (1.0 - beta2) * g * g, v))
        c1, c2 = (1.0 - beta1**t, 1.0 - beta2**t) if bias_correction else (1.0, 1.0)
        w = w - rate(lr, t) * (m / c1) / (np.sqrt(v / c2) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def ano(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-4,
    beta1: float = 0.92,
    beta2: float = 0.99,
    eps: float = 1e-8,
    eps_place: str = "outside",
    steps: int | None = None,
) -> Array:
    """Ano: Kegreisz 2025, arXiv 2508.18258, Algorithm 1: v = beta2 v - (1 - beta2) sign(v - g^2) g^2, v_hat = v / (1 - beta2^t),
    x = x - eta |g| sign(m) / (sqrt(v_hat) + eps); ``eps_place="inside"``, the authors' code: sqrt(v_hat + eps).
    """
    w, grad, T = begin(p, gradients, steps)
    m, v = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v - (1.0 - beta2) * np.sign(v - g**2) * g**2
        v_hat = v / (1.0 - beta2**t)
        below = np.sqrt(v_hat) + eps if eps_place == "outside" else np.sqrt(v_hat + eps)
        w = w - rate(lr, t) * np.abs(g) * np.sign(m) / below
        path.append(w)
    return finish(path, w)
