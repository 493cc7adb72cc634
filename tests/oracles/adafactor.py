"""Adafactor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent


def rms(x: Array) -> float:
    """Root mean square of all entries."""
    return math.sqrt(float(np.sum(x * x)) / x.size)


@silent()
def adafactor(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    beta2_decay: float = -0.8,
    eps1: float = 1e-30,
    eps2: float = 1e-3,
    d: float = 1.0,
    weight_decay: float = 0.0,
    eps_place: str = "squares",
    relative_step: bool = True,
    parameter_scale: bool = True,
    offset: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Adafactor: Shazeer & Stern 2018, arXiv 1804.04235, Algorithm 4 for a matrix, Algorithm 5 for anything else.

    rho_t = min(lr, 1 / sqrt(t)) (the paper: 10^-2 for lr), alpha_t = max(eps2, RMS(X_(t-1))) rho_t, beta2_t = 1 - t^-0.8;
    R_t = beta2_t R_(t-1) + (1 - beta2_t) (G_t^2 + eps1 1 1^T) 1, C_t likewise, V_t = R_t C_t / (1^T R_t); U_t = G_t /
    sqrt(V_t); X_t = X_(t-1) - alpha_t U_t / max(1, RMS(U_t) / d). Sums, as the paper has them, not means.
    ``eps_place="floor"`` (PyTorch): nothing is added to G^2, the mean of a matrix's row means is no less than eps1 and
    neither is sqrt(V_t). ``weight_decay``: X_(t-1) shrinks by lr * weight_decay first, once alpha_t is known.
    ``relative_step=False``: rho_t = lr; ``parameter_scale=False``: alpha_t = rho_t.
    ``offset``: taken from t in beta2_t.
    """
    choice("eps_place", eps_place, ("squares", "floor"))
    x, grad, T = begin(p, gradients, steps)
    added = eps1 if eps_place == "squares" else 0.0
    factored = x.ndim == 2
    if x.ndim > 2:
        raise ValueError("a matrix, a vector or a number")
    R, C, V = np.zeros(x.shape[:1]), np.zeros(x.shape[1:]), np.zeros_like(x)
    path = []
    for t in range(1, T + 1):
        g = grad(t, x)
        eta = rate(lr, t)
        rho = min(eta, 1.0 / math.sqrt(t)) if relative_step else eta
        alpha = max(eps2, rms(x)) * rho if parameter_scale else rho
        beta2 = 1.0 - (t - offset) ** beta2_decay
        square = g * g + added
        if factored:
            n, m = x.shape
            R = beta2 * R + (1.0 - beta2) * np.array([sum(row) for row in square])
            C = beta2 * C + (1.0 - beta2) * np.array([sum(column) for column in square.T])
            whole = sum(R)
            if eps_place == "floor":  # the mean of the n row means is whole / (n m)
                whole = max(whole / (n * m), eps1) * n * m
            V = np.array([[R[i] * C[j] / whole for j in range(m)] for i in range(n)])
        else:
            V = beta2 * V + (1.0 - beta2) * square
        root = np.sqrt(V)
        u = g / (np.maximum(root, eps1) if eps_place == "floor" else root)
        x = x - eta * weight_decay * x - alpha * u / max(1.0, rms(u) / d)
        path.append(x)
    return finish(path, x)
