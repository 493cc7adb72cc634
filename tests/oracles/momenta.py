"""Momenta beside the heavy ball: QHM, AggMo, PID, AccSGD, PNM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent


@silent()
def qhm(p: Any, gradients: Gradients, lr: Rate = 1e-1, nu: float = 0.7, beta: float = 0.999, steps: int | None = None) -> Array:
    """QHM: Ma & Yarats 2019, arXiv 1810.06801: g' = beta g' + (1 - beta) g; w = w - lr ((1 - nu) g + nu g')."""
    w, grad, T = begin(p, gradients, steps)
    average = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        average = beta * average + (1.0 - beta) * g
        w = w - rate(lr, t) * ((1.0 - nu) * g + nu * average)
        path.append(w)
    return finish(path, w)


@silent()
def aggmo(
    p: Any, gradients: Gradients, lr: Rate = 1e-2, betas: Sequence[float] = (0.0, 0.9, 0.99), steps: int | None = None
) -> Array:
    """AggMo: Lucas, Sun, Zemel & Grosse 2019, arXiv 1804.00325, Algorithm 1: v_i = beta_i v_i - g; w = w + lr / K sum v_i."""
    w, grad, T = begin(p, gradients, steps)
    velocities = [np.zeros_like(w) for _ in betas]
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        velocities = [beta * v - g for beta, v in zip(betas, velocities, strict=True)]
        w = w + rate(lr, t) / len(betas) * sum(velocities)
        path.append(w)
    return finish(path, w)


@silent()
def pid(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    mu: float = 0.9,
    I: float = 5.0,
    D: float = 10.0,
    form: str = "code",
    steps: int | None = None,
) -> Array:
    """PID: An et al. 2018 (CVPR). The authors' code: w = w - lr (g + I i + D d), i = mu i + g, d = mu d + (1 - mu)(g - g_old).

    ``form="paper"``: V = mu V - lr g; w = w + V - lr D d, at a constant rate. There is no change of the first gradient.
    """
    choice("form", form, ("code", "paper"))
    w, grad, T = begin(p, gradients, steps)
    i, d, V = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    old = None
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        d = mu * d
        if old is not None:
            d = d + (1.0 - mu) * (g - old)
        old = g
        if form == "paper":
            V = mu * V - rate(lr, t) * g
            w = w + V - rate(lr, t) * D * d
        else:
            i = mu * i + g
            w = w - rate(lr, t) * (g + I * i + D * d)
        path.append(w)
    return finish(path, w)


@silent()
def accsgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    kappa: float = 1000.0,
    xi: float = 10.0,
    c: float = 0.7,
    steps: int | None = None,
) -> Array:
    """AccSGD: Kidambi, Netrapalli, Jain & Kakade 2018, arXiv 1803.05591, ASGD.

    alpha = 1 - c^2 xi / kappa; u = alpha u + (1 - alpha)(w - kappa lr / c g); w = c / (c + 1 - alpha) (w - lr g) + (1 - alpha)
    / (c + 1 - alpha) u; u starts at w.
    """
    w, grad, T = begin(p, gradients, steps)
    u = w.copy()
    alpha = 1.0 - c**2 * xi / kappa
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        eta = rate(lr, t)
        u = alpha * u + (1.0 - alpha) * (w - kappa * eta / c * g)
        w = c / (c + (1.0 - alpha)) * (w - eta * g) + (1.0 - alpha) / (c + (1.0 - alpha)) * u
        path.append(w)
    return finish(path, w)


@silent()
def pnm(p: Any, gradients: Gradients, lr: Rate = 1e-1, beta0: float = 1.0, beta1: float = 0.9, steps: int | None = None) -> Array:
    """PNM: Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, Algorithm 1: m_t = beta1^2 m_(t-2) + (1 - beta1^2) g.

    w = w - lr / sqrt((1 + beta0)^2 + beta0^2) ((1 + beta0) m_t - beta0 m_(t-1)); m_0 = m_(-1) = 0.
    """
    w, grad, T = begin(p, gradients, steps)
    m = [np.zeros_like(w), np.zeros_like(w)]
    path = []
    for t in range(1, T + 1):
        m.append(beta1**2 * m[-2] + (1.0 - beta1**2) * grad(t, w))
        w = w - rate(lr, t) / math.sqrt((1.0 + beta0) ** 2 + beta0**2) * ((1.0 + beta0) * m[-1] - beta0 * m[-2])
        path.append(w)
    return finish(path, w)
