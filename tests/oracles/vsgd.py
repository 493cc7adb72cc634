"""VSGD."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def vsgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 0.1,
    gamma: float = 1e-8,
    K: float = 30.0,
    kappa1: float = 0.81,
    kappa2: float = 0.9,
    delta: float = 0.0,
    eps: float = 0.0,
    steps: int | None = None,
) -> Array:
    """VSGD: Chen et al. 2024, arXiv 2404.06549, Algorithm 1.

    mu = b^ / (b^ + b) mu + b / (b^ + b) g; sigma^2 = 1 / (a / b + a / b^); b' = gamma + (sigma^2 + (mu - mu_before)^2) / 2, b^' =
    K gamma + (sigma^2 + (mu - g)^2) / 2; b = (1 - rho1) b + rho1 b', b^ so with rho2, rho = t^-kappa; theta = theta - eta mu /
    sqrt(mu^2 + sigma^2). a_0 = b_0 = gamma, b^_0 = K gamma; later a = gamma + 1/2. ``delta``, ``eps``: the authors' code.
    """
    w, grad, T = begin(p, gradients, steps)
    mu, b, b_hat = np.zeros_like(w), np.full_like(w, gamma), np.full_like(w, K * gamma)
    path = []
    for t in range(1, T + 1):
        g, before = grad(t, w), mu
        a = (gamma if t == 1 else gamma + 0.5) + delta
        mu = b_hat / (b_hat + b) * before + b / (b_hat + b) * g
        variance = 1.0 / (a / b + a / b_hat)
        rho1, rho2 = float(t) ** -kappa1, float(t) ** -kappa2
        b = (1.0 - rho1) * b + rho1 * (gamma + 0.5 * (variance + (mu - before) ** 2))
        b_hat = (1.0 - rho2) * b_hat + rho2 * (K * gamma + 0.5 * (variance + (mu - g) ** 2))
        w = w - rate(lr, t) / (np.sqrt(mu**2 + variance) + eps) * mu
        path.append(w)
    return finish(path, w)
