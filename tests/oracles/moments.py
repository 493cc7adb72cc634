"""Descendants of Adam: LaProp, diffGrad, AdaMod, AdaNorm, AdaPNM, StableAdamW."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, norm, rate, silent


@silent()
def laprop(
    p: Any,
    gradients: Gradients,
    lr: Rate = 4e-4,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-15,
    eps_place: str = "outside",
    steps: int | None = None,
) -> Array:
    """LaProp: Ziyin, Wang & Ueda 2020, arXiv 2002.04839, Algorithm 1: m <- mu m + (1 - mu) g / (sqrt(n / (1 - nu^t)) + eps)."""
    choice("eps_place", eps_place, ("outside", "inside"))
    w, grad, T = begin(p, gradients, steps)
    m, n = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        n = beta2 * n + (1.0 - beta2) * g**2
        n_hat = n / (1.0 - beta2**t)
        m = beta1 * m + (1.0 - beta1) * g / (np.sqrt(n_hat) + eps if eps_place == "outside" else np.sqrt(n_hat + eps))
        w = w - rate(lr, t) * m / (1.0 - beta1**t)
        path.append(w)
    return finish(path, w)


@silent()
def diffgrad(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """diffGrad: Dubey et al. 2020, arXiv 1909.11015, Equations 5-7: Adam's step times 1 / (1 + exp(-|g_(t-1) - g_t|)); g_0 = 0."""
    w, grad, T = begin(p, gradients, steps)
    m, v, old = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        xi = 1.0 / (1.0 + np.exp(-np.abs(old - g)))
        old = g
        w = w - rate(lr, t) * xi * (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def adamod(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    beta3: float = 0.999,
    eps: float = 1e-8,
    form: str = "paper",
    steps: int | None = None,
) -> Array:
    """AdaMod: Ding, Ren, Luo & Sun 2019, arXiv 1910.12249, Algorithm 1: eta = alpha / (sqrt(v_hat) + eps);
    s = beta3 s + (1 - beta3) eta; w = w - min(eta, s) m_hat.

    ``form="code"``: eta = alpha sqrt(1 - beta2^t) / (1 - beta1^t) / (sqrt(v) + eps); w = w - min(eta, s) m.
    """
    choice("form", form, ("paper", "code"))
    w, grad, T = begin(p, gradients, steps)
    m, v, s = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        if form == "paper":
            eta, moment = rate(lr, t) / (np.sqrt(v / (1.0 - beta2**t)) + eps), m / (1.0 - beta1**t)
        else:
            eta, moment = rate(lr, t) * math.sqrt(1.0 - beta2**t) / (1.0 - beta1**t) / (np.sqrt(v) + eps), m
        s = beta3 * s + (1.0 - beta3) * eta
        w = w - np.minimum(eta, s) * moment
        path.append(w)
    return finish(path, w)


@silent()
def adanorm(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    gamma: float = 0.95,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """AdamNorm: Dubey, Singh & Chaudhuri 2023, arXiv 2210.06364, Algorithm 2: s = (e / |g|) g if e > |g|, else g; p is one layer."""
    w, grad, T = begin(p, gradients, steps)
    m, v, e = np.zeros_like(w), np.zeros_like(w), 0.0
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        size = norm(g)
        e = gamma * e + (1.0 - gamma) * size
        s = e / size * g if size > 0.0 and e > size else g
        m = beta1 * m + (1.0 - beta1) * s
        v = beta2 * v + (1.0 - beta2) * g**2
        w = w - rate(lr, t) * (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def adapnm(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta0: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """AdaPNM: Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, Algorithm 2, with two buffers that take turns."""
    w, grad, T = begin(p, gradients, steps)
    odd, even, v, v_max = (np.zeros_like(w) for _ in range(4))
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        if t % 2 == 1:
            odd = beta1**2 * odd + (1.0 - beta1**2) * g
            new, old = odd, even
        else:
            even = beta1**2 * even + (1.0 - beta1**2) * g
            new, old = even, odd
        m_hat = ((1.0 + beta0) * new - beta0 * old) / (1.0 - beta1**t)
        v = beta2 * v + (1.0 - beta2) * g**2
        v_max = np.maximum(v_max, v)
        v_hat = v_max / (1.0 - beta2**t)
        w = w - rate(lr, t) / math.sqrt((1.0 + beta0) ** 2 + beta0**2) * m_hat / (np.sqrt(v_hat) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def stable_adamw(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.99,
    eps: float = 1e-6,
    weight_decay: float = 0.01,
    steps: int | None = None,
) -> Array:
    """StableAdamW: Wortsman et al. 2023, arXiv 2304.13013, Algorithm 2: betas corrected, not moments; p is one layer.

    beta_hat = beta (1 - beta^(t-1)) / (1 - beta^t); RMS = sqrt(mean(g^2 / max(u, eps^2))); eta = alpha / max(1, RMS).
    """
    w, grad, T = begin(p, gradients, steps)
    m, u = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        b1 = beta1 * (1.0 - beta1 ** (t - 1)) / (1.0 - beta1**t)
        b2 = beta2 * (1.0 - beta2 ** (t - 1)) / (1.0 - beta2**t)
        m = b1 * m + (1.0 - b1) * g
        u = b2 * u + (1.0 - b2) * g**2
        rms = math.sqrt(float(np.mean(g**2 / np.maximum(u, eps**2))))
        eta = rate(lr, t) / max(1.0, rms)
        w = w - eta * weight_decay * w - eta * m / (np.sqrt(u) + eps)
        path.append(w)
    return finish(path, w)
