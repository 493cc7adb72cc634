"""Ranger and Ranger21; p is one layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def ranger(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    k: int = 6,
    alpha: float = 0.5,
    beta1: float = 0.95,
    beta2: float = 0.999,
    eps: float = 1e-5,
    threshold: float = 5.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Ranger (Wright 2019): RAdam (Liu et al. 2020, arXiv 1908.03265, Algorithm 2) with m / (sqrt(v) + eps), corrected by the
    rate, inside Lookahead (Zhang et al. 2019, arXiv 1907.08610, Algorithm 1).
    """
    w, grad, T = begin(p, gradients, steps)
    m, v, slow = np.zeros_like(w), np.zeros_like(w), w
    length = 2.0 / (1.0 - beta2) - 1.0
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g * g
        rho = length - 2.0 * t * beta2**t / (1.0 - beta2**t)
        step = m / (1.0 - beta1**t)
        if rho > threshold:
            r = math.sqrt((rho - 4.0) * (rho - 2.0) * length / ((length - 4.0) * (length - 2.0) * rho))
            step = step * r * math.sqrt(1.0 - beta2**t) / (np.sqrt(v) + eps)
        w = w - rate(lr, t) * (step + weight_decay * w)
        if t % k == 0:
            slow = slow + alpha * (w - slow)
            w = slow
        path.append(w)
    return finish(path, w)


@silent()
def ranger21(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    k: int = 5,
    alpha: float = 0.5,
    beta0: float = 0.9,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    clipping: float = 0.01,
    weight_decay: float = 1e-4,
    steps: int | None = None,
) -> Array:
    """Ranger21 (Wright & Demeure 2021, arXiv 2106.13731). The loop is written from its components' own papers, put together
    as in the authors' Flax code: adaptive gradient clipping (2102.06171, equation 3), gradient centralization (2004.01461,
    equation 1), positive-negative momentum over AMSGrad's root (2103.17182, algorithm 2), norm loss (2103.06583) divided as
    stable weight decay is (2011.11152), Lookahead (1907.08610, algorithm 1).

    A unit is a row of a matrix, and the whole of a vector or a number.
    """
    w, grad, T = begin(p, gradients, steps)
    units = [np.s_[i : i + 1] for i in range(w.shape[0])] if w.ndim == 2 else [np.s_[...]]
    momenta, v, v_max, slow = [np.zeros_like(w)] * 2, np.zeros_like(w), np.zeros_like(w), w
    path = []
    for t in range(1, T + 1):
        g = grad(t, w).copy()
        pull = np.zeros_like(w)
        for unit in units:
            limit = clipping * max(float(np.sqrt(np.sum(w[unit] ** 2))), 1e-3)
            length = float(np.sqrt(np.sum(g[unit] ** 2)))
            if length > limit:
                g[unit] = g[unit] * limit / length
            if w.ndim == 2:
                g[unit] = g[unit] - float(np.mean(g[unit]))
            length = float(np.sqrt(np.sum(w[unit] ** 2)))
            pull[unit] = (1.0 - 1.0 / length) * w[unit] if length else 0.0
        momenta.append(beta1**2 * momenta[-2] + (1.0 - beta1**2) * g)
        m_hat = ((1.0 + beta0) * momenta[-1] - beta0 * momenta[-2]) / (1.0 - beta1**t)
        v = beta2 * v + (1.0 - beta2) * g**2
        v_max = np.maximum(v_max, v)
        v_hat = v_max / (1.0 - beta2**t)
        d = m_hat / (math.hypot(1.0 + beta0, beta0) * (np.sqrt(v_hat) + eps))
        spread = math.sqrt(float(np.mean(v_hat)))
        if spread:
            d = d + weight_decay / spread * pull
        w = w - rate(lr, t) * d
        if t % k == 0:
            slow = (1.0 - alpha) * slow + alpha * w
            w = slow
        path.append(w)
    return finish(path, w)
