"""AdEMAMix, and its simplification."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def ademamix(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    beta3: float = 0.9999,
    alpha: float = 5.0,
    eps: float = 1e-8,
    warmup: float = 0.0,
    weight_decay: float = 0.0,
    eps_root: float = 0.0,
    steps: int | None = None,
) -> Array:
    """AdEMAMix: Pagliardini, Ablin & Grangier 2024, arXiv 2409.03137, Algorithm 1; ``warmup`` is T_alpha = T_beta3, 0 for
    none, beta_start is beta1, and beta3 at most its last value. ``eps_root``: added under the root (optax)."""
    w, grad, T = begin(p, gradients, steps)
    m1 = np.zeros_like(w)
    m2 = np.zeros_like(w)
    nu = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        alpha_t, beta3_t = alpha, beta3
        if t < warmup:
            alpha_t = alpha * t / warmup
        if t < warmup and beta3 > 0:
            half_lives = [math.log(0.5) / math.log(b) for b in (beta1, beta3)]
            half_life = half_lives[0] + (half_lives[1] - half_lives[0]) * t / warmup
            beta3_t = min(beta3, 0.5 ** (1.0 / half_life))
        m1 = beta1 * m1 + (1.0 - beta1) * g
        m2 = beta3_t * m2 + (1.0 - beta3_t) * g
        nu = beta2 * nu + (1.0 - beta2) * g * g
        m1_hat = m1 / (1.0 - beta1**t)
        nu_hat = nu / (1.0 - beta2**t)
        w = w - rate(lr, t) * ((m1_hat + alpha_t * m2) / (np.sqrt(nu_hat + eps_root) + eps) + weight_decay * w)
        path.append(w)
    return finish(path, w)


@silent()
def simplified_ademamix(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-4,
    beta1: float = 0.99,
    beta2: float = 0.95,
    alpha: float = 0.0,
    eps: float = 1e-8,
    eps_root: float = 0.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Simplified AdEMAMix: Morwani, Vyas, Zhang & Kakade 2025, arXiv 2502.02431, with eps and the correction of the second
    moment as the authors' code has them; ``eps_root`` is optax's.

    m = beta1 m + g; w = w - eta (m + alpha g) / (sqrt(nu_hat) + eps).
    """
    w, grad, T = begin(p, gradients, steps)
    m = np.zeros_like(w)
    nu = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + g
        nu = beta2 * nu + (1.0 - beta2) * g * g
        nu_hat = nu / (1.0 - beta2**t)
        w = w - rate(lr, t) * ((m + alpha * g) / (np.sqrt(nu_hat + eps_root) + eps) + weight_decay * w)
        path.append(w)
    return finish(path, w)
