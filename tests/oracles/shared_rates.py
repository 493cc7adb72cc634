"""One rate for many numbers: SGD-SaI and Adam-mini; p is one tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, norm, rate, silent


@silent()
def sgd_sai(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    mu: float = 0.9,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    steps: int | None = None,
) -> Array:
    """SGD-SaI: Xu et al. 2024, arXiv 2412.11768, Algorithm 1: G_snr = |g_1| / (sigma(g_1) + eps); m = mu m + (1 - mu) g; w = w -
    eta lambda w - eta G_snr m. From the authors' code: sigma with n - 1; of a single number the norm stands for the ratio.
    """
    w, grad, T = begin(p, gradients, steps)
    m, path, snr = np.zeros_like(w), [], 0.0
    for t in range(1, T + 1):
        g = grad(t, w)
        if t == 1:
            sigma = float(np.std(g, ddof=1)) if g.size > 1 else 0.0
            snr = norm(g) / (sigma + eps) if sigma else norm(g)
        m = mu * m + (1.0 - mu) * g
        w = w - rate(lr, t) * (weight_decay * w + snr * m)
        path.append(w)
    return finish(path, w)


@silent()
def adam_mini(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    by_row: bool = True,
    steps: int | None = None,
) -> Array:
    """Adam-mini: Zhang et al. 2024, arXiv 2406.16793, Algorithm 1: for each block, v_b = (1 - beta2) mean(g_b g_b) + beta2 v_b;
    m = (1 - beta1) g + beta1 m; w = w - eta lambda w - eta m_hat / (sqrt(v_b_hat) + eps). Blocks: rows of matrices, whole vectors.
    """
    w, grad, T = begin(p, gradients, steps)
    blocks = list(range(w.shape[0])) if w.ndim == 2 and by_row else [...]
    m, v, path = np.zeros_like(w), [0.0] * len(blocks), []
    for t in range(1, T + 1):
        g, eta = grad(t, w), rate(lr, t)
        m = beta1 * m + (1.0 - beta1) * g
        w = np.array(w - eta * weight_decay * w)
        for i, b in enumerate(blocks):
            v[i] = beta2 * v[i] + (1.0 - beta2) * norm(g[b]) ** 2 / g[b].size
            w[b] = w[b] - eta * (m[b] / (1.0 - beta1**t)) / (math.sqrt(v[i] / (1.0 - beta2**t)) + eps)
        path.append(w)
    return finish(path, w)
