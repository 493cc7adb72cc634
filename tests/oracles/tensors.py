"""FAdam, Aida, TAM and Amos; p is one tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, divide, finish, inner, norm, rate, silent


def rms(x: Array) -> float:
    return norm(x) / math.sqrt(x.size)


@silent()
def fadam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    eps2: float = 1e-2,
    c: float = 1.0,
    weight_decay: float = 0.1,
    steps: int | None = None,
) -> Array:
    """FAdam: Hwang 2024, arXiv 2405.12807, Algorithm 1, p = 1/2.

    b = beta2 (1 - beta2^(t-1)) / (1 - beta2^t); f = b f + (1 - b) g^2; e = min(eps, eps2 RMS(g)); h = g / (f^p + e^2p);
    h = h / max(1, RMS(h) / c); m = beta1 m + (1 - beta1) h; w = x / (f^p + e^2p); w = w / max(1, RMS(w) / c);
    x = x - lr (m + weight_decay w).
    """
    x, grad, T = begin(p, gradients, steps)
    m, f, path = np.zeros_like(x), np.zeros_like(x), []
    for t in range(1, T + 1):
        g = grad(t, x)
        b = beta2 * (1.0 - beta2 ** (t - 1)) / (1.0 - beta2**t)
        f = b * f + (1.0 - b) * g**2
        below = f**0.5 + min(eps, eps2 * rms(g))
        h = divide(g, below)
        h = h / max(1.0, rms(h) / c)
        m = beta1 * m + (1.0 - beta1) * h
        w = divide(x, below)
        w = w / max(1.0, rms(w) / c)
        x = x - rate(lr, t) * (m + weight_decay * w)
        path.append(x)
    return finish(path, x)


@silent()
def aida(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    K: int = 2,
    xi: float = 1e-20,
    steps: int | None = None,
) -> Array:
    """Aida: Zhang, Niwa & Kleijn 2022, arXiv 2203.13273, as in the authors' code.

    m = beta1 m + (1 - beta1) g; m_0 = m, g_0 = g; m_k = <m_(k-1), g_(k-1)> / (|g_(k-1)|^2 + xi) g_(k-1) and g_k likewise with
    both exchanged, each K times; v = beta2 v + (1 - beta2) (m_K - g_K)^2 + eps;
    x = x - lr m / (1 - beta1^t) / sqrt(v / (1 - beta2^t)).
    """
    x, grad, T = begin(p, gradients, steps)
    m, v, path = np.zeros_like(x), np.zeros_like(x), []
    for t in range(1, T + 1):
        g = grad(t, x)
        m = beta1 * m + (1.0 - beta1) * g
        m_k, g_k = m, g
        for _ in range(K):
            m_k, g_k = inner(m_k, g_k) / (inner(g_k, g_k) + xi) * g_k, inner(m_k, g_k) / (inner(m_k, m_k) + xi) * m_k
        v = beta2 * v + (1.0 - beta2) * (m_k - g_k) ** 2 + eps
        x = x - rate(lr, t) * m / (1.0 - beta1**t) / np.sqrt(v / (1.0 - beta2**t))
        path.append(x)
    return finish(path, x)


@silent()
def tam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    beta: float = 0.9,
    gamma: float = 0.9,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """TAM: Malviya et al. 2024, arXiv 2412.18790.

    S = m . g / (|m| |g|), 0 where one of them is; s = gamma s + (1 - gamma) S; d = (1 + s) / 2; m = beta m + (eps + d) g; x = x - lr m.
    """
    x, grad, T = begin(p, gradients, steps)
    m, s, path = np.zeros_like(x), 0.0, []
    for t in range(1, T + 1):
        g = grad(t, x)
        below = norm(m) * norm(g)
        s = gamma * s + (1.0 - gamma) * (inner(m, g) / below if below > 0.0 else 0.0)
        m = beta * m + (eps + (1.0 + s) / 2.0) * g
        x = x - rate(lr, t) * m
        path.append(x)
    return finish(path, x)


@silent()
def amos(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    scale: float = 1.0,
    beta: float = 0.999,
    zeta: float = 0.25,
    steps: int | None = None,
) -> Array:
    """Amos: Tian & Parikh 2022, arXiv 2210.11693, as in the authors' code; xi = lr, eta = scale.

    v = beta v + (1 - beta) M2(g)^2; vhat = v / (1 - beta^t); c = (1 + zeta sqrt(xi) b)^(-1/2); d = (1 + zeta sqrt(xi eta) b)^(-1);
    gamma = c xi^2 / vhat M2(g)^2; x = x - d (xi eta / sqrt(vhat) g + gamma / 2 x); b = b + gamma (1 + b).
    """
    x, grad, T = begin(p, gradients, steps)
    v, b, path = 0.0, 0.0, []
    for t in range(1, T + 1):
        g, xi = grad(t, x), rate(lr, t)
        square = rms(g) ** 2
        v = beta * v + (1.0 - beta) * square
        vhat = v / (1.0 - beta**t)
        inverse = 1.0 / vhat if vhat > 0.0 else 0.0
        gamma = (1.0 + zeta * math.sqrt(xi) * b) ** -0.5 * xi**2 * inverse * square
        d = (1.0 + zeta * math.sqrt(xi * scale) * b) ** -1
        x = x - d * (xi * scale * math.sqrt(inverse) * g + gamma / 2.0 * x)
        b = b + gamma * (1.0 + b)
        path.append(x)
    return finish(path, x)
