"""Adalite; p is one tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, norm, rate, silent


def softmax(x: Array) -> Array:
    e: Array = np.exp(x - x.max())
    return e / e.sum()


@silent()
def adalite(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    eps2: float = 1e-10,
    tau: float = 1.0,
    weight_decay: float = 0.01,
    steps: int | None = None,
) -> Array:
    """Adalite: VatsaDev 2024, github.com/VatsaDev/adalite, its code.

    g = g max(|x| / max(|g|, 1e-10), 1e-4), but of a single number. A vector keeps m and v; a matrix has v = r c / max(sum r, eps2) and
    m = C s R. m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) (g - m)^2; of a matrix: i = softmax(v's row means)
    softmax(v's column means)^T, m = i m + (1 - i) g; u = beta1 m + (1 - beta1) g. r = v's row sums, c = v's column sums / max(sum v, eps2);
    C = m softmax(column means / tau), R = softmax(row means / tau)^T m, s = C^T m R^T / max(C^T C R R^T, eps2).
    x = x - lr (u / sqrt(v / (1 - beta2^t) + eps) + weight_decay x).
    """
    x, grad, T = begin(p, gradients, steps)
    matrix = x.ndim == 2
    m, v, path = np.zeros_like(x), np.zeros_like(x), []
    r, c, C, R, s = (np.zeros(x.shape[k]) if matrix else None for k in (0, 1, 0, 1, 0))
    s = 0.0
    for t in range(1, T + 1):
        g = grad(t, x)
        if x.size > 1:
            g = g * max(norm(x) / max(norm(g), 1e-10), 1e-4)
        if matrix:
            v = np.outer(r, c) / max(r.sum(), eps2)
            m = np.outer(C, R) * s
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * (g - m) ** 2
        if matrix:
            i = np.outer(softmax(v.mean(1)), softmax(v.mean(0)))
            m = i * m + (1.0 - i) * g
        u = beta1 * m + (1.0 - beta1) * g
        if matrix:
            r, c = v.sum(1), v.sum(0) / max(v.sum(), eps2)
            C, R = m @ softmax(v.mean(0) / tau), softmax(v.mean(1) / tau) @ m
            s = float(C @ m @ R) / max(float(C @ C) * float(R @ R), eps2)
        x = x - rate(lr, t) * (u / np.sqrt(v / (1.0 - beta2**t) + eps) + weight_decay * x)
        path.append(x)
    return finish(path, x)
