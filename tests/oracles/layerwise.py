"""LARS, LAMB, NovoGrad, Fromage: p is one layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, norm, rate, silent


@silent()
def lars(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    mu: float = 0.9,
    weight_decay: float = 5e-4,
    coefficient: float = 1e-3,
    steps: int | None = None,
) -> Array:
    """LARS: You, Gitman & Ginsburg 2017, arXiv 1708.03888, Algorithm 1, with the coefficient of equation 6.

    lambda = eta |w| / (|g| + beta |w|), eta the coefficient; v = m v + gamma lambda (g + beta w); w = w - v. Not in the paper, from the
    authors' code: lambda = 1 where |w| or |g| is 0.
    """
    w, grad, T = begin(p, gradients, steps)
    v = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        local = 1.0
        if norm(w) > 0.0 and norm(g) > 0.0:
            local = coefficient * norm(w) / (norm(g) + weight_decay * norm(w))
        v = mu * v + rate(lr, t) * local * (g + weight_decay * w)
        w = w - v
        path.append(w)
    return finish(path, w)


@silent()
def lars_of_sums(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    mu: float = 0.9,
    weight_decay: float = 0.0,
    coefficient: float = 1e-3,
    eps: float = 0.0,
    steps: int | None = None,
) -> Array:
    """LARS as optax has it: lambda = eta |w| / (|g + beta w| + eps), and 1 where |w| or |g + beta w| is 0."""
    w, grad, T = begin(p, gradients, steps)
    v = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        u = grad(t, w) + weight_decay * w
        local = coefficient * norm(w) / (norm(u) + eps) if norm(w) > 0.0 and norm(u) > 0.0 else 1.0
        v = mu * v + rate(lr, t) * local * u
        w = w - v
        path.append(w)
    return finish(path, w)


@silent()
def lamb(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float = 0.01,
    low: float = 0.0,
    high: float = math.inf,
    steps: int | None = None,
) -> Array:
    """LAMB: You et al. 2019, arXiv 1904.00962, Algorithm 2; phi(z) = min(max(z, gamma_l), gamma_u).

    r = mhat / (sqrt(vhat) + eps); x = x - eta phi(|x|) / |r + lambda x| (r + lambda x). Not in the paper, from the
    authors' code: the factor is 1 where phi(|x|) or the direction is 0.
    """
    x, grad, T = begin(p, gradients, steps)
    m, v = np.zeros_like(x), np.zeros_like(x)
    path = []
    for t in range(1, T + 1):
        g = grad(t, x)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        r = (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + eps)
        u = r + weight_decay * x
        phi = min(max(norm(x), low), high)
        factor = phi / norm(u) if phi > 0.0 and norm(u) > 0.0 else 1.0
        x = x - rate(lr, t) * factor * u
        path.append(x)
    return finish(path, x)


@silent()
def novograd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    beta1: float = 0.95,
    beta2: float = 0.98,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    eps_root: float = 0.0,
    steps: int | None = None,
) -> Array:
    """NovoGrad: Ginsburg et al. 2019, arXiv 1905.11286, Algorithm 1.

    v_1 = |g_1|^2, m_1 = g_1 / (sqrt(v_1) + eps) + d w; then v_t = beta2 v + (1 - beta2) |g|^2,
    m_t = beta1 m + (g / (sqrt(v_t) + eps) + d w); w = w - lr m_t. ``eps_root``: added to v under the root (optax).
    """
    w, grad, T = begin(p, gradients, steps)
    v, m = 0.0, np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        if t == 1:
            v = norm(g) ** 2
            m = g / (math.sqrt(v + eps_root) + eps) + weight_decay * w
        else:
            v = beta2 * v + (1.0 - beta2) * norm(g) ** 2
            m = beta1 * m + (g / (math.sqrt(v + eps_root) + eps) + weight_decay * w)
        w = w - rate(lr, t) * m
        path.append(w)
    return finish(path, w)


@silent()
def fromage(p: Any, gradients: Gradients, lr: Rate = 1e-2, min_norm: float = 0.0, steps: int | None = None) -> Array:
    """Fromage: Bernstein, Vahdat, Yue & Liu 2020, arXiv 2002.03432, Algorithm 1.

    W = (W - eta |W| / |g| g) / sqrt(1 + eta^2). Not in the paper, from the authors' code: |W| / |g| is 1 where one of
    the two is 0. ``min_norm``: shorter ones count as so long (optax).
    """
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        eta = rate(lr, t)
        top, bottom = max(norm(w), min_norm), max(norm(g), min_norm)
        factor = top / bottom if top > 0.0 and bottom > 0.0 else 1.0
        w = (w - eta * factor * g) / math.sqrt(1.0 + eta**2)
        path.append(w)
    return finish(path, w)
