"""Younger relatives of Adam: Padam, AdamD, Adam-atan2, EXAdam, AdamG and AdamS."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, rate, silent


@silent()
def padam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 0.1,
    beta1: float = 0.9,
    beta2: float = 0.999,
    partial: float = 0.125,
    eps: float = 1e-8,
    form: str = "paper",
    steps: int | None = None,
) -> Array:
    """Padam: Chen et al. 2020, arXiv 1806.06763, Algorithm 1: x = x - alpha m / V^p, V = max(V, v); 0/0 = 0.

    ``form="code"``: alpha sqrt(1 - beta2^t) / (1 - beta1^t), and (sqrt(V) + eps)^2p; ``form="adam"``: that with v for V.
    """
    choice("form", form, ("paper", "code", "adam"))
    w, grad, T = begin(p, gradients, steps)
    m, v, top = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        top = np.maximum(top, v)
        if form == "paper":
            w = w - rate(lr, t) * divide(m, top**partial)
        else:
            step = rate(lr, t) * math.sqrt(1.0 - beta2**t) / (1.0 - beta1**t)
            w = w - step * m / (np.sqrt(top if form == "code" else v) + eps) ** (2.0 * partial)
        path.append(w)
    return finish(path, w)


@silent()
def adamd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    eps_place: str = "raw",
    steps: int | None = None,
) -> Array:
    """AdamD: St John 2021, arXiv 2110.10828: alpha_t = alpha sqrt(1 - beta2^t), theta = theta - alpha_t m / (sqrt(v) + eps).

    ``eps_place="outside"``: alpha m / (sqrt(v / (1 - beta2^t)) + eps).
    """
    choice("eps_place", eps_place, ("raw", "outside"))
    w, grad, T = begin(p, gradients, steps)
    m, v = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        if eps_place == "raw":
            w = w - rate(lr, t) * math.sqrt(1.0 - beta2**t) * m / (np.sqrt(v) + eps)
        else:
            w = w - rate(lr, t) * m / (np.sqrt(v / (1.0 - beta2**t)) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def exadam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """EXAdam: Adly 2024, arXiv 2412.20302, Algorithm 1: d1 = 1 + v / (v + eps) beta2^t, d2 = 1 + m^2 / (m^2 + eps) beta1^t,
    m~ = m / (1 - beta1^t) d1, v~ = v / (1 - beta2^t) d2, g~ = g / (1 - beta1^t) d1, theta = theta - alpha (m~ + g~) / (sqrt(v~) + eps).
    """
    w, grad, T = begin(p, gradients, steps)
    m, v = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        d1 = 1.0 + v / (v + eps) * beta2**t
        d2 = 1.0 + m**2 / (m**2 + eps) * beta1**t
        m_tilde = m / (1.0 - beta1**t) * d1
        v_tilde = v / (1.0 - beta2**t) * d2
        g_tilde = g / (1.0 - beta1**t) * d1
        w = w - rate(lr, t) * (m_tilde + g_tilde) / (np.sqrt(v_tilde) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def adamg(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta1: float = 0.95,
    beta2: float = 0.999,
    beta3: float = 0.95,
    scale: float = 0.2,
    q: float = 0.24,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """AdamG: Pang et al. 2024, arXiv 2405.04376, Algorithm 2: r = beta3 r + (1 - beta3) s(v), m = beta1 m + (1 - beta1) r g,
    x = x - min(eta, 1 / sqrt(k)) m_hat / (sqrt(v_hat) + eps); s(x) = 0.2 x^0.24.
    """
    w, grad, T = begin(p, gradients, steps)
    m, v, r = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        v = beta2 * v + (1.0 - beta2) * g**2
        r = beta3 * r + (1.0 - beta3) * scale * v**q
        m = beta1 * m + (1.0 - beta1) * r * g
        size = min(rate(lr, t), 1.0 / math.sqrt(t))
        w = w - size * (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def adams(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-4,
    steps: int | None = None,
) -> Array:
    """AdamS: Xie et al. 2020, arXiv 2011.11152: theta = theta - eta m_hat / (sqrt(v_hat) + eps) - eta / sqrt(v_mean) lambda theta.

    v_mean is the mean of v_hat; p is the whole model.
    """
    w, grad, T = begin(p, gradients, steps)
    m, v = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        m_hat, v_hat = m / (1.0 - beta1**t), v / (1.0 - beta2**t)
        eta = rate(lr, t)
        w = w - eta * m_hat / (np.sqrt(v_hat) + eps) - eta / math.sqrt(float(np.mean(v_hat))) * weight_decay * w
        path.append(w)
    return finish(path, w)


@silent()
def adam_atan2(
    p: Any, gradients: Gradients, lr: Rate = 1e-3, beta1: float = 0.9, beta2: float = 0.999, steps: int | None = None
) -> Array:
    """Adam-atan2: Everett et al. 2024, arXiv 2407.05872: theta = theta - eta atan2(m_hat, sqrt(v_hat)), a coordinate at a time."""
    w, grad, T = begin(p, gradients, steps)
    m, v = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        above, below = m / (1.0 - beta1**t), np.sqrt(v / (1.0 - beta2**t))
        angles = [math.atan2(y, x) for y, x in zip(above.ravel().tolist(), below.ravel().tolist(), strict=True)]
        w = w - rate(lr, t) * np.reshape(angles, w.shape)
        path.append(w)
    return finish(path, w)
